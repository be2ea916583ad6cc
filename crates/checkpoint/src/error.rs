//! Reasons why a weight file is refused.

use std::path::PathBuf;

/// Reason why a weight file was refused; `file` is the path or description it was read under.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file could not be opened or read.
    #[error("cannot read the weight file {}", path.display())]
    Open {
        /// The path as it was given.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The bytes are of no format that is read.
    #[error("{file}: not a weight file: {found}; read are {READ_FORMATS}")]
    NotAWeightFile {
        /// The file.
        file: String,
        /// Description of the bytes.
        found: String,
    },
    /// The file contradicts itself or its format: truncated, overwritten or made by hand.
    #[error("{file}: damaged weight file: {place}: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// The tensor, record, byte offset or opcode.
        place: String,
        /// Fault at that place.
        what: String,
    },
    /// The file is legal, but uses something that is not read here.
    #[error("{file}: {place}: cannot be read: {what}")]
    NotRead {
        /// The file.
        file: String,
        /// The tensor, record, byte offset or opcode.
        place: String,
        /// Unsupported feature at that place.
        what: String,
    },
    /// The file asks for far more memory or work than its length can justify.
    #[error("{file}: {place}: asks for more than a file of {file_bytes} bytes may cost")]
    TooCostly {
        /// The file.
        file: String,
        /// The tensor, record, byte offset or opcode.
        place: String,
        /// Length of the file.
        file_bytes: usize,
    },
    /// The file is a pickled Python object, which could only be read by running its code.
    #[error("{file}: holds a pickled object of class {class}, not tensors by name: save its state_dict() instead")]
    PickledObject {
        /// The file.
        file: String,
        /// Module and name of the class.
        class: String,
    },
    /// The container is sound, but holds no tensors by name.
    #[error("{file}: no weights: {what}")]
    NoWeights {
        /// The file.
        file: String,
        /// Name of the missing part.
        what: String,
    },
}

/// The formats that are read, for messages.
const READ_FORMATS: &str = "Keras .h5, .weights.h5 and .keras, PyTorch .pth (zip and legacy), safetensors";

/// A [`CheckpointError`] that does not know yet which file it is about.
#[derive(Debug)]
pub(crate) enum Fault {
    NotAWeightFile { found: String },
    Damaged { place: String, what: String },
    NotRead { place: String, what: String },
    TooCostly { place: String, file_bytes: usize },
    PickledObject { class: String },
    NoWeights { what: String },
}

impl Fault {
    pub(crate) fn damaged(place: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault::Damaged { place: clip(place.into()), what: clip(what.into()) }
    }

    pub(crate) fn not_read(place: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault::NotRead { place: clip(place.into()), what: clip(what.into()) }
    }

    /// The same fault, said to be at `outer` (a tensor or record).
    pub(crate) fn within(mut self, outer: &str) -> Fault {
        if let Fault::Damaged { place, .. } | Fault::NotRead { place, .. } | Fault::TooCostly { place, .. } = &mut self
        {
            *place = clip(format!("{}: {place}", clip(outer.to_owned())));
        }
        self
    }

    pub(crate) fn of_file(self, file: &str) -> CheckpointError {
        let file = file.to_owned();
        match self {
            Fault::NotAWeightFile { found } => CheckpointError::NotAWeightFile { file, found },
            Fault::Damaged { place, what } => CheckpointError::Damaged { file, place, what },
            Fault::NotRead { place, what } => CheckpointError::NotRead { file, place, what },
            Fault::TooCostly { place, file_bytes } => CheckpointError::TooCostly { file, place, file_bytes },
            Fault::PickledObject { class } => CheckpointError::PickledObject { file, class },
            Fault::NoWeights { what } => CheckpointError::NoWeights { file, what },
        }
    }
}

/// Names in a file may be as long as the file; a message is not.
pub(crate) fn clip(mut text: String) -> String {
    const MOST: usize = 400;
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}
