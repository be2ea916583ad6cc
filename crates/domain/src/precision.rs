//! Numeric precision of an encoder.

use crate::named_enum;

named_enum! {
    /// The numbers that an encoder computes with.
    #[derive(PartialOrd, Ord, Default)]
    Precision {
        /// Single precision: the reference.
        #[default]
        F32 = "f32",
        /// The upper half of single precision, on a GPU: its range, 8 significant bits.
        Bf16 = "bf16",
        /// IEEE 754 half precision, on a GPU: 11 significant bits, numbers up to 65504.
        F16 = "f16",
        /// Calibrated 8-bit integer products; everything between them in single precision.
        Int8 = "int8",
    }
}
