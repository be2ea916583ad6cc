//! The elements that were kept, with readers that never fail on a wrong type or length.

use dicom_core::Tag;

/// A kept element's value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// The bytes as stored.
    Bytes(Vec<u8>),
    /// The items of a sequence.
    Items(Vec<DataSet>),
}

/// The kept elements of one data set or item, in file order.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataSet {
    elements: Vec<(Tag, Value)>,
    big_endian: bool,
}

impl DataSet {
    pub(crate) fn new(big_endian: bool) -> Self {
        Self { elements: Vec::new(), big_endian }
    }

    pub(crate) fn push(&mut self, tag: Tag, value: Value) {
        self.elements.push((tag, value));
    }

    /// Returns whether numbers are big endian.
    pub(crate) fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Returns the value's bytes.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        self.elements.iter().find_map(|(candidate, value)| match value {
            Value::Bytes(bytes) if *candidate == tag => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// Returns the items of a sequence, none where it is absent.
    pub(crate) fn items(&self, tag: Tag) -> &[DataSet] {
        self.elements
            .iter()
            .find_map(|(candidate, value)| match value {
                Value::Items(items) if *candidate == tag => Some(items.as_slice()),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// Returns the value as text, trimmed; nothing where it is absent or empty. Bytes that are not ASCII become `?`,
    /// since no text that we keep needs a character set.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let printable = |&byte: &u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
        let bytes = self.bytes(tag)?;
        let end = bytes.iter().rposition(|byte| *byte != 0 && *byte != b' ')? + 1;
        let text: String = bytes.get(..end)?.iter().map(printable).collect();
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// Returns the backslash-separated values of a text, trimmed.
    pub(crate) fn texts(&self, tag: Tag) -> Vec<String> {
        let split = |text: String| text.split('\\').map(|part| part.trim().to_owned()).collect();
        self.text(tag).map(split).unwrap_or_default()
    }

    /// Returns the decimal strings of an element; one that is not a finite number is `None` in its place. A decimal
    /// comma, which some writers take from the language of their system, counts as a point.
    pub(crate) fn decimals(&self, tag: Tag) -> Vec<Option<f64>> {
        let parse = |part: String| part.replace(',', ".").parse::<f64>().ok().filter(|value| value.is_finite());
        self.texts(tag).into_iter().map(parse).collect()
    }

    /// Returns the first decimal or integer string.
    pub(crate) fn decimal(&self, tag: Tag) -> Option<f64> {
        self.decimals(tag).first().copied().flatten()
    }

    /// Returns all 16-bit words.
    pub(crate) fn u16s(&self, tag: Tag) -> Vec<u16> {
        words(self.bytes(tag).unwrap_or_default(), self.big_endian, u16::from_be_bytes, u16::from_le_bytes)
    }

    /// Returns the first 16-bit word.
    pub(crate) fn u16(&self, tag: Tag) -> Option<u16> {
        self.u16s(tag).first().copied()
    }

    /// Returns the first 32-bit word.
    pub(crate) fn u32(&self, tag: Tag) -> Option<u32> {
        let bytes = self.bytes(tag)?;
        words(bytes, self.big_endian, u32::from_be_bytes, u32::from_le_bytes).first().copied()
    }

    /// Returns all 64-bit words.
    pub(crate) fn u64s(&self, tag: Tag) -> Vec<u64> {
        words(self.bytes(tag).unwrap_or_default(), self.big_endian, u64::from_be_bytes, u64::from_le_bytes)
    }

    /// Returns the first signed 32-bit word.
    pub(crate) fn i32(&self, tag: Tag) -> Option<i32> {
        self.u32(tag).map(u32::cast_signed)
    }

    /// Returns all single-precision numbers, finite or not.
    pub(crate) fn f32s(&self, tag: Tag) -> Vec<f32> {
        words(self.bytes(tag).unwrap_or_default(), self.big_endian, f32::from_be_bytes, f32::from_le_bytes)
    }

    /// Returns the first double-precision number, if finite.
    pub(crate) fn f64(&self, tag: Tag) -> Option<f64> {
        let bytes = self.bytes(tag)?;
        let first = words(bytes, self.big_endian, f64::from_be_bytes, f64::from_le_bytes).first().copied();
        first.filter(|value| value.is_finite())
    }
}

/// Returns the whole words of `bytes` in the given byte order; a rest that is too short is left out.
pub(crate) fn words<T, const N: usize>(
    bytes: &[u8],
    big_endian: bool,
    from_be: fn([u8; N]) -> T,
    from_le: fn([u8; N]) -> T,
) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    let convert = if big_endian { from_be } else { from_le };
    whole.iter().map(|word| convert(*word)).collect()
}
