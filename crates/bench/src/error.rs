/// A reason why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The loop could not be labelled.
    #[error("cannot label the loop")]
    Label(#[from] pipeline::LabelError),
    /// The model could not be read.
    #[error(transparent)]
    Model(#[from] zoo::ZooError),
    /// No round was asked for.
    #[error("no round was run")]
    NoRounds,
}
