//! The container of PyTorch before 1.6: pickles (magic number, protocol, system, object, storage keys), then storages.

use std::collections::BTreeMap;

use super::machine::{self, Pickle};
use super::state_dict;
use super::value::{Storage, Value};
use crate::budget::Budget;
use crate::bytes::Reader;
use crate::error::Fault;
use crate::{Checkpoint, Format};

/// The magic number 0x1950a86a20f9469cfc6c as a pickle writes it: LONG1 of ten bytes.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// The magic number stands behind PROTO and perhaps a FRAME.
const MAGIC_WITHIN: usize = 32;
const PROTOCOL: i64 = 1001;
const STORAGE_BYTES: usize = 96;

/// Returns whether `bytes` start with the magic number.
pub(crate) fn is_legacy(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(MAGIC_WITHIN)];
    start.first() == Some(&0x80) && start.windows(MAGIC.len()).any(|window| window == MAGIC)
}

/// Reads a legacy file.
pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Checkpoint, Fault> {
    let magic = part(bytes, 0, "magic number", budget)?;
    let protocol = part(bytes, magic.end, "protocol", budget)?;
    if !matches!(protocol.root, Value::Integer(PROTOCOL)) {
        return Err(Fault::not_read("protocol", format!("another protocol than {PROTOCOL}")));
    }
    let system = part(bytes, protocol.end, "system information", budget)?;
    refuse_big_endian(&system)?;
    let object = part(bytes, system.end, "object", budget)?;
    let keys = part(bytes, object.end, "storage keys", budget)?;
    let mut storages = LegacyStorages::find(bytes, &object, &keys, budget)?;
    let (tensors, left_out) = state_dict::read(&object.heap, object.root, &mut storages, budget)?;
    Ok(Checkpoint { format: Format::TorchLegacy, tensors, left_out })
}

fn part<'a>(bytes: &'a [u8], start: usize, what: &str, budget: &Budget) -> Result<Pickle<'a>, Fault> {
    machine::run(bytes, start, budget).map_err(|fault| fault.within(what))
}

fn refuse_big_endian(system: &Pickle) -> Result<(), Fault> {
    let Value::Dict(dict) = system.root else {
        return Err(Fault::damaged("system information", "is no dictionary"));
    };
    let mut order = system.heap.dicts[dict].iter().filter_map(|(key, value)| match (key, value) {
        (Value::Text("little_endian"), Value::Bool(is_little)) => Some(*is_little),
        _ => None,
    });
    match order.next() {
        Some(true) => Ok(()),
        Some(false) => Err(Fault::not_read("system information", "the byte order big")),
        None => Err(Fault::damaged("system information", "does not say little_endian")),
    }
}

struct LegacyStorages<'a> {
    by_key: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> LegacyStorages<'a> {
    /// Finds each storage behind the pickles: its number of elements (8 bytes), then the elements, to the last byte.
    fn find(bytes: &'a [u8], object: &Pickle<'a>, keys: &Pickle<'a>, budget: &Budget) -> Result<Self, Fault> {
        let mut described = BTreeMap::new();
        for storage in &object.heap.storages {
            budget.allocate(STORAGE_BYTES, "storages")?;
            let first = described.entry(storage.key).or_insert(storage);
            if (first.number, first.elements) != (storage.number, storage.elements) {
                return Err(Fault::damaged(format!("storage {}", storage.key), "is described in two ways"));
            }
        }
        let keys_list = keys.heap.items(keys.root);
        let keys_list = keys_list.ok_or_else(|| Fault::damaged("storage keys", "are no list"))?;
        let mut reader = Reader::at(bytes, keys.end, "storages");
        let mut by_key = BTreeMap::new();
        for key in keys_list {
            budget.allocate(STORAGE_BYTES, "storages")?;
            let Value::Text(key) = *key else { return Err(Fault::damaged("storage keys", "a key is no text")) };
            let place = || format!("storage {key}");
            let storage = described.get(key);
            let storage = storage.ok_or_else(|| Fault::damaged(place(), "is not described in the pickle"))?;
            let elements = reader.size().map_err(|fault| fault.within(&place()))?;
            if elements != storage.elements {
                let what = format!("has {elements} elements, the pickle says {}", storage.elements);
                return Err(Fault::damaged(place(), what));
            }
            let length = elements.checked_mul(storage.number.bytes());
            let length = length.ok_or_else(|| Fault::damaged(place(), "is larger than the file"))?;
            let content = reader.take(length).map_err(|fault| fault.within(&place()))?;
            if by_key.insert(key, content).is_some() {
                return Err(Fault::damaged(place(), "is there twice"));
            }
        }
        if reader.left() != 0 {
            return Err(reader.damaged(format!("{} bytes follow the last storage", reader.left())));
        }
        Ok(LegacyStorages { by_key })
    }
}

impl<'a> state_dict::Storages<'a> for LegacyStorages<'a> {
    fn bytes(&mut self, storage: &Storage<'a>) -> Result<&[u8], Fault> {
        let bytes = self.by_key.get(storage.key).copied();
        bytes.ok_or_else(|| Fault::damaged(format!("storage {}", storage.key), "is not in the file"))
    }
}
