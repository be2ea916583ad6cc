//! Reviews: what people say about loops.

use std::collections::HashMap;

use domain::{SopUid, named_enum};
use jiff::Timestamp;
use serde::Serialize;

named_enum! {
    /// Part that a person has in the reading of a loop.
    #[derive(Default)]
    ReviewRole {
        /// Reads it first, or corrects.
        #[default]
        Reader = "reader",
        /// Reads it again without seeing what the first reader said; changes no label.
        SecondReader = "second_reader",
        /// Decides where two readers differ.
        Adjudicator = "adjudicator",
    }
}

/// A person's label of a loop. None is ever removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// SOP Instance UID of the loop.
    pub sop_instance_uid: SopUid,
    /// The right view; none for "no view of the set".
    pub view: Option<String>,
    /// True where the person cannot tell; there is no view then.
    pub not_sure: bool,
    /// Part that the person had.
    pub role: ReviewRole,
    /// The person who reviewed the loop.
    pub reviewer: String,
    /// Free text.
    pub comment: Option<String>,
    /// Time of recording.
    pub created_at: Timestamp,
    /// Time at which the person took it back.
    pub withdrawn_at: Option<Timestamp>,
}

impl Review {
    /// Returns a reader's review.
    pub fn new(sop: SopUid, view: Option<String>, reviewer: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            sop_instance_uid: sop,
            view,
            not_sure: false,
            role: ReviewRole::Reader,
            reviewer: reviewer.into(),
            comment: None,
            created_at,
            withdrawn_at: None,
        }
    }

    /// Returns whether the review can decide the label of its loop.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.withdrawn_at.is_none() && self.role != ReviewRole::SecondReader
    }
}

/// Returns the review of each loop that decides its label, of reviews in the order of recording.
pub fn latest_reviews(reviews: &[Review]) -> HashMap<&SopUid, &Review> {
    reviews.iter().filter(|review| review.counts()).map(|review| (&review.sop_instance_uid, review)).collect()
}
