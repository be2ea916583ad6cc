//! Int8 products: inputs quantized before, weights quantized with a scale for each column, results in single precision.
//!
//! They are built as the products of [`super`], with four quantized numbers in place of a number.

mod multiply;
mod packed;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use multiply::{QuantizedColumns, QuantizedProduct, multiply_quantized};
pub(crate) use packed::QuantizedMatrix;
