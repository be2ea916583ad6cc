//! Counts of a run.

use serde::Serialize;

/// Counts of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files that got a job.
    pub taken: u64,
    /// Loops with a new prediction that names a view.
    pub labelled: u64,
    /// Loops with a new prediction that abstains.
    pub abstained: u64,
    /// Files no model was asked about.
    pub skipped: u64,
    /// Files that were another copy of a known loop.
    pub duplicates: u64,
    /// Loops that a later header put into another study.
    pub moved: u64,
    /// Files with a known SOP Instance UID but other pixels.
    pub conflicts: u64,
    /// Jobs given up.
    pub failed: u64,
    /// Tries that failed and wait for another.
    pub retrying: u64,
    /// Files that are not complete yet (at the end of the run), or were given up as such.
    pub incomplete: u64,
    /// Files that are not DICOM.
    pub not_dicom: u64,
    /// Folders that could not be read: what is in them was not seen.
    pub unreadable_folders: u64,
    /// Studies that were closed.
    pub studies_closed: u64,
    /// Jobs still waiting at the end: outside the window, or for another try.
    pub left_in_queue: u64,
}

impl Summary {
    /// Returns the counts of this run and of the one that went on where it ended.
    #[must_use]
    pub fn followed_by(&self, next: &Self) -> Self {
        Self {
            taken: self.taken + next.taken,
            labelled: self.labelled + next.labelled,
            abstained: self.abstained + next.abstained,
            skipped: self.skipped + next.skipped,
            duplicates: self.duplicates + next.duplicates,
            moved: self.moved + next.moved,
            conflicts: self.conflicts + next.conflicts,
            failed: self.failed + next.failed,
            studies_closed: self.studies_closed + next.studies_closed,
            // The run that went on has seen what these stand for again.
            ..next.clone()
        }
    }

    /// Returns whether every file that was seen came to a good end: decides between exit codes 0 and 1.
    pub const fn all_well(&self) -> bool {
        self.failed == 0 && self.conflicts == 0 && self.incomplete == 0 && self.retrying == 0
    }
}
