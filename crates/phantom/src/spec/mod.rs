//! The full description of one loop.

mod draw;
mod randomized;

use serde::Serialize;

use crate::beamform::{Gain, NonCardiac};
use crate::error::PhantomError;
use crate::heart::Patient;
use crate::probe::{Handling, Sway, View};
use crate::rhythm::Rhythm;
use crate::screen::{SpectralSite, TraceSpec, TraceStyle, Vendor};

/// Mode of a simulated loop, with the names of `truth.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LoopMode {
    /// Gray-scale 2-D.
    #[serde(rename = "2d")]
    TwoD,
    /// Color flow over 2-D.
    #[serde(rename = "colour")]
    Color,
    /// Pulsed-wave Doppler, a still.
    #[serde(rename = "pw")]
    Pw,
    /// Continuous-wave Doppler, a still.
    #[serde(rename = "cw")]
    Cw,
    /// Spectral tissue Doppler, a still.
    #[serde(rename = "tissue_doppler")]
    TissueDoppler,
    /// M-mode, a still.
    #[serde(rename = "m_mode")]
    MMode,
}

impl LoopMode {
    /// Returns whether a strip over time is below a small 2-D image.
    pub fn has_strip(self) -> bool {
        !matches!(self, Self::TwoD | Self::Color)
    }

    /// Returns the site of a spectral mode.
    pub fn spectral_site(self) -> Option<SpectralSite> {
        match self {
            Self::Pw => Some(SpectralSite::MitralInflow),
            Self::Cw => Some(SpectralSite::AorticOutflow),
            Self::TissueDoppler => Some(SpectralSite::MitralRing),
            _ => None,
        }
    }
}

/// Subject under the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A heart in one of the eleven views.
    Heart(View),
    /// Something that is no heart.
    NonCardiac(NonCardiac),
    /// An organ that nobody has, drawn from the loop's seed.
    Invented,
}

/// Encoding of the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelEncoding {
    /// JPEG baseline, YBR_FULL_422.
    JpegBaseline,
    /// Explicit VR little endian, RGB.
    ExplicitRgb,
    /// Implicit VR little endian, RGB.
    ImplicitRgb,
    /// RLE lossless, RGB.
    RleRgb,
    /// Explicit VR little endian, YBR_FULL_422 uncompressed.
    RawYbr422,
    /// Explicit VR little endian, palette color, 8 bit.
    Palette,
    /// Deflated explicit VR little endian, RGB.
    DeflatedRgb,
}

impl PixelEncoding {
    /// All encodings.
    pub const ALL: [Self; 7] = [
        Self::JpegBaseline,
        Self::ExplicitRgb,
        Self::ImplicitRgb,
        Self::RleRgb,
        Self::RawYbr422,
        Self::Palette,
        Self::DeflatedRgb,
    ];
}

/// Which parts of the header carry the ECG; several may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct EcgCarriers {
    /// Waveform Sequence (5400,0100).
    pub waveform: bool,
    /// R Wave Time Vector (0018,6060).
    pub r_wave_time_vector: bool,
    /// Retired curve group 5000.
    pub curve: bool,
}

/// The way from tissue to gray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormation {
    /// Scatter convolved with pulse and beam: quick, for training.
    #[default]
    Convolution,
    /// A phased array over point scatterers, about ten times slower: to measure what was trained on the other.
    PointScatterers,
}

/// Which regions the header describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionTable {
    /// None at all.
    Missing,
    /// The 2-D region (and color box or strip).
    Image,
    /// Those and the ECG trace's region with its time scale.
    ImageAndEcg,
}

