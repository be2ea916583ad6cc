//! `echolabel inspect`: the contents of a loop.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cine::Loop;
use pipeline::{Explanation, Inspection};
use serde::Serialize;
use store::{LabelStore as _, LoopName};

use super::{Outcome, names};
use crate::cli::{Common, FrameList, InspectOptions};
use crate::commands::Failure;
use crate::output::frame_array;
use crate::picture::BurnedInText;
use crate::{output, picture};

/// Inspects one file, prints the findings and draws them where asked.
pub fn run(common: &Common, options: &InspectOptions) -> Outcome {
    if let Some(path) = &options.png {
        let extension = path.extension().unwrap_or_default();
        if !extension.is_empty() && !extension.eq_ignore_ascii_case("png") {
            let name = path.with_extension("png");
            return Err(anyhow::anyhow!("--png writes a PNG file: name it {}", name.display()).into());
        }
    }
    let settings = super::settings(common, daemon::Overrides::default())?;
    let sampling = super::pipeline_source(&settings)?.read(&settings.models)?.sampling;
    let plan =
        ecg::PlanSettings { strategy: sampling.strategy, frames_per_clip: sampling.frames_per_clip, max_clips: None };
    let file = find(common, options)?;
    let looked = refuse_pipes(&file).and_then(|()| {
        let looked = Loop::open(&file).map_err(pipeline::LabelError::from).and_then(|mut source| {
            let (inspection, found) = pipeline::inspect(&mut source, &plan)?;
            Ok((source, inspection, found))
        });
        looked.map_err(|error| (error.kind().to_owned(), error.message()))
    });
    let (mut source, inspection, found) = match looked {
        Ok(looked) => looked,
        Err((kind, message)) => {
            let path = file.to_string_lossy();
            if options.json {
                output::json_line(&serde_json::json!({ "path": path, "error": { "kind": kind, "message": message } }))?;
            }
            output::note(format_args!("{path}: {kind}: {message}"));
            return Err(Failure::SomeInputs);
        }
    };
    let why = options.why.then(|| explain(&settings, &file)).transpose()?;
    if options.json {
        output::json_pretty(&Answer { inspection: &inspection, why: why.as_ref() })?;
    } else {
        describe(&inspection)?;
        why.as_ref().map(describe_why).transpose()?;
    }
    if let Some(path) = &options.png {
        let text = if options.text { BurnedInText::Shown } else { BurnedInText::Masked };
        let picture = picture::loop_picture(&mut source, &inspection, found.trace.as_ref(), text, why.as_ref())
            .and_then(|canvas| canvas.to_png())
            .map_err(anyhow::Error::new)?;
        files::write(path, &picture, files::Access::Umask)
            .with_context(|| format!("cannot write {}", path.display()))?;
        output::note(format_args!("drew {}", path.display()));
    }
    if let Some(path) = &options.npy {
        let written = match &options.frames {
            // Not gathered: the header says how many there are.
            Some(FrameList::All) => frame_array::write(path, &mut source, 0..inspection.frames),
            Some(FrameList::Indexes(indexes)) => frame_array::write(path, &mut source, indexes.iter().copied()),
            None => frame_array::write(path, &mut source, sampled_frames(&inspection).into_iter()),
        };
        written.with_context(|| format!("cannot write {}", path.display()))?;
        output::note(format_args!("wrote {}", path.display()));
    }
    Ok(())
}

/// Returns the frames of every clip, each once, in order.
fn sampled_frames(inspection: &Inspection) -> BTreeSet<u32> {
    inspection.clips.iter().flat_map(|clip| &clip.frames).map(|frame| frame.index).collect()
}

/// The inspection as it is printed in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    inspection: &'a Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a Explanation>,
}

/// Returns the parts that the model's answer rests on.
fn explain(settings: &daemon::Settings, file: &Path) -> anyhow::Result<Explanation> {
    let pipeline = super::open_view_pipeline(settings)?;
    let explained = pipeline.explain(file).map_err(|error| anyhow::anyhow!("{}: {}", error.kind(), error.message()))?;
    explained.map_err(|reason| anyhow::anyhow!("no model was asked: {reason}"))
}

