//! The trait for what people browse and review: lists that are read a page at a time.

use std::collections::BTreeMap;

use domain::{SopUid, StudyUid, named_enum};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Review, StoreError};

named_enum! {
    /// Progress of a study, to list only some of them.
    StudyProgress {
        /// Files may still come.
        Open = "open",
        /// Closed after a quiet time.
        Closed = "closed",
        /// It has loops about which the model was not sure and that nobody has reviewed.
        ToReview = "to_review",
        /// It lacks views of its label set.
        Incomplete = "incomplete",
        /// A file of it failed.
        Failed = "failed",
    }
}

named_enum! {
    /// List of loops that wait for a person.
    ReviewQueue {
        /// Loops without a review: those that the model was not sure of, and one in fifty others at random, since nothing
        /// else shows silent errors.
        First = "first",
        /// Loops that somebody else has read once.
        Second = "second",
        /// Loops about which two readers differ.
        Adjudication = "adjudication",
    }
}

/// Conditions of a list of studies; an empty one lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudyFilter {
    /// A number of a study, a day of acquisition such as 2026-11-30, or the begin of a Study Instance UID.
    pub text: Option<String>,
    /// Progress.
    pub progress: Option<StudyProgress>,
}

/// A study in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyRow {
    /// Number of the study in the database.
    pub number: i64,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Acquisition date and time of its first loop as in the header.
    pub acquired: Option<String>,
    /// Arrival of its last file, or time of its last label.
    pub last_activity: Timestamp,
    /// Time of closing; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// Files that were taken.
    pub files: u64,
    /// Views that were found.
    pub views: u64,
    /// Loops that the model was not sure of.
    pub unsure: u64,
    /// Files that failed.
    pub failed: u64,
    /// Files that wait for a worker.
    pub waiting: u64,
    /// Views of the label set without a loop.
    pub missing: Vec<String>,
    /// Reason why no view is listed as missing, where none can be.
    pub missing_withheld: Option<String>,
}

/// A loop that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoopTask {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Short name: number of the study, number of the loop in it.
    pub name: String,
    /// Reason why it is in the list.
    pub reason: String,
}

/// The reviews of a person, for the page that asks for the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingProgress {
    /// Reviews since a time that were not taken back.
    pub read: u64,
    /// Short name of the loop of the last one, with that review.
    pub last: Option<(String, Review)>,
}

/// A loop that nobody has read, with what its newest prediction says.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadTask {
    /// The loop, and the reason why a person should look at it.
    pub task: LoopTask,
    /// Number of its study.
    pub study: i64,
    /// Probability of each view.
    pub probabilities: BTreeMap<String, f64>,
    /// Loops of its study that were read.
    pub read_in_study: u64,
}

/// Loops of one week, scanner, view and source of the beat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftCount {
    /// Monday of the week in which they arrived.
    pub week: String,
    /// Manufacturer and model of the scanner.
    pub scanner: String,
    /// View that the newest prediction names; `None` where the model abstained.
    pub view: Option<String>,
    /// Source of the beat.
    pub ecg_source: String,
    /// Loops that a model was asked about.
    pub loops: u64,
    /// Sum of the confidence of their predictions.
    pub confidence: f64,
    /// Loops that a first reader has read and was sure of.
    pub reviewed: u64,
    /// Such loops where the reader says what the model says.
    pub agreed: u64,
}

/// Counts of loops by week and scanner.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftCounts {
    /// One loop in so many was counted: 1 where all were.
    pub one_in: u64,
    /// Counts, in the order of weeks and scanners.
    pub rows: Vec<DriftCount>,
}

/// Reviewed loops of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewedView {
    /// View that the reviews name.
    pub view: String,
    /// Loops with a review that counts.
    pub loops: u64,
    /// Studies of these loops.
    pub studies: u64,
}

/// Lists and actions of the page.
pub trait PageStore: Send + Sync {
    /// Returns studies, latest activity first, at most `limit` of them after the first `offset`.
    ///
    /// # Errors
    /// The database cannot be read.
    fn study_page(&self, filter: &StudyFilter, limit: u32, offset: u32) -> Result<Vec<StudyRow>, StoreError>;

    /// Returns loops that wait for `reviewer`, at most `limit`: unread ones in the order of [`Self::unread_loops`], others from
    /// those on that were read last.
    ///
    /// # Errors
    /// The database cannot be read.
    fn review_queue(&self, queue: ReviewQueue, reviewer: &str, limit: u32) -> Result<Vec<LoopTask>, StoreError>;

    /// Takes back the last review of `reviewer` that was not taken back, and returns it. It stays in the database.
    ///
    /// # Errors
    /// The database cannot be written.
    fn withdraw_last_review(&self, reviewer: &str, now: Timestamp) -> Result<Option<Review>, StoreError>;

    /// Returns how many reviews a person has made since a time, and the last one that was not taken back.
    ///
    /// # Errors
    /// The database cannot be read.
    fn reading_progress(&self, reviewer: &str, since: Timestamp) -> Result<ReadingProgress, StoreError>;

    /// Returns what the first and the second reader said of each loop that has both: the views, `None` for no view.
    ///
    /// # Errors
    /// The database cannot be read.
    fn paired_reviews(&self) -> Result<Vec<[Option<String>; 2]>, StoreError>;

    /// Returns loops that nobody has read and that a person should look at, those that teach the model most first, at most
    /// `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    fn unread_loops(&self, limit: u32) -> Result<Vec<UnreadTask>, StoreError>;

    /// Makes the predictions of a pipeline count where a loop has several, whenever they were made, until another one is
    /// preferred. No prediction is changed.
    ///
    /// # Errors
    /// The database cannot be written.
    fn prefer_predictions(&self, pipeline: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Returns of each review by a first reader who was sure, oldest first, whether it says what the model had said before.
    ///
    /// # Errors
    /// The database cannot be read.
    fn agreement_over_time(&self) -> Result<Vec<bool>, StoreError>;

    /// Returns counts of the loops that arrived since a time, by week and scanner; of a sample where there are many.
    ///
    /// # Errors
    /// The database cannot be read.
    fn drift_counts(&self, since: Timestamp) -> Result<DriftCounts, StoreError>;

    /// Returns the number of reviewed loops of each view that has any, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    fn reviewed_views(&self) -> Result<Vec<ReviewedView>, StoreError>;
}
