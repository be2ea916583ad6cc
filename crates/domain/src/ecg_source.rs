//! Sources of the heart beat.

use crate::named_enum;

named_enum! {
    /// Source of the R peaks of a loop.
    #[derive(Default)]
    EcgSource {
        /// A DICOM Waveform Sequence (5400,0100).
        Waveform = "waveform",
        /// The R Wave Time Vector (0018,6060).
        RWaveTimeVector = "r_wave_time_vector",
        /// A retired Curve group (50xx,3000) of type ECG.
        Curve = "curve",
        /// The trace drawn into the pixels.
        BurnedInTrace = "burned_in_trace",
        /// No ECG was found.
        #[default]
        None = "none",
    }
}
