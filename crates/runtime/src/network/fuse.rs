//! Operator fusion: neighboring layers that are faster as one. Each rule leaves the network's result as it was, but for
//! rounding.

use super::graph::{DepthwiseBefore, Node, Operation};
use crate::activation::Activation;
use crate::layers::{MapIndex, Pooling};
use crate::quantization::AffineQuantization;
use crate::shape::Window;

/// Smallest map for which a depthwise and a 1x1 convolution are fused. Smaller ones are computed whole: cut into bands, the
/// weights would be read too often.
const MIN_SEPARABLE_PIXELS: usize = 128;

/// Applies every rule. Sums come first, because the other rules look for convolutions that have them already; maps are
/// quantized last, when it is settled which layer reads each.
pub(crate) fn fuse(nodes: &mut [Node], output: MapIndex) {
    drop_unused(nodes, output);
    for index in 0..nodes.len() {
        fuse_addition(nodes, output, index);
    }
    for index in 0..nodes.len() {
        fuse_relu_into_reading(nodes, output, index);
        fuse_means_into_writing(nodes, index);
        fuse_gates(nodes, output, index);
        fuse_expansion(nodes, output, index);
        fuse_depthwise(nodes, output, index);
    }
    for index in 0..nodes.len() {
        quantize_map(nodes, output, index);
    }
}

/// Removes layers whose maps nothing reads.
pub(super) fn drop_unused(nodes: &mut [Node], output: MapIndex) {
    for index in (1..nodes.len()).rev() {
        if index != output && users(nodes, index).is_empty() {
            nodes[index].operation = None;
        }
    }
}

/// Returns the layers that read a map, once for each time they do.
fn users(nodes: &[Node], map: MapIndex) -> Vec<MapIndex> {
    let reads = |index: usize| {
        let inputs = nodes[index].operation.iter().flat_map(Operation::inputs);
        inputs.filter(|&input| input == map).map(move |_| index)
    };
    (0..nodes.len()).flat_map(reads).collect()
}

/// Returns true if `user` reads a map once and nothing else needs it.
fn is_only_for(nodes: &[Node], output: MapIndex, map: MapIndex, user: MapIndex) -> bool {
    map != output && users(nodes, map) == [user]
}

/// Fuses a sum of two maps into the convolution, maximum or norm that computes one of them.
fn fuse_addition(nodes: &mut [Node], output: MapIndex, index: MapIndex) {
    let Some(&Operation::Combine { input, gates: None, affine: None, other: Some(other), activation }) =
        nodes[index].operation.as_ref()
    else {
        return;
    };
    // The later one, as it can only add what is there already.
    let (earlier, later) = (input.min(other), input.max(other));
    for (maker, addend) in [(later, earlier), (earlier, later)] {
        let takes = match &nodes[maker].operation {
            Some(
                Operation::Convolution { activation: Activation::Identity, residual: None, .. }
                | Operation::TemporalConvolution { activation: Activation::Identity, residual: None, .. },
            ) => true,
            Some(Operation::Pool { pooling: Pooling::Maximum, residual: None, .. }) => {
                activation == Activation::Identity
            }
            Some(Operation::LayerNorm { residual: None, .. }) => activation == Activation::Identity,
            _ => false,
        };
        if !takes || !is_only_for(nodes, output, maker, index) {
            continue;
        }
        let mut operation = nodes[maker].operation.take();
        match &mut operation {
            Some(
                Operation::Convolution { residual, activation: after, .. }
                | Operation::TemporalConvolution { residual, activation: after, .. },
            ) => {
                *residual = Some(addend);
                *after = activation;
            }
            Some(Operation::Pool { residual, .. } | Operation::LayerNorm { residual, .. }) => *residual = Some(addend),
            _ => {}
        }
        nodes[index].operation = operation;
        return;
    }
}

/// Fuses a ReLU that only depthwise convolutions read into their reading.
fn fuse_relu_into_reading(nodes: &mut [Node], output: MapIndex, index: MapIndex) {
    let Some(&Operation::Combine {
        input: source,
        gates: None,
        affine: None,
        other: None,
        activation: Activation::Relu,
    }) = nodes[index].operation.as_ref()
    else {
        return;
    };
    let users = users(nodes, index);
    let all_depthwise = users.iter().all(|&user| matches!(nodes[user].operation, Some(Operation::Depthwise { .. })));
    if index == output || !all_depthwise {
        return;
    }
    for user in users {
        if let Some(Operation::Depthwise { input, relu_first, .. }) = &mut nodes[user].operation {
            *input = source;
            *relu_first = true;
        }
    }
    nodes[index].operation = None;
}

