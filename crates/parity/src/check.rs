/// The comparison of one output of a reference file.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The model that the file describes, or what else it is about: `losses`, `resize`, ...
    pub model: String,
    /// The output's name in the file, or `parameters` for the number of trained elements that were read.
    pub output: String,
    /// The largest difference over all elements: of losses relative to the largest element, else absolute; not a number
    /// for an output that is unsupported here.
    pub deviation: f64,
    /// The largest difference allowed.
    pub tolerance: f64,
}

impl Check {
    pub(crate) fn new(model: &str, output: String, deviation: f64, tolerance: f64) -> Self {
        Self { model: model.to_owned(), output, deviation, tolerance }
    }

    /// A check that never passes, for something in a file that nothing here re-makes.
    pub(crate) fn unsupported(model: &str, output: &str) -> Self {
        Self::new(model, format!("{output}: unsupported"), f64::NAN, 0.0)
    }

    /// Returns true if the output is as close as it must be; a NaN is not.
    pub fn passes(&self) -> bool {
        self.deviation <= self.tolerance
    }
}
