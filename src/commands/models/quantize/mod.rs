//! `echolabel models quantize`: a calibration for int8, and what int8 changes.

mod compare;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::WeightStatus;
use nn::DeviceChoice;
use pipeline::{Pipeline, PipelineSource};
use preprocess::Preprocessed;
use serde::Serialize;
use zoo::{CalibrationFrames, Model, ModelCard, QuantizationError, QuantizationRanges, Registry};

use super::super::{Failure, Outcome, label};
use crate::output;
use compare::PrecisionComparison;

/// Arguments of a quantization.
pub struct Quantize<'a> {
    /// The model's name.
    pub name: &'a str,
    /// The loops.
    pub loops: Loops<'a>,
    /// Untrained weights.
    pub untrained: bool,
    /// Print JSON.
    pub json: bool,
}

/// The loops that are read.
pub enum Loops<'a> {
    /// Those below a folder, every second one to compare.
    Folder(&'a Path),
    /// Simulated studies, and as many with the next seed to compare.
    Simulated { studies: u32, seed: u64 },
}

/// A loop, and its view where that is known.
struct KnownLoop {
    path: PathBuf,
    view: Option<&'static str>,
}

/// The loops of one calibration.
struct Share {
    calibrate: Vec<KnownLoop>,
    compare: Vec<KnownLoop>,
    source: String,
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    warning: Option<&'static str>,
    frames: &'a CalibrationFrames,
    measured: &'a Option<QuantizationError>,
    path: &'a Path,
}

/// Calibrates, compares, writes the calibration and says what was found.
pub fn run(registry: &Registry, quantize: &Quantize<'_>) -> Outcome {
    let card = registry.card(quantize.name)?;
    let status = if quantize.untrained { WeightStatus::Untrained } else { registry.weight_status(card) };
    let model = || read_model(registry, card, quantize.untrained);
    let source = PipelineSource::named(&card.name, registry.folder())?;
    let mut observer = model()?.observer(card.prepare.size)?;
    let single = Pipeline::with_model(&source, registry.folder(), (model()?, status), None)?;

    let folder = tempfile::tempdir().context("cannot make a folder for simulated loops")?;
    let share = match quantize.loops {
        Loops::Folder(folder) => share_folder(folder)?,
        Loops::Simulated { studies, seed } => simulate(studies, seed, folder.path())?,
    };
    let bar = crate::progress::bar(share.calibrate.len() as u64, "calibrating");
    let mut frames = CalibrationFrames { source: share.source, loops: 0, frames: 0 };
    for known in bar.wrap_iter(share.calibrate.iter()) {
        // A file that cannot be used is only one frame less to look at.
        let Ok(Preprocessed { inputs: Ok(inputs), .. }) = single.preprocess(&known.path) else { continue };
        observer.observe(&inputs.clips.values)?;
        frames.loops += 1;
        frames.frames += inputs.clips.frames;
    }
    if frames.frames == 0 {
        return Err(Failure::Error(anyhow::anyhow!("none of the loops could be used: nothing to calibrate on")));
    }
    let mut calibration = QuantizationRanges {
        model: card.name.clone(),
        weights_sha256: single.key().weights_sha256.to_string(),
        frames,
        measured: None,
        ranges: observer.ranges().iter().map(|range| [range.min, range.max]).collect(),
    };
    drop(observer);
    let int8 = Pipeline::with_model(&source, registry.folder(), (model()?, status), Some(&calibration))?;
    calibration.measured = compare(&single, &int8, &share.compare)?;
    let path = registry.write_quantization(card, &calibration)?;
    let report = Report {
        model: &card.name,
        warning: status.warning(),
        frames: &calibration.frames,
        measured: &calibration.measured,
        path: &path,
    };
    if quantize.json { output::json_line(&report) } else { say(&report) }
}

fn read_model(registry: &Registry, card: &ModelCard, untrained: bool) -> zoo::Result<Model> {
    let cpu = DeviceChoice::Cpu.open()?;
    match untrained {
        true => registry.make_untrained_model(&card.name, &cpu),
        false => registry.read_model(&card.name, &cpu),
    }
}

