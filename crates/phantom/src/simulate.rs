//! A loop ready to be rendered, frame by frame, in any order.

use crate::beamform::{Beamformer, FlowBox, PolarGrid, ScanConverter};
use crate::ecg::Electrocardiogram;
use crate::heart::{CardiacCycle, CardiacState, Tissue};
use crate::phased_array::PhasedArray;
use crate::probe::ImagePlane;
use crate::rhythm::beats;
use crate::screen::{
    Canvas, Layout, ScreenTexts, TraceSpec, TraceStyle, draw_axes, draw_furniture, draw_spectrum, draw_trace,
    flow_color, gray_ramp,
};
use crate::setup::{beamformer_for, flow_box_for, grid_for, mode_label, phased_array_for, usual_plane};
use crate::spec::{LoopMode, LoopSpec};
use crate::truth::{PhaseFrames, ecg_source, phase_frames};
use domain::{EcgSource, PixelRect, RgbImage};

/// Seconds shown by a Doppler or M-mode strip.
const STRIP_S: f64 = 4.0;

/// A simulated loop; frames are rendered on demand.
pub struct SimulatedLoop {
    spec: LoopSpec,
    usual_plane: ImagePlane,
    layout: Layout,
    ecg: Electrocardiogram,
    cycle: CardiacCycle,
    beamformer: Beamformer,
    phased_array: Option<PhasedArray>,
    converter: ScanConverter,
    backdrop: Canvas,
    gray_map: Vec<[u8; 3]>,
    flow_box: Option<FlowBox>,
}

/// Sets up the simulation of one loop.
pub fn simulate_loop(spec: &LoopSpec) -> SimulatedLoop {
    let beats = beats(spec.rhythm, spec.heart_rate_bpm, spec.duration_s() + STRIP_S, spec.first_r_s, spec.seed);
    let cycle = CardiacCycle::new(&beats);
    let ecg = Electrocardiogram::new(beats, spec.rhythm, spec.seed);
    let layout = Layout::new(spec.vendor, spec.mode, spec.size, spec.depth_cm, spec.half_angle_rad);
    let grid = grid_for(spec, &layout);
    let beamformer = beamformer_for(spec, grid);
    let converter = ScanConverter::new(&grid, &layout.sector, spec.size.0, spec.size.1);
    let mut simulated = SimulatedLoop {
        spec: spec.clone(),
        usual_plane: usual_plane(spec),
        backdrop: Canvas::black(spec.size.0, spec.size.1),
        gray_map: (0..256).map(|level| gray_ramp(level, spec.vendor.tint())).collect(),
        flow_box: (spec.mode == LoopMode::Color).then(|| flow_box_for(spec)),
        layout,
        ecg,
        cycle,
        phased_array: phased_array_for(spec, grid),
        beamformer,
        converter,
    };
    simulated.draw_backdrop();
    simulated
}

impl SimulatedLoop {
    /// Returns the loop's description.
    pub fn spec(&self) -> &LoopSpec {
        &self.spec
    }

    /// Layout of the screen.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the ECG as a function of time from frame 0.
    pub fn ecg(&self) -> &Electrocardiogram {
        &self.ecg
    }

    /// Returns the number of frames.
    pub fn frames(&self) -> u32 {
        self.spec.frames
    }

    /// Returns the time of a frame in seconds.
    pub fn frame_time_s(&self, frame: u32) -> f64 {
        f64::from(frame) * self.spec.frame_time_ms / 1000.0
    }

    /// Returns R peaks within the loop, in seconds from frame 0.
    pub fn r_times_s(&self) -> Vec<f64> {
        let end_s = self.spec.duration_s();
        let times = self.ecg.beats().iter().map(|beat| beat.r_time_s);
        times.filter(|time_s| (0.0..=end_s).contains(time_s)).collect()
    }

    /// Landmarks of the beats as fractional frame indexes.
    pub fn phases(&self) -> PhaseFrames {
        if self.spec.mode.has_strip() {
            return PhaseFrames::default();
        }
        phase_frames(&self.cycle, self.spec.frame_time_ms, self.spec.frames)
    }

    /// Returns the state of the heart at a time from frame 0, in seconds.
    pub fn state_at(&self, time_s: f64) -> CardiacState {
        self.cycle.state(time_s)
    }

    /// Returns the plane of the probe at a time from frame 0, in seconds.
    fn plane_at(&self, time_s: f64) -> ImagePlane {
        self.usual_plane.held(&self.spec.handling.and(&self.spec.sway.at(time_s)))
    }

    /// Returns the tissue on every sample of the sector at a time, beam after beam, and the area in cm² that each
    /// sample stands for.
    pub fn tissue_areas(&self, time_s: f64) -> Vec<(Tissue, f32)> {
        let grid = self.beamformer.grid();
        let map = self.beamformer.tissue_map(&self.plane_at(time_s), &self.cycle.state(time_s));
        let step_rad = 2.0 * grid.half_angle_rad / (grid.beams - 1) as f32;
        let area = |index: usize| (index % grid.samples) as f32 * grid.step_cm() * grid.step_cm() * step_rad;
        map.into_iter().enumerate().map(|(index, tissue)| (tissue, area(index))).collect()
    }

    /// Renders frame `frame` (from 0).
    pub fn frame(&self, frame: u32) -> RgbImage {
        let time_s = self.frame_time_s(frame);
        let mut canvas = self.backdrop.clone();
        if self.spec.anatomy {
            self.draw_sector(&mut canvas, time_s, frame);
        }
        if self.spec.mode.has_strip() {
            self.draw_strip(&mut canvas);
        }
        if let Some(trace) = &self.spec.trace {
            let rect = self.layout.trace_rect;
            if self.spec.mode.has_strip() {
                // Above a strip the trace shares the strip's time axis.
                let whole = TraceSpec { style: TraceStyle::Grows, window_s: STRIP_S, ..*trace };
                draw_trace(&mut canvas, rect, &whole, &self.ecg, STRIP_S, STRIP_S);
            } else {
                draw_trace(&mut canvas, rect, trace, &self.ecg, time_s, self.spec.duration_s());
            }
        }
        canvas.into_image()
    }

