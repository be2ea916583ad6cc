//! The beams of a sector.

/// The beams of a sector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolarGrid {
    /// Number of beams.
    pub beams: usize,
    /// Samples along a beam, from the sector's apex to the full depth.
    pub samples: usize,
    /// Depth in cm.
    pub depth_cm: f32,
    /// Half the opening angle in radians.
    pub half_angle_rad: f32,
}

impl PolarGrid {
    /// Returns the angle of a beam (fractional index allowed) from the middle, in radians.
    pub fn angle_rad(&self, beam: f32) -> f32 {
        (2.0 * beam / (self.beams - 1) as f32 - 1.0) * self.half_angle_rad
    }

    /// Returns the centimeters per sample.
    pub fn step_cm(&self) -> f32 {
        self.depth_cm / (self.samples - 1) as f32
    }
}
