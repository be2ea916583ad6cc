//! From beams to pixels.

use super::grid::PolarGrid;

/// Place of a sector on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SectorGeometry {
    /// The sector's apex in pixels.
    pub apex: (f32, f32),
    /// Pixels per cm.
    pub pixels_per_cm: f32,
    /// Depth at which the image begins, in cm: a curved top instead of a point.
    pub top_cm: f32,
}

struct Source {
    pixel: u32,
    sample: u32,
    beam_share: f32,
    sample_share: f32,
}

/// The precomputed map from pixels of a sector to beams and samples.
pub struct ScanConverter {
    sources: Vec<Source>,
    samples: usize,
}

impl ScanConverter {
    /// Returns the map for a screen of `width` by `height` pixels.
    pub fn new(grid: &PolarGrid, geometry: &SectorGeometry, width: u32, height: u32) -> Self {
        let mut sources = vec![];
        for y in 0..height {
            for x in 0..width {
                let right_cm = (x as f32 + 0.5 - geometry.apex.0) / geometry.pixels_per_cm;
                let down_cm = (y as f32 + 0.5 - geometry.apex.1) / geometry.pixels_per_cm;
                let depth_cm = right_cm.hypot(down_cm);
                let angle_rad = right_cm.atan2(down_cm);
                if depth_cm < geometry.top_cm || depth_cm >= grid.depth_cm || angle_rad.abs() >= grid.half_angle_rad {
                    continue;
                }
                let beam = (angle_rad / grid.half_angle_rad + 1.0) * 0.5 * (grid.beams - 1) as f32;
                let sample = depth_cm / grid.step_cm();
                let left = (beam as usize).min(grid.beams - 2);
                let upper = (sample as usize).min(grid.samples - 2);
                sources.push(Source {
                    pixel: y * width + x,
                    sample: (left * grid.samples + upper) as u32,
                    beam_share: beam - left as f32,
                    sample_share: sample - upper as f32,
                });
            }
        }
        Self { sources, samples: grid.samples }
    }

    /// Calls `paint` with every pixel of the sector and its bilinearly interpolated value of `polar`.
    pub fn for_each_pixel(&self, polar: &[f32], mut paint: impl FnMut(usize, f32)) {
        for source in &self.sources {
            let at = source.sample as usize;
            let (left, right) = (&polar[at..at + 2], &polar[at + self.samples..at + self.samples + 2]);
            let near = left[0] + (right[0] - left[0]) * source.beam_share;
            let far = left[1] + (right[1] - left[1]) * source.beam_share;
            paint(source.pixel as usize, near + (far - near) * source.sample_share);
        }
    }
}
