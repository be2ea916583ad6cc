use candle_core::{Device, Tensor};
use serde::Deserialize;
use zoo::weights::{self, fill, stream_key, stream_word};

/// The largest input that is made: more than any reference file asks for.
const MAX_ELEMENTS: usize = 100_000_000;

/// The recipe of an input; the formulas are those of the references' README.
#[derive(Deserialize)]
#[serde(tag = "formula")]
pub(crate) enum Input {
    /// Still images [N, 3, H, W]: a whole image and a sector in turn.
    #[serde(rename = "model_batch_u8")]
    Stills { items: usize, h: usize, w: usize },
    /// One clip of moving images [1, T, 3, H, W].
    #[serde(rename = "clip_u8")]
    Clip { name: String, t: usize, h: usize, w: usize },
    /// Numbers of any shape.
    #[serde(rename = "sequence")]
    Sequence { name: String, shape: Vec<usize>, center: f64, half: f64 },
}

impl Input {
    /// Makes the input; the error is a sentence.
    pub(crate) fn make(&self, seed: &str, keras: bool) -> Result<Tensor, String> {
        // Keras' models multiply by the reciprocal; torch's loaders divide.
        let scale = move |byte: u8| if keras { f32::from(byte) * (1.0 / 255.0) } else { f32::from(byte) / 255.0 };
        let tensor = match self {
            Self::Stills { items, h, w } => {
                bounded(&[*items, *h, *w, 3])?;
                let make = |t| {
                    if t % 2 == 0 { image_u8(seed, "model", *h, *w, t) } else { sector_u8(seed, "model", *h, *w, t) }
                };
                frames((0..*items).map(make), (*items, *h, *w), scale)
            }
            Self::Clip { name, t, h, w } => {
                bounded(&[*t, *h, *w, 3])?;
                frames((0..*t).map(|t| image_u8(seed, name, *h, *w, t)), (*t, *h, *w), scale)
                    .and_then(|frames| frames.unsqueeze(0))
            }
            Self::Sequence { name, shape, center, half } => {
                let count = bounded(shape)?;
                let values = fill(seed, &format!("input/{name}"), count, *center, *half);
                Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
            }
        };
        tensor.map_err(|error| format!("its input cannot be made: {error}"))
    }

    pub(crate) fn height(&self) -> Option<usize> {
        match self {
            Self::Stills { h, .. } | Self::Clip { h, .. } => Some(*h),
            Self::Sequence { .. } => None,
        }
    }
}

/// The number of elements; the error is a sentence.
pub(crate) fn bounded(shape: &[usize]) -> Result<usize, String> {
    let count = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    count.filter(|count| (1..=MAX_ELEMENTS).contains(count)).ok_or_else(|| format!("an input of {shape:?}"))
}

/// Images [H, W, 3] as a tensor [N, 3, H, W].
fn frames(
    images: impl Iterator<Item = Vec<u8>>,
    (count, height, width): (usize, usize, usize),
    scale: impl Fn(u8) -> f32,
) -> candle_core::Result<Tensor> {
    let values: Vec<f32> = images.flatten().map(scale).collect();
    Tensor::from_vec(values, (count, height, width, 3), &Device::Cpu)?.permute((0, 3, 1, 2))?.contiguous()
}

/// The test image `name` at time `t`, bytes [height, width, 3]: a chirp that moves with `t`, and noise.
pub fn image_u8(seed: &str, name: &str, height: usize, width: usize, t: usize) -> Vec<u8> {
    image_channels(seed, name, (height, width, 3), t)
}

/// The same image at half brightness inside an ultrasound-like sector, black outside it.
pub fn sector_u8(seed: &str, name: &str, height: usize, width: usize, t: usize) -> Vec<u8> {
    sector_channels(seed, name, (height, width, 3), t)
}

/// The test image with any number of channels, bytes [height, width, channels].
pub(crate) fn image_channels(
    seed: &str,
    name: &str,
    (height, width, channels): (usize, usize, usize),
    t: usize,
) -> Vec<u8> {
    let key = stream_key(seed, &format!("image/{name}"));
    let first = (t * height * width * channels) as u64;
    let mut pixels = Vec::with_capacity(height * width * channels);
    for y in 0..height {
        for x in 0..width {
            let (chirp_x, chirp_y) = ((x + 3 * t) as u64, (y + 2 * t) as u64);
            for channel in 0..channels as u64 {
                let squares = chirp_x * chirp_x * (3 + channel) + chirp_y * chirp_y * (5 - channel);
                let chirp = ((squares + 2 * chirp_x * chirp_y) >> 5) & 255;
                let noise = stream_word(key, first + ((y * width + x) * channels) as u64 + channel) >> 56;
                pixels.push(((3 * chirp + noise) >> 2) as u8);
            }
        }
    }
    pixels
}

/// The sector with any number of channels, bytes [height, width, channels].
pub(crate) fn sector_channels(seed: &str, name: &str, size: (usize, usize, usize), t: usize) -> Vec<u8> {
    let (height, width, channels) = size;
    let mut pixels = image_channels(seed, name, size, t);
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (index / channels % width, index / channels / width);
        let inside = (2 * x).abs_diff(width - 1) <= y + height / 8;
        *pixel = if inside { *pixel >> 1 } else { 0 };
    }
    pixels
}

/// FNV-1a (64 bits) as 16 hexadecimal digits.
pub(crate) fn fnv1a64(bytes: &[u8]) -> String {
    format!("{:016x}", weights::fnv1a64(bytes.iter().copied()))
}
