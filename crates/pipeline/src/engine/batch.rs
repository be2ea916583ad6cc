use std::ops::Range;
use std::time::Instant;

use candle_core::Tensor;
use preprocess::PreparedClips;
use zoo::Model;

use super::EngineAnswer;
use super::fallback::{Answering, Answers, in_pieces};
use crate::LabelError;

/// Frames encoded at once on a CPU, over all loops of a batch: enough to keep two cores busy, few enough to bound memory.
const MAX_FRAMES_ON_CPU: usize = 16;

/// The same on a GPU, which has thousands of small cores to fill; not measured.
const MAX_FRAMES_ON_GPU: usize = 64;

/// A model, and how many frames are encoded at once on its device.
pub(super) struct Batches {
    model: Model,
    batch_size: usize,
}

impl Batches {
    pub(super) fn of(model: Model) -> Self {
        let batch_size = if model.device().is_cpu() { MAX_FRAMES_ON_CPU } else { MAX_FRAMES_ON_GPU };
        Self { model, batch_size }
    }

    /// Returns the number of frames that are worth encoding together.
    pub(super) fn batch_size(&self) -> usize {
        self.batch_size
    }
}

impl Answering for Batches {
    fn answer(&mut self, requests: &[&PreparedClips]) -> Answers {
        run(&self.model, &mut self.batch_size, requests)
    }
}

/// Answers every request; a failure of the shared batch is retried request by request, so one loop cannot fail another.
fn run(model: &Model, batch_size: &mut usize, requests: &[&PreparedClips]) -> Answers {
    if model.sees_whole_clips() {
        return requests.iter().map(|request| answer_whole_clips(model, batch_size, request)).collect();
    }
    let encoded = encode(model, batch_size, requests);
    match encoded.and_then(|(vectors, encode_ms)| classify(model, requests, &vectors, encode_ms)) {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if requests.len() == 1 => vec![Err(error)],
        Err(_) => requests.iter().flat_map(|request| run(model, batch_size, &[request])).collect(),
    }
}

/// Answers all requests from their encoded frames [frames, ...], which took `encode_ms`.
///
/// Clips of one length go through the head together: it reads more weights than a clip has numbers.
fn classify(
    model: &Model,
    requests: &[&PreparedClips],
    vectors: &Tensor,
    encode_ms: f64,
) -> Result<Vec<EngineAnswer>, LabelError> {
    let all_frames: usize = requests.iter().map(|request| request.frames).sum();
    let mut answers = Vec::new();
    let mut first_frame = 0;
    let length = |request: &&PreparedClips| request.clips.first().map_or(0, Vec::len);
    for alike in requests.chunk_by(|a, b| length(a) == length(b)) {
        let mut clips = Vec::new();
        for request in alike {
            let moved = |clip: &Vec<usize>| clip.iter().map(|position| position + first_frame).collect();
            clips.extend(request.clips.iter().map(moved));
            first_frame += request.frames;
        }
        let mut together = finish(model, &clips_of(vectors, &clips)?, encode_ms)?;
        for request in alike {
            let count = request.clips.len();
            answers.push(EngineAnswer {
                outputs: together.outputs.drain(..count).collect(),
                precision: together.precision,
                encode_ms: encode_ms * request.frames as f64 / all_frames.max(1) as f64,
                head_ms: together.head_ms * count as f64 / clips.len().max(1) as f64,
            });
        }
    }
    Ok(answers)
}

/// Encodes the frames of all requests as vectors [frames, C] (or maps [frames, C, h, w]) and tells how many milliseconds that took.
fn encode(model: &Model, batch_size: &mut usize, requests: &[&PreparedClips]) -> Result<(Tensor, f64), LabelError> {
    let started = Instant::now();
    let Some(size) = requests.first().map(|request| request.size) else {
        return Err(LabelError::Model("an empty batch".to_owned()));
    };
    let plane = 3 * size * size;
    let values: Vec<&[f32]> = requests.iter().map(|request| request.values.as_slice()).collect();
    let values = values.concat();
    let encode = |frames: Range<usize>| {
        let chunk = &values[frames.start * plane..frames.end * plane];
        let frames = Tensor::from_slice(chunk, (frames.len(), 3, size, size), model.device());
        model.encode(&frames.map_err(model_error)?).map_err(model_error)
    };
    let vectors = in_pieces(values.len() / plane, batch_size, encode, LabelError::is_out_of_memory)?;
    let vectors = Tensor::cat(&vectors, 0).map_err(model_error)?;
    Ok((vectors, started.elapsed().as_secs_f64() * 1000.0))
}

