//! The lower bound of each stage's time on this machine.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use zoo::{Model, ModelCard};

/// Bytes of the copied block: more than any cache holds.
const COPIED_BYTES: usize = 64 << 20;
/// Copies of the block, of which the fastest counts.
const COPIES: usize = 5;

/// The peak speed of this machine, measured in half a second.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Machine {
    /// Multiply-adds a second of one large product on all threads; `None` where the CPU kernels are off.
    pub multiply_adds_per_second: Option<f64>,
    /// Bytes a second that one thread reads and as many that it writes, together.
    pub copied_bytes_per_second: f64,
}

/// The work that a model needs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ModelCost {
    /// Multiply-adds of the encoder for one frame; `None` where the CPU kernels do not run it.
    pub multiply_adds_of_a_frame: Option<u64>,
    /// Bytes of all weights after the encoder, which each loop reads once.
    pub head_bytes: u64,
    /// Side of the image that the encoder sees.
    pub side_pixels: u32,
}

/// The work that a loop needs.
#[derive(Debug, Clone, Copy)]
pub struct LoopCost {
    /// Frames decoded, of the loop's size.
    pub frames_decoded: u32,
    /// Bytes of one decoded frame.
    pub frame_bytes: u64,
    /// Frames that the encoder sees.
    pub frames_used: u64,
}

/// The least milliseconds of the stages that have a bound: bytes that must be written or read at the speed of a copy, and
/// multiply-adds at the speed of a large product.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct LowerBound {
    /// Writing every decoded frame once, those for the ECG included.
    pub decode_ms: f64,
    /// Reading the used frames and writing them in the encoder's size, f32.
    pub prepare_ms: f64,
    /// The encoder's multiply-adds on all threads; `None` where they are not known.
    pub encode_ms: Option<f64>,
    /// Reading the head's weights once.
    pub head_ms: f64,
}

impl Machine {
    /// Measures this machine.
    pub fn measure() -> Self {
        let from = vec![1u8; COPIED_BYTES];
        let mut to = vec![0u8; COPIED_BYTES];
        let best_s = (0..COPIES).map(|_| {
            let started = Instant::now();
            to.copy_from_slice(std::hint::black_box(&from));
            std::hint::black_box(&mut to);
            started.elapsed().as_secs_f64()
        });
        Self {
            copied_bytes_per_second: 2.0 * COPIED_BYTES as f64 / best_s.fold(f64::INFINITY, f64::min),
            multiply_adds_per_second: nn::multiply_adds_per_second().ok(),
        }
    }
}

impl ModelCost {
    /// Counts the work of the model `card`, in as much memory as the model needs.
    ///
    /// # Errors
    /// If the card's parts do not fit together.
    pub fn from_card(card: &ModelCard) -> zoo::Result<Self> {
        let after_encoder = Model::tensors(card)?.into_iter().filter(|tensor| !tensor.name.starts_with("encoder"));
        let numbers: usize = after_encoder.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        Ok(Self {
            multiply_adds_of_a_frame: Model::multiply_adds_of_a_frame(card)?,
            head_bytes: (numbers * size_of::<f32>()) as u64,
            side_pixels: card.prepare.size as u32,
        })
    }
}

impl LowerBound {
    /// Divides the work of a loop with a model by a machine's speed.
    pub fn new(machine: &Machine, model: &ModelCost, cost: &LoopCost) -> Self {
        let copy_ms = |bytes: u64| bytes as f64 / machine.copied_bytes_per_second * 1000.0;
        let input_bytes = u64::from(model.side_pixels).pow(2) * 3 * size_of::<f32>() as u64;
        let encode = model.multiply_adds_of_a_frame.zip(machine.multiply_adds_per_second);
        Self {
            decode_ms: copy_ms(u64::from(cost.frames_decoded) * cost.frame_bytes),
            prepare_ms: copy_ms(cost.frames_used * (cost.frame_bytes + input_bytes)),
            encode_ms: encode.map(|(of_a_frame, peak)| (cost.frames_used * of_a_frame) as f64 / peak * 1000.0),
            head_ms: copy_ms(model.head_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_work_over_speed() {
        let machine = Machine { multiply_adds_per_second: Some(2e9), copied_bytes_per_second: 1e6 };
        let model = ModelCost { multiply_adds_of_a_frame: Some(1_000_000), head_bytes: 5_000, side_pixels: 10 };
        let bound =
            LowerBound::new(&machine, &model, &LoopCost { frames_decoded: 3, frame_bytes: 2_000, frames_used: 2 });
        assert_eq!((bound.decode_ms, bound.head_ms), (6.0, 5.0));
        assert_eq!((bound.prepare_ms, bound.encode_ms), (2.0 * 3.2, Some(1.0)));
    }
}
