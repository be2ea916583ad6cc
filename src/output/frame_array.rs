//! Frames as a NumPy array, in version 1.0 of its file format.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use cine::Loop;
use files::{Access, AtomicFile};

/// Data begins at a multiple of so many bytes.
const ALIGNMENT: usize = 64;
/// Mark of the format, its version, and the length of the header as two bytes.
const PREAMBLE_BYTES: usize = 10;

/// Writes frames as `u8` of shape `[frames, rows, columns, 3]`, whole or not at all. One frame is in memory at a time.
///
/// # Errors
/// A frame is not there or cannot be decoded, or the file cannot be written.
pub fn write(path: &Path, source: &mut Loop, frames: impl ExactSizeIterator<Item = u32>) -> anyhow::Result<()> {
    let (rows, columns) = (source.header().rows, source.header().columns);
    let mut file = AtomicFile::new(path, Access::Umask)?;
    let mut writer = BufWriter::new(&mut file);
    writer.write_all(&header(frames.len(), rows, columns))?;
    for index in frames {
        let frame = source.frame(index)?;
        anyhow::ensure!(
            (frame.height(), frame.width()) == (rows, columns),
            "frame {index} has another size than the header says"
        );
        writer.write_all(frame.pixels())?;
    }
    writer.flush()?;
    drop(writer);
    Ok(file.commit()?)
}

fn header(frames: usize, rows: u32, columns: u32) -> Vec<u8> {
    let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({frames}, {rows}, {columns}, 3), }}");
    let unpadded = PREAMBLE_BYTES + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    text.push('\n');
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_one_that_numpy_writes() {
        let header = header(2, 48, 64);
        assert_eq!(header.len() % ALIGNMENT, 0);
        assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(header[10..].starts_with(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 48, 64, 3), }"));
        assert_eq!(header.last(), Some(&b'\n'));
    }
}