    fn draw_sector(&self, canvas: &mut Canvas, time_s: f64, frame: u32) {
        let (plane, state) = (self.plane_at(time_s), self.cycle.state(time_s));
        let polar = match &self.phased_array {
            Some(array) => array.frame(&plane, &state, frame),
            None => self.beamformer.frame(&plane, &state, frame),
        };
        self.converter.for_each_pixel(&polar.gray, |pixel, gray| {
            let level = (gray * 255.0 + 0.5) as usize;
            canvas.set_index(pixel, self.gray_map[level.min(255)]);
        });
        if let Some(flow_box) = &self.flow_box {
            let velocities = flow_box.velocities(&self.beamformer, &plane, &polar, &state, frame);
            self.converter.for_each_pixel(&velocities, |pixel, velocity| {
                if velocity.abs() > 0.1 {
                    canvas.set_index(pixel, flow_color(velocity));
                }
            });
            self.draw_flow_box(canvas, flow_box);
        }
    }

    fn draw_flow_box(&self, canvas: &mut Canvas, flow_box: &FlowBox) {
        let (sector, half) = (&self.layout.sector, self.spec.half_angle_rad);
        let at = |beam: f32, depth: f32| {
            let angle_rad = (2.0 * beam - 1.0) * half;
            let along = depth * self.spec.depth_cm * sector.pixels_per_cm;
            (sector.apex.0 + angle_rad.sin() * along, sector.apex.1 + angle_rad.cos() * along)
        };
        let white = [225, 225, 225];
        let ((left, right), (near, far)) = (flow_box.beams, flow_box.depths);
        canvas.line(at(left, near), at(left, far), 1.0, white);
        canvas.line(at(right, near), at(right, far), 1.0, white);
        for step in 0..24 {
            let beam = |step: i32| left + (right - left) * step as f32 / 24.0;
            for depth in [near, far] {
                canvas.line(at(beam(step), depth), at(beam(step + 1), depth), 1.0, white);
            }
        }
    }

    fn draw_strip(&self, canvas: &mut Canvas) {
        let Some(rect) = self.layout.strip_rect else { return };
        let seconds_per_pixel = self.strip_seconds_per_pixel(rect);
        let scale = self.layout.text_scale;
        match self.spec.mode.spectral_site() {
            Some(site) => {
                draw_spectrum(canvas, rect, site, &self.cycle, seconds_per_pixel, self.spec.seed as u32);
                draw_axes(canvas, rect, seconds_per_pixel, site.scale_cm_s(), -site.scale_cm_s(), scale);
            }
            None => {
                self.draw_m_mode(canvas, rect, seconds_per_pixel);
                draw_axes(canvas, rect, seconds_per_pixel, 0.0, f64::from(self.spec.depth_cm), scale);
            }
        }
    }

    /// Returns the seconds per pixel of a strip.
    pub fn strip_seconds_per_pixel(&self, rect: PixelRect) -> f64 {
        STRIP_S / f64::from(rect.x1 - rect.x0)
    }

    fn draw_m_mode(&self, canvas: &mut Canvas, rect: PixelRect, seconds_per_pixel: f64) {
        let full = self.beamformer.grid();
        let beams = 11;
        let narrow = PolarGrid {
            beams,
            half_angle_rad: full.half_angle_rad * (beams - 1) as f32 / (full.beams - 1) as f32,
            samples: 420,
            ..*full
        };
        let beamformer = beamformer_for(&self.spec, narrow);
        let rows = f64::from(rect.y1 - rect.y0);
        for x in (rect.x0..=rect.x1).step_by(2) {
            let time_s = f64::from(x - rect.x0) * seconds_per_pixel;
            let frame = beamformer.frame(&self.plane_at(time_s), &self.cycle.state(time_s), x);
            let line = &frame.gray[beams / 2 * narrow.samples..(beams / 2 + 1) * narrow.samples];
            for y in rect.y0..=rect.y1 {
                let sample = f64::from(y - rect.y0) / rows * (narrow.samples - 1) as f64;
                let level = (line[sample as usize] * 255.0) as usize;
                for column in x..=(x + 1).min(rect.x1) {
                    canvas.set_index((y * canvas.width() + column) as usize, self.gray_map[level.min(255)]);
                }
            }
        }
    }

    /// Draws the part that all frames share; without moving anatomy that includes the sector.
    fn draw_backdrop(&mut self) {
        let mut backdrop = Canvas::black(self.spec.size.0, self.spec.size.1);
        if !self.spec.anatomy {
            self.draw_sector(&mut backdrop, 0.0, 0);
        }
        let spec = &self.spec;
        let has_ecg = ecg_source(spec) != EcgSource::None;
        let texts = ScreenTexts {
            frame_rate_hz: 1000.0 / spec.frame_time_ms,
            depth_cm: spec.depth_cm,
            gain_percent: (60.0 + 2.0 * spec.gain.gain_db).clamp(0.0, 100.0) as u32,
            heart_rate_bpm: has_ecg.then_some(spec.heart_rate_bpm.round() as u32),
            mode_label: mode_label(spec.mode),
            nyquist_cm_s: self.flow_box.map(|flow_box| flow_box.nyquist_cm_s),
        };
        draw_furniture(&mut backdrop, spec.vendor, &self.layout, spec.half_angle_rad, &texts);
        self.backdrop = backdrop;
    }
}
