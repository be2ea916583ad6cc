//! Telling files from what only has a name like one.

use std::fs;
use std::io;
use std::path::Path;

/// Refuses what is no regular file, by what it is: opening a pipe would wait for a writer, and a device may never end.
///
/// # Errors
/// There is nothing of that name, or something that is no file.
pub fn require_file(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () => special_kind(kind),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

#[cfg(unix)]
fn special_kind(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn special_kind(_kind: fs::FileType) -> &'static str {
    "a device"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_called_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let [file, socket] = ["file", "socket"].map(|name| folder.path().join(name));
        fs::write(&file, "").unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(require_file(&file).is_ok());
        let refused = |path: &Path| require_file(path).unwrap_err().to_string();
        assert_eq!(refused(folder.path()), "it is a folder, not a file");
        assert_eq!(refused(&socket), "it is a socket, not a file");
        assert_eq!(refused(Path::new("/dev/null")), "it is a device, not a file");
        assert_eq!(require_file(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
