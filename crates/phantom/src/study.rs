//! Whole studies: eleven views, color, strips, and loops that are no echo.

use std::path::Path;

use random::{Stream, mix};

use crate::beamform::NonCardiac;
use crate::dicom::{LoopIdentity, write_loop};
use crate::error::PhantomError;
use crate::heart::Patient;
use crate::probe::{Handling, Sway, View};
use crate::screen::Vendor;
use crate::spec::{ImageFormation, LoopMode, LoopSpec, PixelEncoding, RegionTable, Subject};
use crate::truth::StudyTruth;

/// Settings of simulated studies.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyOptions {
    /// Number of studies.
    pub studies: u32,
    /// Seed of all of them.
    pub seed: u64,
    /// Columns and rows of each image.
    pub size: (u32, u32),
    /// Smallest and largest number of frames; `None` leaves it to heart rate and frame rate.
    pub frames: Option<(u32, u32)>,
    /// Loops of each of the eleven views.
    pub loops_per_view: u32,
    /// Color loops.
    pub color_loops: u32,
    /// True if Doppler and M-mode strips are written.
    pub strips: bool,
    /// Loops of other organs or of a water phantom.
    pub non_cardiac_loops: u32,
    /// Deviation of the hand that holds the probe from the usual planes, in usual deviations.
    pub unsteadiness: f64,
    /// Distance to which the probe leaves its place within a loop, in usual deviations; 0: none.
    pub sway: f64,
    /// True if patients and looks are drawn far wider than labs record them, for training.
    pub domain_randomization: bool,
    /// The way from tissue to gray, of all loops.
    pub image_formation: ImageFormation,
}

impl Default for StudyOptions {
    fn default() -> Self {
        Self {
            studies: 1,
            seed: 1,
            size: (800, 600),
            frames: None,
            loops_per_view: 1,
            color_loops: 2,
            strips: true,
            non_cardiac_loops: 3,
            unsteadiness: 1.0,
            sway: 0.0,
            domain_randomization: false,
            image_formation: ImageFormation::default(),
        }
    }
}

impl StudyOptions {
    /// Checks that such studies can be simulated; what each loop needs is checked when it is written.
    ///
    /// # Errors
    /// Names the first value that cannot.
    pub fn check(&self) -> Result<(), PhantomError> {
        for (option, value) in [("unsteadiness", self.unsteadiness), ("sway", self.sway)] {
            if !ALLOWED_DEVIATIONS.contains(&value) {
                return Err(PhantomError::BadOption { option, value: value.to_string(), reason: "it must be 0 to 20" });
            }
        }
        Ok(())
    }
}

/// Largest deviation of a hand, in usual deviations: further, the probe looks away from the heart.
const ALLOWED_DEVIATIONS: std::ops::RangeInclusive<f64> = 0.0..=20.0;

/// Factor by which a plane of another organ is farther from the usual one than a view of the heart.
const ANY_PLANE: f64 = 3.0;

/// Most frames of a loop without compression.
const UNCOMPRESSED_FRAMES: u32 = 36;

/// Progress: loops written so far and loops in all.
pub type Progress<'a> = &'a mut dyn FnMut(u32, u32);

/// Returns the name of the folder of a study.
pub fn study_folder(study_number: u32) -> String {
    format!("study{:03}", study_number + 1)
}

/// Returns the seed of one study.
pub fn study_seed(options: &StudyOptions, study_number: u32) -> u64 {
    // 53 bits, so that readers of JSON that know only doubles keep it.
    mix(options.seed ^ mix(u64::from(study_number))) >> 11
}

