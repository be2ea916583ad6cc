//! Helpers of the integration tests.

#[allow(dead_code)]
pub mod build;
#[allow(dead_code)]
pub mod odd;

use serde_json::Value;
use sha2::{Digest, Sha256};

#[allow(dead_code)]
/// The entries of the manifest under `list`.
pub fn manifest_entries(folder: &std::path::Path, list: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("manifest.json")).expect("the manifest can be read");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    manifest[list].as_array().expect("the manifest has the list").clone()
}

/// The hash of bytes as the manifest writes it.
#[allow(dead_code)]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
