//! `echolabel models pull`: weights from where their authors publish them, or from a copy.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use indicatif::ProgressBar;
use zoo::Registry;

use super::super::{Failure, Outcome};
use super::import;
use crate::hub::{Download, HubFile, Limits, Origin, Progress, configured_hub, token_for};
use crate::{output, progress};

/// Arguments of a pull.
pub struct Pull<'a> {
    /// The model's name.
    pub name: &'a str,
    /// A file, a folder, the address of a file or of a hub, instead of where the authors publish it.
    pub from: Option<&'a str>,
    /// The hexadecimal sha256 that the file must have.
    pub sha256: Option<&'a str>,
}

/// Fetches the file, imports it, and says what was done.
pub fn run(registry: &Registry, pull: &Pull<'_>) -> Outcome {
    let card = registry.card(pull.name)?;
    let published = card.published.as_ref();
    let hub_file = published.map(|published| HubFile {
        repository: &published.repository,
        revision: &published.revision,
        file: &published.file,
    });
    let origin = match (pull.from, &hub_file) {
        (Some(from), hub_file) => {
            Origin::of(from, hub_file.as_ref()).map_err(|problem| Failure::Error(anyhow!(problem)))?
        }
        (None, Some(hub_file)) => {
            let address = published.and_then(|published| published.address.clone());
            Origin::Remote(address.unwrap_or_else(|| hub_file.usual_address()))
        }
        (None, None) => {
            return Err(Failure::Error(anyhow!(
                "{} is published nowhere that this program knows: {}. If you have its weights: echolabel models import \
                 FILE --as {0}",
                card.name,
                card.origin
            )));
        }
    };
    let sha256 = pull.sha256.or(published.and_then(|published| published.sha256.as_deref()));
    let path = match origin {
        Origin::Local(path) => path,
        Origin::Remote(address) => fetch(&address, &registry.downloads(), sha256)?,
    };
    import::run(registry, &import::Import { name: pull.name, file: &path, sha256, json: false })
}

/// Downloads into the folder `downloads`, whose files are kept: the next import needs no network.
fn fetch(address: &str, downloads: &Path, sha256: Option<&str>) -> Result<PathBuf, Failure> {
    let name = address.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or("weights");
    let target = downloads.join(name);
    let token = std::env::var("HF_TOKEN").unwrap_or_default();
    let token = token_for(address, &configured_hub(), &token);
    let bar = Bar { bar: progress::bytes_bar() };
    let fetched = Download { address, target: &target, sha256, token, limits: Limits::default() }.run(&bar);
    bar.bar.finish_and_clear();
    let (digest, vouched) = fetched.map_err(|error| Failure::Error(error.into()))?;
    output::line(format_args!(
        "{address}\n  sha256 {digest}{}",
        match vouched {
            true => ", as promised",
            false => "; nobody vouches for it: compare it with what the authors say",
        }
    ))?;
    Ok(target)
}

/// A download's progress on the terminal; where there is none, a line when it stumbles.
struct Bar {
    bar: ProgressBar,
}

impl Progress for Bar {
    fn bytes(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    fn again(&self, reason: &str) {
        tracing::warn!(reason, "the download broke off, trying again");
    }
}