/// Returns the loops of a study in order of acquisition: one patient, one vendor, a probe held anew for each loop.
pub fn study_specs(options: &StudyOptions, study_number: u32) -> Vec<LoopSpec> {
    let seed = study_seed(options, study_number);
    let mut random = Stream::for_purpose(seed, "study");
    let vendor = random.pick(&Vendor::ALL);
    let patient = Patient::random(seed);
    let base = LoopSpec::random_of_view(View::Plax, seed);
    let mut count = 0;
    let mut loop_of = |view: View| {
        count += 1;
        let mut spec = LoopSpec::random_of_view(view, mix(seed.wrapping_add(count)) >> 11);
        spec.handling = Handling::random(spec.seed, options.unsteadiness);
        spec.sway = Sway::random(spec.seed, options.sway);
        spec.vendor = vendor;
        spec.patient = patient.clone();
        spec.rhythm = base.rhythm;
        spec.heart_rate_bpm = (base.heart_rate_bpm * (1.0 + 0.004 * (count % 9) as f64)).clamp(40.0, 180.0);
        spec.size = options.size;
        spec.image_formation = options.image_formation;
        if options.domain_randomization {
            spec.randomize_domain(seed);
        }
        fit_frames(&mut spec, options.frames);
        spec
    };
    let mut specs = vec![];
    for view in View::ALL {
        specs.extend((0..options.loops_per_view).map(|_| loop_of(view)));
    }
    let color_views = [View::Apical4, View::Plax, View::Apical5, View::Apical3];
    for index in 0..options.color_loops {
        let view = match options.domain_randomization {
            true => random.pick(&View::ALL),
            false => color_views[index as usize % color_views.len()],
        };
        let mut spec = loop_of(view);
        spec.mode = LoopMode::Color;
        specs.push(spec);
    }
    if options.strips {
        let strips = [
            (LoopMode::Pw, View::Apical4),
            (LoopMode::Cw, View::Apical5),
            (LoopMode::TissueDoppler, View::Apical4),
            (LoopMode::MMode, View::Plax),
        ];
        for (mode, view) in strips {
            let mut spec = loop_of(view);
            spec.mode = mode;
            spec.frames = 1;
            // Nothing but the velocity axis of a region distinguishes tissue Doppler from blood.
            if spec.regions == RegionTable::Missing {
                spec.regions = RegionTable::Image;
            }
            spec.first_r_s = spec.first_r_s.min(0.4);
            specs.push(spec);
        }
    }
    // Each study begins with another organ, so that few loops of many studies show all.
    let organs = NonCardiac::ALL.into_iter().cycle().skip(seed as usize % NonCardiac::ALL.len());
    for (index, kind) in organs.take(options.non_cardiac_loops as usize).enumerate() {
        let mut spec = loop_of(View::Subcostal);
        let is_invented = options.domain_randomization && index % 2 == 1;
        spec.subject = if is_invented { Subject::Invented } else { Subject::NonCardiac(kind) };
        // There is no usual plane to keep to.
        spec.handling = Handling::random(spec.seed, ANY_PLANE * options.unsteadiness);
        spec.carriers = Default::default();
        spec.trace = None;
        spec.frames = spec.frames.min(12);
        specs.push(spec);
    }
    specs
}

/// Uncompressed loops are kept short, as on a real scanner where they would fill the disk.
fn fit_frames(spec: &mut LoopSpec, frames: Option<(u32, u32)>) {
    if let Some((fewest, most)) = frames {
        spec.frames = spec.frames.clamp(fewest.max(1), most.max(fewest).max(1));
    }
    let compressed = matches!(spec.encoding, PixelEncoding::JpegBaseline | PixelEncoding::RleRgb);
    if !compressed {
        spec.frames = spec.frames.min(UNCOMPRESSED_FRAMES);
    }
}

/// Simulates study `study_number` (from 0) into `out_dir`/`studyNNN`/: `*.dcm` and `truth.json`.
///
/// # Errors
/// An option is impossible, a folder or file cannot be written, or a frame cannot be encoded.
pub fn write_study(
    options: &StudyOptions,
    study_number: u32,
    out_dir: &Path,
    progress: Progress,
) -> Result<StudyTruth, PhantomError> {
    options.check()?;
    let folder = out_dir.join(study_folder(study_number));
    std::fs::create_dir_all(&folder).map_err(|source| PhantomError::CreateFolder { path: folder.clone(), source })?;
    let seed = study_seed(options, study_number);
    let specs = study_specs(options, study_number);
    let total = specs.len() as u32;
    let mut truth =
        StudyTruth { study_instance_uid: LoopIdentity::new(seed, 0).study_instance_uid, seed, loops: vec![] };
    for (number, spec) in (1..).zip(&specs) {
        let identity = LoopIdentity::new(seed, number);
        let path = folder.join(format!("loop{number:03}.dcm"));
        truth.loops.push(write_loop(spec, &identity, &path)?);
        progress(number, total);
    }
    let path = folder.join("truth.json");
    let json = serde_json::to_string_pretty(&truth).map_err(|source| PhantomError::EncodeTruth { source })?;
    std::fs::write(&path, json).map_err(|source| PhantomError::WriteFile { path, source })?;
    Ok(truth)
}
