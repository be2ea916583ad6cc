//! The table `[page]`: as it is written, and as settings.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::ViewerLink;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use crate::DaemonError;

/// Port of the page where nothing names another.
const USUAL_PORT: u16 = 8042;

/// The page in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// File of the token; none for one beside the database.
    pub token_file: Option<PathBuf>,
    /// Names by which browsers reach the page, with the port.
    pub hosts: Vec<String>,
    /// Names that people may choose from when they log in; any name where there are none.
    pub reviewers: Vec<String>,
    /// Pixels outside the ultrasound image, which may hold names, are shown.
    pub show_burned_in_text: bool,
    /// They are blackened before a frame leaves the server, not by the browser.
    pub mask_on_server: bool,
    /// Links of every study to other programs.
    pub viewers: Vec<ViewerLink>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Viewer")]
pub(super) struct RawViewer {
    /// Words of the link.
    title: String,
    /// Address, with `{study}` where the Study Instance UID stands.
    address: String,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Page")]
pub(super) struct RawPage {
    /// Address and port to listen on. Another than this computer's own needs `behind_proxy`.
    pub(super) listen: String,
    /// True where a proxy that encrypts stands before the page; only then other computers may reach it.
    pub(super) behind_proxy: bool,
    /// File that holds the token which opens the page; made where there is none, beside the database without this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_file: Option<PathBuf>,
    /// Names by which browsers reach the page, with the port, such as `echo-pc:8042`; this computer's own are known.
    pub(super) hosts: Vec<String>,
    /// Names that people choose from when they log in; any name where it is empty.
    pub(super) reviewers: Vec<String>,
    /// Shows pixels outside the ultrasound image too, where names may stand.
    pub(super) show_burned_in_text: bool,
    /// Blackens them before a frame leaves the server, also in stored JPEG frames, which are then decoded and encoded again.
    pub(super) mask_on_server: bool,
    /// Links of every study to the lab's viewers.
    pub(super) viewers: Vec<RawViewer>,
}

impl Default for RawPage {
    fn default() -> Self {
        Self::from(&PageSettings::default())
    }
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], USUAL_PORT)),
            token_file: None,
            hosts: Vec::new(),
            reviewers: Vec::new(),
            show_burned_in_text: false,
            mask_on_server: false,
            viewers: Vec::new(),
        }
    }
}

impl RawPage {
    /// Relative paths count from `base`.
    pub fn resolve(self, context: &Context<'_>, base: &Path) -> Result<PageSettings, DaemonError> {
        let listen: SocketAddr = self.listen.parse().map_err(|_| {
            let problem = "is no address with a port, such as \"127.0.0.1:8042\"";
            context.problem("page.listen", format!("{:?} {problem}", self.listen))
        })?;
        if !listen.ip().is_loopback() && !self.behind_proxy {
            let problem = "can be reached by other computers without encryption: let a proxy that encrypts pass requests \
                           on to 127.0.0.1, or set page.behind_proxy = true if it runs elsewhere";
            return Err(context.problem("page.listen", format!("{listen} {problem}")));
        }
        let is_no_link =
            |viewer: &&RawViewer| !["http://", "https://"].iter().any(|start| viewer.address.starts_with(start));
        if let Some(wrong) = self.viewers.iter().find(is_no_link) {
            let problem = format!("{:?} does not begin with http:// or https://", wrong.address);
            return Err(context.problem("page.viewers", problem));
        }
        Ok(PageSettings {
            listen,
            token_file: self.token_file.map(|path| base.join(path)),
            hosts: self.hosts,
            reviewers: self.reviewers,
            show_burned_in_text: self.show_burned_in_text,
            mask_on_server: self.mask_on_server,
            viewers: self
                .viewers
                .into_iter()
                .map(|RawViewer { title, address }| ViewerLink { title, address })
                .collect(),
        })
    }
}

impl From<&PageSettings> for RawPage {
    fn from(page: &PageSettings) -> Self {
        let PageSettings { listen, token_file, hosts, reviewers, show_burned_in_text, mask_on_server, viewers } =
            page.clone();
        Self {
            behind_proxy: !listen.ip().is_loopback(),
            listen: listen.to_string(),
            token_file,
            hosts,
            reviewers,
            show_burned_in_text,
            mask_on_server,
            viewers: viewers.into_iter().map(|ViewerLink { title, address }| RawViewer { title, address }).collect(),
        }
    }
}
