//! Matching of a Keras file's tensors to a model's.
//!
//! Keras numbers layers that have no name of their own and nests models in each other, so paths differ between files
//! of one model. What stays is the layer's own name, the order of the layers of one class, and each layer's variables
//! in their order. Files of the newer store hold no layer names at all, only classes and counts.

mod layers;
mod legacy;
mod store;

use super::arrange::{Place, TensorOutline, checked};
use crate::Result;
use layers::NeededLayer;

/// Finds every tensor that is needed in a legacy file, whose paths are `.../layer/variable`.
pub(super) fn legacy_places(file: &str, stored: &[TensorOutline], needed: &[TensorOutline]) -> Result<Vec<Place>> {
    let layers = NeededLayer::all(needed);
    checked(file, (stored, needed), legacy::find(file, stored, &layers, needed.len())?)
}

/// Finds every tensor that is needed in a file of the newer store, whose paths are `.../class_count/vars/number`.
pub(super) fn store_places(file: &str, stored: &[TensorOutline], needed: &[TensorOutline]) -> Result<Vec<Place>> {
    let layers = NeededLayer::all(needed);
    checked(file, (stored, needed), store::find(file, stored, &layers, needed.len())?)
}

#[cfg(test)]
mod tests;
