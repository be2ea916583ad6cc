//! Matrix products for convolutions: weights packed in panels of columns, input read where it lies.

mod multiply;
mod packed;
pub(crate) mod quantized;
mod tile;

pub(crate) use multiply::{Columns, Product, multiply, part};
pub(crate) use packed::PackedMatrix;
pub(crate) use tile::{Segment, Tiles};
