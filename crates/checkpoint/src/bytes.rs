//! Little-endian numbers out of untrusted bytes: every access is checked.

use crate::error::Fault;

/// A place in some bytes, moving forward.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from `at`; `what` names the structure in messages.
    pub(crate) fn at(bytes: &'a [u8], at: usize, what: &'static str) -> Reader<'a> {
        Reader { bytes, at, what }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let slice = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end)).ok_or_else(|| {
            let what = format!("{count} bytes are needed, {} are there: truncated or damaged", self.left());
            Fault::damaged(self.place(), what)
        })?;
        self.at += count;
        Ok(slice)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Fault> {
        self.take(count).map(|_| ())
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    pub(crate) fn unsigned(&mut self, width: usize) -> Result<u64, Fault> {
        let mut wide = [0; 8];
        let bytes = self.take(width)?;
        let low = wide.get_mut(..width).ok_or_else(|| self.damaged(format!("a number of {width} bytes")))?;
        low.copy_from_slice(bytes);
        Ok(u64::from_le_bytes(wide))
    }

    /// A 64-bit length or offset that must fit in this machine's memory.
    pub(crate) fn size(&mut self) -> Result<usize, Fault> {
        let value = self.u64()?;
        usize::try_from(value).map_err(|_| self.damaged(format!("{value} is no size")))
    }

    /// Refuses when the next bytes are not `signature`.
    pub(crate) fn expect(&mut self, signature: &[u8]) -> Result<(), Fault> {
        let place = self.place();
        if self.take(signature.len())? == signature {
            return Ok(());
        }
        Err(Fault::damaged(place, format!("the signature {} is missing", signature.escape_ascii())))
    }

    /// A fault at this position.
    pub(crate) fn damaged(&self, what: impl Into<String>) -> Fault {
        Fault::damaged(self.place(), what)
    }

    /// Something legal at this position that is not read.
    pub(crate) fn not_read(&self, what: impl Into<String>) -> Fault {
        Fault::not_read(self.place(), what)
    }

    fn place(&self) -> String {
        format!("{} at offset {}", self.what, self.at)
    }
}

/// UTF-8 text, or a fault that names what was to be text.
pub(crate) fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::damaged(what, "is not UTF-8"))
}

/// The first bytes, readable, for messages.
pub(crate) fn excerpt(bytes: &[u8]) -> impl std::fmt::Display {
    bytes[..bytes.len().min(16)].escape_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_and_end_at_the_last_byte() {
        let mut reader = Reader::at(&[1, 2, 3, 4, 5], 0, "test");
        assert_eq!((reader.u16().unwrap(), reader.unsigned(1).unwrap()), (0x0201, 3));
        assert!(reader.u32().is_err());
        assert_eq!(reader.u16().unwrap(), 0x0504);
        assert!(Reader::at(&[], usize::MAX, "test").take(2).is_err());
    }
}
