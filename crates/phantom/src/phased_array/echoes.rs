//! The scatterers of one frame: those within tissue, and those along interfaces.

use rayon::prelude::*;

use super::settings::ArraySettings;
use crate::beamform::{PolarGrid, Scene, from_db};
use crate::heart::{Acoustics, CardiacState, Material, Tissue};
use crate::lattice_hash::{cell_hash, normal_from_bits, unit_from_bits};
use crate::probe::ImagePlane;
use crate::space::{Vec3, smooth_step};

/// Rays on which tissue is looked up: several within a beam's width.
const RAYS: usize = 200;
const DEPTH_STEP_CM: f32 = 0.025;
/// Smallest step of impedance that reflects.
const MIN_STEP: f32 = 0.05;
/// Most cm by which an interface may differ in depth between two rays and still be one.
const SAME_INTERFACE_CM: f32 = 0.3;
/// Points between two rays that stand for an interface: half a wave apart where it lies askew.
const POINTS_OF_INTERFACE: usize = 8;
/// Roughness of interfaces in cm, one standard deviation.
const ROUGHNESS_CM: f32 = 0.012;
/// Edge of the cells of tissue that share one scatterer in cm.
const CELL_CM: f32 = 0.03;

/// A point that sends an echo back.
#[derive(Debug, Clone, Copy)]
pub struct Echo {
    pub depth_cm: f32,
    pub angle_rad: f32,
    /// Strength and phase.
    pub re: f32,
    pub im: f32,
}

/// The echoes about one ray.
#[derive(Debug, Clone)]
pub struct Column {
    angle_rad: f32,
    pub echoes: Vec<Echo>,
}

impl Column {
    /// Returns whether an echo of the column may be heard by a beam at `axis_rad` that reaches `reach_rad`.
    pub fn is_within(&self, axis_rad: f32, reach_rad: f32) -> bool {
        (self.angle_rad - axis_rad).abs() <= reach_rad + 0.02
    }
}

/// An interface on a ray.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    depth_cm: f32,
    step: f32,
    loss: f32,
}

/// A lattice of rays and depths through a scene.
#[derive(Debug, Clone)]
pub struct EchoLattice {
    scene: Scene,
    grid: PolarGrid,
    settings: ArraySettings,
    acoustics: Vec<Acoustics>,
    seed: u32,
}

impl EchoLattice {
    /// Returns the lattice; `seed` decides on scatterers and on how loud each kind of tissue is.
    pub fn new(scene: Scene, grid: PolarGrid, settings: ArraySettings, seed: u32) -> Self {
        let acoustics = Tissue::ALL.map(|tissue| {
            let usual = tissue.acoustics();
            let deviation = normal_from_bits(cell_hash(tissue as i32, 1, 2, seed ^ 0xA44A));
            Acoustics { scatter_db: usual.scatter_db + settings.tissue_deviation_db * deviation, ..usual }
        });
        Self { scene, grid, settings, acoustics: acoustics.to_vec(), seed }
    }

    /// Returns the angle between two rays.
    pub fn angle_step_rad(&self) -> f32 {
        2.0 * self.grid.half_angle_rad / (RAYS - 1) as f32
    }

    /// Returns the distance between two depths.
    pub fn depth_step_cm(&self) -> f32 {
        DEPTH_STEP_CM
    }

    /// Returns the tissue at each sample of the sector `[beams * samples]`.
    pub fn tissues(&self, plane: &ImagePlane, state: &CardiacState) -> Vec<Tissue> {
        let of_beam = |beam: usize| {
            let angle_rad = self.grid.angle_rad(beam as f32);
            let depth = |sample: usize| sample as f32 * self.grid.step_cm();
            let at = move |sample| self.material(plane, state, (depth(sample), angle_rad), 0.0).tissue;
            (0..self.grid.samples).map(at).collect::<Vec<_>>()
        };
        (0..self.grid.beams).into_par_iter().flat_map_iter(of_beam).collect()
    }

