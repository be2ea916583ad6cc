//! A file system of a few megabytes, so that it can be filled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::record_skipped;

/// A file system in memory that is mounted on a folder; dropped, it is unmounted.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system of some mebibytes on a folder. Where that is not allowed the calling test is counted as skipped.
    pub fn mount(folder: &Path, mebibytes: u32) -> Option<Self> {
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            record_skipped("mounting is not allowed");
        }
        mounted.then(|| Self { folder: folder.to_owned() })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A program that a failed test left may still hold it: then it is unmounted when that ends.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}