/// Answers one request with a model whose encoder looks at the frames of a clip together.
fn answer_whole_clips(
    model: &Model,
    batch_size: &mut usize,
    request: &PreparedClips,
) -> Result<EngineAnswer, LabelError> {
    let started = Instant::now();
    let (count, size) = (request.frames, request.size);
    let frames = Tensor::from_slice(&request.values, (count, 3, size, size), model.device());
    let frames = frames.map_err(model_error)?;
    let length = request.clips.first().map_or(1, Vec::len).max(1);
    let encode = |clips: Range<usize>| model.encode(&clips_of(&frames, &request.clips[clips])?).map_err(model_error);
    let most_clips = (*batch_size / length).max(1);
    let mut clips_at_once = most_clips;
    let encoded = in_pieces(request.clips.len(), &mut clips_at_once, encode, LabelError::is_out_of_memory)?;
    if clips_at_once < most_clips {
        *batch_size = clips_at_once * length;
    }
    let encoded = Tensor::cat(&encoded, 0).map_err(model_error)?;
    finish(model, &encoded, started.elapsed().as_secs_f64() * 1000.0)
}

/// The frames [frames, ...], pixels or what they were encoded as, that make each clip: [clips, T, ...].
fn clips_of(frames: &Tensor, clips: &[Vec<usize>]) -> Result<Tensor, LabelError> {
    let length = clips.first().map_or(0, Vec::len);
    let positions: Vec<u32> = clips.iter().flatten().map(|&position| position as u32).collect();
    let gather = || -> candle_core::Result<Tensor> {
        let positions = Tensor::from_vec(positions, clips.len() * length, frames.device())?;
        frames.index_select(&positions, 0)?.reshape([&[clips.len(), length], &frames.dims()[1..]].concat())
    };
    gather().map_err(model_error)
}

/// Runs the model on encoded clips: logits where it has classes, else vectors.
fn finish(model: &Model, clips: &Tensor, encode_ms: f64) -> Result<EngineAnswer, LabelError> {
    let started = Instant::now();
    let outputs = match model.has_classes() {
        true => model.classify(clips).map(|output| output.logits),
        false => model.embed(clips),
    };
    let outputs = outputs.map_err(model_error)?.to_vec2::<f32>().map_err(model_error)?;
    let precision = model.precision();
    Ok(EngineAnswer { outputs, precision, encode_ms, head_ms: started.elapsed().as_secs_f64() * 1000.0 })
}

fn model_error(error: impl std::error::Error + 'static) -> LabelError {
    let ran_out = nn::ran_out_of_memory(&error);
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if ran_out { LabelError::OutOfMemory(text) } else { LabelError::Model(text) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use candle_core::Device;
    use zoo::Registry;

    use super::*;

    fn request(clips: &[[usize; 4]]) -> PreparedClips {
        let values = (0..5 * 3 * 32 * 32).map(|index| (index * 7919 % 1000) as f32 / 1000.0).collect();
        PreparedClips { frames: 5, size: 32, values, clips: clips.iter().map(|clip| clip.to_vec()).collect() }
    }

    #[test]
    fn clips_seen_whole_are_answered_as_if_each_were_alone() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let model = registry.make_untrained_model("tte11-r2plus1d", &Device::Cpu).unwrap();
        let clips = [[0, 1, 2, 3], [4, 3, 1, 0], [1, 1, 2, 2], [0, 2, 3, 4], [4, 4, 4, 4]];
        let together = run(&model, &mut 16, &[&request(&clips)]).remove(0).unwrap().outputs;
        assert_eq!((together.len(), together[0].len()), (5, 11));
        assert_ne!(together[0], together[1]);
        for (clip, together) in clips.iter().zip(&together) {
            let alone = run(&model, &mut 16, &[&request(&[*clip])]).remove(0).unwrap().outputs.remove(0);
            let furthest = alone.iter().zip(together).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(furthest < 1e-4, "{clip:?}: {furthest}");
        }
    }

    #[test]
    fn loops_that_share_a_batch_get_their_own_answers() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let model = registry.make_untrained_model("tte11-tiny", &Device::Cpu).unwrap();
        let mut requests = [request(&[[0, 1, 2, 3], [1, 2, 3, 4]]), request(&[[4, 3, 2, 1]]), request(&[[0, 0, 1, 1]])];
        requests[1].values.iter_mut().for_each(|value| *value = 1.0 - *value);
        requests[2].clips = vec![vec![0, 1]];
        let together = run(&model, &mut 16, &requests.each_ref());
        for (request, together) in requests.iter().zip(together) {
            let alone = run(&model, &mut 16, &[request]).remove(0).unwrap().outputs;
            let together = together.unwrap().outputs;
            assert_eq!(alone.len(), together.len());
            for (alone, together) in alone.iter().flatten().zip(together.iter().flatten()) {
                assert!((alone - together).abs() < 1e-4, "{alone} {together}");
            }
        }
    }

    #[test]
    fn a_model_without_classes_answers_with_vectors() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let model = registry.make_untrained_model("EchoView47_contrastive_encoder", &Device::Cpu).unwrap();
        let values = vec![0.5; 2 * 3 * 75 * 75];
        let request = PreparedClips { frames: 2, size: 75, values, clips: vec![vec![0], vec![1]] };
        let outputs = run(&model, &mut 16, &[&request]).remove(0).unwrap().outputs;
        assert_eq!((outputs.len(), outputs[0].len()), (2, 2048));
        assert_eq!(outputs[0], outputs[1]);
    }
}
