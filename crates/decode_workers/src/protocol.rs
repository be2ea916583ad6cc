//! Messages between the program and a worker: the lengths of two parts, a head in JSON, a body of bytes.

use std::io::{self, Read, Write};
use std::time::Duration;

use cine::{DecodeError, DecodedFrame, FrameFormat};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A head is a few header facts or an error in words.
const MAX_HEAD_BYTES: u32 = 64 << 10;

/// A task with its time limit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub limit: Duration,
    pub task: Task,
}

/// The tasks of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Decode the frame in the body.
    Frame(FrameFormat),
    /// Keep the video stream in the body.
    OpenVideo(FrameFormat),
    /// Count the pictures of the stream.
    CountPictures,
    /// Decode one picture of the stream.
    Picture(u32),
    /// Forget the stream.
    CloseVideo,
}

/// The answer to a task that went well; the samples of a frame are the body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Frame(DecodedFrame),
    Pictures(u32),
    Done,
}

/// The head of a worker's answer.
pub(crate) type Answer = Result<Reply, DecodeError>;

/// Writes the head of a message, behind which `body_bytes` bytes must follow.
pub(crate) fn write_head(writer: &mut impl Write, head: &impl Serialize, body_bytes: u64) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let head_bytes = u32::try_from(head.len()).map_err(|_| invalid("a head is too long"))?;
    let message = [&head_bytes.to_le_bytes(), &body_bytes.to_le_bytes()[..], &head].concat();
    writer.write_all(&message)
}

/// Reads the head of a message and the number of bytes behind it; a larger body than `max_body_bytes` is an error.
pub(crate) fn read_head<T: DeserializeOwned>(reader: &mut impl Read, max_body_bytes: u64) -> io::Result<(T, u64)> {
    let (mut head_bytes, mut body_bytes) = ([0; 4], [0; 8]);
    reader.read_exact(&mut head_bytes)?;
    reader.read_exact(&mut body_bytes)?;
    let (head_bytes, body_bytes) = (u32::from_le_bytes(head_bytes), u64::from_le_bytes(body_bytes));
    if head_bytes > MAX_HEAD_BYTES || body_bytes > max_body_bytes {
        return Err(invalid("a message is too long"));
    }
    let mut head = vec![0; head_bytes as usize];
    reader.read_exact(&mut head)?;
    Ok((serde_json::from_slice(&head)?, body_bytes))
}

/// Reads the body of a message.
pub(crate) fn read_body(reader: &mut impl Read, body_bytes: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(body_bytes).map_err(|_| invalid("a body is too long"))?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

pub(crate) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back_and_a_long_one_is_refused() {
        let mut message = Vec::new();
        let request = Request { limit: Duration::from_secs(5), task: Task::Picture(7) };
        write_head(&mut message, &request, 3).expect("memory can be written");
        message.extend(b"abc");
        let mut reader = message.as_slice();
        let (head, body_bytes) = read_head::<Request>(&mut reader, 3).expect("it is whole");
        assert!(matches!(head.task, Task::Picture(7)));
        assert_eq!(read_body(&mut reader, body_bytes).expect("it is whole"), b"abc");
        assert!(read_head::<Request>(&mut message.as_slice(), 2).is_err(), "a body longer than allowed");
        message[3] = 0xFF;
        assert!(read_head::<Request>(&mut message.as_slice(), 3).is_err(), "a head longer than any");
    }
}
