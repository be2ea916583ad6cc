//! The two forms of a file of labels.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use super::parquet;
use super::row::{LabelRow, LabelsError};

/// Form of a file of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelsFormat {
    /// One JSON object a line.
    JsonLines,
    /// Parquet, a column a key.
    Parquet,
}

impl LabelsFormat {
    /// Returns the form that the end of a name stands for.
    ///
    /// # Errors
    /// It stands for none.
    pub fn from_path(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Ok(Self::JsonLines),
            Some("parquet") => Ok(Self::Parquet),
            _ => anyhow::bail!("{}: the name of a file of labels ends in .jsonl or .parquet", path.display()),
        }
    }
}

/// Rows of a file of labels.
pub type Rows = Box<dyn Iterator<Item = Result<LabelRow, LabelsError>>>;

/// Reads a file of labels row by row.
///
/// # Errors
/// The file cannot be read.
pub fn read_labels(path: &Path, format: LabelsFormat) -> Result<Rows, LabelsError> {
    let file = File::open(path)?;
    let row =
        |(index, object): (usize, Result<Map<String, Value>, LabelsError>)| LabelRow::from_object(object?, index + 1);
    Ok(match format {
        LabelsFormat::JsonLines => Box::new(
            BufReader::new(file)
                .lines()
                .enumerate()
                .map(|(index, line)| (index, json_object(index + 1, line)))
                .map(row),
        ),
        LabelsFormat::Parquet => {
            Box::new(parquet::read(file)?.map(|object| object.map_err(LabelsError::from)).enumerate().map(row))
        }
    })
}

fn json_object(row: usize, line: io::Result<String>) -> Result<Map<String, Value>, LabelsError> {
    serde_json::from_str(&line?).map_err(|error| LabelsError::Invalid { row, problem: error.to_string() })
}
