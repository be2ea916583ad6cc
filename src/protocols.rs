//! Protocols by name or file, and studies against them.

use std::path::Path;

use anyhow::{Context as _, ensure};
use protocol::{Completeness, Protocol, SeenLoop};
use store::{Inventory, LabelStore as _, Store, StoreError};

/// Ending of a lab's own protocols in the folder of models.
const EXTENSION: &str = ".protocol.toml";

/// Returns every protocol: the shipped ones, then those of the folder of models by name.
pub fn all(models: &Path) -> anyhow::Result<Vec<Protocol>> {
    let mut protocols = Protocol::shipped();
    let Ok(entries) = models.read_dir() else { return Ok(protocols) };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(EXTENSION)));
    files.sort();
    for path in files {
        let own = read(&path)?;
        let is_new = protocols.iter().all(|known| known.name != own.name);
        ensure!(is_new, "{}: there is another protocol {}: give it a name of its own", path.display(), own.name);
        protocols.push(own);
    }
    Ok(protocols)
}

/// Returns the protocol of a name, or of a .toml file.
pub fn named(name: &str, models: &Path) -> anyhow::Result<Protocol> {
    if name.ends_with(".toml") {
        return read(Path::new(name));
    }
    let all = all(models)?;
    let known: Vec<&str> = all.iter().map(|protocol| protocol.name.as_str()).collect();
    let hint = crate::commands::did_you_mean(name, known.iter().copied());
    let unknown = format!("no protocol {name}; there are {}, and .toml files{hint}", known.join(", "));
    all.into_iter().find(|protocol| protocol.name == name).context(unknown)
}

/// Judges a study by a protocol.
///
/// # Errors
/// The database.
pub fn judge(store: &Store, inventory: &Inventory, protocol: &Protocol) -> Result<Completeness, StoreError> {
    let seen = |view: &store::ViewInventory| -> Vec<SeenLoop> {
        view.loops.iter().map(|found| SeenLoop { view: view.view.clone(), mode: found.mode }).collect()
    };
    let loops: Vec<SeenLoop> = inventory.views.iter().flat_map(seen).collect();
    let label_set = store.label_set(&inventory.study_instance_uid)?;
    Ok(protocol.judge(&loops, &label_set, inventory.missing_withheld.as_deref()))
}

fn read(path: &Path) -> anyhow::Result<Protocol> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Protocol::from_toml(&text).with_context(|| path.display().to_string())
}
