//! A file to the vectors that the last layer of its model sees.

use std::path::Path;

use cine::Loop;
use preprocess::{ModelInputs, PreparedClips, Refusal};

use crate::label::samples;
use crate::{LabelError, Pipeline};

/// The vectors of one loop, each with its beat's number, where it has one.
pub type LoopVectors = Vec<(Option<usize>, Vec<f32>)>;

impl Pipeline {
    /// Returns what the model of [`Pipeline::open_for_vectors`] gives for the loop in the file `path`: a vector a clip, or
    /// a frame where it sees stills. A loop that it would not look at is a refusal.
    ///
    /// # Errors
    /// The file cannot be read as a loop, or the model fails on it.
    pub fn vectors(&self, path: &Path) -> Result<Result<LoopVectors, Refusal>, LabelError> {
        let preprocessed = self.preprocessor().run(&mut Loop::open(path)?)?;
        let ModelInputs { plan, clips: prepared, .. } = match preprocessed.inputs {
            Ok(inputs) => inputs,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let samples = samples(&plan, &prepared.clips, self.card().sees_stills());
        let clips = samples.iter().map(|(_, positions)| positions.clone()).collect();
        let answer = self.engine().run(PreparedClips { clips, ..prepared })?;
        Ok(Ok(samples.into_iter().map(|(beat, _)| beat).zip(answer.outputs).collect()))
    }
}
