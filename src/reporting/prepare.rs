//! A report of a study as it stands in the database.

use std::collections::HashMap;

use domain::{SopUid, StudyUid};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use report::{ImageReference, KeyLoop, Observation, ReportError, ReportedObject, Revision, StudyReport};
use store::{
    FileState, Inventory, LabelStore as _, Review, Store, StoreError, StoredLoop, StoredPrediction, latest_reviews,
};
use zoo::ZooError;

use super::objects::StudyObjects;
use super::observations::{Observers, undetermined};

/// Timezone Offset From UTC.
const TIME_ZONE_OFFSET: (u16, u16) = (0x0008, 0x0201);

/// States whose files a report counts. Objects without an image are not among them: our own reports come back as such, and
/// must not be news of the study.
const COUNTED_STATES: [FileState; 6] = [
    FileState::Labelled,
    FileState::Unsure,
    FileState::WithoutView,
    FileState::Failed,
    FileState::Incomplete,
    FileState::Conflict,
];

/// Errors of preparing a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportFailure {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The codes of views.
    #[error(transparent)]
    Codes(#[from] ZooError),
    /// The documents.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// No file of the study can be read any more, and the database has neither patient nor SOP classes.
    #[error("no file of the study is there any more: a report copies patient and study from one")]
    NoFile,
}

/// Sources of reports.
#[derive(Clone, Copy)]
pub struct ReportSource<'a> {
    /// The database.
    pub store: &'a Store,
    /// Time zone of dates in a report, where the study's files name none.
    pub time_zone: &'a TimeZone,
}

/// A report with what the database keeps of it.
pub struct PreparedReport {
    /// The report.
    pub report: StudyReport,
    /// Time of the newest label in it.
    pub content_time: Timestamp,
    /// True if every model in it was validated on patients.
    pub is_validated: bool,
}

impl ReportSource<'_> {
    /// Returns the report of a study as it stands, as its first revision.
    ///
    /// # Errors
    /// [`ReportFailure`].
    pub fn prepare(&self, study: &StudyUid) -> Result<PreparedReport, ReportFailure> {
        let inventory = self.store.inventory(study)?;
        let objects = StudyObjects::read(self.store, &inventory)?;
        let attributes = objects.attributes.clone().ok_or(ReportFailure::NoFile)?;
        let observers = Observers::new(&inventory, self.store.label_set(study)?);
        let reviews = self.store.reviews(study)?;
        let said = SaidOfLoops::new(&inventory, &reviews);
        let mut reported = Vec::new();
        let mut content_time = Timestamp::UNIX_EPOCH;
        let loops: HashMap<SopUid, StoredLoop> = self
            .store
            .loops(study)?
            .into_iter()
            .map(|stored| (stored.facts.sop_instance_uid.clone(), stored))
            .collect();
        for (sop, number) in self.store.numbered_loops(study)?.into_iter().zip(1..) {
            let (Some(image), Some(stored)) = (objects.loops.get(&sop), loops.get(&sop)) else { continue };
            content_time = content_time.max(stored.created_at).max(said.newest(&sop));
            let mut observations = said.observations(&sop, &observers, stored.skip_reason.as_deref())?;
            if stored.facts.frames.is_none_or(|frames| frames < 2) {
                // A still has no frames that could be named.
                observations.iter_mut().for_each(|observation| observation.frames.clear());
            }
            reported.push(ReportedObject { image: image.clone(), number, mode: Some(stored.facts.mode), observations });
        }
        let loops = reported.len() as u32;
        for (image, number) in objects.failed.iter().zip(loops + 1..) {
            let observations = vec![undetermined("the file could not be read or labelled")];
            reported.push(ReportedObject { image: image.clone(), number, mode: None, observations });
        }
        let zone = files_time_zone(attributes.get(TIME_ZONE_OFFSET)).unwrap_or_else(|| self.time_zone.clone());
        let report = StudyReport {
            study: study.clone(),
            attributes,
            revision: Revision { number: 1, time: content_time.to_zoned(zone).datetime(), predecessor: None },
            algorithms: observers.algorithms,
            objects: reported,
            file_counts: file_counts(&inventory),
            key_loops: key_loops(&inventory, &objects),
            software_version: format!("echolabel {}", env!("CARGO_PKG_VERSION")),
        };
        let is_validated = report.algorithms.iter().all(|algorithm| algorithm.is_validated);
        Ok(PreparedReport { report, content_time, is_validated })
    }
}

