//! Weights that are part of the program, so that it works wherever it is copied.

/// File names in the folder of models and the bytes that stand in for them; a file of that name in the folder comes first.
const WEIGHTS: [(&str, &[u8]); 3] = [
    ("tte11-phantom.safetensors", include_bytes!("../../../models/weights/tte11-phantom.safetensors")),
    ("tte11-phantom-image.safetensors", include_bytes!("../../../models/weights/tte11-phantom-image.safetensors")),
    ("tte11-lite0-image.safetensors", include_bytes!("../../../models/weights/tte11-lite0-image.safetensors")),
];

/// The bytes of the file `name`, if it ships.
pub(crate) fn weights(name: &str) -> Option<&'static [u8]> {
    WEIGHTS.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
