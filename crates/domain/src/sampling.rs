//! Strategies for choosing the frames of a loop.

use crate::named_enum;

named_enum! {
    /// Strategy for choosing the frames of a clip; serializes as snake_case.
    #[derive(Default)]
    SamplingStrategy {
        /// The landmarks of each beat first, then evenly between them.
        #[default]
        Landmarks = "landmarks",
        /// `frames_per_clip` equal steps of time from R up to, and without, the next R.
        EvenlySpaced = "evenly_spaced",
        /// Windows inside each beat: 16 frames, moved on by 2, every third frame taken (6 frames a clip).
        Windowed = "windowed",
        /// Equal steps of time without regard to any ECG; also the fallback of the others.
        Uniform = "uniform",
    }
}
