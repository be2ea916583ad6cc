//! Exports for other programs.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args};
use jiff::SignedDuration;
use store::StudyName;
use store::export::{ExportFormat, FORMATS};

/// `echolabel export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel export --format csv --out exports --db lab.db
  echolabel export 1.2.840.113619.2.1 --format json --out exports --db lab.db
  echolabel export --since 2d --format dicom --out exports --db lab.db

--format dicom reads the headers of the studies' files, which must be where they were: reports copy patient and study from
one. See docs/reports.md.")]
pub struct ExportOptions {
    /// Study: its number in the inventory, or the begin of its UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<StudyName>,
    /// Format
    #[arg(long, value_parser = Formats)]
    pub format: Format,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
    /// Write only studies that got a file or a label so long ago at most, such as 12h or 2d
    #[arg(long, value_name = "TIME", value_parser = super::loops::duration)]
    pub since: Option<SignedDuration>,
    /// Say in the CSV where each file lies, for training on it; a path may hold a patient's name
    #[arg(long)]
    pub paths: bool,
}

/// A format of `--format`.
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// Written from the database alone.
    Table(ExportFormat),
    /// Written from the database and the headers of files.
    Dicom,
}

const DICOM: &str = "dicom";
const ABOUT_DICOM: &str = "<study>.sr.dcm and <study>.ko.dcm, a structured report and key objects a study";

/// The formats, as values of a flag.
#[derive(Debug, Clone)]
struct Formats;

impl TypedValueParser for Formats {
    type Value = Format;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<Format, clap::Error> {
        let names = PossibleValuesParser::new(FORMATS.iter().map(|format| format.name).chain([DICOM]));
        let name = names.parse_ref(command, arg, value)?;
        match name.as_str() {
            DICOM => Ok(Format::Dicom),
            name => ExportFormat::from_name(name)
                .map(Format::Table)
                .ok_or_else(|| clap::Error::new(ErrorKind::InvalidValue)),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let tables = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
        Some(Box::new(tables.chain([PossibleValue::new(DICOM).help(ABOUT_DICOM)])))
    }
}
