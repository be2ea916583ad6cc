//! HDF5: the subset that Keras and h5py write.
//!
//! Read are superblocks 0 to 3, object headers 1 and 2, groups as symbol tables and as link messages, data that is
//! compact, contiguous or chunked (version 1 B-tree; shuffle, deflate), and string attributes. Refused by name are links
//! and attributes in fractal heaps, chunk indexes of HDF5 1.10, soft and external links, shared messages and big-endian
//! numbers. Source: HDF5 File Format Specification 3.0.
//!
//! No library is used: the C library cannot be bounded, and hdf5-pure 0.47 (100 000 lines, most of it writing) did not
//! return within a minute from a file of 52 kB with three bytes changed.

mod attribute;
mod chunks;
mod dataset;
mod datatype;
mod group;
mod header;

use std::borrow::Cow;

use crate::budget::Budget;
use crate::bytes::Reader;
use crate::error::Fault;
use header::Header;

pub(crate) use datatype::Datatype;

/// The first bytes of every HDF5 file (without a user block).
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// An address that points nowhere.
const UNDEFINED: u64 = u64::MAX;
/// Groups within groups; Keras nests two per model level.
const MAX_DEPTH: usize = 64;
/// Memory that one object takes beside its path.
const OBJECT_BYTES: usize = 3 * size_of::<Object>() + 64;

/// An HDF5 file: every object in it, by path.
pub(crate) struct File<'a> {
    bytes: &'a [u8],
    budget: &'a Budget,
    objects: Vec<Object<'a>>,
}

/// A group or a dataset.
pub(crate) struct Object<'a> {
    /// Names from the root, joined by `/`; empty for the root.
    pub(crate) path: String,
    /// True if it holds data.
    pub(crate) is_dataset: bool,
    header: Header<'a>,
}

impl<'a> File<'a> {
    /// Returns whether `bytes` start as an HDF5 file does.
    pub(crate) fn is_hdf5(bytes: &[u8]) -> bool {
        bytes.starts_with(SIGNATURE)
    }

    /// Reads the tree of groups and datasets, not their data.
    pub(crate) fn open(bytes: &'a [u8], budget: &'a Budget) -> Result<File<'a>, Fault> {
        let root = root_address(bytes)?;
        let mut objects: Vec<Object> = Vec::new();
        let mut waiting = vec![(String::new(), root, 0)];
        while let Some((path, address, depth)) = waiting.pop() {
            budget.allocate(OBJECT_BYTES + path.len(), "HDF5 objects")?;
            let place = || if path.is_empty() { "the root group".to_owned() } else { path.clone() };
            let header = Header::read(bytes, address, budget).map_err(|fault| fault.within(&place()))?;
            let links = group::links(bytes, &header, budget).map_err(|fault| fault.within(&place()))?;
            if !header.is_dataset() && !header.is_group() {
                return Err(Fault::damaged(place(), "is neither a group nor a dataset"));
            }
            if depth == MAX_DEPTH && !links.is_empty() {
                return Err(Fault::not_read(place(), format!("nesting of more than {MAX_DEPTH} groups")));
            }
            for link in links {
                let child = if path.is_empty() { link.name.to_owned() } else { format!("{path}/{}", link.name) };
                budget.allocate(OBJECT_BYTES + child.len(), "HDF5 objects")?;
                waiting.push((child, link.address, depth + 1));
            }
            objects.push(Object { path, is_dataset: header.is_dataset(), header });
        }
        objects.sort_by(|a, b| a.path.cmp(&b.path));
        match objects.array_windows().find(|[a, b]| a.path == b.path) {
            Some([a, _]) => Err(Fault::damaged(a.path.clone(), "is there twice")),
            None => Ok(File { bytes, budget, objects }),
        }
    }

    /// All objects, sorted by the bytes of their paths; the root is first.
    pub(crate) fn objects(&self) -> &[Object<'a>] {
        &self.objects
    }

    /// The object at a path.
    pub(crate) fn object(&self, path: &str) -> Option<&Object<'a>> {
        self.objects.binary_search_by(|object| object.path.as_str().cmp(path)).ok().map(|index| &self.objects[index])
    }

    /// The strings of a string attribute (one for a scalar), or `None` where the object has no attribute of that name.
    pub(crate) fn strings(&self, object: &Object<'a>, name: &str) -> Result<Option<Vec<String>>, Fault> {
        attribute::strings(self.bytes, &object.header, name, self.budget)
            .map_err(|fault| fault.within(&format!("attribute {name} of /{}", object.path)))
    }

    /// Returns the element type of a dataset.
    pub(crate) fn datatype(&self, dataset: &Object<'a>) -> Result<Datatype, Fault> {
        dataset::datatype(&dataset.header).map_err(|fault| fault.within(&dataset.path))
    }

    /// Shape and raw little-endian bytes of a dataset, passed to `decode` without a copy where they lie in one piece.
    pub(crate) fn read<T>(
        &self,
        dataset: &Object<'a>,
        decode: impl FnOnce(Vec<usize>, &[u8]) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (shape, raw) =
            dataset::read(self.bytes, &dataset.header, self.budget).map_err(|fault| fault.within(&dataset.path))?;
        let decoded = decode(shape, &raw);
        if let Cow::Owned(raw) = raw {
            self.budget.release(raw.len());
        }
        decoded
    }
}

/// The address of the root group's header; refuses a file that is shorter or longer than its superblock says.
fn root_address(bytes: &[u8]) -> Result<u64, Fault> {
    let mut reader = Reader::at(bytes, 0, "HDF5 superblock");
    reader.expect(SIGNATURE)?;
    let version = reader.u8()?;
    let (offset_bytes, length_bytes) = match version {
        0 | 1 => {
            reader.skip(4)?;
            let widths = (reader.u8()?, reader.u8()?);
            reader.skip(if version == 0 { 9 } else { 13 })?;
            widths
        }
        2 | 3 => {
            let widths = (reader.u8()?, reader.u8()?);
            reader.skip(1)?;
            widths
        }
        _ => return Err(reader.not_read(format!("version {version}"))),
    };
    if (offset_bytes, length_bytes) != (8, 8) {
        return Err(reader.not_read(format!("offsets of {offset_bytes} and lengths of {length_bytes} bytes")));
    }
    let (base, _free_space_or_extension, end_of_file) = (reader.u64()?, reader.u64()?, reader.u64()?);
    if base != 0 {
        return Err(reader.not_read(format!("the base address {base}")));
    }
    if end_of_file != bytes.len() as u64 {
        let how = if end_of_file > bytes.len() as u64 { "truncated" } else { "something was appended" };
        return Err(reader.damaged(format!("says {end_of_file} bytes, the file has {}: {how}", bytes.len())));
    }
    if version < 2 {
        // Address of the driver information, then the root's symbol table entry, which starts with its name's offset.
        reader.skip(16)?;
    }
    reader.u64()
}
