//! The eleven views of the label set `tte11` and the plane of each.

use serde::Serialize;

use super::plane::ImagePlane;
use crate::heart::Patient;
use crate::space::{Vec3, vec3};

/// A view of the label set `tte11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum View {
    /// Parasternal long axis.
    #[serde(rename = "PLAX")]
    Plax,
    /// Parasternal short axis at the great vessels.
    #[serde(rename = "PSAX-ves")]
    PsaxVessels,
    /// Parasternal short axis at the mitral valve.
    #[serde(rename = "PSAX-base")]
    PsaxBase,
    /// Parasternal short axis at the papillary muscles.
    #[serde(rename = "PSAX-mid")]
    PsaxMid,
    /// Parasternal short axis near the apex.
    #[serde(rename = "PSAX-apical")]
    PsaxApical,
    /// Apical two chamber.
    #[serde(rename = "Apical-2ch")]
    Apical2,
    /// Apical three chamber (apical long axis).
    #[serde(rename = "Apical-3ch")]
    Apical3,
    /// Apical five chamber.
    #[serde(rename = "Apical-5ch")]
    Apical5,
    /// Apical four chamber.
    #[serde(rename = "Apical-4ch")]
    Apical4,
    /// Suprasternal long axis of the arch.
    #[serde(rename = "Suprasternal")]
    Suprasternal,
    /// Subcostal four chamber.
    #[serde(rename = "Subcostal")]
    Subcostal,
}

/// Usual setup of a view.
#[derive(Debug, Clone, Copy)]
pub struct UsualSettings {
    /// Image depth in cm.
    pub depth_cm: f32,
    /// Half the opening angle of the sector in degrees.
    pub half_angle_deg: f32,
}

impl View {
    /// All eleven, in the order of the label set.
    pub const ALL: [Self; 11] = [
        Self::Plax,
        Self::PsaxVessels,
        Self::PsaxBase,
        Self::PsaxMid,
        Self::PsaxApical,
        Self::Apical2,
        Self::Apical3,
        Self::Apical5,
        Self::Apical4,
        Self::Suprasternal,
        Self::Subcostal,
    ];

    /// Returns the name in the label set `tte11`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plax => "PLAX",
            Self::PsaxVessels => "PSAX-ves",
            Self::PsaxBase => "PSAX-base",
            Self::PsaxMid => "PSAX-mid",
            Self::PsaxApical => "PSAX-apical",
            Self::Apical2 => "Apical-2ch",
            Self::Apical3 => "Apical-3ch",
            Self::Apical5 => "Apical-5ch",
            Self::Apical4 => "Apical-4ch",
            Self::Suprasternal => "Suprasternal",
            Self::Subcostal => "Subcostal",
        }
    }

    /// Depth and sector angle that a sonographer would begin with.
    pub fn usual_settings(self) -> UsualSettings {
        let (depth_cm, half_angle_deg) = match self {
            Self::Plax => (15.0, 38.0),
            Self::PsaxVessels => (14.0, 40.0),
            Self::PsaxBase | Self::PsaxMid => (14.0, 39.0),
            Self::PsaxApical => (12.5, 38.0),
            Self::Suprasternal => (14.0, 40.0),
            Self::Subcostal => (18.5, 40.0),
            _ => (16.5, 39.0),
        };
        UsualSettings { depth_cm, half_angle_deg }
    }

    /// Returns the plane of the view before the hand that holds the probe adds its own angles.
    pub fn usual_plane(self, patient: &Patient) -> ImagePlane {
        let wall = patient.chest_wall - 1.8;
        let apex = patient.lv_length - 8.4;
        // From the center line of the ventricle to the anteroseptal wall: the plane of both long axes.
        let (sin, cos) = 118.6_f32.to_radians().sin_cos();
        let long_axis = vec3(cos, sin, 0.0);
        let apical = |right: Vec3, probe: Vec3, target: Vec3| ImagePlane::looking(probe, target, right);
        let parasternal = |target: Vec3, range: f32, tilt: f32| {
            let depth = vec3(0.08, -1.0, tilt).unit();
            ImagePlane::looking(target - depth * (range + wall), target, vec3(1.0, 0.08, 0.0))
        };
        match self {
            Self::Plax => {
                let target = vec3(0.0, 0.0, 0.9) + long_axis * 0.2;
                let depth = (-long_axis + vec3(0.0, 0.0, 0.16)).unit();
                ImagePlane::looking(target - depth * (6.2 + wall), target, vec3(0.0, 0.0, -1.0))
            }
            Self::PsaxVessels => parasternal(vec3(-0.6, 1.2, -0.85), 5.7, 0.14),
            Self::PsaxBase => parasternal(vec3(-0.5, 0.1, 2.0), 6.5, 0.0),
            Self::PsaxMid => parasternal(vec3(-0.6, 0.0, 4.1), 6.3, 0.04),
            Self::PsaxApical => parasternal(vec3(0.0, 0.0, 6.9), 4.9, 0.10),
            Self::Apical2 => apical(vec3(0.5, 0.87, 0.0), vec3(0.1, -0.1, 11.0 + apex + wall), vec3(0.05, -0.1, 0.0)),
            Self::Apical3 => apical(long_axis, long_axis * 0.1 + vec3(0.0, 0.0, 11.0 + apex + wall), long_axis * 0.25),
            Self::Apical4 => apical(vec3(1.0, 0.0, 0.0), vec3(-0.2, -0.1, 11.0 + apex + wall), vec3(-1.2, -0.45, 0.0)),
            Self::Apical5 => {
                apical(vec3(1.0, -0.12, 0.0), vec3(-0.1, -0.3, 11.0 + apex + wall), vec3(-0.95, 1.15, -0.45))
            }
            Self::Suprasternal => {
                ImagePlane::looking(vec3(0.1, -0.1, -13.2 - wall), vec3(0.3, -0.75, -6.0), vec3(0.48, -0.87, 0.0))
            }
            Self::Subcostal => {
                let target = vec3(-1.6, -0.1, 0.6);
                let depth = vec3(0.80, 0.05, -0.60).unit();
                ImagePlane::looking(target - depth * (10.3 + wall), target, vec3(0.6, 0.0, 0.8))
            }
        }
    }
}