/// Predictions and reviews of the loops of a study.
struct SaidOfLoops<'a> {
    predictions: HashMap<&'a SopUid, &'a StoredPrediction>,
    reviews: HashMap<&'a SopUid, &'a Review>,
}

impl<'a> SaidOfLoops<'a> {
    /// Takes what counts: the newest prediction of a loop's pixels, and the newest review of them.
    fn new(inventory: &'a Inventory, reviews: &'a [Review]) -> Self {
        let newest = latest_reviews(reviews);
        let labelled = inventory
            .views
            .iter()
            .flat_map(|view| &view.loops)
            .map(|found| (&found.sop_instance_uid, found.reviewed, found.predictions.last()));
        let others = inventory.not_labelled.iter().filter_map(|entry| {
            entry.sop_instance_uid.as_ref().map(|sop| (sop, entry.reviewed, entry.predictions.last()))
        });
        let mut said = Self { predictions: HashMap::new(), reviews: HashMap::new() };
        for (sop, reviewed, prediction) in labelled.chain(others) {
            if let Some(prediction) = prediction {
                said.predictions.insert(sop, prediction);
            }
            if let Some(review) = newest.get(sop).filter(|_| reviewed) {
                said.reviews.insert(sop, review);
            }
        }
        said
    }

    fn newest(&self, sop: &SopUid) -> Timestamp {
        let predicted = self.predictions.get(sop).map(|stored| stored.created_at);
        let reviewed = self.reviews.get(sop).map(|review| review.created_at);
        predicted.max(reviewed).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn observations(
        &self,
        sop: &SopUid,
        observers: &Observers,
        skip_reason: Option<&str>,
    ) -> Result<Vec<Observation>, ZooError> {
        let mut observations = Vec::new();
        if let Some(prediction) = self.predictions.get(sop) {
            observations.push(observers.by_model(prediction)?);
        }
        if let Some(review) = self.reviews.get(sop) {
            observations.push(observers.by_person(review)?);
        }
        if observations.is_empty() {
            observations.push(undetermined(skip_reason.unwrap_or("no model was asked")));
        }
        Ok(observations)
    }
}

fn key_loops(inventory: &Inventory, objects: &StudyObjects) -> Vec<KeyLoop> {
    let image = |sop: &SopUid| objects.loops.get(sop).cloned();
    let key = |view: &store::ViewInventory| -> Option<(String, ImageReference)> {
        Some((view.view.clone(), image(&view.best)?))
    };
    inventory.views.iter().filter_map(key).map(|(view, image)| KeyLoop { view, image }).collect()
}

fn file_counts(inventory: &Inventory) -> String {
    let counts: Vec<String> = COUNTED_STATES
        .into_iter()
        .map(|state| (inventory.states.get(state), state.words()))
        .filter(|(files, _)| *files > 0)
        .map(|(files, words)| format!("{files} {words}"))
        .collect();
    format!("Image files of the study: {}", counts.join(", "))
}

/// Returns the time zone that a value such as `+0100` of Timezone Offset From UTC names.
fn files_time_zone(value: Option<&[u8]>) -> Option<TimeZone> {
    let text = std::str::from_utf8(value?).ok()?.trim_matches([' ', '\0']);
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (digits.get(..2)?.parse().ok()?, digits.get(2..4)?.parse().ok()?);
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    Some(TimeZone::fixed(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_zone_of_the_files_counts() {
        let zone = files_time_zone(Some(b"-0330 ")).expect("a time zone");
        assert_eq!(zone.to_offset(Timestamp::UNIX_EPOCH).seconds(), -(3 * 3600 + 30 * 60));
        for value in [&b"0100"[..], b"+1", b"", b"\xff"] {
            assert!(files_time_zone(Some(value)).is_none(), "{value:?}");
        }
    }
}
