use candle_core::{Device, Tensor};
use nn::{FeatureMaps, LayerNorm};

use super::ClipNetwork;
use crate::Result;
use crate::transformer::{BlockSizes, TransformerBlock, layer_norm};
use crate::weights::Weights;

/// A transformer encoder over the frames (Vaswani et al., "Attention Is All You Need", NeurIPS 2017): two blocks, the
/// norm before each part, sine and cosine positions; [B, T, C] to [B, T, C].
///
/// The reference system has no such head; this definition is ours.
pub struct TransformerHead {
    blocks: Vec<TransformerBlock>,
    last: LayerNorm,
}

impl TransformerHead {
    const BLOCKS: usize = 2;
    const HEADS: usize = 2;
    const NORM_EPS: f64 = 1e-6;

    /// Reads `layers.{0,1}`, each with `ln_1`, `self_attention`, `ln_2` and `mlp`, and `ln`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let sizes = BlockSizes { width, heads: Self::HEADS, inside: 2 * width };
        let blocks = (0..Self::BLOCKS).map(|block| TransformerBlock::read(sizes, &weights.at("layers").at(block)));
        Ok(Self { blocks: blocks.collect::<Result<_>>()?, last: layer_norm(&weights.at("ln"), width, Self::NORM_EPS)? })
    }
}

impl ClipNetwork for TransformerHead {
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor> {
        let (_, frames, width) = spatial.dims3()?;
        let x = spatial.broadcast_add(&positions(frames, width, spatial.device())?)?;
        // Frames are the pixels of a map of one row.
        let mut x = FeatureMaps::from(x.transpose(1, 2)?.unsqueeze(2)?.contiguous()?);
        for block in &self.blocks {
            x = block.over(&x)?;
        }
        Ok(self.last.over(&x)?.tensor()?.squeeze(2)?.transpose(1, 2)?.contiguous()?)
    }
}

/// Sines at even channels and cosines at odd ones, slower from channel to channel: [T, C].
fn positions(frames: usize, width: usize, device: &Device) -> Result<Tensor> {
    let value = |frame: usize, channel: usize| {
        let slowness = 10_000f64.powf((channel / 2 * 2) as f64 / width as f64);
        let angle = frame as f64 / slowness;
        (if channel.is_multiple_of(2) { angle.sin() } else { angle.cos() }) as f32
    };
    let values = (0..frames * width).map(|index| value(index / width, index % width));
    Ok(Tensor::from_iter(values, device)?.reshape((frames, width))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::DeterministicInit;

    #[test]
    fn the_order_of_frames_matters() {
        let source = DeterministicInit { seed: "test".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
        let head = Weights::read_all(&source, &Device::Cpu, '.', |weights| TransformerHead::read(8, weights)).unwrap();
        let clip = crate::weights::noise("transformer", (1, 4, 8)).unwrap();
        let order = Tensor::new(&[3u32, 2, 1, 0], &Device::Cpu).unwrap();
        let sum = |clip: &Tensor| head.temporal(clip).unwrap().mean(1).unwrap();
        let difference = (sum(&clip) - sum(&clip.index_select(&order, 1).unwrap())).unwrap();
        let difference = difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference > 1e-3, "{difference}");
    }

    #[test]
    fn positions_are_those_of_the_paper() {
        let rows = positions(3, 4, &Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(rows[0], [0.0, 1.0, 0.0, 1.0]);
        let expected = [2f32.sin(), 2f32.cos(), 0.02f32.sin(), 0.02f32.cos()];
        for (value, expected) in rows[2].iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6);
        }
    }
}
