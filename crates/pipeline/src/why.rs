//! Reasons of an answer: parts of a model's inputs are taken away, and its answers are compared.
//!
//! Occlusion asks the model itself, so it holds for every architecture; class activation maps would need a classifier that is
//! linear in the encoder's last maps, which recurrent heads, fusions and transformers are not.

use std::path::Path;

use cine::Loop;
use domain::{FindingCode, PixelRect};
use ecg::Clip;
use preprocess::{PreparedClips, crop_rect};
use serde::{Deserialize, Serialize};

use crate::{Aggregation, LabelError, Pipeline};

/// Cells of the grid on each side.
const GRID: usize = 8;

/// The parts of a loop's first clip that its likeliest view rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Likeliest view of the clip.
    pub view: String,
    /// Its probability.
    pub probability: f64,
    /// Part of the image that the model sees; `None` where it saw the image turned.
    pub input: Option<PixelRect>,
    /// Cells of the grid on each side.
    pub grid: usize,
    /// Fall of the log odds of the view where a cell is blank in every frame, row by row; below zero where they rise.
    ///
    /// Log odds, because the probability of a view that the model is sure of hardly moves.
    pub cells: Vec<f64>,
    /// Frames of the clip.
    pub frames: Vec<FrameWeight>,
    /// Probability where every frame is the mean of the clip, so that nothing moves; `None` for a model of single frames.
    pub without_motion: Option<f64>,
}

/// The share that a frame has in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrameWeight {
    /// Index in the loop.
    pub index: u32,
    /// Fall of the log odds of the view where the frame is blank.
    pub fall: f64,
}

impl Pipeline {
    /// Explains the answer about the first clip of the loop in the file `path`; a reason where no model was asked.
    ///
    /// The model is asked once for each cell and each frame, which takes some seconds. Nothing is kept. Of several models the
    /// first is explained.
    ///
    /// # Errors
    /// The file cannot be read as a loop, or the model fails on it.
    pub fn explain(&self, path: &Path) -> Result<Result<Explanation, String>, LabelError> {
        let mut source = Loop::open(path)?;
        let preprocessed = self.preprocessor().run(&mut source)?;
        let inputs = match preprocessed.inputs {
            Ok(inputs) => inputs,
            Err(refusal) => return Ok(Err(refusal.to_string())),
        };
        let (Some(set), Some(clip), Some(positions)) =
            (self.label_set(), inputs.plan.clips.first(), inputs.clips.clips.first())
        else {
            return Ok(Err("the model has no views".to_owned()));
        };
        let turned = [FindingCode::PictureMirrored, FindingCode::PictureUpsideDown];
        let is_turned = preprocessed.findings.iter().any(|finding| turned.contains(&finding.code));
        let header = source.header();
        let screen = (header.columns, header.rows);
        let crop = self.card().prepare.crop;
        let input = if is_turned { None } else { crop_rect(screen, crop, source.sector()) };
        let probe = Probe { pipeline: self, clip: OneClip::new(&inputs.clips, positions) };
        let whole = probe.probabilities(&probe.clip)?;
        let likeliest = whole.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((class, probability)) = likeliest.filter(|(_, probability)| probability.is_finite()) else {
            return Ok(Err("the model gave no usable numbers".to_owned()));
        };
        Ok(Ok(Explanation {
            view: set.view_names().get(class).cloned().unwrap_or_default(),
            probability,
            input,
            grid: GRID,
            cells: probe.cells(class, log_odds(&whole, class))?,
            frames: probe.frames(class, log_odds(&whole, class), clip)?,
            without_motion: match self.card().sees_stills() {
                true => None,
                false => probe.probabilities(&probe.clip.without_motion())?.get(class).copied(),
            },
        }))
    }
}

/// Asks the model about changed copies of a clip.
struct Probe<'a> {
    pipeline: &'a Pipeline,
    clip: OneClip,
}

