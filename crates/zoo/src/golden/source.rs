use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::weight_files;
use crate::{Result, ZooError};

/// A JSON file that may be a golden one.
pub(super) struct Source {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What a golden file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A model or a head.
    Model,
    /// Losses.
    Losses,
    /// Resizing, gray and the frames of a clip.
    Resize,
    /// The formula itself.
    Vectors,
    /// Files of weights.
    Weights,
}

/// Keys by which a kind is known.
#[derive(Deserialize)]
struct Outline {
    model: Option<IgnoredAny>,
    tensors: Option<IgnoredAny>,
    contrastive: Option<IgnoredAny>,
    cross_entropy: Option<IgnoredAny>,
    small: Option<IgnoredAny>,
    gray: Option<IgnoredAny>,
    fill: Option<IgnoredAny>,
    image_u8: Option<IgnoredAny>,
}

impl Source {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| ZooError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the file is about; `None` if it is no golden file of a kind that is known here.
    pub fn kind(&self) -> Option<Kind> {
        let outline: Outline = serde_json::from_slice(&self.bytes).ok()?;
        let both = |one: &Option<IgnoredAny>, other: &Option<IgnoredAny>| one.is_some() && other.is_some();
        if both(&outline.model, &outline.tensors) {
            Some(Kind::Model)
        } else if both(&outline.contrastive, &outline.cross_entropy) {
            Some(Kind::Losses)
        } else if both(&outline.small, &outline.gray) {
            Some(Kind::Resize)
        } else if both(&outline.fill, &outline.image_u8) {
            Some(Kind::Vectors)
        } else if weight_files::is_one(&self.bytes) {
            Some(Kind::Weights)
        } else {
            None
        }
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.problem(error.to_string()))
    }

    /// An error about this file.
    pub fn problem(&self, problem: String) -> ZooError {
        ZooError::Format { path: self.path.clone(), format: "golden", problem }
    }
}
