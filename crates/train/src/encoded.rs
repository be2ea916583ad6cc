//! Clips as tensors, and what an encoder makes of them.

use candle_core::{Device, Tensor};
use preprocess::append_normalized;
use zoo::{Model, ModelCard};

use crate::{Clip, Result};

/// The encoder's outputs for clips of the same length: [B, T, C], or [B, T, C, h, w] for a head of maps; one step of
/// time where the model sees whole clips.
pub(crate) fn encoded(
    model: &Model,
    clips: &[Clip],
    card: &ModelCard,
    encode: impl FnOnce(&Tensor) -> zoo::Result<Tensor>,
) -> Result<Tensor> {
    let pixels = pixels(clips, card)?.to_device(model.device())?;
    let frames = clips.first().map_or(1, |clip| clip.frames);
    let as_clips = |frames_of_clips: &Tensor| {
        frames_of_clips.reshape([&[clips.len(), frames], &frames_of_clips.dims()[1..]].concat())
    };
    Ok(match model.sees_whole_clips() {
        true => encode(&as_clips(&pixels)?)?,
        false => as_clips(&encode(&pixels)?)?,
    })
}

/// The frames of all clips as the encoder takes them, [B * T, 3, S, S], normalized as the card says.
fn pixels(clips: &[Clip], card: &ModelCard) -> Result<Tensor> {
    let normalize = card.prepare.normalize.unwrap_or(zoo::Normalize::IDENTITY);
    let size = clips.first().map_or(1, |clip| clip.size);
    let mut values = Vec::with_capacity(clips.iter().map(|clip| clip.frames * 3 * size * size).sum());
    for frame in clips.iter().flat_map(|clip| clip.pixels.chunks_exact(clip.frame_length())) {
        append_normalized(&mut values, frame, size, normalize);
    }
    let frames = values.len() / (3 * size * size);
    Ok(Tensor::from_vec(values, (frames, 3, size, size), &Device::Cpu)?)
}