fn describe_why(why: &Explanation) -> Outcome {
    let Explanation { view, probability, cells, grid, frames, without_motion, .. } = why;
    output::line(format_args!(
        "why         {view} {probability:.2} by the first clip; blanking a part takes from its log odds:"
    ))?;
    for row in cells.chunks(*grid) {
        let cells: Vec<String> = row.iter().map(|fall| format!("{fall:>5.2}")).collect();
        output::line(format_args!("  image     {}", cells.join(" ")))?;
    }
    for frame in frames {
        output::line(format_args!("  frame     {}: {:.2}", frame.index, frame.fall))?;
    }
    match without_motion {
        Some(left) => output::line(format_args!("  motion    without it {left:.2} of {probability:.2} is left")),
        None => output::line("  motion    the model sees single frames"),
    }
}

/// Refuses what is there and no file, as kind and message; opening a pipe would wait for a writer.
fn refuse_pipes(path: &Path) -> Result<(), (String, String)> {
    match files::require_file(path) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(("io".to_owned(), error.to_string())),
        _ => Ok(()),
    }
}

/// Returns the file to inspect: the one of that path, else that of a loop with such a name.
fn find(common: &Common, options: &InspectOptions) -> anyhow::Result<PathBuf> {
    let name = options.file.to_str().and_then(|text| text.parse::<LoopName>().ok());
    match name {
        Some(name) if options.db.is_some() || std::fs::metadata(&options.file).is_err() => {
            let store = super::open_store_read_only(common, options.db.clone())
                .with_context(|| format!("no file {} here", options.file.display()))?;
            let uid = names::loop_uid(&store, &name)?;
            let (_, path) = store.loop_file(&uid)?.with_context(|| format!("no file of loop {uid} is known"))?;
            Ok(path)
        }
        _ => Ok(options.file.clone()),
    }
}

fn describe(inspection: &Inspection) -> Outcome {
    let rate = if inspection.frame_time_ms > 0.0 { 1000.0 / inspection.frame_time_ms } else { 0.0 };
    output::line(format_args!("loop        {}", inspection.sop_instance_uid))?;
    output::line(format_args!("study       {}", inspection.study_instance_uid))?;
    output::line(format_args!(
        "image       {} x {} pixels, {} frames, {:.1} ms each ({rate:.0} a second, from {})",
        inspection.columns,
        inspection.rows,
        inspection.frames,
        inspection.frame_time_ms,
        text_of(&inspection.frame_time_source),
    ))?;
    output::line(format_args!("coded as    {}", inspection.transfer_syntax))?;
    output::line(format_args!("made by     {}", inspection.manufacturer.as_deref().unwrap_or("unknown")))?;
    output::line(format_args!("mode        {} ({})", inspection.mode, inspection.mode_reason))?;
    match inspection.sector {
        Some(sector) => {
            output::line(format_args!(
                "sector      x {} to {}, y {} to {}",
                sector.x0, sector.x1, sector.y0, sector.y1
            ))?;
        }
        None => output::line("sector      not found")?,
    }
    for region in &inspection.regions {
        let pixels = region.pixels;
        let kind = text_of(&region.kind);
        output::line(format_args!(
            "region      {kind}: x {} to {}, y {} to {}",
            pixels.x0, pixels.x1, pixels.y0, pixels.y1
        ))?;
    }
    let ecg = &inspection.ecg;
    let rate = ecg.heart_rate_bpm.map(|rate| format!(", {rate:.0} beats a minute")).unwrap_or_default();
    let peaks: Vec<String> = ecg.r_peaks.iter().map(|peak| format!("{peak:.1}")).collect();
    output::line(format_args!("ECG         {}{rate}; R at frames {}", ecg.source, or_none(&peaks.join(", "))))?;
    for clip in &inspection.clips {
        let frames: Vec<String> = clip
            .frames
            .iter()
            .map(|frame| match &frame.phase {
                Some(ecg::FramePhase::Landmark(phase)) => format!("{} {}", frame.index, phase.as_str()),
                Some(ecg::FramePhase::Fraction(fraction)) => format!("{} at {fraction:.2}", frame.index),
                None => frame.index.to_string(),
            })
            .collect();
        let beat = clip.beat.map_or_else(|| "no beat".to_owned(), |beat| format!("beat {beat}"));
        output::line(format_args!("clip        {beat}: {}", frames.join(", ")))?;
    }
    for finding in &inspection.findings {
        output::line(format_args!("finding     {}: {}", finding.code, finding.message))?;
    }
    Ok(())
}

/// Returns the name that a value has in JSON.
fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}
