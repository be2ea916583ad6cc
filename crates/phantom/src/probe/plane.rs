//! An image plane in heart coordinates and how a hand varies it.

use crate::space::Vec3;
use random::Stream;

/// A plane through the heart, seen from the probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImagePlane {
    /// Position of the sector's apex, in cm.
    pub probe: Vec3,
    /// The direction of the middle beam, of length 1.
    pub depth: Vec3,
    /// The direction that is right on the screen, of length 1, square to `depth`.
    pub right: Vec3,
}

impl ImagePlane {
    /// Returns the plane of a probe at `probe` that looks at `target`, with `right` (roughly) to the right of the
    /// screen.
    pub fn looking(probe: Vec3, target: Vec3, right: Vec3) -> Self {
        let depth = (target - probe).unit();
        Self { probe, depth, right: (right - depth * right.dot(depth)).unit() }
    }

    /// Returns the direction of the beam at `angle_rad` from the middle, positive to the right.
    pub fn beam(&self, angle_rad: f32) -> Vec3 {
        let (sin, cos) = angle_rad.sin_cos();
        self.depth * cos + self.right * sin
    }

    /// This plane as a certain hand holds it: turned about the middle beam, rocked within the plane, tilted out of it
    /// and slid along both.
    pub fn held(&self, handling: &Handling) -> Self {
        let normal = self.right.cross(self.depth);
        let turned = self.right.turned(self.depth, handling.rotation_rad);
        let rocked_depth = self.depth.turned(normal, handling.rock_rad);
        let rocked_right = turned.turned(normal, handling.rock_rad);
        let depth = rocked_depth.turned(rocked_right, handling.tilt_rad);
        Self {
            probe: self.probe + self.right * handling.slide_cm.0 + self.depth * handling.slide_cm.1,
            depth: depth.unit(),
            right: (rocked_right - depth * rocked_right.dot(depth)).unit(),
        }
    }
}

/// Deviation of a hand from the usual plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Handling {
    /// About the middle beam, in radians.
    pub rotation_rad: f32,
    /// Within the plane, in radians.
    pub rock_rad: f32,
    /// Out of the plane, in radians.
    pub tilt_rad: f32,
    /// To the right and into the depth, in cm.
    pub slide_cm: (f32, f32),
}

impl Handling {
    /// The usual plane itself.
    pub const STEADY: Self = Self { rotation_rad: 0.0, rock_rad: 0.0, tilt_rad: 0.0, slide_cm: (0.0, 0.0) };

    /// Returns both deviations together.
    pub fn and(&self, other: &Self) -> Self {
        Self {
            rotation_rad: self.rotation_rad + other.rotation_rad,
            rock_rad: self.rock_rad + other.rock_rad,
            tilt_rad: self.tilt_rad + other.tilt_rad,
            slide_cm: (self.slide_cm.0 + other.slide_cm.0, self.slide_cm.1 + other.slide_cm.1),
        }
    }

    /// This deviation, `factor` times as far.
    pub fn times(&self, factor: f32) -> Self {
        Self {
            rotation_rad: self.rotation_rad * factor,
            rock_rad: self.rock_rad * factor,
            tilt_rad: self.tilt_rad * factor,
            slide_cm: (self.slide_cm.0 * factor, self.slide_cm.1 * factor),
        }
    }

    /// Returns a deviation drawn at random, small enough that the view stays what it is as long as `unsteadiness` is
    /// about 1.
    ///
    /// All deviations grow with it; at 3 a four-chamber plane often cuts as much of the outflow tract as one of five
    /// does.
    pub fn random(seed: u64, unsteadiness: f64) -> Self {
        let mut random = Stream::for_purpose(seed, "handling");
        let mut degrees = |deviation: f64| (random.bounded_normal(0.0, deviation * unsteadiness) as f32).to_radians();
        let (rotation_rad, rock_rad, tilt_rad) = (degrees(4.0), degrees(6.5), degrees(1.1));
        Self {
            rotation_rad,
            rock_rad,
            tilt_rad,
            slide_cm: (
                random.bounded_normal(0.0, 0.4 * unsteadiness) as f32,
                random.bounded_normal(0.0, 0.25 * unsteadiness) as f32,
            ),
        }
    }
}
