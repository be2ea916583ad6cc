//! Columns of Parquet files; every value may be null.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8.
    Text,
    /// Double precision.
    Number,
    /// 64 bits, signed.
    Count,
    /// True or false.
    Flag,
    /// A list or an object, as the text of its JSON.
    Json,
}

/// Returns the schema of a table.
///
/// # Errors
/// Two columns have one name.
pub fn schema<'a>(
    table: &str,
    columns: impl IntoIterator<Item = (&'a str, ColumnKind)>,
) -> Result<TypePtr, ParquetError> {
    let columns = columns.into_iter().map(|(name, kind)| {
        let (physical, logical) = match kind {
            ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnKind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            ColumnKind::Number => (Physical::DOUBLE, None),
            ColumnKind::Count => (Physical::INT64, None),
            ColumnKind::Flag => (Physical::BOOLEAN, None),
        };
        let column = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(column))
    });
    let columns = columns.collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder(table).with_fields(columns).build()?))
}

/// Writes the values of a column in a group of rows.
///
/// # Errors
/// The column has another type, or the file cannot be written.
pub fn write_column<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = values.collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
