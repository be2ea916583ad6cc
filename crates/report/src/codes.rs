//! The concepts of TID 1500, TID 1501 and TID 2010 that are used.

use domain::{DicomCode, Mode};

/// Returns a concept of PS3.16.
pub(crate) fn dcm(value: &str, meaning: &str) -> DicomCode {
    DicomCode::new(value, "DCM", meaning)
}

/// Returns a concept of SNOMED CT.
pub(crate) fn sct(value: &str, meaning: &str) -> DicomCode {
    DicomCode::new(value, "SCT", meaning)
}

/// Returns the image mode (CID 12224) of a loop; `None` where the mode has no code.
pub(crate) fn image_mode(mode: Mode) -> Option<DicomCode> {
    Some(match mode {
        Mode::TwoD | Mode::Dual => sct("399064001", "2D mode"),
        Mode::Color => sct("261197005", "Doppler Color Flow"),
        Mode::Pw => sct("261199008", "Doppler Pulsed"),
        Mode::Cw => sct("261198000", "Doppler Continuous Wave"),
        Mode::TissueDoppler => sct("439858009", "Tissue Doppler Imaging"),
        Mode::MMode => sct("399155008", "M mode"),
        Mode::Other => return None,
    })
}
