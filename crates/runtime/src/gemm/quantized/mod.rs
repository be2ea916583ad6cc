//! Products of bytes: inputs quantized before, weights quantized with a scale for each column, results in single precision.
//!
//! They are built as the products of [`super`], with four bytes in the place of a number.

mod multiply;
mod packed;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use multiply::{ByteColumns, ByteProduct, multiply_bytes};
pub(crate) use packed::ByteMatrix;
