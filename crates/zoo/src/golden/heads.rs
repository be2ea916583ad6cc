//! The golden files of temporal heads alone.

use super::file::GoldenFile;
use super::models::{Run, dropout_classifier};
use crate::weights::Weights;
use crate::{Head, HeadName, Result, ZooError};

/// The width of an EfficientNet-B2's vectors, which the heads' golden files use.
const WIDTH: usize = 1408;

/// Reads the head that `file` describes.
pub(super) fn read(file: &GoldenFile, weights: &Weights<'_>) -> Result<Run> {
    match file.model() {
        "conv1d_k3_d1" => conv1d(file, HeadName::Conv1d, weights),
        "conv1d_dilated_stack" => dilated_stack(file, weights),
        other => Err(ZooError::UnknownName {
            kind: "golden model",
            name: other.to_owned(),
            known: "those of the golden README".to_owned(),
        }),
    }
}

/// A convolution over time added to its input.
fn conv1d(file: &GoldenFile, head: HeadName, weights: &Weights<'_>) -> Result<Run> {
    let head = Head::read(head, WIDTH, weights)?;
    let classifier = dropout_classifier(file, WIDTH, weights)?;
    Ok(Box::new(move |spatial| {
        let combined = (spatial + head.forward(spatial)?)?;
        Ok(vec![("combined", combined.mean(1)?), ("logits", classifier.forward(&combined)?)])
    }))
}

/// Three dilated convolutions, each added to its input.
fn dilated_stack(file: &GoldenFile, weights: &Weights<'_>) -> Result<Run> {
    let head = Head::read(HeadName::Dilated, WIDTH, weights)?;
    let classifier = dropout_classifier(file, WIDTH, weights)?;
    Ok(Box::new(move |spatial| {
        let combined = head.forward(spatial)?;
        Ok(vec![("combined", combined.mean(1)?), ("logits", classifier.forward(&combined)?)])
    }))
}
