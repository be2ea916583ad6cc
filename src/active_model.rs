//! The model that labels where nothing else is named, kept in the folder of models.

use std::path::Path;

use anyhow::Context as _;
use pipeline::PipelineSource;
use serde::{Deserialize, Serialize};

/// The file in the folder of models.
const FILE: &str = "active.toml";

/// The pipeline in use, and those used before, the latest last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveModel {
    pipeline: String,
    #[serde(default)]
    before: Vec<String>,
}

impl ActiveModel {
    /// Reads the file; the shipped default where there is none.
    ///
    /// # Errors
    /// The file cannot be read or is not valid.
    pub fn read(models: &Path) -> anyhow::Result<Self> {
        let path = models.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).with_context(|| path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { pipeline: PipelineSource::DEFAULT.to_owned(), before: Vec::new() })
            }
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, models: &Path) -> anyhow::Result<()> {
        let path = models.join(FILE);
        let text = toml::to_string(self)?;
        std::fs::create_dir_all(models)
            .and_then(|()| files::write(&path, text.as_bytes(), files::Access::Umask))
            .with_context(|| format!("{}: name a folder of models that you may write to with --models", path.display()))
    }

    /// Returns the name of the pipeline in use.
    pub fn name(&self) -> &str {
        &self.pipeline
    }

    /// Returns the name of the pipeline that was in use before, if one was.
    pub fn before(&self) -> Option<&str> {
        self.before.last().map(String::as_str)
    }

    /// Returns the state with another pipeline in use.
    #[must_use]
    pub fn switched_to(&self, name: &str) -> Self {
        let mut before = self.before.clone();
        if self.pipeline != name {
            before.push(self.pipeline.clone());
        }
        Self { pipeline: name.to_owned(), before }
    }

    /// Returns the state before the last switch; `None` if there was none.
    pub fn back(&self) -> Option<Self> {
        let mut before = self.before.clone();
        let pipeline = before.pop()?;
        Some(Self { pipeline, before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_can_be_undone() {
        let folder = tempfile::tempdir().expect("a folder");
        let models = folder.path().join("models");
        let first = ActiveModel::read(&models).expect("the default");
        assert_eq!((first.name(), first.back()), (PipelineSource::DEFAULT, None));
        let second = first.switched_to("ours").switched_to("ours");
        second.write(&models).expect("written");
        assert_eq!(ActiveModel::read(&models).expect("read"), second);
        assert_eq!(second.back(), Some(first));
        std::fs::write(models.join(FILE), "pipelin = 1").expect("written");
        assert!(ActiveModel::read(&models).is_err());
    }
}
