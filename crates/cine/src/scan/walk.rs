//! The walk over a data set's element headers up to its pixel data.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::error::CineError;
use crate::scan::cursor::Cursor;
use crate::scan::dataset::{DataSet, Value};
use crate::scan::element_header::{ElementHeader, encoding_of_first_item, is_placeholder_vr, read_element_header};
use crate::scan::file_start::keep_value;
use crate::scan::wanted::{Wanted, wanted};
use crate::scan::{Encoding, ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER, Source, UNDEFINED_LENGTH};
use domain::{Finding, FindingCode};

/// Deeper than any real object; structured reports reach about 15.
const MAX_DEPTH: usize = 64;
/// All kept values together: the longest waveform and table, and a margin.
const MAX_KEPT_BYTES: u64 = 64 << 20;
/// Memory of a kept element or item beside its value.
const KEEPING_BYTES: u64 = 64;

/// Position of the pixel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelLocation {
    /// Plain samples: `length` bytes are announced at `offset`; the file may hold fewer.
    Native {
        offset: u64,
        length: u64,
        /// True if 8-bit samples are stored in big endian words, two swapped samples each.
        has_swapped_bytes: bool,
    },
    /// Items from `offset` on, the first of them the basic offset table. They end with a delimiter, or at `end` where
    /// the element has a defined length.
    Encapsulated { offset: u64, end: Option<u64> },
    /// One codestream of `length` bytes without any item around it.
    Bare { offset: u64, length: u64 },
}

/// Result of the walk.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The kept elements.
    pub data_set: DataSet,
    /// Position of the pixel data, if there is any.
    pub pixels: Option<PixelLocation>,
    /// Error that stopped the walk before the pixel data or the end of the file.
    pub stopped_by: Option<CineError>,
    /// End of the walk: the pixel data's first byte, or the last element's end.
    pub end: u64,
    /// Encoding of the data set.
    pub encoding: Encoding,
}

/// Walks the data set at `offset` up to the pixel data of its root, or to the end of the file.
///
/// An error is given back in [`Scan::stopped_by`] together with what was read before it.
pub(crate) fn scan_data_set(source: &Source, offset: u64, encoding: Encoding, findings: &mut Vec<Finding>) -> Scan {
    scan_elements(source, offset, encoding, wanted, findings)
}

/// Walks like [`scan_data_set`], reading the elements that `wanted` names.
pub(crate) fn scan_elements(
    source: &Source,
    offset: u64,
    encoding: Encoding,
    wanted: fn(Tag) -> Wanted,
    findings: &mut Vec<Finding>,
) -> Scan {
    let mut walk = Walk {
        source,
        wanted,
        cursor: Cursor::new(source, offset),
        root: Level::root(encoding),
        levels: Vec::new(),
        pixels: None,
        kept_bytes: 0,
        findings,
    };
    let mut stopped_by = None;
    loop {
        match walk.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                stopped_by = Some(error);
                break;
            }
        }
    }
    while walk.close_level() {}
    Scan { data_set: walk.root.kept, pixels: walk.pixels, stopped_by, end: walk.cursor.position, encoding }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LevelKind {
    Elements,
    Sequence(Tag),
    /// The fragments of pixel data inside a sequence, such as an icon.
    Fragments,
}

/// One open sequence or item.
struct Level {
    kind: LevelKind,
    /// Its end, if its length is defined.
    end: Option<u64>,
    encoding: Encoding,
    /// True if its elements are read.
    keep: bool,
    kept: DataSet,
    items: Vec<DataSet>,
}

impl Level {
    fn new(kind: LevelKind, end: Option<u64>, encoding: Encoding, keep: bool) -> Self {
        Self { kind, end, encoding, keep, kept: DataSet::new(encoding.big_endian), items: Vec::new() }
    }

    fn root(encoding: Encoding) -> Self {
        Self::new(LevelKind::Elements, None, encoding, true)
    }
}

