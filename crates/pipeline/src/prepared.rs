//! A file as far as the model's door: for calibrating a model on the frames that it would see.

use std::path::Path;

use cine::Loop;
use zoo::prepare::PreparedClips;

use crate::label::{clip_positions, decode};
use crate::prepare::prepare_frames;
use crate::{DecodedFrames, LabelError, Pipeline};

impl Pipeline {
    /// The frames of the loop in the file `path` as the model would see them; `None` where it would not be asked.
    pub fn prepared(&self, path: &Path) -> Result<Option<PreparedClips>, LabelError> {
        let mut source = Loop::open(path)?;
        let mut label = self.unlabelled(&mut source);
        if self.why_skipped(&label).is_some() {
            return Ok(None);
        }
        let mut frames = DecodedFrames::of(&mut source);
        let found = self.beats(&mut frames)?;
        let plan = self.plan(&found, &mut label.findings)?;
        let decoded = decode(&plan, &mut frames, &mut label.findings)?;
        let sector = frames.source().sector();
        prepare_frames(&decoded, &clip_positions(&plan, &decoded), sector, &self.preparation()).map(Some)
    }
}
