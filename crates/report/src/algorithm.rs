//! The model that made an observation.

/// A model, as a report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm {
    /// Name of the pipeline.
    pub name: String,
    /// Version of the pipeline and of its weights.
    pub version: String,
    /// Remarks for people, above all on what its weights were trained.
    pub parameters: String,
    /// Digests of pipeline and weights, and precision: everything that decides a prediction. Device UIDs follow from it.
    pub digests: String,
    /// True if the weights were validated on patients. Otherwise the series descriptions say so.
    pub is_validated: bool,
}
