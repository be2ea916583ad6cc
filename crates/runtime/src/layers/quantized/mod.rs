//! Layers with int8 products. Maps between layers mostly stay in single precision; the input of a product is quantized into
//! scratch memory, a band at a time, just before it is read.

mod convolution;
mod separable;

pub(crate) use convolution::QuantizedConvolution;
pub(crate) use separable::QuantizedSeparable;

use crate::simd::CHANNEL_GROUP;

/// Returns the length of scratch memory, in numbers, that holds so many bytes.
fn numbers(bytes: usize) -> usize {
    bytes.next_multiple_of(CHANNEL_GROUP * size_of::<f32>()) / size_of::<f32>()
}
