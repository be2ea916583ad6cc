//! String attributes: fixed-size text, or text in the global heap.

use super::datatype::{Datatype, read_shape};
use super::group::refuse_fractal_heap;
use super::header::{Header, Kind, position};
use crate::budget::Budget;
use crate::bytes::{Reader, text};
use crate::element::elements;
use crate::error::Fault;

/// The strings of the attribute `name`, row-major, one for a scalar; `None` where there is no such attribute.
///
/// An attribute without elements is empty whatever its type: h5py writes an empty list of names as float64.
pub(crate) fn strings(
    bytes: &[u8],
    header: &Header,
    name: &str,
    budget: &Budget,
) -> Result<Option<Vec<String>>, Fault> {
    for message in header.all(Kind::Attribute) {
        budget.work(1, "attribute")?;
        let attribute = Attribute::read(message?)?;
        if attribute.name == name.as_bytes() {
            return attribute.strings(bytes, budget).map(Some);
        }
    }
    match header.one(Kind::AttributeInfo)? {
        Some(info) => refuse_fractal_heap(info, "attributes").map(|()| None),
        None => Ok(None),
    }
}

struct Attribute<'a> {
    name: &'a [u8],
    is_shared: bool,
    datatype: Reader<'a>,
    dataspace: Reader<'a>,
    data: Reader<'a>,
}

impl<'a> Attribute<'a> {
    fn read(mut message: Reader<'a>) -> Result<Attribute<'a>, Fault> {
        let (version, flags) = (message.u8()?, message.u8()?);
        let sizes = [message.u16()?, message.u16()?, message.u16()?].map(usize::from);
        let padding = match version {
            1 => 8,
            2 => 1,
            3 => {
                message.skip(1)?;
                1
            }
            _ => return Err(message.damaged(format!("attribute version {version}"))),
        };
        let mut part = |bytes: usize| -> Result<&'a [u8], Fault> {
            let padded = message.take(bytes.next_multiple_of(padding))?;
            Ok(&padded[..bytes])
        };
        let [name, datatype, dataspace] = [part(sizes[0])?, part(sizes[1])?, part(sizes[2])?];
        Ok(Attribute {
            name: name.split(|byte| *byte == 0).next().unwrap_or_default(),
            is_shared: version > 1 && flags & 3 != 0,
            datatype: Reader::at(datatype, 0, "attribute datatype"),
            dataspace: Reader::at(dataspace, 0, "attribute dataspace"),
            data: message,
        })
    }

    fn strings(mut self, bytes: &[u8], budget: &Budget) -> Result<Vec<String>, Fault> {
        if self.is_shared {
            return Err(self.data.not_read("a shared datatype"));
        }
        let shape = read_shape(self.dataspace)?;
        let count = elements(&shape).ok_or_else(|| self.data.damaged(format!("{shape:?} is too large")))?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let datatype = Datatype::read(self.datatype)?;
        let mut strings = Vec::new();
        for _ in 0..count {
            let string = match datatype {
                Datatype::FixedText(length) => self.data.take(length)?,
                Datatype::VariableText => {
                    let length = self.data.u32()? as usize;
                    let (collection, index) = (self.data.u64()?, self.data.u32()?);
                    heap_object(bytes, collection, index, length, budget)?
                }
                _ => return Err(self.data.damaged("is no text")),
            };
            let string = string.split(|byte| *byte == 0).next().unwrap_or_default();
            budget.grow::<String>(1, "attribute")?;
            budget.allocate(string.len(), "attribute")?;
            strings.push(text(string, "an attribute")?.to_owned());
        }
        Ok(strings)
    }
}

/// The first `length` bytes of an object in the global heap; empty for address 0, as the library writes empty strings.
fn heap_object<'a>(
    bytes: &'a [u8],
    collection: u64,
    index: u32,
    length: usize,
    budget: &Budget,
) -> Result<&'a [u8], Fault> {
    if collection == 0 && length == 0 {
        return Ok(&[]);
    }
    budget.visit("global heap")?;
    let start = position(collection)?;
    let mut header = Reader::at(bytes, start, "global heap");
    header.expect(b"GCOL\x01\0\0\0")?;
    let collection_bytes = header.size()?;
    let whole = Reader::at(bytes, start, "global heap").take(collection_bytes)?;
    let mut objects = Reader::at(whole, header.position() - start, "global heap object");
    while objects.left() >= 16 {
        budget.work(1, "global heap")?;
        let number = objects.u16()?;
        objects.skip(6)?;
        let object_bytes = objects.size()?;
        if number == 0 {
            break;
        }
        if u32::from(number) == index {
            let object = objects.take(object_bytes)?;
            return object.get(..length).ok_or_else(|| objects.damaged("is shorter than its reference says"));
        }
        let padded = object_bytes.checked_next_multiple_of(8).ok_or_else(|| objects.damaged("is too large"))?;
        objects.skip(padded)?;
    }
    Err(objects.damaged(format!("object {index} is not there")))
}