struct Walk<'a> {
    source: &'a Source,
    wanted: fn(Tag) -> Wanted,
    cursor: Cursor<'a>,
    root: Level,
    levels: Vec<Level>,
    pixels: Option<PixelLocation>,
    kept_bytes: u64,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    /// Reads one element header and acts on it; false when the walk is over.
    fn step(&mut self) -> Result<bool, CineError> {
        while self.top().end.is_some_and(|end| self.cursor.position >= end) {
            self.close_level();
        }
        let start = self.cursor.position;
        if start >= self.source.len() {
            return if self.levels.is_empty() { Ok(false) } else { Err(truncated("a sequence")) };
        }
        let encoding = self.top().encoding;
        let Some(header) = read_element_header(&mut self.cursor, encoding)? else {
            self.cursor.position = start;
            return Err(truncated("an element header"));
        };
        match header.tag {
            ITEM => self.item(&header)?,
            ITEM_DELIMITER | SEQUENCE_DELIMITER => self.delimiter(header.tag),
            Tag(0, 0) if self.levels.is_empty() && header.length == 0 => {
                self.cursor.position = start;
                let message = "zero bytes follow the last element";
                self.findings.push(Finding::new(FindingCode::TrailingBytes, message));
                return Ok(false);
            }
            tags::PIXEL_DATA if self.levels.is_empty() => {
                self.pixels = Some(pixel_location(&header, encoding.big_endian));
                return Ok(false);
            }
            _ => self.element(&header)?,
        }
        Ok(true)
    }

    fn top(&self) -> &Level {
        self.levels.last().unwrap_or(&self.root)
    }

    fn top_mut(&mut self) -> &mut Level {
        self.levels.last_mut().unwrap_or(&mut self.root)
    }

    fn open_level(&mut self, level: Level) -> Result<(), CineError> {
        // A nested sequence is two levels here: the sequence and its item.
        if self.levels.len() >= 2 * MAX_DEPTH {
            return Err(CineError::NestedTooDeeply { limit: MAX_DEPTH });
        }
        self.levels.push(level);
        Ok(())
    }

    /// Accounts for something that is kept, so that a file of a million small items cannot fill the memory.
    fn account(&mut self, bytes: u64) -> Result<(), CineError> {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes).saturating_add(KEEPING_BYTES);
        if self.kept_bytes <= MAX_KEPT_BYTES {
            return Ok(());
        }
        Err(CineError::TooLarge { what: "the header", bytes: self.kept_bytes, limit: MAX_KEPT_BYTES })
    }

    /// Closes the innermost level and hands what it kept to its parent; false at the root.
    fn close_level(&mut self) -> bool {
        let Some(level) = self.levels.pop() else {
            return false;
        };
        if level.keep {
            let parent = self.top_mut();
            match level.kind {
                LevelKind::Elements => parent.items.push(level.kept),
                LevelKind::Sequence(tag) => parent.kept.push(tag, Value::Items(level.items)),
                LevelKind::Fragments => {}
            }
        }
        true
    }

    fn item(&mut self, header: &ElementHeader) -> Result<(), CineError> {
        let defined_end = (header.length != UNDEFINED_LENGTH).then(|| header.value_offset + u64::from(header.length));
        match self.top().kind {
            LevelKind::Sequence(_) => {
                let (encoding, keep) = (self.top().encoding, self.top().keep);
                if keep {
                    self.account(0)?;
                }
                self.open_level(Level::new(LevelKind::Elements, defined_end, encoding, keep))
            }
            LevelKind::Fragments => self.skip_to(defined_end.unwrap_or(header.value_offset), header.tag),
            LevelKind::Elements => {
                self.stray(header.tag);
                Ok(())
            }
        }
    }

    /// Closes what a delimiter ends. Real scanner files hold delimiters that end nothing; they are passed over.
    fn delimiter(&mut self, tag: Tag) {
        let ends_item = tag == ITEM_DELIMITER;
        match (self.levels.is_empty(), self.top().kind) {
            (true, _) => self.stray(tag),
            (false, LevelKind::Elements) => {
                self.close_level();
                if !ends_item {
                    self.close_level();
                }
            }
            (false, _) if !ends_item => {
                self.close_level();
            }
            (false, _) => self.stray(tag),
        }
    }

    fn stray(&mut self, tag: Tag) {
        let message = format!("{tag} stands where no sequence is open");
        if !self.findings.iter().any(|finding| finding.code == FindingCode::StrayDelimiter) {
            self.findings.push(Finding::new(FindingCode::StrayDelimiter, message));
        }
    }

    fn element(&mut self, header: &ElementHeader) -> Result<(), CineError> {
        if !matches!(self.top().kind, LevelKind::Elements) {
            return Err(corrupt(header.tag, "an element stands between the items of a sequence"));
        }
        if header.vr.is_some_and(is_placeholder_vr) {
            let message = format!("{} has no value representation but {:?}", header.tag, "??");
            self.findings.push(Finding::new(FindingCode::VrUnknown, message));
        }
        let keep = self.top().keep;
        let is_wanted_sequence = keep && (self.wanted)(header.tag) == Wanted::Sequence;
        if header.length == UNDEFINED_LENGTH {
            return self.undefined_length(header, is_wanted_sequence);
        }
        let end = header.value_offset + u64::from(header.length);
        if is_wanted_sequence && end <= self.source.len() {
            let encoding = self.sequence_encoding(header)?;
            return self.open_level(Level::new(LevelKind::Sequence(header.tag), Some(end), encoding, true));
        }
        self.skip_to(end, header.tag)?;
        if keep {
            let length = u64::from(header.length);
            if matches!((self.wanted)(header.tag), Wanted::Value { max_bytes } if length <= max_bytes) {
                self.account(length)?;
            }
            let (source, wanted) = (self.source, (self.wanted)(header.tag));
            let kept = &mut self.top_mut().kept;
            if keep_value(source, kept, (header.tag, wanted), header.value_offset, length)? {
                let message = format!("{} is {} bytes long and was left out", header.tag, header.length);
                self.findings.push(Finding::new(FindingCode::ValueTooLong, message));
            }
        }
        Ok(())
    }

    fn undefined_length(&mut self, header: &ElementHeader, is_wanted_sequence: bool) -> Result<(), CineError> {
        let kind = match header.vr {
            Some(vr) if [*b"OB", *b"OW"].contains(&vr) => LevelKind::Fragments,
            Some(vr) if ![*b"SQ", *b"UN"].contains(&vr) => {
                return Err(corrupt(header.tag, "undefined length where only sequences have it"));
            }
            None if header.tag == tags::PIXEL_DATA => LevelKind::Fragments,
            _ => LevelKind::Sequence(header.tag),
        };
        let encoding = self.sequence_encoding(header)?;
        self.open_level(Level::new(kind, None, encoding, is_wanted_sequence))
    }

    /// Returns the encoding of a sequence's items.
    ///
    /// Those of a sequence stored as UN are implicit little endian (PS3.5 section 6.2.2), all others as the level
    /// around them. Private sequences in the field break both rules, by value representation and by byte order, so the
    /// first item and the first element in it are looked at.
    fn sequence_encoding(&mut self, header: &ElementHeader) -> Result<Encoding, CineError> {
        let stated = if header.vr == Some(*b"UN") { Encoding::IMPLICIT_LITTLE } else { self.top().encoding };
        let first = self.cursor.peek::<16>()?;
        let seen = first.map_or(stated, |bytes| encoding_of_first_item(bytes, stated));
        if seen != stated && header.vr != Some(*b"UN") {
            let message = format!("the items of {} are encoded otherwise than the data set around them", header.tag);
            self.findings.push(Finding::new(FindingCode::ItemEncodingUnexpected, message));
        }
        Ok(seen)
    }

    fn skip_to(&mut self, end: u64, tag: Tag) -> Result<(), CineError> {
        if end > self.source.len() {
            return Err(truncated(&format!("element {tag}")));
        }
        self.cursor.position = end;
        Ok(())
    }
}

fn pixel_location(header: &ElementHeader, big_endian: bool) -> PixelLocation {
    let offset = header.value_offset;
    if header.length == UNDEFINED_LENGTH {
        PixelLocation::Encapsulated { offset, end: None }
    } else {
        PixelLocation::Native {
            offset,
            length: u64::from(header.length),
            has_swapped_bytes: big_endian && header.vr == Some(*b"OW"),
        }
    }
}

fn truncated(inside: &str) -> CineError {
    CineError::Truncated { inside: inside.into() }
}

fn corrupt(tag: Tag, reason: &str) -> CineError {
    CineError::CorruptHeader { tag, reason: reason.into() }
}
