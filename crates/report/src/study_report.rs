//! Everything that decides the bytes of a report.

use domain::{DicomCode, Mode, SeriesUid, SopUid, StudyAttributes, StudyUid};
use jiff::civil::DateTime;

use crate::{Algorithm, DocumentUids};

/// A study as it is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyReport {
    /// Study Instance UID.
    pub study: StudyUid,
    /// Patient and study attributes of one of its files, character set included.
    pub attributes: StudyAttributes,
    /// Number, time and predecessor of this version of the report.
    pub revision: Revision,
    /// The models whose observations are in it.
    pub algorithms: Vec<Algorithm>,
    /// The loops and files of the study, in its order.
    pub objects: Vec<ReportedObject>,
    /// Number of its files in each state, in words: what no group stands for is counted there.
    pub file_counts: String,
    /// The best loop of each view, in the order of the label set.
    pub key_loops: Vec<KeyLoop>,
    /// Version of the program.
    pub software_version: String,
}

/// A version of a study's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// From 1.
    pub number: u32,
    /// Local time of the newest label, which is that of the content.
    pub time: DateTime,
    /// The documents of the version before.
    pub predecessor: Option<DocumentUids>,
}

/// A reference to an object of the study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// SOP Class UID.
    pub class: String,
    /// SOP Instance UID.
    pub sop: SopUid,
    /// Series Instance UID.
    pub series: SeriesUid,
}

/// A loop or file with what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedObject {
    /// The object.
    pub image: ImageReference,
    /// Number in the study, from 1: the loop's name for people.
    pub number: u32,
    /// Imaging mode by its header, where it is known.
    pub mode: Option<Mode>,
    /// Observations: a model's, then a person's. At least one.
    pub observations: Vec<Observation>,
}

/// An observation of a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Observer.
    pub observer: Observer,
    /// Finding.
    pub finding: LoopFinding,
    /// Indexes of the frames that it follows from, from 0; empty for the whole object.
    pub frames: Vec<u32>,
    /// Probability of the view, 0 to 1.
    pub certainty: Option<f64>,
    /// Remark in words: the reason of an abstention, or a person's comment.
    pub comment: Option<String>,
}

/// The maker of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observer {
    /// A model, by its place in [`StudyReport::algorithms`].
    Algorithm(usize),
    /// The program, without asking a model.
    Program,
    /// A person.
    Person {
        /// The name as the person gave it.
        name: String,
    },
}

/// A finding of a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoopFinding {
    /// A view.
    View {
        /// Its name in the label set.
        name: String,
        /// Its codes; `None` where its label set has none.
        codes: Option<CodedView>,
    },
    /// No view was told.
    Undetermined,
}

/// A view in codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedView {
    /// The view; `None` where no code says it.
    pub view: Option<DicomCode>,
    /// Modifiers of the view.
    pub modifiers: Vec<DicomCode>,
    /// Anatomic sites.
    pub sites: Vec<DicomCode>,
    /// True if the code says the same as the view's name.
    pub is_equivalent: bool,
}

/// The best loop of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLoop {
    /// Name of the view.
    pub view: String,
    /// The loop.
    pub image: ImageReference,
}
