//! Manifests: the files that one call labels, one JSON object a line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::Context as _;
use domain::Sha256;
use files::{Access, AtomicFile};
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// A line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// Path of the file.
    pub path: String,
    /// SHA-256 that the file's bytes must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// A name that whoever wrote the manifest gives to the file; it comes back with the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Reads a manifest; paths are made absolute.
///
/// # Errors
/// The file cannot be read, or a line is none of a manifest.
pub fn read_manifest(path: &Path) -> anyhow::Result<Vec<ManifestEntry>> {
    let doing = || format!("manifest {}", path.display());
    let mut entries = Vec::new();
    for (number, line) in BufReader::new(File::open(path).with_context(doing)?).lines().enumerate() {
        let line = line.with_context(doing)?;
        if line.trim().is_empty() {
            continue;
        }
        let entry = entry(&line).with_context(|| format!("manifest {}, line {}", path.display(), number + 1))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(line: &str) -> anyhow::Result<ManifestEntry> {
    let entry: ManifestEntry = serde_json::from_str(line)?;
    if let Place::Object(_) = Place::new(entry.path.as_ref()) {
        return Ok(entry);
    }
    let absolute = std::path::absolute(&entry.path).context("path")?;
    let path = absolute.to_str().context("path: the current folder has a name that is no Unicode")?.to_owned();
    Ok(ManifestEntry { path, ..entry })
}

/// Writes a manifest whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_manifest(path: &Path, entries: &[ManifestEntry]) -> io::Result<()> {
    let mut file = AtomicFile::new(path, Access::Group)?;
    let mut lines = io::BufWriter::new(&mut file);
    for entry in entries {
        serde_json::to_writer(&mut lines, entry)?;
        lines.write_all(b"\n")?;
    }
    lines.flush()?;
    drop(lines);
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_a_wrong_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.jsonl");
        let entries = [
            ManifestEntry { path: "/a b.dcm".to_owned(), sha256: None, id: None },
            ManifestEntry { path: "/ü".to_owned(), sha256: Some([7; 32].into()), id: Some("17".to_owned()) },
        ];
        write_manifest(&path, &entries).unwrap();
        assert_eq!(read_manifest(&path).unwrap(), entries);

        for (line, problem) in [
            ("{\"path\": \"a\", \"digest\": 1}", "unknown field `digest`"),
            ("{\"id\": \"a\"}", "missing field `path`"),
            ("a.dcm", "expected value"),
            ("{\"path\": \"\"}", "path"),
        ] {
            std::fs::write(&path, format!("{{\"path\": \"/a\"}}\n\n{line}\n")).unwrap();
            let error = format!("{:#}", read_manifest(&path).unwrap_err());
            assert!(error.contains("line 3") && error.contains(problem), "{error}");
        }
    }
}
