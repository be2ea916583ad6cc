//! Multipart bodies (RFC 2046 section 5.1) as they come, in bounded memory.
//!
//! `multer` gathers what stands before a part, and its headers, without a limit.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

/// Bytes before the first part, or of the headers of a part, at most.
const MAX_HEAD: usize = 16 * 1024;

/// Something that was found in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartEvent {
    /// A part begins.
    Start {
        /// Its `Content-Type`, where it has one.
        content_type: Option<String>,
    },
    /// Bytes of the part.
    Content(Bytes),
    /// The part is whole.
    End,
    /// The last part is over; what follows means nothing.
    Finished,
}

/// The reason why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// More than 16 KiB before the first part, or of headers.
    #[error("more than 16 KiB before the content of a part")]
    LongHead,
    /// A boundary inside other text, or a header line without end.
    #[error("no multipart body with this boundary")]
    Malformed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    AfterDelimiter,
    Headers,
    Content,
    Finished,
}

/// A parser that is given the bytes of a body as they come.
#[derive(Debug)]
pub struct MultipartParser {
    delimiter: Vec<u8>,
    buffer: BytesMut,
    place: Place,
    preamble: usize,
}

impl MultipartParser {
    /// Starts a body whose parts lie between lines of `boundary`.
    pub fn new(boundary: &str) -> Self {
        // The first boundary may stand at the very start, without the end of a line before it.
        let (delimiter, buffer) = (format!("\r\n--{boundary}").into_bytes(), BytesMut::from(&b"\r\n"[..]));
        Self { delimiter, buffer, place: Place::Preamble, preamble: 0 }
    }

    /// Takes the next bytes of the body. All events should be taken before: what is not is kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next event; `None` until more bytes come.
    ///
    /// # Errors
    /// [`MultipartError`]; nothing more can be read then.
    pub fn next_event(&mut self) -> Result<Option<PartEvent>, MultipartError> {
        loop {
            match self.place {
                Place::Preamble => match self.skip_to_delimiter() {
                    Some(_) => {}
                    None if self.preamble > MAX_HEAD => return Err(MultipartError::LongHead),
                    None => return Ok(None),
                },
                Place::AfterDelimiter => match self.buffer.get(..2) {
                    Some(b"--") => {
                        self.place = Place::Finished;
                        return Ok(Some(PartEvent::Finished));
                    }
                    Some(_) => match memmem::find(&self.buffer, b"\r\n") {
                        // The end of the line stays: with it headers end by an empty line also where there are none.
                        Some(end) if self.buffer[..end].iter().all(|byte| b" \t".contains(byte)) => {
                            self.buffer.advance(end);
                            self.place = Place::Headers;
                        }
                        None if self.buffer.len() < MAX_HEAD => return Ok(None),
                        _ => return Err(MultipartError::Malformed),
                    },
                    None => return Ok(None),
                },
                Place::Headers => match memmem::find(&self.buffer, b"\r\n\r\n") {
                    Some(end) if end <= MAX_HEAD => {
                        let headers = self.buffer.split_to(end + 4);
                        self.place = Place::Content;
                        return Ok(Some(PartEvent::Start { content_type: content_type(&headers) }));
                    }
                    None if self.buffer.len() <= MAX_HEAD => return Ok(None),
                    _ => return Err(MultipartError::LongHead),
                },
                Place::Content => {
                    if self.buffer.starts_with(&self.delimiter) {
                        self.buffer.advance(self.delimiter.len());
                        self.place = Place::AfterDelimiter;
                        return Ok(Some(PartEvent::End));
                    }
                    let sure = self.bytes_before_delimiter();
                    let content = self.buffer.split_to(sure).freeze();
                    return Ok((!content.is_empty()).then_some(PartEvent::Content(content)));
                }
                Place::Finished => return Ok(None),
            }
        }
    }

    fn skip_to_delimiter(&mut self) -> Option<()> {
        let sure = self.bytes_before_delimiter();
        self.preamble += sure;
        self.buffer.advance(sure);
        self.buffer.starts_with(&self.delimiter).then(|| {
            self.buffer.advance(self.delimiter.len());
            self.place = Place::AfterDelimiter;
        })
    }

    /// Returns the bytes that are no part of a delimiter, whatever follows.
    fn bytes_before_delimiter(&self) -> usize {
        memmem::find(&self.buffer, &self.delimiter)
            .unwrap_or_else(|| self.buffer.len().saturating_sub(self.delimiter.len() - 1))
    }
}

/// Returns the `Content-Type` of the headers of a part.
fn content_type(headers: &[u8]) -> Option<String> {
    headers.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        name.trim_ascii()
            .eq_ignore_ascii_case(b"content-type")
            .then(|| String::from_utf8_lossy(value.trim_ascii()).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Type and content.
    type WholePart = (Option<String>, Vec<u8>);

    /// Returns the parts of a body that comes in pieces, and true if it came to its end.
    fn parts(body: &[u8], piece: usize) -> Result<(Vec<WholePart>, bool), MultipartError> {
        let mut parser = MultipartParser::new("edge");
        let (mut parts, mut is_finished) = (Vec::new(), false);
        for piece in body.chunks(piece) {
            parser.push(piece);
            while let Some(event) = parser.next_event()? {
                match event {
                    PartEvent::Start { content_type } => parts.push((content_type, Vec::new())),
                    PartEvent::Content(bytes) => parts.last_mut().unwrap().1.extend_from_slice(&bytes),
                    PartEvent::End => {}
                    PartEvent::Finished => is_finished = true,
                }
            }
            assert!(parser.buffer.len() <= MAX_HEAD + piece.len() + 8, "{} bytes held", parser.buffer.len());
        }
        Ok((parts, is_finished))
    }

    #[test]
    fn parts_are_found_whatever_they_hold_and_however_they_come() {
        let contents = [&b"\r\n--edg\r\n\r\n--"[..], b"", &[7; 20_000], b"\r\n--edg"];
        let mut body = b"preamble\r\n".to_vec();
        for content in contents {
            body.extend(b"--edge \t\r\nX: y\r\nContent-type:  application/dicom \r\n\r\n");
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge\r\n\r\nno headers\r\n--edge--\r\nepilogue");
        for piece in [1, 2, 7, 1000, body.len()] {
            let (found, is_finished) = parts(&body, piece).unwrap();
            assert!(is_finished);
            assert_eq!(found.len(), 5);
            for ((kind, content), expected) in found.iter().zip(contents) {
                assert_eq!((kind.as_deref(), &content[..]), (Some("application/dicom"), expected), "{piece}");
            }
            assert_eq!(found[4], (None, b"no headers".to_vec()));
        }
    }

    #[test]
    fn heads_without_end_and_text_behind_a_boundary_are_refused() {
        let endless_header = [b"--edge\r\nX: ".to_vec(), vec![b'a'; 40_000]].concat();
        assert_eq!(parts(&endless_header, 1000), Err(MultipartError::LongHead));
        assert_eq!(parts(&vec![b'a'; 40_000], 1000), Err(MultipartError::LongHead));
        assert_eq!(parts(b"--edges\r\n\r\nx", 1000), Err(MultipartError::Malformed));
        assert_eq!(parts(b"--edge--", 1000), Ok((Vec::new(), true)));
        assert_eq!(parts(b"--edge\r\n\r\ncut sh", 1000).map(|(_, is_finished)| is_finished), Ok(false));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parts_or_an_error(body in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..300), piece in 1_usize..40) {
            let body = [b"--edge\r\n\r\n".to_vec(), body].concat();
            let whole = parts(&body, body.len());
            prop_assert_eq!(parts(&body, piece), whole);
        }
    }
}
