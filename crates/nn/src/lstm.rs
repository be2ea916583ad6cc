use candle_core::{DType, Tensor};

use crate::{Activation, Linear, Result, apply_activation};

/// One direction of one layer of a long short-term memory (Hochreiter and Schmidhuber, Neural Computation 1997).
#[derive(Debug, Clone)]
pub struct LstmLayer {
    from_input: Linear,
    from_state: Linear,
    width: usize,
}

impl LstmLayer {
    /// A layer of `width` cells from the projections in -> 4 `width` and `width` -> 4 `width`; the four parts are the
    /// input gate, the forget gate, the candidate and the output gate, torch's order.
    pub fn new(from_input: Linear, from_state: Linear, width: usize) -> Self {
        Self { from_input, from_state, width }
    }

    /// Reads `x` [B, T, in] frame by frame, from the last to the first if `reversed`; the states [B, T, width] stand at
    /// the frame that made them.
    fn forward(&self, x: &Tensor, reversed: bool) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let projected = self.from_input.forward(&x.contiguous()?)?;
        let mut state = Tensor::zeros((batch, self.width), DType::F32, x.device())?;
        let mut memory = state.clone();
        let mut states = Vec::with_capacity(length);
        for step in 0..length {
            let frame = if reversed { length - 1 - step } else { step };
            let gates = (projected.narrow(1, frame, 1)?.squeeze(1)? + self.from_state.forward(&state)?)?;
            let part = |index: usize| gates.narrow(1, index * self.width, self.width);
            let [input, forget, output] =
                [part(0)?, part(1)?, part(3)?].map(|gate| apply_activation(&gate, Activation::Sigmoid));
            memory = ((forget? * &memory)? + (input? * part(2)?.tanh()?)?)?;
            state = (output? * memory.tanh()?)?;
            states.push(state.clone());
        }
        if reversed {
            states.reverse();
        }
        Ok(Tensor::stack(&states, 1)?)
    }
}

/// Layers of long short-term memory, one or two directions each.
#[derive(Debug, Clone)]
pub struct Lstm {
    layers: Vec<Vec<LstmLayer>>,
}

impl Lstm {
    /// A stack of layers; each holds the forward direction and, where there is one, the backward direction.
    pub fn new(layers: Vec<Vec<LstmLayer>>) -> Self {
        Self { layers }
    }

    /// Maps `x` [B, T, in] to the states of the last layer, [B, T, directions * width].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for directions in &self.layers {
            let states = directions.iter().enumerate().map(|(index, layer)| layer.forward(&x, index == 1));
            x = Tensor::cat(&states.collect::<Result<Vec<_>>>()?, 2)?;
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::seeded;

    fn layer(width_in: usize, width: usize) -> LstmLayer {
        let linear = |seed, columns| {
            let weight = (seeded::normal(seed, (4 * width, columns), DType::F32) * 0.5).unwrap();
            Linear::new(&weight, None).unwrap()
        };
        LstmLayer::new(linear(2, width_in), linear(3, width), width)
    }

    #[test]
    fn the_backward_direction_is_the_forward_one_of_the_reversed_clip() {
        let layer = layer(3, 4);
        let x = seeded::normal(1, (2, 5, 3), DType::F32);
        let backwards = Tensor::new(&[4u32, 3, 2, 1, 0], &Device::Cpu).unwrap();
        let flipped = layer.forward(&x.index_select(&backwards, 1).unwrap(), false).unwrap();
        let reversed = layer.forward(&x, true).unwrap().index_select(&backwards, 1).unwrap();
        assert_eq!(flipped.to_vec3::<f32>().unwrap(), reversed.to_vec3::<f32>().unwrap());
    }

    #[test]
    fn a_later_frame_does_not_change_an_earlier_state() {
        let lstm = Lstm::new(vec![vec![layer(3, 4)], vec![layer(4, 4)]]);
        let x = seeded::normal(1, (1, 6, 3), DType::F32);
        let whole = lstm.forward(&x).unwrap();
        let beginning = lstm.forward(&x.narrow(1, 0, 3).unwrap()).unwrap();
        let difference = (whole.narrow(1, 0, 3).unwrap() - beginning).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-6);
    }
}
