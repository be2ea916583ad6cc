//! Organs that nobody has: bodies and layers put together at random, for a model to learn what is no heart.

use random::Stream;

use crate::heart::Tissue;
use crate::space::{Vec3, ellipsoid, tube, vec3};

/// An invented organ in coordinates of the probe: `x` right, `z` depth, in cm.
#[derive(Debug, Clone)]
pub struct InventedOrgan {
    background: Tissue,
    layers: Vec<Layer>,
    bodies: Vec<Body>,
    /// Depth below which there is nothing but lung or gas.
    gas_below_cm: f32,
}

/// A sheet of tissue nearly parallel to the probe.
#[derive(Debug, Clone, Copy)]
struct Layer {
    depth_cm: f32,
    thickness_cm: f32,
    /// Slope across the image.
    slope: f32,
    tissue: Tissue,
}

/// A cyst, a gland, a vessel: round or long, with a rim.
#[derive(Debug, Clone, Copy)]
struct Body {
    form: Form,
    rim_cm: f32,
    inside: Tissue,
    rim: Tissue,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Round { center: Vec3, radii: Vec3 },
    Long { from: Vec3, to: Vec3, radius: f32 },
}

const BACKGROUNDS: [Tissue; 6] =
    [Tissue::Liver, Tissue::Kidney, Tissue::Mediastinum, Tissue::Fat, Tissue::ChestWall, Tissue::Myocardium];
const INSIDES: [Tissue; 8] = [
    Tissue::Water,
    Tissue::Aorta,
    Tissue::LiverVessel,
    Tissue::Liver,
    Tissue::Kidney,
    Tissue::KidneySinus,
    Tissue::Myocardium,
    Tissue::Fat,
];
const RIMS: [Tissue; 4] = [Tissue::Fascia, Tissue::VesselWall, Tissue::Pericardium, Tissue::Fat];
const MAX_LAYERS: u32 = 6;
const MAX_BODIES: u32 = 6;

impl InventedOrgan {
    /// Returns an organ drawn at random.
    pub fn random(seed: u64) -> Self {
        let draws = &mut Stream::for_purpose(seed, "invented organ");
        let layers = (0..draws.whole(0, MAX_LAYERS)).map(|_| Layer::random(draws)).collect();
        let bodies = (0..draws.whole(0, MAX_BODIES)).map(|_| Body::random(draws)).collect();
        Self {
            background: draws.pick(&BACKGROUNDS),
            layers,
            bodies,
            gas_below_cm: if draws.chance(0.3) { draws.uniform(2.0, 12.0) as f32 } else { f32::MAX },
        }
    }

    /// Returns the tissue at `point`.
    pub fn tissue_at(&self, point: Vec3) -> Tissue {
        if point.z > self.gas_below_cm {
            let skin = point.z < self.gas_below_cm + 0.2;
            return if skin { Tissue::Pericardium } else { Tissue::Lung };
        }
        let body = self.bodies.iter().find_map(|body| body.tissue_at(point));
        let layer = || self.layers.iter().find(|layer| layer.holds(point)).map(|layer| layer.tissue);
        body.or_else(layer).unwrap_or(self.background)
    }
}

impl Layer {
    fn random(draws: &mut Stream) -> Self {
        Self {
            depth_cm: draws.uniform(1.0, 13.0) as f32,
            thickness_cm: draws.uniform(0.1, 1.2) as f32,
            slope: draws.bounded_normal(0.0, 0.15) as f32,
            tissue: if draws.chance(0.5) { draws.pick(&RIMS) } else { draws.pick(&BACKGROUNDS) },
        }
    }

    fn holds(&self, point: Vec3) -> bool {
        (0.0..self.thickness_cm).contains(&(point.z - self.depth_cm - self.slope * point.x))
    }
}

impl Body {
    fn random(draws: &mut Stream) -> Self {
        let place = |draws: &mut Stream| {
            let depth_cm = draws.uniform(2.5, 15.0);
            vec3((draws.uniform(-0.6, 0.6) * depth_cm) as f32, 0.0, depth_cm as f32)
        };
        let (center, to) = (place(draws), place(draws));
        let mut radius = |most: f64| draws.uniform(0.4, most) as f32;
        let (x, z, tube_radius) = (radius(4.5), radius(3.5), radius(1.4));
        let form = match draws.chance(0.7) {
            true => Form::Round { center, radii: vec3(x, 2.0 * x.max(z), z) },
            false => Form::Long { from: center, to, radius: tube_radius },
        };
        let rim_cm = if draws.chance(0.6) { draws.uniform(0.06, 0.5) as f32 } else { 0.0 };
        Self { form, rim_cm, inside: draws.pick(&INSIDES), rim: draws.pick(&RIMS) }
    }

    fn tissue_at(&self, point: Vec3) -> Option<Tissue> {
        let distance = match self.form {
            Form::Round { center, radii } => ellipsoid(point, center, radii),
            Form::Long { from, to, radius } => tube(point, from, to, radius, radius),
        };
        if distance < 0.0 { Some(self.inside) } else { (distance < self.rim_cm).then_some(self.rim) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organs_differ_and_are_the_same_for_the_same_seed() {
        let at = |seed: u64| -> Vec<Tissue> {
            let organ = InventedOrgan::random(seed);
            (0..400).map(|step| organ.tissue_at(vec3((step % 20) as f32 - 10.0, 0.0, step as f32 * 0.04))).collect()
        };
        assert_eq!(at(3), at(3));
        let different = (0..20).filter(|&seed| at(seed) != at(seed + 1)).count();
        assert_eq!(different, 20);
    }
}
