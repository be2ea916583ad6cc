//! Folders of the demo, and the studies that it simulates.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::DemoOptions;

/// Marks a folder as made by the demo, so that only such a one is ever emptied.
const MARKER: &str = ".echolabel-demo";

/// Folders and files that the demo makes.
pub struct Folders {
    pub inbox: PathBuf,
    pub database: PathBuf,
    pub exports: PathBuf,
    pub pictures: PathBuf,
}

impl Folders {
    /// Makes the folders anew; refuses a folder that holds anything but an earlier demo.
    pub fn make(out: &Path) -> anyhow::Result<Self> {
        let marker = out.join(MARKER);
        let occupied = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            if !marker.is_file() {
                bail!("{} holds files that are not the demo's: choose another folder with --out", out.display());
            }
            std::fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
        }
        let folders = Self {
            inbox: out.join("inbox"),
            database: out.join("echolabel.sqlite"),
            exports: out.join("exports"),
            pictures: out.join("pictures"),
        };
        for folder in [&folders.inbox, &folders.exports, &folders.pictures] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        std::fs::write(&marker, "made by `echolabel demo`, which empties this folder when it runs again\n")
            .with_context(|| format!("cannot write {}", marker.display()))?;
        Ok(folders)
    }
}

/// Writes the simulated studies, as if a scanner did.
pub fn simulate(options: &DemoOptions, inbox: &Path) -> anyhow::Result<()> {
    let studies =
        phantom::StudyOptions { studies: options.studies, seed: options.seed, ..phantom::StudyOptions::default() };
    for number in 0..options.studies {
        phantom::write_study(&studies, number, inbox, &mut |_, _| {})?;
    }
    Ok(())
}
