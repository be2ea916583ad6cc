//! Clips of simulated hearts: only the frames that a model would see are rendered.

use std::path::Path;

use domain::{EcgSource, PixelRect, RgbImage, RgbView};
use ecg::{FrameClock, PlanSettings};
use phantom::{ImageFormation, LoopSpec, SimulatedLoop, StudyOptions, simulate_loop, study_seed, study_specs};
use preprocess::{plan_settings, resize_clips};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zoo::{LabelSet, ModelCard};

use super::{Example, Split};
use crate::{Clip, ClipCache, ClipCacheWriter, Result, TrainError};
use random::Stream;

/// The hearts to simulate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhantomData {
    /// Decides everything.
    pub seed: u64,
    /// Studies, that is patients, to learn from.
    pub train_studies: u32,
    /// Studies that choose weights and thresholds.
    pub validation_studies: u32,
    /// Loops of each of the eleven views in a study.
    #[serde(default = "one")]
    pub loops_per_view: u32,
    /// Color loops of a study.
    #[serde(default)]
    pub color_loops: u32,
    /// Adds strips of Doppler and M-mode, which show none of the views.
    #[serde(default)]
    pub strips: bool,
    /// Loops of other organs and of a water phantom in a study.
    #[serde(default)]
    pub non_cardiac_loops: u32,
    /// Most clips of a loop.
    #[serde(default = "one")]
    pub clips_per_loop: u32,
    /// Deviation of the probe from the standard planes, as a multiple of the default.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub unsteadiness: f64,
    /// Deviation of the probe for moments within a loop, as a multiple of the default.
    #[serde(default, skip_serializing_if = "is_none")]
    pub sway: f64,
    /// True if patients and looks are drawn far wider than labs record them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_randomization: bool,
}

fn one() -> u32 {
    1
}

fn usual() -> f64 {
    1.0
}

fn is_none(sway: &f64) -> bool {
    *sway == 0.0
}

fn is_usual(unsteadiness: &f64) -> bool {
    *unsteadiness == usual()
}

/// Screens of these sizes are simulated, in turns.
const SCREENS: [(u32, u32); 4] = [(640, 480), (800, 600), (512, 384), (720, 576)];

/// Share of loops whose beat is not found, so that frames are chosen without it.
const WITHOUT_BEAT: f32 = 0.12;

/// Share of loops of a randomized look that show a part of the sector alone, as a scanner's zoom does.
const MAGNIFIED: f32 = 0.12;

/// Deviation of a found R peak from the true one in milliseconds.
const R_PEAK_DEVIATION_MS: f32 = 12.0;

