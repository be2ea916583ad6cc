//! The one part of a multipart answer, as a stream.

use std::io::{self, BufRead as _, BufReader, Read, Write};

/// Longest line before the object: header lines of a part are short.
const MAX_LINE_BYTES: u64 = 16 << 10;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Copies the first part of a multipart body and returns its length.
///
/// # Errors
/// The body ends before the part does, or reading or writing fails.
pub fn copy_first(body: impl Read, boundary: &str, target: &mut impl Write) -> io::Result<u64> {
    let mut body = BufReader::new(body);
    skip_to_part(&mut body, boundary)?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let (mut held, mut copied) = (Vec::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = body.read(&mut chunk)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends inside the object"));
        }
        held.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let end = held.windows(delimiter.len()).position(|window| window == delimiter);
        // A delimiter may lie across two chunks.
        let sure = end.unwrap_or(held.len().saturating_sub(delimiter.len() - 1));
        target.write_all(held.get(..sure).unwrap_or_default())?;
        copied += sure as u64;
        if end.is_some() {
            return Ok(copied);
        }
        held.drain(..sure);
    }
}

/// Reads up to the empty line that ends the headers of the first part.
fn skip_to_part(body: &mut impl io::BufRead, boundary: &str) -> io::Result<()> {
    let mut is_in_part = false;
    loop {
        let mut line = Vec::new();
        let count = body.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer has no part"));
        }
        let text = line.trim_ascii();
        if is_in_part && text.is_empty() {
            return Ok(());
        }
        is_in_part = is_in_part || text == format!("--{boundary}").as_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives one byte at a time.
    struct OneByteReader<'a>(&'a [u8]);

    impl Read for OneByteReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn body(object: &[u8]) -> Vec<u8> {
        let head = b"preamble\r\n--edge\r\nContent-Type: application/dicom\r\n\r\n";
        [&head[..], object, b"\r\n--edge--\r\n"].concat()
    }

    #[test]
    fn a_part_is_copied_whatever_it_holds_and_however_it_comes() {
        for object in [&b"\r\n--edg\r\n\r\n--"[..], b"", &[7; 200_000]] {
            let mut copy = Vec::new();
            assert_eq!(copy_first(&*body(object), "edge", &mut copy).unwrap(), object.len() as u64);
            assert_eq!(copy, object);
        }
        let mut copy = Vec::new();
        copy_first(OneByteReader(&body(b"slow\r\n")), "edge", &mut copy).unwrap();
        assert_eq!(copy, b"slow\r\n");
    }

    #[test]
    fn a_body_that_is_cut_short_is_an_error() {
        let whole = body(b"object");
        for length in [0, 10, 30, whole.len() - 12] {
            let error = copy_first(&whole[..length], "edge", &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
    }
}
