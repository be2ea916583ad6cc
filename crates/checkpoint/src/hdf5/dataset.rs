//! Datasets: where the elements lie.

use std::borrow::Cow;

use super::UNDEFINED;
use super::chunks::{self, Chunking};
use super::datatype::{Datatype, read_shape};
use super::header::{Header, Kind, position};
use crate::budget::Budget;
use crate::bytes::Reader;
use crate::element::elements;
use crate::error::Fault;

/// Returns the element type.
pub(crate) fn datatype(header: &Header) -> Result<Datatype, Fault> {
    Datatype::read(header.required(Kind::Datatype)?)
}

/// Shape and bytes of a dataset, row-major; borrowed where they lie in one piece.
pub(crate) fn read<'a>(
    bytes: &'a [u8],
    header: &Header<'a>,
    budget: &Budget,
) -> Result<(Vec<usize>, Cow<'a, [u8]>), Fault> {
    let element_bytes = datatype(header)?.bytes();
    let shape = read_shape(header.required(Kind::Dataspace)?)?;
    let length = elements(&shape).and_then(|count| count.checked_mul(element_bytes));
    let length = length.ok_or_else(|| Fault::damaged("dataspace", format!("{shape:?} is too large")))?;

    let mut layout = header.required(Kind::Layout)?;
    let (version, class) = match layout.u8()? {
        version @ (3 | 4) => (version, layout.u8()?),
        version => return Err(layout.not_read(format!("data layout version {version}"))),
    };
    let data = match class {
        0 => {
            let stored = layout.u16()?;
            Cow::Borrowed(layout.take(stored.into())?)
        }
        1 => {
            let (address, stored) = (layout.u64()?, layout.size()?);
            if address == UNDEFINED && length == 0 {
                Cow::Borrowed(&[][..])
            } else if address == UNDEFINED {
                return Err(layout.damaged("the values were never written"));
            } else {
                Cow::Borrowed(Reader::at(bytes, position(address)?, "values").take(stored)?)
            }
        }
        2 if version == 3 => {
            let chunking = Chunking::read(layout, header.one(Kind::Filters)?, &shape, element_bytes)?;
            let data = chunks::read(bytes, &chunking, length, budget)?;
            return Ok((shape, Cow::Owned(data)));
        }
        2 => return Err(layout.not_read("a chunk index of HDF5 1.10 (written with libver=\"latest\")")),
        _ => return Err(layout.not_read(format!("data layout class {class}"))),
    };
    if data.len() != length {
        let what = format!("{} bytes stored for shape {shape:?} of {element_bytes}-byte elements", data.len());
        return Err(Fault::damaged("values", what));
    }
    Ok((shape, data))
}