/// Fuses the means of a depthwise convolution's channels into its writing.
fn fuse_means_into_writing(nodes: &mut [Node], index: MapIndex) {
    let Some(&Operation::GlobalAverage { input }) = nodes[index].operation.as_ref() else { return };
    if let Some(Operation::Depthwise { means: means @ None, .. }) = &mut nodes[input].operation {
        *means = Some(index);
        nodes[index].operation = None;
    }
}

/// Fuses factors of channels that only a 1x1 convolution reads into its weights, or into its input.
fn fuse_gates(nodes: &mut [Node], output: MapIndex, index: MapIndex) {
    let Some(&Operation::Convolution { input: scaled, window, gates: None, .. }) = nodes[index].operation.as_ref()
    else {
        return;
    };
    let Some(&Operation::Combine {
        input: source,
        gates: Some(factors),
        affine: None,
        other: None,
        activation: Activation::Identity,
    }) = nodes[scaled].operation.as_ref()
    else {
        return;
    };
    // The input may be overwritten, so nothing else may read it.
    let fits = is_only_for(nodes, output, scaled, index) && is_only_for(nodes, output, source, scaled);
    if window != Window::pointwise() || !fits {
        return;
    }
    nodes[scaled].operation = None;
    if let Some(Operation::Convolution { input, gates, .. }) = &mut nodes[index].operation {
        *input = source;
        *gates = Some(factors);
    }
}

/// Fuses a 1x1 convolution into the depthwise one that alone reads it; the map between them exists a few rows at a time.
fn fuse_expansion(nodes: &mut [Node], output: MapIndex, index: MapIndex) {
    let Some(&Operation::Depthwise { input: expanded, expand: None, relu_first: false, .. }) =
        nodes[index].operation.as_ref()
    else {
        return;
    };
    let is_plain = matches!(
        nodes[expanded].operation,
        Some(Operation::Convolution { window, depthwise: None, residual: None, gates: None, .. })
            if window == Window::pointwise()
    );
    // The fused layer computes in single precision; an int8 product saves more than fusion does.
    let is_quantized = matches!(
        &nodes[expanded].operation,
        Some(Operation::Convolution { kernel, .. }) if kernel.input_range.is_some()
    );
    if !is_plain || is_quantized || !is_only_for(nodes, output, expanded, index) {
        return;
    }
    let Some(Operation::Convolution { input: source, kernel, activation, .. }) = nodes[expanded].operation.take()
    else {
        return;
    };
    if let Some(Operation::Depthwise { input, expand, .. }) = &mut nodes[index].operation {
        *input = source;
        *expand = Some((kernel, activation));
    }
}

/// Fuses a depthwise convolution into the 1x1 one that alone reads it; the map between them exists a few rows at a time.
fn fuse_depthwise(nodes: &mut [Node], output: MapIndex, index: MapIndex) {
    let Some(&Operation::Convolution { input: between, depthwise: None, window, gates: None, .. }) =
        nodes[index].operation.as_ref()
    else {
        return;
    };
    let is_plain = matches!(nodes[between].operation, Some(Operation::Depthwise { expand: None, means: None, .. }));
    let is_large = nodes[between].shape.pixels() >= MIN_SEPARABLE_PIXELS;
    if window != Window::pointwise() || !is_plain || !is_large || !is_only_for(nodes, output, between, index) {
        return;
    }
    let Some(Operation::Depthwise { input: source, kernel, window, relu_first, activation, .. }) =
        nodes[between].operation.take()
    else {
        return;
    };
    if let Some(Operation::Convolution { input, depthwise, .. }) = &mut nodes[index].operation {
        *input = source;
        *depthwise = Some(DepthwiseBefore { kernel, window, relu_first, activation });
    }
}

/// Stores a map in 8 bits that an int8 product computes and that only a depthwise convolution or a maximum reads.
fn quantize_map(nodes: &mut [Node], output: MapIndex, map: MapIndex) {
    let is_made_quantized = matches!(&nodes[map].operation,
        Some(Operation::Convolution { kernel, activation, .. }) if kernel.input_range.is_some() && !activation.is_curved());
    let &[user] = users(nodes, map).as_slice() else { return };
    if !is_made_quantized || map == output {
        return;
    }
    let reads = match &nodes[user].operation {
        Some(Operation::Convolution { input, depthwise: Some(before), kernel, .. })
            if *input == map && kernel.input_range.is_some() =>
        {
            before.kernel.input_range
        }
        Some(Operation::Depthwise { expand: None, kernel, .. }) => kernel.input_range,
        Some(Operation::Pool { input, input_range, .. }) if *input == map => *input_range,
        _ => None,
    };
    nodes[map].quantization = reads.map(AffineQuantization::from_range);
}
