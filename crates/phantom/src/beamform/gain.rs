//! The settings of the image on the scanner.

/// Brightness and cleanness of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Overall gain in dB.
    pub gain_db: f32,
    /// Shown dynamic range in dB.
    pub range_db: f32,
    /// Level of electronic noise in dB at full depth.
    pub noise_db: f32,
    /// Haze near the probe in dB.
    pub clutter_db: f32,
    /// Depth in cm over which that haze falls to a third.
    pub clutter_depth_cm: f32,
    /// Depth of shadows at the sector's edges and behind ribs, 0 to 1.
    pub dropout: f32,
    /// Shadows of ribs and lung anywhere in the sector, beside the one at its edge.
    pub shadows: u32,
    /// Haze of reverberation over one side of the sector in dB.
    pub side_haze_db: f32,
    /// Share of an echo that comes back from twice its depth.
    pub reverberation: f32,
    /// By how much each kind of tissue scatters more or less than it usually does: standard deviation in dB.
    pub tissue_deviation_db: f32,
    /// Unevenness of the brightness within a tissue, relative to the usual.
    pub patchiness: f32,
    /// Mirror echoes beyond the usual in dB.
    pub mirror_db: f32,
    /// Loss of muscle in dB where the beam runs along the wall.
    pub along_wall_loss_db: f32,
    /// Length of the pulse, so the size of speckle along the beam, relative to the usual.
    pub pulse_length: f32,
    /// Width of the beam, so the size of speckle across it, relative to the usual.
    pub beam_width: f32,
    /// Exponent of the curve from level to gray.
    pub gamma: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            gain_db: 0.0,
            range_db: 54.0,
            noise_db: -46.0,
            clutter_db: -14.0,
            clutter_depth_cm: 1.3,
            dropout: 0.5,
            shadows: 0,
            side_haze_db: -90.0,
            reverberation: 0.03,
            tissue_deviation_db: 0.0,
            patchiness: 1.0,
            mirror_db: 0.0,
            along_wall_loss_db: 7.0,
            pulse_length: 1.0,
            beam_width: 1.0,
            gamma: 1.55,
        }
    }
}
