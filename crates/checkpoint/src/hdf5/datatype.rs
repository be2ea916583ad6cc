//! Datatype and dataspace messages: what one element is, and how many there are.

use crate::bytes::Reader;
use crate::element::Element;
use crate::error::Fault;

/// More axes than any weight has.
const MAX_RANK: u8 = 32;

/// Type of one element of a dataset or attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datatype {
    /// A floating number that is read.
    Float(Element),
    /// An integer, a boolean or an enumeration of so many bytes.
    Integer(usize),
    /// Text of so many bytes, padded with NULs or blanks.
    FixedText(usize),
    /// Text in the global heap.
    VariableText,
    /// Bytes without meaning; Keras stores bfloat16 so.
    Opaque(usize),
}

impl Datatype {
    /// Bytes of one element where it stands.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Datatype::Float(element) => element.bytes(),
            Datatype::Integer(bytes) | Datatype::FixedText(bytes) | Datatype::Opaque(bytes) => bytes,
            Datatype::VariableText => 16,
        }
    }

    pub(crate) fn read(mut reader: Reader) -> Result<Datatype, Fault> {
        let class_and_version = reader.u8()?;
        let (class, version) = (class_and_version & 0x0f, class_and_version >> 4);
        if !(1..=5).contains(&version) {
            return Err(reader.damaged(format!("datatype version {version}")));
        }
        let [bits, _, _] = reader.array()?;
        let bytes = reader.u32()? as usize;
        if bytes == 0 && class != 3 {
            return Err(reader.damaged("elements of 0 bytes"));
        }
        match class {
            0 | 8 => Ok(Datatype::Integer(bytes)),
            1 => read_float(reader, bits, bytes).map(Datatype::Float),
            3 => Ok(Datatype::FixedText(bytes)),
            5 => Ok(Datatype::Opaque(bytes)),
            9 if bits & 0x0f == 1 && bytes == 16 => Ok(Datatype::VariableText),
            _ => Err(reader.not_read(format!("datatype class {class}"))),
        }
    }
}

/// Recognizes the IEEE types and bfloat16 by every property; anything else would be decoded wrongly.
fn read_float(mut reader: Reader, bits: u8, bytes: usize) -> Result<Element, Fault> {
    if bits & 0x41 != 0 {
        return Err(reader.not_read("a big-endian or VAX number"));
    }
    let (bit_offset, precision) = (reader.u16()?, reader.u16()?);
    let [exponent_at, exponent_bits, mantissa_at, mantissa_bits] = reader.array()?;
    let bias = reader.u32()?;
    let layout = (bytes, bit_offset, precision, exponent_at, exponent_bits, mantissa_at, mantissa_bits, bias);
    match layout {
        (2, 0, 16, 10, 5, 0, 10, 15) => Ok(Element::F16),
        (2, 0, 16, 7, 8, 0, 7, 127) => Ok(Element::BF16),
        (4, 0, 32, 23, 8, 0, 23, 127) => Ok(Element::F32),
        (8, 0, 64, 52, 11, 0, 52, 1023) => Ok(Element::F64),
        _ => Err(reader.not_read(format!("a floating number of {bytes} bytes and {exponent_bits} exponent bits"))),
    }
}

/// The shape of a dataspace message; `[0]` for a null one.
pub(crate) fn read_shape(mut reader: Reader) -> Result<Vec<usize>, Fault> {
    let (version, rank) = (reader.u8()?, reader.u8()?);
    reader.skip(1)?;
    let is_null = match version {
        1 => {
            reader.skip(5)?;
            false
        }
        2 => reader.u8()? == 2,
        _ => return Err(reader.damaged(format!("dataspace version {version}"))),
    };
    if rank > MAX_RANK {
        return Err(reader.damaged(format!("{rank} axes")));
    }
    if is_null {
        return Ok(vec![0]);
    }
    (0..rank).map(|_| reader.size()).collect()
}
