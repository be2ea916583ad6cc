//! Layers whose products are of bytes. FeatureMaps between layers stay in single precision; the input of a product becomes bytes
//! in scratch memory, a band at a time, just before it is read.

mod convolution;
mod separable;

pub(crate) use convolution::QuantizedConvolution;
pub(crate) use separable::QuantizedSeparable;

use crate::simd::CHANNEL_GROUP;

/// Numbers of scratch memory that hold so many bytes.
fn numbers(bytes: usize) -> usize {
    bytes.next_multiple_of(CHANNEL_GROUP * size_of::<f32>()) / size_of::<f32>()
}
