//! Values of columns and parameters, whatever the database.

use jiff::Timestamp;

use crate::DatabaseError;

/// A value on its way to a database or from one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
    Time(Timestamp),
}

/// Returns a time as SQLite keeps it: of fixed width, so that text order is time order.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A type that can be a parameter of a statement.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value;
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

macro_rules! to_value {
    ($($type:ty => |$value:ident| $converted:expr;)*) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value {
                let $value = self;
                $converted
            }
        }
    )*};
}

to_value! {
    bool => |value| Value::Boolean(*value);
    i64 => |value| Value::Integer(*value);
    u32 => |value| Value::Integer(i64::from(*value));
    f64 => |value| Value::Real(*value);
    str => |value| Value::Text(value.to_owned());
    String => |value| Value::Text(value.clone());
    Vec<u8> => |value| Value::Blob(value.clone());
    Timestamp => |value| Value::Time(*value);
}

/// A type that a column can be read as.
pub(crate) trait FromValue: Sized {
    /// Converts a value; the error is the value when it is of another kind.
    fn from_value(value: Value) -> Result<Self, Value>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: Self) -> Result<Self, Value> {
        Ok(value)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Boolean(value) => Ok(value),
            // SQLite has no type of its own for it.
            Value::Integer(value) => Ok(value != 0),
            other => Err(other),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Integer(value) => Ok(value),
            other => Err(other),
        }
    }
}

impl FromValue for u32 {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Integer(value) => Self::try_from(value).map_err(|_| Value::Integer(value)),
            other => Err(other),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Real(value) => Ok(value),
            Value::Integer(value) => Ok(value as Self),
            other => Err(other),
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Text(value) => Ok(value),
            other => Err(other),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Blob(value) => Ok(value),
            other => Err(other),
        }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Time(value) => Ok(value),
            Value::Text(text) => text.parse().map_err(|_| Value::Text(text)),
            other => Err(other),
        }
    }
}

/// Converts the value of a column.
pub(crate) fn convert<T: FromValue>(column: &str, value: Value) -> Result<T, DatabaseError> {
    T::from_value(value)
        .map_err(|value| DatabaseError::Unreadable { column: column.to_owned(), problem: format!("found {value:?}") })
}
