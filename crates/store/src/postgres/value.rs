//! Conversion of values to and from the types of PostgreSQL.

use std::error::Error;
use std::time::SystemTime;

use jiff::Timestamp;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::DatabaseError;
use crate::sql::{Column, Columns, Result, Value};

type Problem = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, of_column: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Problem> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Boolean(value) => value.to_sql(of_column, out),
            // As SQLite keeps them.
            Self::Integer(value) if *of_column == Type::BOOL => (*value != 0).to_sql(of_column, out),
            Self::Text(value) if *of_column == Type::TIMESTAMPTZ => {
                SystemTime::from(value.parse::<Timestamp>()?).to_sql(of_column, out)
            }
            Self::Integer(value) if *of_column == Type::INT4 => i32::try_from(*value)?.to_sql(of_column, out),
            Self::Integer(value) => value.to_sql(of_column, out),
            Self::Real(value) => value.to_sql(of_column, out),
            Self::Text(value) => value.to_sql(of_column, out),
            Self::Blob(value) => value.to_sql(of_column, out),
            Self::Time(value) => SystemTime::from(*value).to_sql(of_column, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Statements are ours; a value of another type than its column's fails in the tests.
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(of_column: &Type, raw: &'a [u8]) -> std::result::Result<Self, Problem> {
        Ok(match *of_column {
            Type::BOOL => Self::Boolean(bool::from_sql(of_column, raw)?),
            Type::INT4 => Self::Integer(i64::from(i32::from_sql(of_column, raw)?)),
            Type::INT8 => Self::Integer(i64::from_sql(of_column, raw)?),
            Type::FLOAT8 => Self::Real(f64::from_sql(of_column, raw)?),
            Type::BYTEA => Self::Blob(Vec::from_sql(of_column, raw)?),
            Type::TIMESTAMPTZ => Self::Time(Timestamp::try_from(SystemTime::from_sql(of_column, raw)?)?),
            _ => Self::Text(String::from_sql(of_column, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Problem> {
        Ok(Self::Null)
    }

    fn accepts(of_column: &Type) -> bool {
        matches!(*of_column, Type::BOOL | Type::INT4 | Type::INT8 | Type::FLOAT8 | Type::BYTEA | Type::TIMESTAMPTZ)
            || <String as FromSql<'_>>::accepts(of_column)
    }
}

impl Columns for postgres::Row {
    fn value(&self, column: Column<'_>) -> Result<Value> {
        Ok(match column {
            Column::Name(name) => self.try_get(name)?,
            Column::Place(place) => self.try_get(place)?,
        })
    }
}

impl From<postgres::Error> for DatabaseError {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}
