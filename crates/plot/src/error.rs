/// Reason why a canvas cannot be made or encoded.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// A size that cannot be drawn: empty, not a number, or too large.
    #[error("a picture of {width} x {height} units cannot be drawn")]
    Size {
        /// Width in units.
        width: f64,
        /// Height in units.
        height: f64,
    },
    /// The PNG encoder failed.
    #[error("encoding a picture as PNG")]
    Png(#[from] png::EncodingError),
}

/// Result of drawing.
pub type Result<T> = std::result::Result<T, PlotError>;
