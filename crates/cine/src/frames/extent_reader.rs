//! The fragments of one stream, read as if they stood next to each other.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use crate::frames::Extent;
use crate::scan::Source;

/// Reads and seeks over extents of a source without copying them together.
pub(crate) struct ExtentReader {
    source: Source,
    extents: Vec<Extent>,
    length: u64,
    position: u64,
}

impl ExtentReader {
    pub(crate) fn new(source: Source, extents: Vec<Extent>) -> Self {
        let length = extents.iter().map(|extent| extent.length).sum();
        Self { source, extents, length, position: 0 }
    }
}

impl Read for ExtentReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut skipped = 0;
        for extent in &self.extents {
            let inside = self.position - skipped;
            if inside < extent.length {
                let rest = usize::try_from(extent.length - inside).unwrap_or(usize::MAX);
                let wanted = rest.min(buffer.len());
                let count =
                    self.source.read_up_to(extent.offset + inside, buffer.get_mut(..wanted).unwrap_or_default())?;
                self.position += count as u64;
                return Ok(count);
            }
            skipped += extent.length;
        }
        Ok(0)
    }
}

impl Seek for ExtentReader {
    fn seek(&mut self, target: SeekFrom) -> std::io::Result<u64> {
        let position = match target {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let position = position.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        // Past the end nothing can be read; staying there keeps the sums in `read` in range.
        self.position = position.min(self.length);
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::{Extent, ExtentReader, Source};

    #[test]
    fn extents_read_as_one_stream() {
        let source = Source::new(b"--abc--defg-".to_vec()).expect("a source in memory");
        let extents = vec![Extent { offset: 2, length: 3 }, Extent { offset: 7, length: 4 }];
        let mut reader = ExtentReader::new(source, extents);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("memory can be read");
        assert_eq!(text, "abcdefg");
        reader.seek(SeekFrom::End(-5)).expect("the stream can be sought");
        text.clear();
        reader.read_to_string(&mut text).expect("memory can be read");
        assert_eq!(text, "cdefg");
    }
}
