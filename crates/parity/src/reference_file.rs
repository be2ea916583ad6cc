use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{ParityError, Result, weight_files};

/// A JSON file that may be one of reference numbers.
pub(crate) struct ReferenceFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// The subject of a reference file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceKind {
    /// A model or a head.
    Model,
    /// Losses.
    Losses,
    /// Resizing, gray and the frames of a clip.
    Resize,
    /// The preparation of EchoPrime's view classifier.
    EchoPrime,
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
    echo_prime: Option<IgnoredAny>,
}

impl ReferenceFile {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| ParityError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the subject of the file; `None` if it is no reference file of a kind that is known here.
    pub fn kind(&self) -> Option<ReferenceKind> {
        let outline: Outline = serde_json::from_slice(&self.bytes).ok()?;
        let both = |one: &Option<IgnoredAny>, other: &Option<IgnoredAny>| one.is_some() && other.is_some();
        if both(&outline.model, &outline.tensors) {
            Some(ReferenceKind::Model)
        } else if both(&outline.contrastive, &outline.cross_entropy) {
            Some(ReferenceKind::Losses)
        } else if both(&outline.small, &outline.gray) {
            Some(ReferenceKind::Resize)
        } else if outline.echo_prime.is_some() {
            Some(ReferenceKind::EchoPrime)
        } else if both(&outline.fill, &outline.image_u8) {
            Some(ReferenceKind::Vectors)
        } else if weight_files::is_weight_reference(&self.bytes) {
            Some(ReferenceKind::Weights)
        } else {
            None
        }
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.problem(error.to_string()))
    }

    /// Returns an error about this file.
    pub fn problem(&self, problem: String) -> ParityError {
        ParityError::Format { path: self.path.clone(), problem }
    }
}