    /// Returns the echoes of frame number `frame`, ray by ray.
    pub fn columns(&self, plane: &ImagePlane, state: &CardiacState, frame: u32) -> Vec<Column> {
        let rays: Vec<(Column, Vec<Crossing>)> =
            (0..RAYS).into_par_iter().map(|ray| self.ray(plane, state, ray, frame)).collect();
        let (mut columns, crossings): (Vec<Column>, Vec<Vec<Crossing>>) = rays.into_iter().unzip();
        for (ray, pair) in crossings.windows(2).enumerate() {
            self.join(&pair[0], &pair[1], ray, &mut columns[ray]);
        }
        columns
    }

    fn ray_angle_rad(&self, ray: f32) -> f32 {
        (2.0 * ray / (RAYS - 1) as f32 - 1.0) * self.grid.half_angle_rad
    }

    fn material(
        &self,
        plane: &ImagePlane,
        state: &CardiacState,
        (depth_cm, angle_rad): (f32, f32),
        elevation_cm: f32,
    ) -> Material {
        let normal = plane.right.cross(plane.depth);
        let point = plane.probe + plane.beam(angle_rad) * depth_cm + normal * elevation_cm;
        let wall_cm = self.scene.wall_cm();
        if depth_cm < wall_cm {
            return Material { tissue: self.chest(depth_cm / wall_cm, angle_rad), at_rest: point };
        }
        self.scene.material_at(point, state)
    }

    /// Skin, fat and two sheets of muscle between fascias, which bend a little.
    fn chest(&self, share: f32, angle_rad: f32) -> Tissue {
        let at = share + 0.04 * (3.0 * angle_rad + (self.seed % 11) as f32).sin();
        let fascias = [0.12, 0.45, 0.72];
        match fascias.iter().any(|fascia| (at - fascia).abs() < 0.025) {
            true => Tissue::Fascia,
            false if at < 0.4 => Tissue::Fat,
            false => Tissue::ChestWall,
        }
    }

    fn ray(&self, plane: &ImagePlane, state: &CardiacState, ray: usize, frame: u32) -> (Column, Vec<Crossing>) {
        let angle_rad = self.ray_angle_rad(ray as f32);
        let steps = (self.grid.depth_cm / DEPTH_STEP_CM) as usize;
        let mut echoes = Vec::with_capacity(steps);
        let mut crossings = vec![];
        let mut loss_db = self.loss_of_chest_db(angle_rad);
        let impedance = |tissue: Tissue| self.acoustics[tissue as usize].impedance;
        let on_ray = |depth_cm: f32| self.material(plane, state, (depth_cm, angle_rad), 0.0).tissue;
        let mut before = on_ray(0.0);
        for step in 1..steps {
            let depth_cm = step as f32 * DEPTH_STEP_CM;
            let here = on_ray(depth_cm);
            loss_db = (loss_db + self.acoustics[here as usize].excess_db_per_cm * DEPTH_STEP_CM).clamp(-6.0, 60.0);
            let loss = from_db(-loss_db);
            if (impedance(here) - impedance(before)).abs() > MIN_STEP {
                let is_before = |depth_cm| on_ray(depth_cm) == before;
                let depth_cm = bisected(depth_cm - DEPTH_STEP_CM, depth_cm, is_before);
                crossings.push(Crossing { depth_cm, step: impedance(here) - impedance(before), loss });
            }
            before = here;
            echoes.push(self.scatterer(plane, state, (step, ray), loss, frame));
        }
        (Column { angle_rad, echoes }, crossings)
    }

