//! A study's views with their loops, and what the protocol still lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Mode, ModelKey, Prediction, SopUid, StudyUid};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Review, StoredLoop, StoredPrediction, Study};

/// Content of a study, as plain data. Only each loop's latest prediction counts; a review overrules it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// When its last file came or its last loop was labelled.
    pub last_activity: Timestamp,
    /// When it was closed; none while it is open.
    pub closed_at: Option<Timestamp>,
    /// Files of this study that wait for a worker.
    pub unfinished_jobs: u64,
    /// The models whose predictions are shown.
    pub models: Vec<ModelUsed>,
    /// The views that were found: the label set's in its order, then any other by name.
    pub views: Vec<ViewInventory>,
    /// Views of the label set without a loop, in its order.
    pub missing: Vec<String>,
    /// Files and loops without a view.
    pub not_labelled: Vec<NotLabelled>,
}

/// A model and what must be said about its weights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ModelUsed {
    /// Pipeline and weights.
    #[serde(flatten)]
    pub model: ModelKey,
    /// E.g. "untrained weights".
    pub weights_note: Option<String>,
}

/// One view of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewInventory {
    /// Name of the view.
    pub view: String,
    /// SOP Instance UID of the best loop: highest confidence, then most frames, then earliest acquisition.
    pub best: SopUid,
    /// Its loops, best first.
    pub loops: Vec<InventoryLoop>,
}

/// One loop of a view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InventoryLoop {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// The model's probability of this view, 0..=1.
    pub confidence: f64,
    /// A person named the view.
    pub reviewed: bool,
    /// Number of frames.
    pub frames: Option<u32>,
    /// Imaging mode.
    pub mode: Mode,
    /// Acquisition date and time as in the header.
    pub acquired: Option<String>,
}

/// Reason why something has no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotLabelledWhy {
    /// The model declined.
    Abstained,
    /// A person says it shows no view of the set.
    Reviewed,
    /// No model was asked.
    Skipped,
    /// The file could not be labelled.
    Failed,
    /// Another file with the same SOP Instance UID had other bytes.
    Conflict,
}

/// One loop or file without a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotLabelled {
    /// SOP Instance UID, where it is known.
    pub sop_instance_uid: Option<SopUid>,
    /// Reason.
    pub why: NotLabelledWhy,
    /// In words.
    pub reason: Option<String>,
    /// Imaging mode, where it is known.
    pub mode: Option<Mode>,
}

/// Records that an inventory is built from.
pub(crate) struct StudyRecords {
    pub study: Study,
    pub loops: Vec<StoredLoop>,
    /// Oldest first.
    pub predictions: Vec<StoredPrediction>,
    /// Oldest first.
    pub reviews: Vec<Review>,
    pub unfinished_jobs: u64,
    pub unlabelled: Vec<Unlabelled>,
}

/// A file of the study that is no loop of the store.
pub(crate) struct Unlabelled {
    pub sop_instance_uid: Option<SopUid>,
    pub why: NotLabelledWhy,
    pub reason: Option<String>,
}

/// Sorts a study's loops into views.
pub(crate) fn build(records: StudyRecords, label_set: &[String]) -> Inventory {
    let latest: HashMap<&SopUid, &Prediction> =
        records.predictions.iter().map(|stored| (&stored.sop_instance_uid, &stored.prediction)).collect();
    let reviews: HashMap<&SopUid, &Review> =
        records.reviews.iter().map(|review| (&review.sop_instance_uid, review)).collect();

    let mut by_view: BTreeMap<&str, Vec<InventoryLoop>> = BTreeMap::new();
    let mut not_labelled = Vec::new();
    for stored in &records.loops {
        let uid = &stored.facts.sop_instance_uid;
        match place(stored, latest.get(uid).copied(), reviews.get(uid).copied()) {
            Ok((view, entry)) => by_view.entry(view).or_default().push(entry),
            Err(entry) => not_labelled.push(entry),
        }
    }
    not_labelled.extend(records.unlabelled.into_iter().map(|file| NotLabelled {
        sop_instance_uid: file.sop_instance_uid,
        why: file.why,
        reason: file.reason,
        mode: None,
    }));

    let missing = label_set.iter().filter(|view| !by_view.contains_key(view.as_str())).cloned().collect();
    let mut views = Vec::new();
    for name in label_set {
        views.extend(by_view.remove(name.as_str()).and_then(|loops| ranked(name, loops)));
    }
    views.extend(by_view.into_iter().filter_map(|(name, loops)| ranked(name, loops)));

    let models: BTreeSet<ModelUsed> = latest
        .values()
        .map(|prediction| ModelUsed { model: prediction.model.clone(), weights_note: prediction.weights_note.clone() })
        .collect();
    Inventory {
        study_instance_uid: records.study.study_instance_uid,
        last_activity: records.study.last_activity,
        closed_at: records.study.closed_at,
        unfinished_jobs: records.unfinished_jobs,
        models: models.into_iter().collect(),
        views,
        missing,
        not_labelled,
    }
}

/// The view of a loop, or why it has none.
fn place<'a>(
    stored: &StoredLoop,
    prediction: Option<&'a Prediction>,
    review: Option<&'a Review>,
) -> Result<(&'a str, InventoryLoop), NotLabelled> {
    let facts = &stored.facts;
    let without_view = |why, reason: Option<&String>| NotLabelled {
        sop_instance_uid: Some(facts.sop_instance_uid.clone()),
        why,
        reason: reason.cloned(),
        mode: Some(facts.mode),
    };
    let view = match (review, prediction) {
        (Some(review), _) => {
            review.view.as_deref().ok_or_else(|| without_view(NotLabelledWhy::Reviewed, review.comment.as_ref()))?
        }
        (None, Some(prediction)) => prediction
            .view
            .as_deref()
            .ok_or_else(|| without_view(NotLabelledWhy::Abstained, prediction.reason.as_ref()))?,
        (None, None) => return Err(without_view(NotLabelledWhy::Skipped, stored.skip_reason.as_ref())),
    };
    let confidence = prediction.map_or(0.0, |prediction| {
        if prediction.view.as_deref() == Some(view) {
            prediction.confidence
        } else {
            prediction.probabilities.get(view).copied().unwrap_or(0.0)
        }
    });
    let entry = InventoryLoop {
        sop_instance_uid: facts.sop_instance_uid.clone(),
        confidence,
        reviewed: review.is_some(),
        frames: facts.frames,
        mode: facts.mode,
        acquired: facts.acquired.clone(),
    };
    Ok((view, entry))
}

/// Best loop first; none for no loops.
fn ranked(view: &str, mut loops: Vec<InventoryLoop>) -> Option<ViewInventory> {
    loops.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| b.frames.cmp(&a.frames))
            .then_with(|| (a.acquired.is_none(), &a.acquired).cmp(&(b.acquired.is_none(), &b.acquired)))
            .then_with(|| a.sop_instance_uid.cmp(&b.sop_instance_uid))
    });
    let best = loops.first()?.sop_instance_uid.clone();
    Some(ViewInventory { view: view.to_owned(), best, loops })
}
