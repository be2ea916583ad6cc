use std::time::Instant;

use candle_core::Tensor;
use zoo::Model;
use zoo::prepare::PreparedClips;

use super::EngineAnswer;
use crate::LabelError;

/// Frames encoded at once, over all loops of a batch: enough to keep two cores busy, few enough to bound memory.
pub(super) const MOST_FRAMES: usize = 16;

/// Answers every request; a failure of the shared batch is retried request by request, so one loop cannot fail another.
pub(super) fn run(model: &Model, requests: &[&PreparedClips]) -> Vec<Result<EngineAnswer, LabelError>> {
    match encode(model, requests) {
        Ok((vectors, encode_ms)) => {
            let all: usize = requests.iter().map(|request| request.frames).sum();
            let mut first = 0;
            requests
                .iter()
                .map(|request| {
                    let count = request.frames;
                    let own = vectors.narrow(0, first, count).map_err(model_error);
                    first += count;
                    classify(model, request, &own?, encode_ms * count as f64 / all.max(1) as f64)
                })
                .collect()
        }
        Err(error) if requests.len() == 1 => vec![Err(error)],
        Err(_) => requests.iter().flat_map(|request| run(model, &[request])).collect(),
    }
}

/// Encodes the frames of all requests as vectors [frames, C] (or maps [frames, C, h, w]) and tells how many milliseconds that took.
fn encode(model: &Model, requests: &[&PreparedClips]) -> Result<(Tensor, f64), LabelError> {
    let started = Instant::now();
    let Some(size) = requests.first().map(|request| request.size) else {
        return Err(LabelError::Model("an empty batch".to_owned()));
    };
    let plane = 3 * size * size;
    let values: Vec<f32> = requests.iter().flat_map(|request| &request.values).copied().collect();
    let mut vectors = Vec::new();
    for chunk in values.chunks(MOST_FRAMES * plane) {
        let frames = Tensor::from_slice(chunk, (chunk.len() / plane, 3, size, size), model.device());
        vectors.push(model.encode(&frames.map_err(model_error)?).map_err(model_error)?);
    }
    let vectors = Tensor::cat(&vectors, 0).map_err(model_error)?;
    Ok((vectors, started.elapsed().as_secs_f64() * 1000.0))
}

/// Classifies the clips of one request, whose encoded frames are `vectors` [frames, C] or maps [frames, C, h, w].
fn classify(
    model: &Model,
    request: &PreparedClips,
    vectors: &Tensor,
    encode_ms: f64,
) -> Result<EngineAnswer, LabelError> {
    let started = Instant::now();
    let length = request.clips.first().map_or(0, Vec::len);
    let positions: Vec<u32> = request.clips.iter().flatten().map(|&position| position as u32).collect();
    let clips = || -> candle_core::Result<Tensor> {
        let positions = Tensor::from_vec(positions, request.clips.len() * length, model.device())?;
        // A frame is a vector [C] or, for heads that look at places, a map [C, h, w].
        let shape = [&[request.clips.len(), length], &vectors.dims()[1..]].concat();
        vectors.index_select(&positions, 0)?.reshape(shape)
    };
    let clips = clips().map_err(model_error)?;
    let output = model.classify(&clips).map_err(model_error)?;
    let logits = output.logits.to_vec2::<f32>().map_err(model_error)?;
    Ok(EngineAnswer { logits, encode_ms, head_ms: started.elapsed().as_secs_f64() * 1000.0 })
}

fn model_error(error: impl std::error::Error) -> LabelError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    LabelError::Model(text)
}
