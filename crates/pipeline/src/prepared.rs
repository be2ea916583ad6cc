//! A file as far as the model's door: for calibrating a model on the frames that it would see.

use std::path::Path;

use cine::Loop;

use crate::{LabelError, Pipeline, PreparedLoop};

impl Pipeline {
    /// The frames of the loop in the file `path` as the model would see them.
    pub fn prepared(&self, path: &Path) -> Result<PreparedLoop, LabelError> {
        self.loops().prepare(&mut Loop::open(path)?)
    }
}
