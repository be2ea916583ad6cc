//! Numeric precision of an encoder.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The numbers that an encoder computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision: the reference.
    #[default]
    F32,
    /// The upper half of single precision, on a GPU: its range, 8 significant bits.
    Bf16,
    /// IEEE 754 half precision, on a GPU: 11 significant bits, numbers up to 65504.
    F16,
    /// Calibrated 8-bit integer products; everything between them in single precision.
    Int8,
}

impl Precision {
    /// All precisions.
    pub const ALL: [Self; 4] = [Self::F32, Self::Bf16, Self::F16, Self::Int8];

    /// Returns the name that is stored and serialized.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        }
    }

    /// Returns the precision of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.as_str() == name)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialized_name_is_the_stored_one() {
        for precision in Precision::ALL {
            assert_eq!(serde_json::to_value(precision).expect("a name"), precision.as_str());
            assert_eq!(Precision::from_name(precision.as_str()), Some(precision));
        }
    }
}
