use domain::Mode;
use thiserror::Error;

/// The reason why a model is not asked about a loop; its text is shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The header says that the loop is something else.
    #[error("not a transthoracic echo: {0}")]
    NotTransthoracic(String),
    /// The header names another modality.
    #[error("not an ultrasound image: modality {0}")]
    NotUltrasound(String),
    /// The pipeline knows no view of what the image shows.
    #[error("{label_set} has no views of mode {mode}")]
    NoViewsOfMode {
        /// The label set's name.
        label_set: String,
        /// The mode.
        mode: Mode,
    },
    /// The image starts as wide as it gets, as no fan between two ribs does.
    #[error("the image is a rectangle, as of a linear array: no heart view is told from it")]
    NoFan,
    /// The pipeline requires an ECG.
    #[error("no ECG was found and the pipeline requires one")]
    NoEcg,
}

impl Refusal {
    /// Returns the reason why the loop is no transthoracic echo, where that is the reason.
    pub fn not_tte(&self) -> Option<String> {
        match self {
            Self::NotTransthoracic(words) => Some(words.clone()),
            Self::NotUltrasound(modality) => Some(format!("modality {modality}")),
            Self::NoFan => Some("images of a linear array".to_owned()),
            Self::NoViewsOfMode { .. } | Self::NoEcg => None,
        }
    }

    /// Returns true if the header alone decides, whatever the frames show.
    pub fn is_by_header(&self) -> bool {
        !matches!(self, Self::NoEcg | Self::NoFan)
    }
}
