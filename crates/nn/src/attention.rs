use candle_core::{D, Tensor};

use crate::{Linear, NnError, Result};

/// Self-attention with several heads (Vaswani et al., "Attention Is All You Need", NeurIPS 2017), laid out as torch's
/// `MultiheadAttention`.
#[derive(Debug, Clone)]
pub struct MultiHeadAttention {
    queries_keys_values: Linear,
    output: Linear,
    heads: usize,
}

/// Output of attention.
pub struct Attended {
    /// The mixed values, [B, T, C].
    pub values: Tensor,
    /// Attention weights of each element (rows) for each other one (columns), the mean over the heads, [B, T, T].
    pub weights: Tensor,
}

impl MultiHeadAttention {
    /// A layer from the projection C to 3 C (queries, keys, values in this order) and the output projection C to C.
    pub fn new(queries_keys_values: Linear, output: Linear, heads: usize) -> Self {
        Self { queries_keys_values, output, heads }
    }

    /// Lets every element of `x` [B, T, C] look at every other.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Attended> {
        let (batch, length, width) = x.dims3()?;
        if self.heads == 0 || width % self.heads != 0 {
            let problem = format!("{width} channels in {} heads", self.heads);
            return Err(NnError::Shape { layer: "attention", problem });
        }
        let projected = self.queries_keys_values.forward(x)?;
        let by_head =
            projected.reshape((batch, length, 3, self.heads, width / self.heads))?.permute((2, 0, 3, 1, 4))?;
        let part = |index: usize| by_head.get(index)?.contiguous();
        let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
        let scale = 1.0 / ((width / self.heads) as f64).sqrt();
        let scores = ((queries * scale)?.matmul(&keys.transpose(2, 3)?.contiguous()?))?;
        // The faster function has no gradient.
        let weights = match scores.track_op() {
            true => candle_nn::ops::softmax(&scores, D::Minus1)?,
            false => candle_nn::ops::softmax_last_dim(&scores)?,
        };
        let mixed = weights.matmul(&values)?.transpose(1, 2)?.contiguous()?.reshape((batch, length, width))?;
        Ok(Attended { values: self.output.forward(&mixed)?, weights: weights.mean(D::Minus(3))? })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::seeded;

    fn layer(width: usize, heads: usize) -> MultiHeadAttention {
        let weight = |out| seeded::normal(out as u64, (out, width), DType::F32);
        let zeros = |out| Some(Tensor::zeros(out, DType::F32, &Device::Cpu).unwrap());
        let project = Linear::new(&weight(3 * width), zeros(3 * width)).unwrap();
        MultiHeadAttention::new(project, Linear::new(&weight(width), zeros(width)).unwrap(), heads)
    }

    #[test]
    fn the_order_of_the_others_does_not_matter() {
        let layer = layer(8, 2);
        let x = seeded::normal(1, (1, 4, 8), DType::F32);
        let order = Tensor::new(&[2u32, 0, 3, 1], &Device::Cpu).unwrap();
        let then_shuffled = layer.forward(&x).unwrap().values.index_select(&order, 1).unwrap();
        let shuffled_first = layer.forward(&x.index_select(&order, 1).unwrap()).unwrap();
        let difference = (then_shuffled - shuffled_first.values).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-4);
        for row in &shuffled_first.weights.to_vec3::<f32>().unwrap()[0] {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn heads_that_do_not_divide_the_width_are_refused() {
        let x = Tensor::zeros((1, 2, 8), DType::F32, &Device::Cpu).unwrap();
        assert!(layer(8, 3).forward(&x).is_err());
    }
}
