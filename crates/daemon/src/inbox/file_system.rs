//! Distinction of network file systems from local ones.

use std::path::Path;

/// The name of the network (or user-space) file system a path lies on; none for a local one.
///
/// Such systems send no change events for what others write, and locks and memory maps are not to be relied on there.
#[cfg(target_os = "linux")]
pub(crate) fn network_name(path: &Path) -> Option<&'static str> {
    // Numbers from the Linux manual page statfs(2).
    const KNOWN: [(u32, &str); 8] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "SMB"),
        (0xFE53_4D42, "SMB"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
        (0x00C3_6400, "Ceph"),
        (0x5346_414F, "AFS"),
    ];
    let kind = rustix::fs::statfs(path).ok()?.f_type as u32;
    KNOWN.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Elsewhere the user says so with `polling = "always"`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn network_name(_path: &Path) -> Option<&'static str> {
    None
}