impl Probe<'_> {
    fn cells(&self, class: usize, whole: f64) -> Result<Vec<f64>, LabelError> {
        let without = |cell: usize| self.clip.without_cell(cell % GRID, cell / GRID);
        (0..GRID * GRID).map(|cell| Ok(whole - self.log_odds(class, &without(cell))?)).collect()
    }

    fn frames(&self, class: usize, whole: f64, clip: &Clip) -> Result<Vec<FrameWeight>, LabelError> {
        let frames = clip.frames.iter().take(self.clip.frames.len()).enumerate();
        frames
            .map(|(position, frame)| {
                let fall = whole - self.log_odds(class, &self.clip.without_frame(position))?;
                Ok(FrameWeight { index: frame.index, fall })
            })
            .collect()
    }

    fn log_odds(&self, class: usize, clip: &OneClip) -> Result<f64, LabelError> {
        Ok(log_odds(&self.probabilities(clip)?, class))
    }

    fn probabilities(&self, clip: &OneClip) -> Result<Vec<f64>, LabelError> {
        let all: Vec<usize> = (0..clip.frames.len()).collect();
        let clips = match self.pipeline.card().sees_stills() {
            true => all.into_iter().map(|position| vec![position]).collect(),
            false => vec![all],
        };
        let values = clip.frames.concat();
        let request = PreparedClips { frames: clip.frames.len(), size: clip.size, values, clips };
        let answer = self.pipeline.engine().run(request)?;
        let outputs: Vec<(Option<usize>, &[f32])> =
            answer.outputs.iter().map(|logits| (None, logits.as_slice())).collect();
        let answer = Aggregation::of_clips(&outputs, &self.pipeline.calibration());
        Ok(Aggregation::probabilities(&[answer], self.pipeline.view_shares()))
    }
}

/// Returns the logarithm of the odds of a class. The other probabilities are added up, since a probability near 1 has no digits left
/// for what it lacks.
fn log_odds(probabilities: &[f64], class: usize) -> f64 {
    const SMALLEST: f64 = 1e-30;
    let others: f64 = probabilities.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, p)| p).sum();
    let own = probabilities.get(class).copied().unwrap_or_default();
    own.max(SMALLEST).ln() - others.max(SMALLEST).ln()
}

/// The prepared frames of one clip, each `[3, size, size]`.
#[derive(Debug, Clone, PartialEq)]
struct OneClip {
    size: usize,
    frames: Vec<Vec<f32>>,
}

impl OneClip {
    fn new(prepared: &PreparedClips, positions: &[usize]) -> Self {
        let length = 3 * prepared.size * prepared.size;
        let frame = |position: &usize| prepared.values[position * length..(position + 1) * length].to_vec();
        Self { size: prepared.size, frames: positions.iter().map(frame).collect() }
    }

    /// Returns the clip with one cell of every frame as the mean of its plane.
    fn without_cell(&self, column: usize, row: usize) -> Self {
        let size = self.size;
        let part = |at: usize| at * size / GRID..(at + 1) * size / GRID;
        let mut changed = self.clone();
        for plane in changed.frames.iter_mut().flat_map(|frame| frame.chunks_exact_mut(size * size)) {
            let mean = mean(plane);
            for line in part(row) {
                plane[line * size..(line + 1) * size][part(column)].fill(mean);
            }
        }
        changed
    }

    /// Returns the clip with one frame as the means of its planes.
    fn without_frame(&self, position: usize) -> Self {
        let mut changed = self.clone();
        for plane in changed.frames[position].chunks_exact_mut(self.size * self.size) {
            let mean = mean(plane);
            plane.fill(mean);
        }
        changed
    }

    /// Returns the clip with the mean of all frames in the place of each.
    fn without_motion(&self) -> Self {
        let count = self.frames.len().max(1) as f32;
        let length = self.frames.first().map_or(0, Vec::len);
        let mean = (0..length).map(|at| self.frames.iter().map(|frame| frame[at]).sum::<f32>() / count).collect();
        Self { size: self.size, frames: vec![mean; self.frames.len()] }
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cell_the_frame_or_the_motion_is_taken_away() {
        let size = 2 * GRID;
        let prepared = PreparedClips {
            frames: 2,
            size,
            values: (0..2 * 3 * size * size).map(|number| number as f32).collect(),
            clips: vec![vec![1, 0]],
        };
        let clip = OneClip::new(&prepared, &prepared.clips[0]);
        assert_eq!(clip.frames[1][0], 0.0, "in the order of the clip");
        let changed = |other: &OneClip| {
            let pairs = clip.frames.concat().into_iter().zip(other.frames.concat());
            pairs.filter(|(a, b)| a != b).count()
        };
        let cell = clip.without_cell(1, 0);
        assert_eq!(changed(&cell), 2 * 3 * 4);
        assert_eq!(cell.frames[1][2], cell.frames[1][size + 3]);
        assert_ne!(cell.frames[1][2], clip.frames[1][2]);
        assert_eq!(clip.without_frame(0).frames[1], clip.frames[1]);
        let standing = clip.without_motion();
        assert_eq!((standing.frames.len(), &standing.frames[0]), (2, &standing.frames[1]));
        assert!((log_odds(&[0.8, 0.1, 0.1], 0) - 4f64.ln()).abs() < 1e-12 && log_odds(&[1.0, 0.0], 0).is_finite());
        assert_eq!(standing.frames[0][0], (clip.frames[0][0] + clip.frames[1][0]) / 2.0);
    }
}
