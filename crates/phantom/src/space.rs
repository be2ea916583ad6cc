//! Points and directions in heart coordinates, in cm.
//!
//! The origin is the center of the left ventricle's base at end-diastole. `z` points to the apex, `y` to the anterior
//! wall, `x` to the lateral wall; seen from the apex with `y` up, `x` points right, as a short-axis view is shown.

use std::ops::{Add, Mul, Neg, Sub};

/// A point or direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vec3 {
    /// To the lateral wall.
    pub x: f32,
    /// To the anterior wall.
    pub y: f32,
    /// To the apex.
    pub z: f32,
}

/// Returns a point or direction from its three coordinates.
pub const fn vec3(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    /// Returns the scalar product.
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// Returns the vector product.
    pub fn cross(self, other: Self) -> Self {
        vec3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    /// Returns the length.
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// Returns the direction of length 1; a zero vector stays zero.
    pub fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-9))
    }

    /// This vector turned about the unit `axis` by `angle_rad` (Rodrigues).
    pub fn turned(self, axis: Self, angle_rad: f32) -> Self {
        let (sin, cos) = angle_rad.sin_cos();
        self * cos + axis.cross(self) * sin + axis * (axis.dot(self) * (1.0 - cos))
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        vec3(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        vec3(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        vec3(self.x * factor, self.y * factor, self.z * factor)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

/// Returns a smooth step from 0 at `from` to 1 at `to`.
pub fn smooth_step(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns the distance of `point` to an ellipsoid's surface, negative inside; first-order accurate near the surface.
pub fn ellipsoid(point: Vec3, center: Vec3, radii: Vec3) -> f32 {
    let p = point - center;
    let scaled = vec3(p.x / radii.x, p.y / radii.y, p.z / radii.z);
    let k0 = scaled.length();
    let k1 = vec3(scaled.x / radii.x, scaled.y / radii.y, scaled.z / radii.z).length();
    if k1 < 1e-6 {
        return -radii.x.min(radii.y).min(radii.z);
    }
    k0 * (k0 - 1.0) / k1
}

/// Returns the distance of `point` to a tube from `a` to `b` whose radius goes linearly from `radius_a` to `radius_b`.
pub fn tube(point: Vec3, a: Vec3, b: Vec3, radius_a: f32, radius_b: f32) -> f32 {
    let (along, line) = (point - a, b - a);
    let t = (along.dot(line) / line.dot(line)).clamp(0.0, 1.0);
    (along - line * t).length() - (radius_a + (radius_b - radius_a) * t)
}
