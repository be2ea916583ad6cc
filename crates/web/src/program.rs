//! Actions of the program that the page asks for, since it has no models.

use std::path::Path;
use std::sync::Arc;

use domain::{PixelRect, StudyUid};
use serde::{Deserialize, Serialize};

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

/// The parts of a loop's first clip that its likeliest view rests on; the names are those of `inspect --why --json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explanation {
    /// Likeliest view.
    pub view: String,
    /// Its probability.
    pub probability: f64,
    /// Part of the image that the model sees; `None` where it saw the image turned.
    pub input: Option<PixelRect>,
    /// Cells of the grid on each side.
    pub grid: usize,
    /// Fall of the log odds of the view where a cell is blank, row by row.
    pub cells: Vec<f64>,
    /// Frames of the clip.
    pub frames: Vec<FrameShare>,
    /// Probability where nothing moves; `None` for a model of single frames.
    pub without_motion: Option<f64>,
}

/// The share that a frame has in the answer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FrameShare {
    /// Index in the loop.
    pub index: u32,
    /// Fall of the log odds of the view where the frame is blank.
    pub fall: f64,
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