/// The prepared clips of `data` for the model `card`, labelled with `views`: those in `folder` if they are there, else
/// simulated now.
///
/// `progress` hears of studies done and of all.
///
/// # Errors
/// The recipe asks for hearts that cannot be simulated, or the folder cannot be written.
pub fn phantom_cache(
    data: &PhantomData,
    card: &ModelCard,
    views: &LabelSet,
    folder: &Path,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<ClipCache> {
    let made_by = made_by(data, card);
    if let Some(cache) = ClipCache::open(folder, &made_by)? {
        return Ok(cache);
    }
    let planes = card.prepare.color.planes();
    let mut writer = ClipCacheWriter::create(folder, &made_by, (planes, card.prepare.size))?;
    let studies = data.train_studies + data.validation_studies;
    for study in 0..studies {
        let split = if study < data.train_studies { Split::Train } else { Split::Validation };
        let options = StudyOptions {
            studies,
            seed: data.seed,
            size: SCREENS[study as usize % SCREENS.len()],
            frames: None,
            loops_per_view: data.loops_per_view,
            color_loops: data.color_loops,
            strips: data.strips,
            non_cardiac_loops: data.non_cardiac_loops,
            unsteadiness: data.unsteadiness,
            sway: data.sway,
            domain_randomization: data.domain_randomization,
            image_formation: ImageFormation::Convolution,
        };
        let impossible =
            |error: phantom::PhantomError| TrainError::Recipe { recipe: card.name.clone(), problem: error.to_string() };
        options.check().map_err(impossible)?;
        let seed = study_seed(&options, study);
        let specs = study_specs(&options, study);
        let simulated: Vec<Result<Vec<Clip>>> = specs.par_iter().map(|spec| clips_of(spec, card, data)).collect();
        for ((number, spec), clips) in specs.iter().enumerate().zip(simulated) {
            let view = phantom::view_label(spec);
            let example = Example {
                patient: format!("phantom {seed}"),
                study: format!("phantom {seed}"),
                source: format!("phantom {seed} loop {}", number + 1),
                class: view.and_then(|view| views.views.iter().position(|known| known.name == view.name())),
                frames: 0,
                split,
            };
            for clip in clips? {
                writer.add(example.clone(), &clip)?;
            }
        }
        progress(study + 1, studies);
    }
    writer.finish()
}

/// All that decides the pixels of the cache.
fn made_by(data: &PhantomData, card: &ModelCard) -> String {
    let parts =
        (data, &card.prepare, card.clip, env!("CARGO_PKG_VERSION"), simulator_digest(data.domain_randomization));
    serde_json::to_string(&parts).unwrap_or_default()
}

/// A digest of small frames, which changes when the simulator draws otherwise: clips kept by an older one are made
/// anew.
fn simulator_digest(domain_randomization: bool) -> String {
    let size = (160, 120);
    let mut digest = Sha256::new();
    digest.update(simulate_loop(&LoopSpec { size, ..LoopSpec::random(1) }).frame(0).pixels());
    if domain_randomization {
        let options = StudyOptions { size, domain_randomization, ..StudyOptions::default() };
        for spec in study_specs(&options, 0) {
            digest.update(simulate_loop(&spec).frame(0).pixels());
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn clips_of(spec: &LoopSpec, card: &ModelCard, data: &PhantomData) -> Result<Vec<Clip>> {
    let simulated = simulate_loop(spec);
    let mut draws = Stream::at_place(spec.seed, "frames", &[]);
    let clips = planned_frames(&simulated, card, data.clips_per_loop as usize, &mut draws)?;
    let indexes: std::collections::BTreeSet<u32> = clips.iter().flatten().copied().collect();
    let images: Vec<RgbImage> = indexes.iter().map(|&index| simulated.frame(index)).collect();
    let views: Vec<RgbView<'_>> = images.iter().map(RgbImage::view).collect();
    let positions: Vec<Vec<usize>> = clips
        .iter()
        .map(|clip| clip.iter().filter_map(|frame| indexes.iter().position(|index| index == frame)).collect())
        .collect();
    // A pipeline that knows a strip skips it, and one that does not takes the screen for the sector. The small image
    // beside a strip shows a view like any other.
    let shown = match spec.mode.has_strip() {
        true => PixelRect { x0: 0, y0: 0, x1: spec.size.0 - 1, y1: spec.size.1 - 1 },
        false => simulated.layout().sector_rect,
    };
    let mut sector = found_sector(shown, spec.size, &mut draws);
    if data.domain_randomization && draws.chance_f32(MAGNIFIED) {
        sector = magnified(sector, &mut draws);
    }
    prepared_clips(&views, &positions, Some(sector), card)
}

/// Returns the clips as bytes, before normalization.
pub(crate) fn prepared_clips(
    images: &[RgbView<'_>],
    clips: &[Vec<usize>],
    sector: Option<PixelRect>,
    card: &ModelCard,
) -> Result<Vec<Clip>> {
    Ok(Clip::from_resized(&resize_clips(images, clips, sector, &card.prepare)?))
}

/// The frames of each clip as the pipeline would choose them, from R peaks found about where they are.
fn planned_frames(
    simulated: &SimulatedLoop,
    card: &ModelCard,
    max_clips: usize,
    draws: &mut Stream,
) -> Result<Vec<Vec<u32>>> {
    let spec = simulated.spec();
    let no_plan = |error: ecg::EcgError| TrainError::Recipe { recipe: card.name.clone(), problem: error.to_string() };
    let clock = FrameClock::uniform(simulated.frames(), spec.frame_time_ms).map_err(no_plan)?;
    let r_times_ms: Vec<f64> = simulated
        .r_times_s()
        .into_iter()
        .map(|time_s| time_s * 1000.0 + f64::from(draws.byte_normal() * R_PEAK_DEVIATION_MS))
        .collect();
    let beats = if r_times_ms.is_empty() || draws.chance_f32(WITHOUT_BEAT) {
        ecg::no_beats(None)
    } else {
        ecg::beats_from_r_times(&r_times_ms, EcgSource::Waveform, &clock, Some(spec.heart_rate_bpm))
    };
    let settings = PlanSettings { max_clips: Some(max_clips), ..plan_settings(card) };
    let plan = ecg::plan(&beats, &clock, &settings).map_err(no_plan)?;
    Ok(plan.clips.into_iter().map(|clip| clip.frames.into_iter().map(|frame| frame.index).collect()).collect())
}

/// The sector's box as it would be found: near the truth from a header's region, often too large from pixels, seldom
/// too small.
fn found_sector(truth: PixelRect, (width, height): (u32, u32), draws: &mut Stream) -> PixelRect {
    let loose = if draws.chance_f32(0.3) { 0.22 } else { 0.015 };
    let tight = if draws.chance_f32(0.15) { 0.13 } else { 0.03 };
    let (box_width, box_height) = ((truth.x1 - truth.x0) as f32, (truth.y1 - truth.y0) as f32);
    let mut moved =
        |edge: u32, outward: f32, length: f32| edge as f32 + outward * length * draws.uniform_f32(-tight, loose);
    let left = moved(truth.x0, -1.0, box_width).max(0.0) as u32;
    let top = moved(truth.y0, -1.0, box_height).max(0.0) as u32;
    let right = moved(truth.x1, 1.0, box_width).min(width as f32 - 1.0) as u32;
    let bottom = moved(truth.y1, 1.0, box_height).min(height as f32 - 1.0) as u32;
    PixelRect { x0: left, y0: top, x1: right, y1: bottom }
}

/// A part of `sector`, from half to four fifths of its sides, anywhere in it.
fn magnified(sector: PixelRect, draws: &mut Stream) -> PixelRect {
    let share = draws.uniform_f32(0.5, 0.8);
    let mut part = |from: u32, to: u32| {
        let length = (to - from) as f32;
        let start = from + (draws.uniform_f32(0.0, 1.0 - share) * length) as u32;
        (start, start + (share * length) as u32)
    };
    let ((x0, x1), (y0, y1)) = (part(sector.x0, sector.x1), part(sector.y0, sector.y1));
    PixelRect { x0, y0, x1, y1 }
}
