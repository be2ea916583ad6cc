use std::path::{Path, PathBuf};

use crate::derived::pipeline_of_model;
use crate::{PipelineError, PipelineFile};

/// The pipelines that ship with the program: name and text.
pub(crate) const SHIPPED: [(&str, &str); 6] = [
    ("tte11-video-dilated", include_str!("../../../pipelines/tte11-video-dilated.toml")),
    ("tte11-video-residual", include_str!("../../../pipelines/tte11-video-residual.toml")),
    ("tte47-frames", include_str!("../../../pipelines/tte47-frames.toml")),
    ("tte11-tiny", include_str!("../../../pipelines/tte11-tiny.toml")),
    ("tte11-ensemble", include_str!("../../../pipelines/tte11-ensemble.toml")),
    ("echoprime11-first-frame", include_str!("../../../pipelines/echoprime11-first-frame.toml")),
];

/// The origin of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineSource {
    /// One that ships with the program.
    Shipped(&'static str),
    /// A file.
    File(PathBuf),
    /// The one that a model of the registry gets when nobody has written one.
    Model(String),
}

impl PipelineSource {
    /// The name of the pipeline used when nobody names one.
    pub const DEFAULT: &'static str = "tte11-video-dilated";

    /// A shipped pipeline of that name, else the file at that path (`.toml`), else the pipeline of that model, one of
    /// the registry or of a card in the folder `models`.
    ///
    /// # Errors
    /// Nothing has that name; the error lists the names that exist.
    pub fn named(name: &str, models: &Path) -> Result<Self, PipelineError> {
        if let Some((shipped, _)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Ok(Self::Shipped(shipped));
        }
        if name.ends_with(".toml") {
            return Ok(Self::File(name.into()));
        }
        let of_model = Self::Model(name.to_owned());
        of_model.read(models)?;
        Ok(of_model)
    }

    /// The names of the pipelines that ship with the program.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// Reads the file, refusing unknown keys, or derives the pipeline from its model's card.
    ///
    /// # Errors
    /// The file cannot be read, or has an unknown key or a value out of range.
    pub fn read(&self, models: &Path) -> Result<PipelineFile, PipelineError> {
        let text = match self {
            Self::Shipped(name) => {
                SHIPPED.iter().find(|(shipped, _)| shipped == name).map(|(_, text)| (*text).to_owned())
            }
            Self::File(path) => Some(
                std::fs::read_to_string(path).map_err(|source| PipelineError::Read { path: path.clone(), source })?,
            ),
            Self::Model(name) => {
                let found = pipeline_of_model(name, models).map_err(|source| PipelineError::Model {
                    origin: self.to_string(),
                    key: "weights.model",
                    source: Box::new(source),
                })?;
                return found.ok_or_else(|| Self::unknown(name));
            }
        };
        toml::from_str(&text.unwrap_or_default())
            .map_err(|error| PipelineError::Invalid { origin: self.to_string(), problem: error.to_string() })
    }

    fn unknown(name: &str) -> PipelineError {
        PipelineError::Unknown { name: name.to_owned(), known: Self::shipped().collect::<Vec<_>>().join(", ") }
    }
}

impl std::fmt::Display for PipelineSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shipped(name) => write!(formatter, "{name} (shipped)"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Model(name) => write!(formatter, "{name} (of the model of that name)"),
        }
    }
}