/// The loops below `folder`, taken by turns.
fn share_folder(folder: &Path) -> anyhow::Result<Share> {
    let (files, unreadable) = label::find_files(&[folder.to_owned()]);
    if let Some((path, problem)) = unreadable.first() {
        bail!("cannot read {}: {problem}", path.display());
    }
    let mut share = Share { calibrate: Vec::new(), compare: Vec::new(), source: "loops of a folder".to_owned() };
    for (index, file) in files.into_iter().enumerate() {
        let known = KnownLoop { path: file.path, view: None };
        if index % 2 == 0 { share.calibrate.push(known) } else { share.compare.push(known) }
    }
    Ok(share)
}

/// Simulated loops with their views; other patients, other seeds on either side.
fn simulate(studies: u32, seed: u64, folder: &Path) -> anyhow::Result<Share> {
    let bar = crate::progress::bar(0, "simulating");
    let side = |seed: u64| -> anyhow::Result<Vec<KnownLoop>> {
        let options = phantom::StudyOptions {
            studies,
            seed,
            strips: false,
            non_cardiac_loops: 0,
            ..phantom::StudyOptions::default()
        };
        let folder = folder.join(seed.to_string());
        let mut loops = Vec::new();
        for number in 0..studies {
            let truth = phantom::write_study(&options, number, &folder, &mut |done, total| {
                bar.set_length(u64::from(total) * u64::from(2 * studies));
                bar.set_position(loops.len() as u64 + u64::from(done));
            })?;
            let study = folder.join(phantom::study_folder(number));
            let known = |truth: &phantom::LoopTruth| KnownLoop {
                path: study.join(&truth.file),
                view: truth.view.map(phantom::View::name),
            };
            loops.extend(truth.loops.iter().map(known));
        }
        Ok(loops)
    };
    let next = seed.wrapping_add(1);
    let share = Share {
        calibrate: side(seed)?,
        compare: side(next)?,
        source: format!("{studies} simulated studies of seed {seed}, compared on as many of seed {next}"),
    };
    bar.finish_and_clear();
    Ok(share)
}

/// Labels every loop both ways; `None` where the model gives no probabilities or no loop could be used.
fn compare(single: &Pipeline, int8: &Pipeline, loops: &[KnownLoop]) -> anyhow::Result<Option<QuantizationError>> {
    let mut compared = PrecisionComparison::default();
    let bar = crate::progress::bar(loops.len() as u64, "comparing");
    for known in bar.wrap_iter(loops.iter()) {
        let (Ok(single), Ok(int8)) = (single.label(&known.path), int8.label(&known.path)) else { continue };
        compared.add(&single.prediction.probabilities, &int8.prediction.probabilities, known.view);
    }
    Ok(compared.measured()?)
}

/// For people.
fn say(report: &Report<'_>) -> Outcome {
    let Report { model, frames, .. } = report;
    if let Some(warning) = report.warning {
        output::line(warning)?;
    }
    output::line(format_args!("{model}: int8 calibrated on {} frames of {} loops", frames.frames, frames.loops))?;
    output::line(format_args!("  frames of          {}", frames.source))?;
    match report.measured {
        None => output::line("  not compared: the model has no classes, or no loop was left to compare on")?,
        Some(measured) => {
            let same = (measured.same_class * measured.loops as f64).round();
            output::line(format_args!(
                "  same class         {same} of {} loops ({:.1} %)",
                measured.loops,
                measured.same_class * 100.0
            ))?;
            output::line(format_args!(
                "  probabilities      differ by {:.4} at most, {:.5} in the mean",
                measured.largest_difference, measured.mean_difference
            ))?;
            match (measured.calibration_error_f32, measured.calibration_error_int8) {
                (Some(single), Some(int8)) => output::line(format_args!(
                    "  calibration error  f32 {single:.4}, int8 {int8:.4} on {} loops whose view is known",
                    measured.loops_with_truth
                ))?,
                _ => output::line("  calibration error  not known, as no loop's view is")?,
            }
        }
    }
    output::line(format_args!("  written to         {}", report.path.display()))?;
    output::line("  to use it          precision = \"int8\" in a pipeline file, before its first [section]")
}
