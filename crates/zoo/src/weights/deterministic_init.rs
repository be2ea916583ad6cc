use candle_core::{Device, Shape, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::TensorSource;
use crate::Result;

/// The initialization of untrained weights from a seed and each tensor's name: the same numbers everywhere.
///
/// The generator is that of the parity references (`fixtures/golden`), so a model initialized by it can be compared
/// with the original framework, and a program without trained weights can still be run from end to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeterministicInit {
    /// Hashed together with each tensor's name.
    pub seed: String,
    /// Multiplies the standard range of every kernel.
    pub gain: f64,
    /// Multiplies the range of `stem` once more; EfficientNets otherwise fade out.
    pub stem_gain: f64,
    /// The name of the first convolution's kernel.
    pub stem: Option<String>,
}

impl Default for DeterministicInit {
    fn default() -> Self {
        Self { seed: "echolabel-untrained-v1".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None }
    }
}

impl DeterministicInit {
    /// The center and half width of the range from which the tensor `name` is drawn.
    fn range(&self, name: &str, shape: &[usize]) -> (f64, f64) {
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        match last {
            "bias" | "beta" | "running_mean" | "moving_mean" => (0.0, 0.1),
            "class_token" | "pos_embedding" => (0.0, 0.1),
            "alpha" => (0.0, 2.0),
            "gamma" | "running_var" | "moving_variance" | "layer_scale" => (1.0, 0.5),
            "logit_scale" => (2.0, 0.5),
            _ if last.contains("bias") => (0.0, 0.1),
            _ if shape.len() <= 1 => (1.0, 0.5),
            _ => {
                let stem = if self.stem.as_deref() == Some(name) { self.stem_gain } else { 1.0 };
                (0.0, self.gain * stem * (3.0 / fan_in(last, shape) as f64).sqrt())
            }
        }
    }
}

/// The number of inputs that one output of a kernel sums over.
///
/// Torch kernels are [out, in, ...]; Keras ones are [..., in, out], its depthwise ones [kh, kw, channels, 1].
fn fan_in(last: &str, shape: &[usize]) -> usize {
    match last {
        "depthwise_kernel" => shape[..2].iter().product(),
        "kernel" | "pointwise_kernel" => shape[..shape.len() - 1].iter().product(),
        _ => shape[1..].iter().product(),
    }
}

impl TensorSource for DeterministicInit {
    fn description(&self) -> String {
        format!("deterministic init {:?}", self.seed)
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let (center, half) = self.range(name, shape);
        let count = shape.iter().product();
        Ok(Tensor::from_vec(fill(&self.seed, name, count, center, half), shape, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        None
    }

    fn sha256(&self) -> String {
        // The word is part of digests that databases hold.
        let identity = format!("formula {} {} {} {:?}", self.seed, self.gain, self.stem_gain, self.stem);
        hex(&Sha256::digest(identity.as_bytes()))
    }
}

/// Fills a tensor of `count` numbers in `center` +- `half` from the stream of `seed` and `name`.
///
/// FNV-1a of the name starts a splitmix64 stream; its upper 24 bits are the fraction (SplitMix64: Steele, Lea, Flood,
/// OOPSLA 2014).
pub fn fill(seed: &str, name: &str, count: usize, center: f64, half: f64) -> Vec<f32> {
    let key = stream_key(seed, name);
    (0..count as u64)
        .map(|index| {
            let fraction = (stream_word(key, index) >> 40) as f64 / 16_777_216.0;
            (center + half * (2.0 * fraction - 1.0)) as f32
        })
        .collect()
}

/// Frames or clips of `shape` whose pixels are noise in [0, 1), f32 on the CPU: what tests run models on. Candle's own
/// random tensors on a CPU are others on every run.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn noise(seed: &str, shape: impl Into<Shape>) -> Result<Tensor> {
    let shape = shape.into();
    Ok(Tensor::from_vec(fill(seed, "noise", shape.elem_count(), 0.5, 0.5), shape, &Device::Cpu)?)
}

/// FNV-1a (64 bits) of `seed/name`.
pub fn stream_key(seed: &str, name: &str) -> u64 {
    fnv1a64(seed.bytes().chain([b'/']).chain(name.bytes()))
}

/// FNV-1a (64 bits).
pub fn fnv1a64(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Returns a checksum in hexadecimal digits: each number's bits times an odd weight, so that order counts.
pub fn checksum(values: &[f32]) -> String {
    let sum = values.iter().enumerate().fold(0u64, |sum, (index, value)| {
        sum.wrapping_add(u64::from(value.to_bits()).wrapping_mul(2 * index as u64 + 1))
    });
    format!("{sum:016x}")
}

/// Word `index` of a splitmix64 stream.
pub fn stream_word(key: u64, index: u64) -> u64 {
    let mut word = key.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
