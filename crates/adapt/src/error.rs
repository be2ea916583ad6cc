//! Errors of an adaptation.

use std::path::PathBuf;

use thiserror::Error;

use crate::{MIN_LOOPS_PER_VIEW, MIN_PATIENTS, MIN_PATIENTS_PER_VIEW};

/// A view with too few labelled loops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewShortage {
    /// The view.
    pub view: String,
    /// Its labelled loops.
    pub loops: usize,
    /// The patients of these loops.
    pub patients: usize,
}

/// An error of an adaptation.
#[derive(Debug, Error)]
pub enum AdaptError {
    /// Some views have too few loops or patients.
    #[error(
        "too few labelled loops: each view needs {MIN_LOOPS_PER_VIEW} loops of {MIN_PATIENTS_PER_VIEW} patients at least. {}",
        listed(.0)
    )]
    TooFewLoops(Vec<ViewShortage>),
    /// Too few patients to leave some out.
    #[error("patients of the labelled loops: {0}; {MIN_PATIENTS} are needed at least, so that some can be left out")]
    TooFewPatients(usize),
    /// A vector has another length than the others, or a number that is not finite.
    #[error("loop {loop_name}: {problem}")]
    Vector {
        /// The loop.
        loop_name: String,
        /// The fault.
        problem: &'static str,
    },
    /// The held-out predictions could not be evaluated.
    #[error("held-out predictions")]
    Evaluate(#[from] evaluate::EvaluateError),
    /// A file of vectors could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// The result of the functions of this crate.
pub type Result<T> = std::result::Result<T, AdaptError>;

fn listed(shortages: &[ViewShortage]) -> String {
    let one = |shortage: &ViewShortage| {
        let ViewShortage { view, loops, patients } = shortage;
        format!("{view} has {loops} of {patients} patients")
    };
    shortages.iter().map(one).collect::<Vec<_>>().join(", ")
}
