//! The container of PyTorch since 1.6: a zip archive with the pickle in `NAME/data.pkl` and storages in `NAME/data/KEY`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::value::Storage;
use super::{machine, state_dict};
use crate::archive::Archive;
use crate::budget::Budget;
use crate::bytes::excerpt;
use crate::error::Fault;
use crate::{Checkpoint, Format};

/// The entry with the pickle, or `None` where the archive is of another kind.
pub(crate) fn pickle_entry<'a>(archive: &Archive<'a>) -> Option<&'a str> {
    archive.names().find(|name| name.strip_suffix("data.pkl").is_some_and(is_root))
}

/// Reads the archive whose pickle is the entry `pickle`.
pub(crate) fn read(archive: &Archive, pickle: &str, budget: &Budget) -> Result<Checkpoint, Fault> {
    let root = pickle.strip_suffix("data.pkl").unwrap_or_default();
    if let Some(order) = archive.read(&format!("{root}byteorder"), budget)?
        && order.trim_ascii() != b"little"
    {
        return Err(Fault::not_read("byteorder", format!("the byte order {}", excerpt(&order))));
    }
    let program = archive.read(pickle, budget)?.unwrap_or_default();
    let read = || {
        let pickle = machine::run(&program, 0, budget)?;
        if pickle.end != program.len() {
            return Err(Fault::damaged("pickle", format!("ends at offset {} of {}", pickle.end, program.len())));
        }
        let mut storages = ZipStorages { archive, root, budget, read: BTreeMap::new() };
        state_dict::read(&pickle.heap, pickle.root, &mut storages, budget)
    };
    let (tensors, left_out) = read().map_err(|fault: Fault| fault.within(pickle))?;
    Ok(Checkpoint { format: Format::TorchZip, tensors, left_out })
}

/// The top folder of the archive, with its slash, or nothing.
fn is_root(folder: &str) -> bool {
    folder.is_empty() || folder.strip_suffix('/').is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

struct ZipStorages<'z, 'a> {
    archive: &'z Archive<'a>,
    root: &'z str,
    budget: &'z Budget,
    /// Those read so far, so that a checksum is computed once however many views a storage has.
    read: BTreeMap<String, Cow<'a, [u8]>>,
}

impl<'p> state_dict::Storages<'p> for ZipStorages<'_, '_> {
    fn bytes(&mut self, storage: &Storage<'p>) -> Result<&[u8], Fault> {
        // The folder may have a long name, which is looked at for every tensor.
        self.budget.work(self.root.len() + storage.key.len(), "storages")?;
        let path = format!("{}data/{}", self.root, storage.key);
        if !self.read.contains_key(&path) {
            let bytes = self.archive.read(&path, self.budget)?;
            let bytes = bytes.ok_or_else(|| Fault::damaged(&path, "the storage is not in the archive"))?;
            if Some(bytes.len()) != storage.elements.checked_mul(storage.number.bytes()) {
                let what = format!("{} bytes for {} elements of the storage", bytes.len(), storage.elements);
                return Err(Fault::damaged(path, what));
            }
            self.budget.allocate(2 * path.len() + 96, "storages")?;
            self.read.insert(path.clone(), bytes);
        }
        Ok(self.read.get(&path).map(Cow::as_ref).unwrap_or_default())
    }
}
