//! Files of labels as Parquet: a column for each key of a row.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::SerializedFileReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::record::{Field, Row};
use serde_json::{Map, Value};
use store::export::columns::{self, ColumnKind as Kind, write_column};

/// Rows that are in memory at once.
const ROWS_PER_GROUP: usize = 4096;

const COLUMNS: [(&str, Kind); 44] = [
    ("schema", Kind::Text),
    ("path", Kind::Text),
    ("id", Kind::Text),
    ("size_bytes", Kind::Count),
    ("modified_unix_ns", Kind::Count),
    ("sample_sha256", Kind::Text),
    ("sha256", Kind::Text),
    ("pipeline", Kind::Text),
    ("pipeline_sha256", Kind::Text),
    ("weights_sha256", Kind::Text),
    ("precision", Kind::Text),
    ("views", Kind::Json),
    ("state", Kind::Text),
    ("kind", Kind::Text),
    ("message", Kind::Text),
    ("temporary", Kind::Flag),
    ("study_instance_uid", Kind::Text),
    ("series_instance_uid", Kind::Text),
    ("sop_instance_uid", Kind::Text),
    ("transfer_syntax", Kind::Text),
    ("manufacturer", Kind::Text),
    ("scanner_model", Kind::Text),
    ("mode", Kind::Text),
    ("rows", Kind::Count),
    ("columns", Kind::Count),
    ("frames", Kind::Count),
    ("frame_time_ms", Kind::Number),
    ("acquired", Kind::Text),
    ("pixel_sha256", Kind::Text),
    ("not_tte", Kind::Text),
    ("weights_note", Kind::Text),
    ("weights_status", Kind::Text),
    ("view", Kind::Text),
    ("confidence", Kind::Number),
    ("abstained", Kind::Flag),
    ("reason", Kind::Text),
    ("probabilities", Kind::Json),
    ("prediction_set", Kind::Json),
    ("energy", Kind::Number),
    ("clips", Kind::Count),
    ("frames_used", Kind::Count),
    ("frame_indexes", Kind::Json),
    ("ecg_source", Kind::Text),
    ("findings", Kind::Json),
];

/// Writes rows.
///
/// # Errors
/// A row cannot be read, or the file not be written.
pub fn write<E: From<ParquetError>>(
    rows: impl IntoIterator<Item = Result<Map<String, Value>, E>>,
    to: impl Write + Send,
) -> Result<(), E> {
    let properties = WriterProperties::builder().set_created_by("echolabel".to_owned()).build();
    let mut file = SerializedFileWriter::new(to, columns::schema("labels", COLUMNS)?, Arc::new(properties))?;
    let mut rows = rows.into_iter();
    loop {
        let group = rows.by_ref().take(ROWS_PER_GROUP).collect::<Result<Vec<_>, E>>()?;
        if group.is_empty() {
            break;
        }
        write_group(&mut file, &group)?;
    }
    file.close()?;
    Ok(())
}

fn write_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    rows: &[Map<String, Value>],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for (name, kind) in COLUMNS {
        let Some(mut column) = group.next_column()? else { break };
        let cells = rows.iter().map(|row| row.get(name));
        match kind {
            Kind::Text => write_column::<ByteArrayType>(
                &mut column,
                cells.map(|cell| cell.and_then(Value::as_str).map(ByteArray::from)),
            ),
            Kind::Number => write_column::<DoubleType>(&mut column, cells.map(|cell| cell.and_then(Value::as_f64))),
            Kind::Count => write_column::<Int64Type>(&mut column, cells.map(|cell| cell.and_then(Value::as_i64))),
            Kind::Flag => write_column::<BoolType>(&mut column, cells.map(|cell| cell.and_then(Value::as_bool))),
            Kind::Json => write_column::<ByteArrayType>(
                &mut column,
                cells.map(|cell| cell.map(|cell| cell.to_string().as_str().into())),
            ),
        }?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// Reads rows one by one; columns of other names are passed over.
///
/// # Errors
/// The file is no Parquet file.
pub fn read(file: File) -> Result<impl Iterator<Item = Result<Map<String, Value>, ParquetError>>, ParquetError> {
    let rows = SerializedFileReader::new(file)?.into_iter();
    Ok(rows.map(|row| row.map(|row| object(&row))))
}

fn object(row: &Row) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, field) in row.get_column_iter() {
        let Some((_, kind)) = COLUMNS.iter().find(|(known, _)| known == name) else { continue };
        let value = match field {
            Field::Str(text) if *kind == Kind::Json => serde_json::from_str(text).unwrap_or(Value::Null),
            Field::Str(text) => text.as_str().into(),
            Field::Double(number) => (*number).into(),
            Field::Long(count) => (*count).into(),
            Field::Bool(flag) => (*flag).into(),
            _ => Value::Null,
        };
        if !value.is_null() {
            object.insert(name.clone(), value);
        }
    }
    object
}
