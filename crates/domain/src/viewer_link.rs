//! Links from studies to other programs.

/// Link of a study to a viewer of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerLink {
    /// Words of the link.
    pub title: String,
    /// Address, with `{study}` where the Study Instance UID stands.
    pub address: String,
}
