//! A whole simulated screen and the loop of its frames.

use super::canvas::{Canvas, Rgb};
use super::jpeg::smear;
use super::rhythm::Ecg;
use super::trace_painter::TraceLook;
use super::{Rng, hash_unit};
use domain::RgbView;
use ecg::trace::{FrameSource, TraceStyle};

/// Content of a scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Trace(TraceStyle),
    /// A trace without beats.
    Flat(TraceStyle),
    /// No trace at all.
    Bare,
    /// A spectral Doppler strip that sweeps, no trace.
    Doppler,
}

/// A screen that can be drawn at any frame.
#[derive(Debug, Clone)]
pub struct Scene {
    pub kind: Kind,
    pub frames: u32,
    pub frame_time_s: f64,
    pub trace: Option<TraceLook>,
    ecg: Ecg,
    size: (usize, usize),
    seed: i64,
    color_box: bool,
    tint: [f64; 3],
    gain: f64,
    quality: u32,
    halve_rows: bool,
    text_color: Rgb,
    pulse_s: f64,
}

impl Scene {
    pub fn vary(seed: u64, kind: Kind) -> Self {
        let mut rng = Rng::new(seed);
        let size = rng.pick(&[(640, 480), (800, 600), (636, 422), (1024, 768), (576, 456), (800, 600)]);
        let fps = rng.pick(&[15.0, 22.0, 25.0, 30.0, 38.0, 50.0, 60.0, 75.0, 90.0, 120.0]);
        let seconds = rng.between(0.8, 3.2);
        let frames = ((seconds * fps) as u32).clamp(15, 150);
        let loop_s = f64::from(frames) / fps;
        let (style, flat) = match kind {
            Kind::Trace(style) => (Some(style), false),
            Kind::Flat(style) => (Some(style), true),
            Kind::Bare | Kind::Doppler => (None, false),
        };
        let ecg = Ecg::simulate(&mut rng, -25.0, loop_s + 3.0, flat);
        let trace = style.map(|style| TraceLook::vary(&mut rng, style, size, loop_s));
        let tint = rng.pick(&[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.88, 0.94, 1.0], [1.0, 0.93, 0.8]]);
        Self {
            kind,
            frames,
            frame_time_s: 1.0 / fps,
            trace,
            ecg,
            size,
            seed: rng.next() as i64,
            color_box: rng.chance(0.3),
            tint,
            gain: rng.between(0.5, 1.1),
            quality: rng.whole(60, 95) as u32,
            halve_rows: rng.chance(0.25),
            text_color: rng.pick(&[[235, 235, 235], [200, 190, 110], [160, 160, 170], [120, 200, 220]]),
            pulse_s: rng.between(0.5, 1.1),
        }
    }

    /// R peaks in frames (fractional) from `slack` frames before the loop to as many after it.
    pub fn true_r_peaks(&self, slack: f64) -> Vec<f64> {
        let last = f64::from(self.frames - 1);
        let frames = self.ecg.beats.iter().map(|(r, _)| r / self.frame_time_s);
        frames.filter(|f| (-slack..=last + slack).contains(f)).collect()
    }

    /// Draws a frame.
    pub fn draw(&self, index: u32) -> Canvas {
        let now_s = f64::from(index) * self.frame_time_s;
        let mut canvas = Canvas::black(self.size.0, self.size.1);
        self.tissue(&mut canvas, now_s, index);
        self.labels(&mut canvas, index);
        if self.kind == Kind::Doppler {
            self.doppler(&mut canvas, now_s);
        }
        if let Some(trace) = &self.trace {
            trace.paint(&mut canvas, &self.ecg, now_s);
        }
        smear(&mut canvas, self.quality, self.halve_rows);
        canvas
    }

    /// A fan of speckle that pulsates, with walls and cavities, a color box at times.
    fn tissue(&self, canvas: &mut Canvas, now_s: f64, index: u32) {
        let (w, h) = (self.size.0 as f64, self.size.1 as f64);
        let (apex_x, apex_y) = (0.5 * w, 0.08 * h);
        let depth = 0.82 * h;
        let pulse = 1.0 + 0.05 * (std::f64::consts::TAU * now_s / self.pulse_s).sin();
        for y in apex_y as usize..canvas.height {
            for x in 0..canvas.width {
                let (dx, dy) = (x as f64 - apex_x, y as f64 - apex_y);
                let radius = dx.hypot(dy);
                let angle = dx.atan2(dy);
                if angle.abs() > 0.7 || radius > depth || radius < 0.05 * h {
                    continue;
                }
                let (ray, ring) = ((angle * 130.0).floor(), (radius * pulse / 2.0).floor());
                let speckle = hash_unit(self.seed ^ ray as i64, ring as i64, 5);
                let wall = ((radius * pulse / h * 9.0).sin() * (angle * 4.0 + 1.0).cos()).abs();
                let wall = if wall > 0.75 { 1.0 } else { 0.15 + 0.3 * wall };
                let value = 255.0 * self.gain * wall * (0.25 + 0.75 * speckle * speckle);
                let mut color = self.tint.map(|t| (t * value).min(255.0) as u8);
                let in_box = self.color_box && angle.abs() < 0.25 && (0.25..0.7).contains(&(radius / depth));
                if in_box && wall < 1.0 {
                    let flow = hash_unit(self.seed, (ray / 3.0) as i64 + (ring / 4.0) as i64 * 77, i64::from(index));
                    if flow > 0.45 {
                        let v = (255.0 * flow) as u8;
                        color = if flow > 0.72 { [v, v / 3, 0] } else { [0, v / 3, v] };
                    }
                }
                canvas.dot(x as i64, y as i64, color, 1.0);
            }
        }
        if self.color_box {
            let corner =
                |angle: f64, part: f64| (apex_x + part * depth * angle.sin(), apex_y + part * depth * angle.cos());
            for side in [-0.25, 0.25] {
                canvas.line(corner(side, 0.25), corner(side, 0.7), 1.0, [220, 220, 220], true);
            }
            for part in [0.25, 0.7] {
                for step in 0..12 {
                    let angle = -0.25 + f64::from(step) / 24.0;
                    canvas.line(corner(angle, part), corner(angle + 1.0 / 24.0, part), 1.0, [220, 220, 220], true);
                }
            }
        }
    }

    /// Texts, a running timer, a depth scale, a gray bar, a line or two.
    fn labels(&self, canvas: &mut Canvas, index: u32) {
        let (w, h) = (self.size.0 as i64, self.size.1 as i64);
        let mut rng = Rng::new(self.seed as u64 ^ 99);
        let color = self.text_color;
        let cell = if w >= 1000 { 2 } else { 1 };
        for line in 0..rng.whole(4, 9) {
            let shapes: Vec<u64> = (0..rng.whole(3, 14)).map(|_| rng.next() % 40).collect();
            canvas.text(8, 20 + line * 12 * cell, cell, &shapes, color);
        }
        let timer: Vec<u64> = [100, 10, 1].iter().map(|d| 41 + u64::from(index / d % 10)).collect();
        canvas.text(w - 60 * cell, h - 14 * cell, cell, &timer, color);
        canvas.text(w - 60 * cell, h - 28 * cell, cell, &[5, 6, 0, 47, 44], color);
        for tick in 0..16 {
            let long = if tick % 5 == 0 { 8 } else { 4 };
            canvas.rectangle(w - 30, 40 + tick * (h - 120) / 16, long, 1, color);
        }
        for row in 0..h / 4 {
            let value = (255 - 255 * row / (h / 4)) as u8;
            canvas.rectangle(w - 16, 40 + row, 10, 1, [value; 3]);
        }
        if rng.chance(0.3) {
            canvas.rectangle(0, h - 4, w, 1, [90, 90, 100]);
        }
        if rng.chance(0.2) {
            canvas.rectangle(0, 14, w, 1, [40, 160, 90]);
        }
        if rng.chance(0.25) {
            for x in (20..w - 20).step_by(12) {
                canvas.rectangle(x, h * 4 / 5, 1, 1, [110, 110, 110]);
            }
        }
    }

    /// A spectrum below the image whose writing position sweeps.
    fn doppler(&self, canvas: &mut Canvas, now_s: f64) {
        let (w, h) = (self.size.0 as i64, self.size.1 as i64);
        let (top, bottom) = (h * 6 / 10, h - 20);
        canvas.rectangle(30, top, w - 80, bottom - top, [0, 0, 0]);
        let zero = (top + bottom) / 2;
        let head = (now_s * 110.0) as i64 % (w - 80);
        for x in 0..w - 80 {
            if x > head && x < head + 10 {
                continue;
            }
            let phase = (x as f64 / 110.0 / self.pulse_s).fract();
            let tall = (bottom - zero) as f64 * 0.8 * (std::f64::consts::PI * phase * 1.6).sin().max(0.05);
            for y in 0..tall as i64 {
                let speckle = hash_unit(self.seed, x / 2, y / 2);
                let value = (230.0 * speckle) as u8;
                canvas.dot(30 + x, zero - y, [value; 3], 1.0);
            }
        }
        canvas.rectangle(30, zero, w - 80, 1, [200, 120, 40]);
    }
}

/// A scene as a source of frames that counts what is asked of it.
pub struct Loop<'a> {
    scene: &'a Scene,
    canvas: Canvas,
    pub asked: u32,
}

impl<'a> Loop<'a> {
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene, canvas: Canvas::black(1, 1), asked: 0 }
    }
}

impl FrameSource for Loop<'_> {
    fn frame_count(&self) -> u32 {
        self.scene.frames
    }

    fn frame(&mut self, index: u32) -> Option<RgbView<'_>> {
        self.asked += 1;
        self.canvas = self.scene.draw(index);
        RgbView::new(self.canvas.width as u32, self.canvas.height as u32, &self.canvas.pixels).ok()
    }
}