    /// Returns the scatterer of a cell of the lattice, anywhere in the cell and in the thickness of the slice.
    fn scatterer(
        &self,
        plane: &ImagePlane,
        state: &CardiacState,
        (step, ray): (usize, usize),
        loss: f32,
        frame: u32,
    ) -> Echo {
        let hash = |salt: u32| cell_hash(ray as i32, step as i32, 0, self.seed ^ salt);
        let depth_cm = (step as f32 + unit_from_bits(hash(1)) - 0.5) * DEPTH_STEP_CM;
        let angle_rad = self.ray_angle_rad(ray as f32 + unit_from_bits(hash(2)) - 0.5);
        let (thinnest_cm, thinnest_at_cm) = self.settings.slice;
        let slice_cm = thinnest_cm.hypot(0.045 * (depth_cm - thinnest_at_cm));
        let elevation_cm = slice_cm * normal_from_bits(hash(3));
        let Material { tissue, at_rest } = self.material(plane, state, (depth_cm, angle_rad), elevation_cm);
        // Blood flows: its scatterers are new in every frame.
        let seed = if tissue.is_blood() { self.seed ^ frame.wrapping_mul(0x85EB_CA6B) } else { self.seed };
        let strength = strength_in(at_rest, seed) * from_db(self.acoustics[tissue as usize].scatter_db) * loss;
        self.echo(depth_cm, angle_rad, strength)
    }

    fn echo(&self, depth_cm: f32, angle_rad: f32, strength: f32) -> Echo {
        let (sin, cos) = (-2.0 * self.settings.wave_number * depth_cm).sin_cos();
        Echo { depth_cm, angle_rad, re: strength * cos, im: strength * sin }
    }

    /// Lays points along the interfaces that two neighboring rays share: in phase where the beam meets them head on.
    fn join(&self, these: &[Crossing], next: &[Crossing], ray: usize, column: &mut Column) {
        for here in these {
            let distance = |other: &&Crossing| (other.depth_cm - here.depth_cm).abs();
            let same = next.iter().filter(|other| other.step.signum() == here.step.signum());
            let nearest = same.min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let Some(there) = nearest.filter(|other| distance(other) < SAME_INTERFACE_CM) else { continue };
            let across_cm = (here.depth_cm * self.angle_step_rad()).max(0.01);
            let length = (there.depth_cm - here.depth_cm).hypot(across_cm) / across_cm;
            let loss = here.loss.min(there.loss);
            let strength = from_db(self.settings.interface_db) * here.step * length * loss / POINTS_OF_INTERFACE as f32;
            for point in 0..POINTS_OF_INTERFACE {
                let share = point as f32 / POINTS_OF_INTERFACE as f32;
                let hash = cell_hash(ray as i32, point as i32, (here.depth_cm * 40.0) as i32, self.seed ^ 0x1F);
                let rough = ROUGHNESS_CM * normal_from_bits(hash);
                let depth_cm = here.depth_cm + share * (there.depth_cm - here.depth_cm) + rough;
                column.echoes.push(self.echo(depth_cm, self.ray_angle_rad(ray as f32 + share), strength));
            }
        }
    }

    /// Loss in the chest on a ray: the shadow of a rib or of lung, and the elements' weakness towards the sides.
    fn loss_of_chest_db(&self, angle_rad: f32) -> f32 {
        let (middle_rad, half_rad, depth_db) = self.settings.shadow;
        let shadow = smooth_step(half_rad, 0.4 * half_rad, (angle_rad - middle_rad).abs());
        // A square element's echo falls with the cosine, twice.
        depth_db * shadow - 40.0 * angle_rad.cos().max(0.1).log10()
    }
}

/// Returns the strength of the scatterer of a cell of tissue: standard normal, it moves with the tissue.
fn strength_in(at_rest: Vec3, seed: u32) -> f32 {
    let cell = |value: f32| (value / CELL_CM).floor() as i32;
    normal_from_bits(cell_hash(cell(at_rest.x), cell(at_rest.y), cell(at_rest.z), seed ^ 0x5CA7))
}

/// Returns the place between `from` and `to` where `is_before` ends.
fn bisected(mut from: f32, mut to: f32, is_before: impl Fn(f32) -> bool) -> f32 {
    for _ in 0..5 {
        let middle = 0.5 * (from + to);
        if is_before(middle) { from = middle } else { to = middle }
    }
    0.5 * (from + to)
}
