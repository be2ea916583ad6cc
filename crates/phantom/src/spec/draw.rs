//! Loops drawn at random: what labs record, with the rare cases often enough to be met.

use super::{EcgCarriers, LoopSpec, PixelEncoding, RegionTable};
use crate::beamform::Gain;
use crate::heart::Patient;
use crate::probe::{Handling, View};
use crate::rhythm::Rhythm;
use crate::screen::{TraceSpec, TraceStyle, Vendor};
use random::Stream;

impl LoopSpec {
    /// Returns a loop of `view` with everything else drawn at random, at the default size.
    pub fn random_of_view(view: View, seed: u64) -> Self {
        let mut random = Stream::for_purpose(seed, "loop");
        let mut spec = Self::plain(view, seed);
        spec.patient = Patient::random(seed);
        spec.handling = Handling::random(seed, 1.0);
        spec.vendor = random.pick(&Vendor::ALL);
        spec.draw_timing(&mut random);
        spec.draw_image(&mut random);
        spec.draw_ecg(&mut random);
        spec.encoding = match random.whole(0, 15) {
            0 => PixelEncoding::ExplicitRgb,
            1 => PixelEncoding::ImplicitRgb,
            2 => PixelEncoding::RleRgb,
            3 => PixelEncoding::RawYbr422,
            4 => PixelEncoding::Palette,
            5 if random.chance(0.5) => PixelEncoding::DeflatedRgb,
            _ => PixelEncoding::JpegBaseline,
        };
        spec
    }

    /// Returns a loop with everything drawn at random, the view too.
    pub fn random(seed: u64) -> Self {
        let view = Stream::for_purpose(seed, "view").pick(&View::ALL);
        Self::random_of_view(view, seed)
    }

    fn draw_timing(&mut self, random: &mut Stream) {
        self.rhythm = match random.whole(0, 9) {
            0 => Rhythm::SinusArrhythmia,
            1 => Rhythm::AtrialFibrillation,
            2 => Rhythm::PrematureVentricular,
            _ => Rhythm::Sinus,
        };
        self.heart_rate_bpm = random.bounded_normal(74.0, 16.0).clamp(40.0, 180.0);
        if random.chance(0.08) {
            self.heart_rate_bpm = random.uniform(100.0, 180.0);
        }
        let rate_hz = random.uniform(20.0, 90.0).min(random.uniform(35.0, 90.0));
        self.frame_time_ms = (1000.0 / rate_hz * 100.0).round() / 100.0;
        let beats = random.uniform(1.2, 3.2);
        self.frames = (beats * 60.0 / self.heart_rate_bpm * rate_hz).ceil() as u32;
        self.first_r_s = random.uniform(0.0, 0.95) * 60.0 / self.heart_rate_bpm * 0.9;
        self.frame_time_vector = random.chance(0.3);
    }

    fn draw_image(&mut self, random: &mut Stream) {
        // A stream of its own: what is drawn here can change without another ECG being drawn.
        let look = &mut Stream::for_purpose(self.seed, "look");
        self.depth_cm = (self.depth_cm * look.bounded_normal(0.04, 0.15).exp() as f32).clamp(9.0, 28.0);
        self.half_angle_rad *= look.uniform(0.76, 1.14) as f32;
        self.gain = Gain {
            gain_db: look.bounded_normal(0.0, 3.5) as f32,
            range_db: look.uniform(44.0, 66.0) as f32,
            noise_db: look.uniform(-54.0, -36.0) as f32,
            clutter_db: look.uniform(-24.0, -6.0) as f32,
            dropout: look.uniform(0.1, 1.2) as f32,
            side_haze_db: if look.chance(0.3) { look.uniform(-26.0, -10.0) as f32 } else { -90.0 },
            tissue_deviation_db: 3.5,
            mirror_db: look.uniform(-5.0, 14.0) as f32,
            along_wall_loss_db: look.uniform(3.0, 14.0) as f32,
            pulse_length: look.uniform(0.7, 1.6) as f32,
            beam_width: look.uniform(0.7, 2.2) as f32,
            ..Gain::default()
        };
        self.regions = match random.whole(0, 9) {
            0 | 1 => RegionTable::Missing,
            2..=4 => RegionTable::ImageAndEcg,
            _ => RegionTable::Image,
        };
    }

    fn draw_ecg(&mut self, random: &mut Stream) {
        let source = random.whole(0, 9);
        self.carriers = EcgCarriers {
            waveform: source == 0 || source == 1,
            r_wave_time_vector: source == 2 || source == 3 || source == 1,
            curve: source == 4,
        };
        let has_trace = source >= 5 && source != 9 || source < 5 && random.chance(0.7);
        let palette: [[u8; 3]; 7] = [
            [37, 163, 149],
            [110, 171, 171],
            [7, 147, 44],
            [70, 225, 70],
            [116, 243, 186],
            [200, 200, 205],
            [222, 205, 60],
        ];
        let usual = match self.vendor {
            Vendor::Halden => [37, 163, 149],
            Vendor::Norrvik => [70, 225, 70],
        };
        let trace = TraceSpec {
            style: random.pick(&TraceStyle::ALL),
            color: if random.chance(0.6) { usual } else { random.pick(&palette) },
            thickness_px: random.uniform(1.0, 2.2) as f32,
            cursor_color: if random.chance(0.7) { [230, 40, 40] } else { [225, 225, 225] },
            r_marks: random.chance(0.3),
            window_s: random.uniform(1.8, 4.0),
            grid: random.chance(0.15),
        };
        self.trace = has_trace.then_some(trace);
    }
}
