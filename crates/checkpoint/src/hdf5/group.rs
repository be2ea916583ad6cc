//! Groups: names and addresses of what they hold.

use super::UNDEFINED;
use super::header::{Header, Kind, position};
use crate::budget::Budget;
use crate::bytes::{Reader, text};
use crate::error::Fault;

/// Levels of the B-tree of one group.
const MAX_TREE_DEPTH: u8 = 32;
const SOFT_LINK_CACHE: u32 = 2;

/// One named thing in a group.
pub(crate) struct Link<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: u64,
}

/// All links of a group; none for a dataset.
pub(crate) fn links<'a>(bytes: &'a [u8], header: &Header<'a>, budget: &Budget) -> Result<Vec<Link<'a>>, Fault> {
    let mut links = Vec::new();
    if let Some(mut table) = header.one(Kind::SymbolTable)? {
        let (tree, heap) = (table.u64()?, table.u64()?);
        let heap = read_local_heap(bytes, heap)?;
        read_tree(bytes, tree, MAX_TREE_DEPTH, heap, budget, &mut links)?;
    }
    if let Some(info) = header.one(Kind::LinkInfo)? {
        refuse_fractal_heap(info, "links")?;
    }
    for message in header.all(Kind::Link) {
        budget.grow::<Link>(1, "link message")?;
        links.push(read_link_message(message?)?);
    }
    Ok(links)
}

/// Refuses a link or attribute information message that points to a fractal heap.
pub(crate) fn refuse_fractal_heap(mut info: Reader, what: &str) -> Result<(), Fault> {
    info.skip(1)?;
    let flags = info.u8()?;
    let creation_index_bytes = match (flags & 1 != 0, what) {
        (false, _) => 0,
        (true, "links") => 8,
        (true, _) => 2,
    };
    info.skip(creation_index_bytes)?;
    if info.u64()? == UNDEFINED {
        return Ok(());
    }
    Err(info.not_read(format!("{what} in a fractal heap (written with libver=\"latest\" or track_order)")))
}

/// The names of a symbol table: NUL-terminated, found by offset.
fn read_local_heap(bytes: &[u8], address: u64) -> Result<&[u8], Fault> {
    let mut reader = Reader::at(bytes, position(address)?, "local heap");
    reader.expect(b"HEAP\0\0\0\0")?;
    let length = reader.size()?;
    reader.skip(8)?;
    let data = position(reader.u64()?)?;
    Reader::at(bytes, data, "local heap data").take(length)
}

/// Walks a version 1 B-tree of group nodes down to its symbol nodes, in the order of names.
fn read_tree<'a>(
    bytes: &'a [u8],
    address: u64,
    depth_left: u8,
    heap: &'a [u8],
    budget: &Budget,
    links: &mut Vec<Link<'a>>,
) -> Result<(), Fault> {
    budget.visit("group B-tree")?;
    let mut reader = Reader::at(bytes, position(address)?, "group B-tree");
    reader.expect(b"TREE\0")?;
    let level = reader.u8()?;
    if level >= depth_left {
        return Err(reader.damaged("does not get lower from node to node, or is too deep"));
    }
    let children = reader.u16()?;
    reader.skip(16)?;
    for _ in 0..children {
        budget.work(1, "group B-tree")?;
        reader.skip(8)?;
        let child = reader.u64()?;
        if level == 0 {
            read_symbols(bytes, child, heap, budget, links)?;
        } else {
            read_tree(bytes, child, level, heap, budget, links)?;
        }
    }
    Ok(())
}

fn read_symbols<'a>(
    bytes: &'a [u8],
    address: u64,
    heap: &'a [u8],
    budget: &Budget,
    links: &mut Vec<Link<'a>>,
) -> Result<(), Fault> {
    budget.visit("symbol node")?;
    let mut reader = Reader::at(bytes, position(address)?, "symbol node");
    reader.expect(b"SNOD")?;
    reader.skip(2)?;
    for _ in 0..reader.u16()? {
        budget.grow::<Link>(1, "symbol node")?;
        let (name_at, address, cache) = (reader.size()?, reader.u64()?, reader.u32()?);
        reader.skip(20)?;
        let name = heap.get(name_at..).and_then(|rest| rest.split(|byte| *byte == 0).next());
        let name = text(name.unwrap_or_default(), "a name in a local heap")?;
        budget.work(1 + name.len(), "symbol node")?;
        if cache == SOFT_LINK_CACHE {
            return Err(reader.not_read(format!("the soft link {name}")));
        }
        links.push(link(name, address)?);
    }
    Ok(())
}

fn read_link_message(mut message: Reader<'_>) -> Result<Link<'_>, Fault> {
    message.skip(1)?;
    let flags = message.u8()?;
    let kind = if flags & 0x08 != 0 { message.u8()? } else { 0 };
    message.skip(if flags & 0x04 != 0 { 8 } else { 0 })?;
    message.skip(if flags & 0x10 != 0 { 1 } else { 0 })?;
    let name_bytes = message.unsigned(1 << (flags & 3))?;
    let name_bytes = usize::try_from(name_bytes).map_err(|_| message.damaged("a name larger than the file"))?;
    let name = text(message.take(name_bytes)?, "the name of a link")?;
    if kind != 0 {
        return Err(message.not_read(format!("the soft or external link {name}")));
    }
    link(name, message.u64()?)
}

/// A name must be one step of a path.
fn link(name: &str, address: u64) -> Result<Link<'_>, Fault> {
    if name.is_empty() || name.contains(['/', '\0']) {
        return Err(Fault::damaged("group", format!("{name:?} is no name of a member")));
    }
    Ok(Link { name, address })
}
