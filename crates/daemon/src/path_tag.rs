//! Messages without the paths in them.

use std::path::Path;

use domain::path_tag;

/// A message with the path in it replaced by its tag: errors like to name the file they are about.
pub(crate) fn without_path(message: &str, path: &Path) -> String {
    message.replace(&*path.to_string_lossy(), &format!("file {}", path_tag(path)))
}
