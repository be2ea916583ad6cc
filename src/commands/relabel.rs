//! `echolabel relabel`: another pipeline's prediction beside the first.

use anyhow::Context as _;
use daemon::{LabelFailure, Labeller as _, Labelling};
use domain::{Prediction, StudyUid};
use jiff::Timestamp;
use store::{LabelStore as _, LoopFile, PageStore as _};

use super::parallel::in_order;
use super::{Failure, Outcome, names};
use crate::cli::{Common, RelabelOptions};
use crate::labeller::PipelineLabeller;
use crate::output;

/// Studies whose loops are listed at once, so that an archive needs not be held in memory.
const STUDIES_AT_ONCE: usize = 256;

#[derive(Default)]
struct Counts {
    labelled: u64,
    abstained: u64,
    without_view: u64,
    failed: u64,
}

/// Labels the loops that the pipeline has not labelled yet.
pub fn run(common: &Common, options: &RelabelOptions) -> Outcome {
    let store = super::open_store(common, options.db.clone())?;
    let settings = super::settings(common, daemon::Overrides::default())?;
    let pipeline = super::open_view_pipeline(&settings)?;
    if let Some(warning) = pipeline.status().warning() {
        output::note(warning);
    }
    let labeller = PipelineLabeller::new(pipeline, common)?;
    let model = labeller.model();
    store.keep_label_set(&model, &labeller.views(), Timestamp::now())?;
    store.prefer_predictions(&model.pipeline, Timestamp::now())?;

    let known: Vec<StudyUid> = store.studies()?.into_iter().map(|study| study.study_instance_uid).collect();
    let named: Vec<StudyUid> =
        options.studies.iter().map(|name| names::study(&store, name)).collect::<anyhow::Result<_>>()?;
    let studies = if options.all { &known } else { &named };
    let bar = crate::progress::bar(0, "relabelling");
    let mut counts = Counts::default();
    for studies in studies.chunks(STUDIES_AT_ONCE) {
        let mut files = Vec::new();
        for study in studies {
            files.extend(store.loops_without(&model, study)?);
        }
        bar.inc_length(files.len() as u64);
        in_order(
            settings.labelling.workers,
            &files,
            |file| label(&labeller, file),
            |file, result| {
                bar.inc(1);
                match result {
                    Ok(Some(prediction)) => {
                        let recorded = store
                            .add_prediction(&file.sop_instance_uid, &prediction, Timestamp::now())
                            .context("the prediction is not kept")?;
                        counts.labelled += u64::from(recorded && prediction.view.is_some());
                        counts.abstained += u64::from(recorded && prediction.view.is_none());
                        Ok(())
                    }
                    Ok(None) => {
                        counts.without_view += 1;
                        Ok(())
                    }
                    Err(LabelFailure { kind, message, .. }) => {
                        counts.failed += 1;
                        bar.suspend(|| {
                            output::line(format_args!("failed  {kind}: {message}  {}", output::path(&file.path)))
                        })
                    }
                }
            },
        )?;
    }
    bar.finish_and_clear();
    output::line(format_args!(
        "{}: {} labelled, {} not sure, {} without a view, {} failed; its predictions count now, earlier ones stay",
        model.pipeline, counts.labelled, counts.abstained, counts.without_view, counts.failed
    ))?;
    if counts.failed == 0 { Ok(()) } else { Err(Failure::SomeInputs) }
}

/// Returns the prediction, or `None` where the pipeline knows no views of such a loop.
fn label(labeller: &PipelineLabeller, file: &LoopFile) -> Result<Option<Prediction>, LabelFailure> {
    let prediction = match labeller.label(&file.path)? {
        Labelling::Labelled { prediction, .. } => *prediction,
        Labelling::Skipped { .. } => return Ok(None),
    };
    // Read after labelling: were the bytes others by then, the prediction would be about them.
    let failure =
        |kind: &str, message: String| LabelFailure { kind: kind.to_owned(), message, temporary: false, identity: None };
    let content = files::sha256(&file.path).map_err(|error| failure("read", error.kind().to_string()))?;
    match content == file.content_sha256 {
        true => Ok(Some(prediction)),
        false => Err(failure("changed", "the file is not the one that was labelled first".to_owned())),
    }
}
