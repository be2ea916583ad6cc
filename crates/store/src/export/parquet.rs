//! Parquet: the rows of `loops.csv` with types, and one row a study and view.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use super::columns::{self, ColumnKind as Kind};
use super::{ExportFormat, ExportOptions, csv, write_file};
use crate::{LabelStore, StoreError, Study};

/// `loops.parquet` and `study_views.parquet`.
pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "parquet",
    about: "loops.parquet, one row a loop, and study_views.parquet, one row a study and view",
    write,
};

/// A table as texts, column names first.
struct Table {
    names: Vec<&'static str>,
    kinds: Vec<Kind>,
    rows: Vec<Vec<String>>,
}

const STUDY_VIEW_COLUMNS: [(&str, Kind); 10] = [
    ("study_instance_uid", Kind::Text),
    ("study_number", Kind::Count),
    ("acquired", Kind::Text),
    ("closed_at", Kind::Text),
    ("view", Kind::Text),
    ("state", Kind::Text),
    ("loops", Kind::Count),
    ("best_loop", Kind::Text),
    ("confidence", Kind::Number),
    ("reviewed", Kind::Flag),
];

fn write(
    labels: &dyn LabelStore,
    studies: &[Study],
    folder: &Path,
    options: &ExportOptions,
) -> Result<Vec<PathBuf>, StoreError> {
    let tables =
        [("loops.parquet", loops(labels, studies, options)?), ("study_views.parquet", study_views(labels, studies)?)];
    let mut files = Vec::new();
    for (name, table) in tables {
        let path = folder.join(name);
        let bytes = table
            .bytes()
            .map_err(|error| StoreError::Export { path: path.clone(), source: io::Error::other(error) })?;
        write_file(&path, &bytes)?;
        files.push(path);
    }
    Ok(files)
}

fn loops(labels: &dyn LabelStore, studies: &[Study], options: &ExportOptions) -> Result<Table, StoreError> {
    let names = csv::columns(options.include_paths);
    let mut rows = Vec::new();
    for study in studies {
        rows.extend(csv::rows(labels, &study.study_instance_uid, options.include_paths)?);
    }
    Ok(Table { kinds: names.iter().map(|name| kind_of_loop_column(name)).collect(), names, rows })
}

/// Returns the type of a column of `loops.csv`.
fn kind_of_loop_column(name: &str) -> Kind {
    match name {
        "frames" | "clips" | "frames_used" => Kind::Count,
        "frame_time_ms" | "confidence" | "energy" | "first_probability" | "second_probability"
        | "third_probability" => Kind::Number,
        "best" | "abstained" => Kind::Flag,
        _ => Kind::Text,
    }
}

fn study_views(labels: &dyn LabelStore, studies: &[Study]) -> Result<Table, StoreError> {
    let mut rows = Vec::new();
    for study in studies {
        let inventory = labels.inventory(&study.study_instance_uid)?;
        let closed_at = inventory.closed_at.map(|time| time.to_string()).unwrap_or_default();
        let head = [
            inventory.study_instance_uid.to_string(),
            inventory.number.to_string(),
            inventory.acquired.as_deref().map(csv::iso_8601).unwrap_or_default(),
            closed_at,
        ];
        for view in &inventory.views {
            let best = view.loops.iter().find(|found| found.sop_instance_uid == view.best);
            let tail = [
                view.view.clone(),
                "found".to_owned(),
                view.loops.len().to_string(),
                view.best.to_string(),
                best.map(|best| best.confidence.to_string()).unwrap_or_default(),
                best.map(|best| best.reviewed.to_string()).unwrap_or_default(),
            ];
            rows.push(head.iter().cloned().chain(tail).collect());
        }
        for view in &inventory.missing {
            let tail =
                [view.clone(), "missing".to_owned(), "0".to_owned(), String::new(), String::new(), String::new()];
            rows.push(head.iter().cloned().chain(tail).collect());
        }
    }
    let (names, kinds) = STUDY_VIEW_COLUMNS.into_iter().unzip();
    Ok(Table { names, kinds, rows })
}

impl Table {
    fn bytes(&self) -> Result<Vec<u8>, ParquetError> {
        let mut bytes = Vec::new();
        let properties = WriterProperties::builder().set_created_by("echolabel".to_owned()).build();
        let mut file = SerializedFileWriter::new(
            &mut bytes,
            columns::schema("schema", self.names.iter().copied().zip(self.kinds.iter().copied()))?,
            Arc::new(properties),
        )?;
        let mut group = file.next_row_group()?;
        for (index, kind) in self.kinds.iter().enumerate() {
            let cells: Vec<&str> = self.rows.iter().map(|row| row.get(index).map_or("", String::as_str)).collect();
            let Some(mut column) = group.next_column()? else { break };
            match kind {
                Kind::Text | Kind::Json => {
                    write_column::<ByteArrayType>(&mut column, &cells, |cell| Some(ByteArray::from(cell)))?;
                }
                Kind::Number => write_column::<DoubleType>(&mut column, &cells, |cell| cell.parse().ok())?,
                Kind::Count => write_column::<Int64Type>(&mut column, &cells, |cell| cell.parse().ok())?,
                Kind::Flag => write_column::<BoolType>(&mut column, &cells, |cell| cell.parse().ok())?,
            }
            column.close()?;
        }
        group.close()?;
        file.close()?;
        Ok(bytes)
    }
}

/// Writes the cells of a column; one that is empty, or not of the type, is null.
fn write_column<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    cells: &[&str],
    value: impl Fn(&str) -> Option<T::T>,
) -> Result<(), ParquetError> {
    columns::write_column::<T>(column, cells.iter().map(|cell| if cell.is_empty() { None } else { value(cell) }))
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::*;

    #[test]
    fn what_is_written_is_read_back_with_types_and_nulls() {
        let table = Table {
            names: vec!["view", "confidence", "frames", "best"],
            kinds: vec![Kind::Text, Kind::Number, Kind::Count, Kind::Flag],
            rows: vec![
                ["PLAX", "0.75", "60", "true"].map(str::to_owned).into(),
                ["", "", "", ""].map(str::to_owned).into(),
                ["größer", "0.5", "1", "false"].map(str::to_owned).into(),
            ],
        };
        let bytes = table.bytes().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            [
                "{view: \"PLAX\", confidence: 0.75, frames: 60, best: true}",
                "{view: null, confidence: null, frames: null, best: null}",
                "{view: \"größer\", confidence: 0.5, frames: 1, best: false}",
            ]
        );
    }

    #[test]
    fn every_column_of_numbers_is_known_by_name() {
        let columns = csv::columns(true);
        let typed = columns.iter().filter(|name| kind_of_loop_column(name) != Kind::Text).count();
        assert_eq!((columns.len(), typed), (36, 11));
    }
}
