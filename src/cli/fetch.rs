//! Fetching from an archive.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

/// `echolabel fetch`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel fetch --archive https://pacs.example/dicom-web --since 2026-01-01 --out /srv/echo
  echolabel fetch --archive https://pacs.example/dicom-web --accession A-17 --accession A-18 --out /srv/echo
  echolabel fetch --archive https://pacs.example/dicom-web --accessions list.txt --max-mbps 5 --config echolabel.toml

Ultrasound series come by DICOMweb (QIDO-RS, WADO-RS), the newest day first, into OUT/<study>/<object>.dcm, where a running
`echolabel watch` takes them. An object that is there is not fetched again, so a run that was stopped goes on where it was.
C-MOVE is not spoken.")]
pub struct FetchOptions {
    /// Address of the archive's DICOMweb
    #[arg(long, value_name = "URL")]
    pub archive: String,
    /// First day, such as 2026-01-01
    #[arg(long, value_name = "DAY", required_unless_present_any = ["accession", "accessions"])]
    pub since: Option<Date>,
    /// Last day; today without it
    #[arg(long, value_name = "DAY", requires = "since")]
    pub until: Option<Date>,
    /// Accession number; may be repeated
    #[arg(long, value_name = "NUMBER", conflicts_with = "since")]
    pub accession: Vec<String>,
    /// File with an accession number a line
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    pub accessions: Option<PathBuf>,
    /// Folder to write to; the first watched folder of the configuration without it
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// File whose first line is a bearer token
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Megabytes a second on average, at most
    #[arg(long, value_name = "N")]
    pub max_mbps: Option<f64>,
}
