//! Files of one kind in the folder of models.

use std::path::{Path, PathBuf};

use crate::{Result, ZooError};

/// Returns the files in `folder` whose names end in `ending`, in the order of their names; none where there is no
/// folder.
pub(crate) fn files_ending_in(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| ZooError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
