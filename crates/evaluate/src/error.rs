//! The errors of this crate.

/// The reason why predictions could not be read, evaluated or drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The text is not a table of comma-separated values.
    #[error("reading predictions as CSV")]
    Csv(#[source] csv::Error),
    /// The table lacks a column.
    #[error("predictions have no column `{column}`")]
    MissingColumn {
        /// The column's name.
        column: String,
    },
    /// The table has a column that means nothing here.
    #[error("predictions have a column `{column}`: {reason}")]
    UnexpectedColumn {
        /// The column's name.
        column: String,
        /// The reason why it cannot be used.
        reason: String,
    },
    /// A cell has a value that its column cannot have.
    #[error("line {line}, column `{column}`: `{value}` is not {expected}")]
    Cell {
        /// The line in the text, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        value: String,
        /// The values that it may have.
        expected: String,
    },
    /// A row's probabilities are no probabilities.
    #[error("{row}: probabilities must be 0 to 1 and sum to 1; they are {smallest} to {largest} and sum to {sum}")]
    Probabilities {
        /// The row.
        row: String,
        /// The smallest of them.
        smallest: f64,
        /// The largest of them.
        largest: f64,
        /// Their sum.
        sum: f64,
    },
    /// Rows that are joined contradict each other.
    #[error("{place}: its rows disagree on {what}")]
    Disagreement {
        /// The beat, loop or study.
        place: String,
        /// The column on which they disagree.
        what: &'static str,
    },
    /// Things that belong together do not have the same size.
    #[error("{what}: {found} where {expected} were expected")]
    Size {
        /// The things counted.
        what: String,
        /// The number expected.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// There is too little to compute from.
    #[error("{what}: at least {needed} needed, {found} given")]
    TooFew {
        /// The things counted.
        what: &'static str,
        /// The number needed.
        needed: usize,
        /// The number found.
        found: usize,
    },
    /// An argument is outside its range.
    #[error("{name} is {value}, which is not {allowed}")]
    Range {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The values that it may have.
        allowed: &'static str,
    },
    /// A plot could not be drawn or encoded.
    #[error(transparent)]
    Plot(#[from] plot::PlotError),
    /// Metrics could not be written as JSON.
    #[error("writing metrics as JSON")]
    Json(#[source] serde_json::Error),
}

impl EvaluateError {
    /// Returns false: the same arguments give the same error.
    pub fn is_temporary(&self) -> bool {
        false
    }
}

/// The result of most functions of this crate.
pub type Result<T> = std::result::Result<T, EvaluateError>;

pub(crate) fn need_size(what: impl Into<String>, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(EvaluateError::Size { what: what.into(), expected, found }) }
}

pub(crate) fn need_at_least(what: &'static str, needed: usize, found: usize) -> Result<()> {
    if found >= needed { Ok(()) } else { Err(EvaluateError::TooFew { what, needed, found }) }
}

pub(crate) fn need_open_unit(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(EvaluateError::Range { name, value, allowed: "between 0 and 1" })
    }
}
