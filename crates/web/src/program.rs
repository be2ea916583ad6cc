//! Actions of the program that the page asks for, since it has no models.

use std::path::Path;
use std::sync::Arc;

use domain::StudyUid;
use pipeline::Explanation;

use crate::learning::Learning;

/// Actions of the program that need models, which the page does not have.
#[derive(Clone)]
pub struct Program {
    /// Learning from reviews.
    pub learning: Arc<dyn Learning>,
    /// Explanations of answers.
    pub explain: Arc<dyn Explain>,
    /// Reports of studies.
    pub reports: Arc<dyn Reports>,
}

/// The program's way to ask a model why.
pub trait Explain: Send + Sync {
    /// Explains the answer about the loop in a file; nothing is kept.
    ///
    /// # Errors
    /// The model cannot be asked; the words are for a person and name no file.
    fn explain(&self, file: &Path) -> Result<Explanation, String>;
}

/// The program's way to write reports.
pub trait Reports: Send + Sync {
    /// Returns the structured report of a study as a DICOM file. It names the patient, as the study's files do.
    ///
    /// # Errors
    /// No file of the study is there any more, or it cannot be reported; the words are for a person.
    fn structured_report(&self, study: &StudyUid) -> Result<Vec<u8>, String>;
}