/// Everything that determines one loop.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopSpec {
    /// Seeds all that the other fields leave open.
    pub seed: u64,
    /// Subject under the probe.
    pub subject: Subject,
    /// Imaging mode.
    pub mode: LoopMode,
    /// Whose screen.
    pub vendor: Vendor,
    /// The rhythm.
    pub rhythm: Rhythm,
    /// Mean heart rate.
    pub heart_rate_bpm: f64,
    /// Time between frames in ms.
    pub frame_time_ms: f64,
    /// Number of frames; strips have one.
    pub frames: u32,
    /// Time of the first R peak after frame 0, in seconds.
    pub first_r_s: f64,
    /// ECG in the header.
    pub carriers: EcgCarriers,
    /// The burned-in trace.
    pub trace: Option<TraceSpec>,
    /// Encoding of the pixels.
    pub encoding: PixelEncoding,
    /// Columns and rows.
    pub size: (u32, u32),
    /// The patient.
    pub patient: Patient,
    /// Deviation of the probe from the usual plane.
    pub handling: Handling,
    /// Excursions of the probe from that place.
    pub sway: Sway,
    /// Image depth in cm.
    pub depth_cm: f32,
    /// Half the sector's opening angle in radians.
    pub half_angle_rad: f32,
    /// Brightness and noise of [`ImageFormation::Convolution`]; the other draws its own from the seed.
    pub gain: Gain,
    /// The way from tissue to gray.
    pub image_formation: ImageFormation,
    /// True if the heart moves; without it the sector is a still, which is much faster where only the trace matters.
    pub anatomy: bool,
    /// Regions in the header.
    pub regions: RegionTable,
    /// True if times are written as Frame Time Vector instead of Frame Time.
    pub frame_time_vector: bool,
}

impl LoopSpec {
    /// Returns a plain loop: a steady, healthy, average patient in sinus rhythm at 70/min, 40 frames of 25 ms, JPEG,
    /// with a green trace that grows.
    pub fn plain(view: View, seed: u64) -> Self {
        let usual = view.usual_settings();
        Self {
            seed,
            subject: Subject::Heart(view),
            mode: LoopMode::TwoD,
            vendor: Vendor::Norrvik,
            rhythm: Rhythm::Sinus,
            heart_rate_bpm: 70.0,
            frame_time_ms: 25.0,
            frames: 40,
            first_r_s: 0.1,
            carriers: EcgCarriers::default(),
            trace: Some(TraceSpec {
                style: TraceStyle::Grows,
                color: [70, 225, 70],
                thickness_px: 1.3,
                cursor_color: [230, 40, 40],
                r_marks: false,
                window_s: 2.5,
                grid: false,
            }),
            encoding: PixelEncoding::JpegBaseline,
            size: (800, 600),
            patient: Patient::default(),
            handling: Handling::STEADY,
            sway: Sway::NONE,
            depth_cm: usual.depth_cm,
            half_angle_rad: usual.half_angle_deg.to_radians(),
            gain: Gain::default(),
            image_formation: ImageFormation::default(),
            anatomy: true,
            regions: RegionTable::Image,
            frame_time_vector: false,
        }
    }

    /// Checks that this can be simulated and written.
    ///
    /// # Errors
    /// Names the first value that cannot.
    pub fn check(&self) -> Result<(), PhantomError> {
        let bad = |option, value: String, reason| Err(PhantomError::BadOption { option, value, reason });
        let (width, height) = self.size;
        if !(64..=4096).contains(&width) || !(64..=4096).contains(&height) {
            return bad("size", format!("{width} x {height}"), "each side must be 64 to 4096 pixels");
        }
        if !(1..=100_000).contains(&self.frames) {
            return bad("frames", self.frames.to_string(), "a loop has 1 to 100000 frames");
        }
        if !(2.0..=1000.0).contains(&self.frame_time_ms) {
            return bad("frame_time_ms", self.frame_time_ms.to_string(), "it must be 2 to 1000 ms");
        }
        if !(20.0..=300.0).contains(&self.heart_rate_bpm) {
            return bad("heart_rate_bpm", self.heart_rate_bpm.to_string(), "it must be 20 to 300 a minute");
        }
        Ok(())
    }

    /// Returns the time from the first to the last frame in seconds.
    pub fn duration_s(&self) -> f64 {
        f64::from(self.frames.saturating_sub(1)) * self.frame_time_ms / 1000.0
    }
}
