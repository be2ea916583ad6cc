//! The one part of a multipart answer, as a stream.

use std::io::{self, Read, Write};

use dicom_net::{MultipartParser, PartEvent};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Copies the first part of a multipart body and returns its length.
///
/// # Errors
/// The body ends before the part does or is no multipart one, or reading or writing fails.
pub fn copy_first(mut body: impl Read, boundary: &str, target: &mut impl Write) -> io::Result<u64> {
    let mut parser = MultipartParser::new(boundary);
    let (mut chunk, mut copied) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let event = parser.next_event().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        match event {
            Some(PartEvent::Start { .. }) => {}
            Some(PartEvent::Content(bytes)) => {
                target.write_all(&bytes)?;
                copied += bytes.len() as u64;
            }
            Some(PartEvent::End) => return Ok(copied),
            Some(PartEvent::Finished) => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer has no part"));
            }
            None => match body.read(&mut chunk)? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends inside the object")),
                count => parser.push(chunk.get(..count).unwrap_or_default()),
            },
        }
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
