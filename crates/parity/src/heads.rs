//! The reference files of temporal heads alone; their input is a sequence of features or of maps.

use candle_core::Tensor;
use zoo::weights::Weights;
use zoo::{
    Alpha, AttentionHead, Classifier, ClipNetwork, Conv1dHead, Fusion, FusionName, Head, HeadName, LstmConfig, LstmHead,
};

use crate::model_reference::ModelReference;
use crate::models::{Outputs, Run, dropout_classifier};
use crate::{ParityError, Result};

/// The width of an EfficientNet-B2's vectors, which most heads' reference files use.
const WIDTH: usize = 1408;

/// Reads the head that `file` describes.
pub(crate) fn read(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    match file.model() {
        "conv1d_k3_d1" => summed(file, HeadName::Conv1d, weights),
        "conv1d_k3_d2" => summed(file, HeadName::Conv1dDilation2, weights),
        "conv1d_k3_d4" => summed(file, HeadName::Conv1dDilation4, weights),
        "conv1d_dilated_stack" => alone(file, HeadName::Dilated, WIDTH, weights),
        "conv3d_stack_frames" => {
            let width = channels(file, "net.0.0.weight", 1)?;
            alone(file, HeadName::Conv3d, width, weights)
        }
        "r2plus1d_block_maps" => {
            let width = channels(file, "spatial.weight", 1)?;
            alone(file, HeadName::R2Plus1d, width, weights)
        }
        "lstm_1000" | "lstm_1408" | "bilstm_1408" => lstm(file, weights),
        "attention_gate_only" => attention(file, Some(FusionName::GateClassified), weights),
        "attention_gated" => attention(file, Some(FusionName::GateStacked), weights),
        "attention_residual" => attention(file, None, weights),
        "alpha_scalar" => alpha(file, 1, weights),
        "alpha_vector" => alpha(file, WIDTH, weights),
        other => Err(ParityError::UnknownModel { name: other.to_owned() }),
    }
}

/// A head's output added to its input.
fn summed(file: &ModelReference, head: HeadName, weights: &Weights<'_>) -> Result<Run> {
    let head = Head::read(head, WIDTH, weights)?;
    let classifier = dropout_classifier(file, WIDTH, weights)?;
    Ok(Box::new(move |spatial| classify(&(spatial + head.forward(spatial)?)?, &classifier)))
}

/// A head's output alone.
fn alone(file: &ModelReference, head: HeadName, width: usize, weights: &Weights<'_>) -> Result<Run> {
    let classifier = dropout_classifier(file, Head::width(head, width), weights)?;
    let head = Head::read(head, width, weights)?;
    Ok(Box::new(move |spatial| classify(&head.forward(spatial)?, &classifier)))
}

fn lstm(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let config = LstmConfig {
        width_in: channels(file, "lstm.weight_ih_l0", 1)?,
        cells: channels(file, "lstm.weight_hh_l0", 1)?,
        layers: (0..).take_while(|layer| file.has_tensor(&format!("lstm.weight_ih_l{layer}"))).count(),
        bidirectional: file.has_tensor("lstm.weight_ih_l0_reverse"),
    };
    let head = LstmHead::read(config, &weights.at("lstm"))?;
    let classifier = dropout_classifier(file, config.width_out(), weights)?;
    Ok(Box::new(move |spatial| {
        let last = head.temporal(spatial)?;
        let first = head.states(spatial)?.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(vec![("logits", classifier.forward(&last)?), ("last", last.squeeze(1)?), ("first_step", first)])
    }))
}

/// Self-attention, then a gate or, without one, the sum with its input.
fn attention(file: &ModelReference, gate: Option<FusionName>, weights: &Weights<'_>) -> Result<Run> {
    let head = AttentionHead::read(WIDTH, weights)?;
    let fusion = Fusion::read(gate.unwrap_or(FusionName::Sum), WIDTH, WIDTH, &weights.at("residual_combination"))?;
    let classifier = dropout_classifier(file, WIDTH, weights)?;
    Ok(Box::new(move |spatial| {
        let attended = head.attend(spatial)?;
        let mut outputs = classify(&fusion.forward(spatial, &attended.values)?, &classifier)?;
        outputs.push(("attention_weights", attended.weights));
        Ok(outputs)
    }))
}

/// A convolution over time, mixed with its input by learned numbers.
fn alpha(file: &ModelReference, count: usize, weights: &Weights<'_>) -> Result<Run> {
    let alpha = Alpha::read(count, weights)?;
    let head = Conv1dHead::read(WIDTH, weights)?;
    let classifier = dropout_classifier(file, WIDTH, weights)?;
    Ok(Box::new(move |spatial| {
        let mut outputs = classify(&alpha.forward(spatial, &head.temporal(spatial)?)?, &classifier)?;
        outputs.push(("weight", alpha.spatial_weight().clone()));
        Ok(outputs)
    }))
}

fn classify(combined: &Tensor, classifier: &Classifier) -> Result<Outputs> {
    Ok(vec![("combined", combined.mean(1)?), ("logits", classifier.forward(combined)?)])
}

/// One side of the tensor `name`.
fn channels(file: &ModelReference, name: &str, axis: usize) -> Result<usize> {
    let shape = file.shape_of(name)?;
    shape.get(axis).copied().ok_or_else(|| file.problem(format!("tensor {name:?} is {shape:?}")))
}
