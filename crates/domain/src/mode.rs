//! The imaging mode of a loop.

use crate::named_enum;

named_enum! {
    /// Imaging mode of a loop: 2-D, color flow, spectral Doppler, M-mode, ...
    Mode {
        /// Gray-scale 2-D.
        TwoD = "2d",
        /// Color flow over 2-D. Its name in files and JSON, `colour`, is older than the spelling of this code.
        Color = "colour",
        /// Pulsed-wave spectral Doppler.
        Pw = "pw",
        /// Continuous-wave spectral Doppler.
        Cw = "cw",
        /// Tissue Doppler, spectral or color.
        TissueDoppler = "tissue_doppler",
        /// M-mode, gray or color.
        MMode = "m_mode",
        /// Two 2-D images side by side.
        Dual = "dual",
        /// Anything else: 3-D, reports, graphics.
        Other = "other",
    }
}
