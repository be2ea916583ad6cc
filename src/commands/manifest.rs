//! `echolabel manifest`: manifests of the files of folders, in parts that are labelled by calls of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::label::find_files;
use super::{Failure, Outcome};
use crate::cli::ManifestOptions;
use crate::labels_file::{ManifestEntry, write_manifest};
use crate::output;
use crate::place::{Place, objects};

/// Writes the manifests and prints their paths.
pub fn run(options: &ManifestOptions) -> Outcome {
    std::fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    ensure_empty(&options.out)?;
    let (files, unreadable) = find_files(&options.paths);
    let mut failures = unreadable;
    let mut entries = Vec::new();
    for file in files {
        match entry(&file.path, options.sha256) {
            Ok(entry) => entries.push(entry),
            Err(error) => failures.push((file.path, format!("{error:#}"))),
        }
    }
    for (path, message) in &failures {
        output::note(format_args!("{}: {message}", output::path(path)));
    }
    let parts = usize::from(options.parts);
    for part in 0..parts {
        let path = options.out.join(part_name(part));
        // Neighbors stay together: they are files of one study mostly.
        let range = entries.len() * part / parts..entries.len() * (part + 1) / parts;
        let lines = entries.get(range).unwrap_or_default();
        write_manifest(&path, lines).with_context(|| path.display().to_string())?;
        output::line(format_args!("{:>8} files  {}", lines.len(), output::path(&path)))?;
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::SomeInputs) }
}

fn ensure_empty(folder: &Path) -> anyhow::Result<()> {
    let mut entries = folder.read_dir().with_context(|| folder.display().to_string())?;
    // Parts of an earlier call, were there more of them, would be labelled with the new ones.
    ensure!(entries.next().is_none(), "{} holds files already: name an empty folder", folder.display());
    Ok(())
}

fn entry(path: &Path, with_digest: bool) -> anyhow::Result<ManifestEntry> {
    if let Place::Object(address) = Place::new(path) {
        let sha256 = with_digest.then(|| objects::sha256(address)).transpose()?;
        return Ok(ManifestEntry { path: address.to_owned(), sha256, id: None });
    }
    let absolute: PathBuf = std::path::absolute(path)?;
    let text = absolute.to_str().context("the name is no Unicode, which JSON cannot hold")?;
    let sha256 = with_digest.then(|| files::sha256(path)).transpose()?;
    Ok(ManifestEntry { path: text.to_owned(), sha256, id: None })
}

/// Returns the name that a job of an array makes of its index: `part-0003.jsonl`.
fn part_name(part: usize) -> String {
    format!("part-{part:04}.jsonl")
}
