//! Object headers: the messages that describe a group or a dataset.

use super::UNDEFINED;
use crate::budget::Budget;
use crate::bytes::Reader;
use crate::error::Fault;

/// Kind of a message; only those that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dataspace,
    LinkInfo,
    Datatype,
    Link,
    Layout,
    Filters,
    Attribute,
    AttributeInfo,
    SymbolTable,
}

impl Kind {
    fn of_number(number: u16) -> Option<Kind> {
        Some(match number {
            0x01 => Kind::Dataspace,
            0x02 => Kind::LinkInfo,
            0x03 => Kind::Datatype,
            0x06 => Kind::Link,
            0x08 => Kind::Layout,
            0x0b => Kind::Filters,
            0x0c => Kind::Attribute,
            0x11 => Kind::SymbolTable,
            0x15 => Kind::AttributeInfo,
            _ => return None,
        })
    }
}

const CONTINUATION: u16 = 0x10;
const SHARED_FLAG: u8 = 0x02;

/// The messages of one object.
pub(crate) struct Header<'a> {
    messages: Vec<Message<'a>>,
}

struct Message<'a> {
    kind: Kind,
    is_shared: bool,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the object header at `address`, with its continuation blocks.
    pub(crate) fn read(bytes: &'a [u8], address: u64, budget: &Budget) -> Result<Header<'a>, Fault> {
        budget.visit("object header")?;
        let start = position(address)?;
        let mut reader = Reader::at(bytes, start, "object header");
        let is_version_2 = bytes.get(start..).is_some_and(|rest| rest.starts_with(b"OHDR"));
        let Prefix { message_count, block_bytes, creation_order } =
            if is_version_2 { read_prefix_2(&mut reader)? } else { read_prefix_1(&mut reader)? };
        let mut count = 0;
        let mut messages = Vec::new();
        let mut blocks = vec![reader.take(block_bytes)?];
        while let Some(block) = blocks.pop() {
            let mut reader = Reader::at(block, 0, "object header message");
            let prefix_bytes = if is_version_2 { 4 + 2 * usize::from(creation_order) } else { 8 };
            while reader.left() >= prefix_bytes {
                budget.work(1, "object header")?;
                count += 1;
                let number = if is_version_2 { u16::from(reader.u8()?) } else { reader.u16()? };
                let data_bytes = reader.u16()?;
                let flags = reader.u8()?;
                reader.skip(prefix_bytes - if is_version_2 { 4 } else { 5 })?;
                let data = reader.take(data_bytes.into())?;
                if number == CONTINUATION {
                    budget.grow::<&[u8]>(1, "object header")?;
                    blocks.push(continuation(bytes, data, is_version_2)?);
                } else if let Some(kind) = Kind::of_number(number) {
                    budget.grow::<Message>(1, "object header")?;
                    messages.push(Message { kind, is_shared: flags & SHARED_FLAG != 0, data });
                }
            }
        }
        match message_count {
            Some(expected) if expected != count => {
                Err(reader.damaged(format!("{count} messages instead of {expected}")))
            }
            _ => Ok(Header { messages }),
        }
    }

    /// A group has a symbol table or links; what has a layout is a dataset.
    pub(crate) fn is_dataset(&self) -> bool {
        self.has(Kind::Layout)
    }

    pub(crate) fn is_group(&self) -> bool {
        self.has(Kind::SymbolTable) || self.has(Kind::LinkInfo) || self.has(Kind::Link)
    }

    fn has(&self, kind: Kind) -> bool {
        self.messages.iter().any(|message| message.kind == kind)
    }

    /// All messages of a kind, in the order of the file.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = Result<Reader<'a>, Fault>> {
        let of_kind = self.messages.iter().filter(move |message| message.kind == kind);
        of_kind.map(move |message| {
            if message.is_shared {
                return Err(Fault::not_read(format!("{kind:?} message"), "a message shared between objects"));
            }
            Ok(Reader::at(message.data, 0, "object header message"))
        })
    }

    /// The only message of a kind, or `None`.
    pub(crate) fn one(&self, kind: Kind) -> Result<Option<Reader<'a>>, Fault> {
        let mut all = self.all(kind);
        let first = all.next().transpose()?;
        if all.next().is_some() {
            return Err(Fault::damaged(format!("{kind:?} message"), "is there twice"));
        }
        Ok(first)
    }

    /// The only message of a kind, which must be there.
    pub(crate) fn required(&self, kind: Kind) -> Result<Reader<'a>, Fault> {
        self.one(kind)?.ok_or_else(|| Fault::damaged("object header", format!("has no {kind:?} message")))
    }
}

/// An address as a position in memory.
pub(crate) fn position(address: u64) -> Result<usize, Fault> {
    if address == UNDEFINED {
        return Err(Fault::damaged("an address", "is undefined"));
    }
    usize::try_from(address).map_err(|_| Fault::damaged("an address", format!("{address} is beyond the file")))
}

/// Bytes before the messages.
struct Prefix {
    /// Number of messages in all blocks, where the version states it.
    message_count: Option<u32>,
    block_bytes: usize,
    /// True if each message carries its creation order.
    creation_order: bool,
}

fn read_prefix_1(reader: &mut Reader) -> Result<Prefix, Fault> {
    let version = reader.u8()?;
    if version != 1 {
        return Err(reader.damaged(format!("version {version}")));
    }
    reader.skip(1)?;
    let message_count = Some(u32::from(reader.u16()?));
    reader.skip(4)?;
    let block_bytes = reader.u32()? as usize;
    reader.skip(4)?;
    Ok(Prefix { message_count, block_bytes, creation_order: false })
}

fn read_prefix_2(reader: &mut Reader) -> Result<Prefix, Fault> {
    reader.skip(4)?;
    let (version, flags) = (reader.u8()?, reader.u8()?);
    if version != 2 {
        return Err(reader.damaged(format!("version {version}")));
    }
    let times_bytes = if flags & 0x20 != 0 { 16 } else { 0 };
    let phase_bytes = if flags & 0x10 != 0 { 4 } else { 0 };
    reader.skip(times_bytes + phase_bytes)?;
    let block_bytes = reader.unsigned(1 << (flags & 3))?;
    let block_bytes = usize::try_from(block_bytes).map_err(|_| reader.damaged("is larger than the file"))?;
    Ok(Prefix { message_count: None, block_bytes, creation_order: flags & 0x04 != 0 })
}

fn continuation<'a>(bytes: &'a [u8], message: &[u8], is_version_2: bool) -> Result<&'a [u8], Fault> {
    let mut message = Reader::at(message, 0, "continuation message");
    let (address, mut length) = (message.u64()?, message.size()?);
    let mut reader = Reader::at(bytes, position(address)?, "continuation block");
    if is_version_2 {
        reader.expect(b"OCHK")?;
        // Signature and checksum count as part of the block.
        length = length.checked_sub(8).ok_or_else(|| reader.damaged("is too short"))?;
    }
    reader.take(length)
}
