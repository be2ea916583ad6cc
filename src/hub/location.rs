use std::path::{Path, PathBuf};

use ureq::http::Uri;

/// The hub that is asked when nobody names another.
const DEFAULT_HUB: &str = "https://huggingface.co";

/// The variable that names another hub, as other tools of the field use it.
const HUB_VARIABLE: &str = "HF_ENDPOINT";

/// A file in a repository of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// A branch, tag or commit.
    pub revision: &'a str,
    /// The file's path in the repository.
    pub file: &'a str,
}

/// A source of a file of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// On this machine or a mounted share.
    Local(PathBuf),
    /// Behind this address.
    Remote(String),
}

impl HubFile<'_> {
    /// Its address on the hub at `base`: `base/owner/name/resolve/revision/file`.
    pub fn address(&self, base: &str) -> String {
        format!("{}/{}/resolve/{}/{}", base.trim_end_matches('/'), self.repository, self.revision, self.file)
    }

    /// Its address on the hub of the environment, else on the usual one.
    pub fn usual_address(&self) -> String {
        self.address(&configured_hub())
    }

    /// Returns the path of a copy of the file in `folder`: by its name, or laid out as on the hub.
    fn in_folder(&self, folder: &Path) -> Option<PathBuf> {
        let laid_out = folder.join(self.repository).join("resolve").join(self.revision).join(self.file);
        let plain = folder.join(self.repository).join(self.file);
        let flat = Path::new(self.file).file_name().map(|name| folder.join(name));
        [Some(laid_out), Some(plain), flat].into_iter().flatten().find(|path| path.is_file())
    }
}

/// Returns the hub of the environment, else the usual one.
pub fn configured_hub() -> String {
    std::env::var(HUB_VARIABLE).ok().filter(|base| !base.is_empty()).unwrap_or_else(|| DEFAULT_HUB.to_owned())
}

/// Returns the token if it may be sent to `address`: only to the host of `hub`, for which somebody made it, and only over TLS.
pub fn token_for<'a>(address: &str, hub: &str, token: &'a str) -> Option<&'a str> {
    let host = |address: &str| {
        let address: Uri = address.parse().ok()?;
        let is_tls = address.scheme_str() == Some("https");
        address.authority().filter(|_| is_tls).map(|authority| (authority.host().to_lowercase(), authority.port_u16()))
    };
    let sent_to = host(address)?;
    (!token.is_empty() && host(hub) == Some(sent_to)).then_some(token)
}

impl Origin {
    /// Reads `--from`: a file, a folder with a copy, the address of the file or that of a hub.
    ///
    /// An address is the file's own when its path ends with a file name that has a suffix; else it is a hub's.
    ///
    /// # Errors
    /// A hub or folder was named for a model that is on no hub, or the folder holds no copy.
    pub fn of(from: &str, hub_file: Option<&HubFile<'_>>) -> Result<Self, String> {
        if from.starts_with("http://") || from.starts_with("https://") {
            let path = from.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
            return match hub_file {
                _ if is_file => Ok(Self::Remote(from.to_owned())),
                Some(hub_file) => Ok(Self::Remote(hub_file.address(from))),
                None => Err(format!("the model is on no hub, so {from} must be the address of a file of weights")),
            };
        }
        let path = Path::new(from);
        if !path.is_dir() {
            return Ok(Self::Local(path.to_owned()));
        }
        let hub_file =
            hub_file.ok_or_else(|| format!("the model is on no hub, so {from} must be a file of weights"))?;
        hub_file
            .in_folder(path)
            .map(Self::Local)
            .ok_or_else(|| format!("{from} holds neither {} nor {}/{0}", hub_file.file, hub_file.repository))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: HubFile<'_> = HubFile { repository: "lab/views", revision: "main", file: "model.h5" };

    #[test]
    fn an_address_is_a_file_or_a_hub() {
        let remote = |from| Origin::of(from, Some(&FILE)).unwrap();
        let on_hub = Origin::Remote("http://hub.local:8080/lab/views/resolve/main/model.h5".to_owned());
        assert_eq!(remote("http://hub.local:8080"), on_hub);
        assert_eq!(remote("http://hub.local:8080/"), on_hub);
        let file = "https://files.example.org/a/other.pth?download=1";
        assert_eq!(remote(file), Origin::Remote(file.to_owned()));
        assert!(Origin::of("http://hub.local", None).unwrap_err().contains("on no hub"));
    }

    #[test]
    fn a_token_goes_to_the_configured_hub_over_tls_and_nowhere_else() {
        let may = |address, hub| token_for(address, hub, "secret").is_some();
        assert!(may("https://huggingface.co/lab/views/resolve/main/model.h5", DEFAULT_HUB));
        assert!(may("https://HuggingFace.co/lab/views", DEFAULT_HUB));
        assert!(may("https://hub.local:8443/lab/views", "https://hub.local:8443"));
        for address in [
            "http://huggingface.co/lab/views",
            "https://files.example.org/model.h5",
            "https://huggingface.co.example.org/model.h5",
            "https://huggingface.co@example.org/model.h5",
            "https://huggingface.co:8443/model.h5",
            "ftp://huggingface.co/model.h5",
        ] {
            assert!(!may(address, DEFAULT_HUB), "{address}");
        }
        assert!(!may("http://hub.local/lab/views", "http://hub.local"));
        assert_eq!(token_for("https://huggingface.co/a", DEFAULT_HUB, ""), None);
    }

    #[test]
    fn a_folder_is_searched_flat_and_laid_out_as_a_hub() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().to_str().unwrap();
        assert!(Origin::of(from, Some(&FILE)).unwrap_err().contains("holds neither model.h5 nor lab/views/model.h5"));
        let laid_out = folder.path().join("lab/views/resolve/main");
        std::fs::create_dir_all(&laid_out).unwrap();
        for path in [folder.path().join("model.h5"), laid_out.join("model.h5")] {
            std::fs::write(&path, b"x").unwrap();
            assert_eq!(Origin::of(from, Some(&FILE)), Ok(Origin::Local(path)));
        }
        let file = folder.path().join("model.h5");
        assert_eq!(Origin::of(file.to_str().unwrap(), None), Ok(Origin::Local(file)));
    }
}
