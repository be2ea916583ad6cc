//! MPEG-2, H.264 and HEVC through FFmpeg: a cursor that decodes forward and never holds more than one frame.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use ffmpeg_next::Dictionary;
use ffmpeg_next::codec::context::Context;
use ffmpeg_next::codec::packet::Packet;
use ffmpeg_next::decoder;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::format::{Pixel, input_from_stream};
use ffmpeg_next::frame::Video;
use ffmpeg_next::media::Type;
use ffmpeg_next::software::scaling;
use ffmpeg_next::util::color::{Range, Space};

use crate::codec::decode_error::DecodeError;
use crate::codec::decoded_frame::{DecodedFrame, SampleColor};
use crate::codec::frame_decoder::ReadSeek;
use crate::codec::frame_decoder::{FrameFormat, VideoDecoder};
use crate::header::ImageFormat;

/// Formats that DICOM allows a video stream to have; others could name files or addresses to read on from.
const CONTAINERS: &str = "mov,mpeg,mpegts,mpegvideo,h264,hevc";

/// The video stream of one loop.
pub(crate) struct VideoStream {
    format: FrameFormat,
    stream: SharedStream,
    cursor: Option<VideoCursor>,
}

impl VideoStream {
    /// Returns a decoder of the stream, of which nothing is read yet.
    pub(crate) fn new(format: FrameFormat, stream: Box<dyn ReadSeek>) -> Self {
        Self { format, stream: SharedStream(Arc::new(Mutex::new(stream))), cursor: None }
    }

    fn start(&self) -> Result<VideoCursor, String> {
        static QUIET: Once = Once::new();
        // FFmpeg writes every oddity of a stream to stderr, which is for our own log.
        QUIET.call_once(|| ffmpeg_next::util::log::set_level(ffmpeg_next::util::log::Level::Quiet));
        let text = |error: ffmpeg_next::Error| error.to_string();
        let mut reader = self.stream.clone();
        reader.rewind().map_err(|error| error.to_string())?;
        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        let input =
            input_from_stream(StreamIo::from_read_seek(reader).map_err(text)?, None, Some(options)).map_err(text)?;
        let stream = input.streams().best(Type::Video).ok_or("it holds no video stream")?;
        let stream_index = stream.index();
        let context = Context::from_parameters(stream.parameters()).map_err(text)?;
        let decoder = context.decoder().video().map_err(text)?;
        // Some streams tell their size only with the first picture.
        if decoder.width() > 0 {
            check_size((decoder.width(), decoder.height()), &self.format.image)?;
        }
        Ok(VideoCursor { input, decoder, stream: stream_index, next_index: 0, is_drained: false })
    }
}

impl VideoDecoder for VideoStream {
    fn count(&mut self, _limit: Duration) -> Result<u32, DecodeError> {
        let mut cursor = self.start().map_err(DecodeError::Corrupt)?;
        let mut packet = Packet::empty();
        let mut pictures = 0_u32;
        while packet.read(&mut cursor.input).is_ok() {
            pictures = pictures.saturating_add(u32::from(packet.stream() == cursor.stream));
        }
        Ok(pictures)
    }

    /// Decodes forward from the cursor, or from the start where the cursor is past the picture.
    fn frame(&mut self, index: u32, _limit: Duration) -> Result<DecodedFrame, DecodeError> {
        let mut cursor = match self.cursor.take() {
            Some(cursor) if cursor.next_index <= index => cursor,
            _ => self.start().map_err(DecodeError::Corrupt)?,
        };
        loop {
            let at = cursor.next_index;
            let picture = cursor
                .next_picture()
                .ok_or_else(|| DecodeError::Corrupt(format!("the video ends after {at} frames")))?;
            if at == index {
                let decoded = to_samples(&picture, &self.format.image).map_err(DecodeError::Corrupt);
                self.cursor = Some(cursor);
                return decoded;
            }
        }
    }
}

/// One stream that each new cursor reads from its start; an earlier cursor is gone by then.
#[derive(Clone)]
struct SharedStream(Arc<Mutex<Box<dyn ReadSeek>>>);

impl SharedStream {
    fn lock(&self) -> MutexGuard<'_, Box<dyn ReadSeek>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for SharedStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl Seek for SharedStream {
    fn seek(&mut self, target: SeekFrom) -> std::io::Result<u64> {
        self.lock().seek(target)
    }
}

/// A position in a video stream: the next picture that comes out is `next_index`.
struct VideoCursor {
    input: Input,
    decoder: decoder::Video,
    stream: usize,
    next_index: u32,
    is_drained: bool,
}

impl VideoCursor {
    /// Returns the next picture in display order, or nothing at the end. Damaged packets are passed over as the decoder
    /// does.
    fn next_picture(&mut self) -> Option<Video> {
        let mut picture = Video::empty();
        loop {
            if self.decoder.receive_frame(&mut picture).is_ok() {
                self.next_index += 1;
                return Some(picture);
            }
            if self.is_drained {
                return None;
            }
            let mut packet = Packet::empty();
            if packet.read(&mut self.input).is_err() {
                self.is_drained = true;
                self.decoder.send_eof().ok()?;
            } else if packet.stream() == self.stream {
                let _ = self.decoder.send_packet(&packet);
            }
        }
    }
}

fn check_size((width, height): (u32, u32), format: &ImageFormat) -> Result<(), String> {
    if (height, width) == (format.rows, format.columns) {
        return Ok(());
    }
    Err(format!("the video is {width} x {height}, the header says {} x {}", format.columns, format.rows))
}

/// Returns the picture's Y, Cb and Cr at full resolution, interleaved, with what the stream says about their range and
/// matrix.
fn to_samples(picture: &Video, format: &ImageFormat) -> Result<DecodedFrame, String> {
    let (width, height) = (picture.width(), picture.height());
    check_size((width, height), format)?;
    let stored = picture.format();
    let names_full_range = matches!(stored, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P);
    let is_full_range = names_full_range || picture.color_range() == Range::JPEG;
    // The scaler leaves sample values alone when both sides name the same range.
    let target = if names_full_range { Pixel::YUVJ444P } else { Pixel::YUV444P };
    let flags = scaling::Flags::BILINEAR | scaling::Flags::ACCURATE_RND;
    let mut scaler = scaling::Context::get(stored, width, height, target, width, height, flags)
        .map_err(|error| error.to_string())?;
    let mut planes = Video::empty();
    scaler.run(picture, &mut planes).map_err(|error| error.to_string())?;
    let mut data = Vec::with_capacity(format.pixels() * 3);
    for row in 0..height as usize {
        let line = |plane: usize| {
            let start = row * planes.stride(plane);
            planes.data(plane).get(start..start + width as usize).unwrap_or_default()
        };
        let pixels = line(0).iter().zip(line(1)).zip(line(2));
        data.extend(pixels.flat_map(|((y, cb), cr)| [*y, *cb, *cr]));
    }
    let color = match (is_full_range, picture.color_space() == Space::BT709) {
        (true, _) => SampleColor::YbrFull,
        (false, false) => SampleColor::YbrPartial,
        (false, true) => SampleColor::YbrPartial709,
    };
    Ok(DecodedFrame { data, samples_per_pixel: 3, bytes_per_sample: 1, color, damage: None })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::{Duration, FrameFormat, VideoDecoder, VideoStream};
    use crate::codec::kind::Codec;
    use crate::frames::{Extent, ExtentReader, basic_offset_table, walk_fragments};
    use crate::header::ImageFormat;
    use crate::open::open_data_set;
    use crate::scan::PixelLocation;
    use domain::Finding;

    /// SHA-256 of the first and the last decoded picture's planes, from the shared data's manifest.
    const PICTURES: [(&str, u32, &str, &str); 3] = [
        (
            "ge_vivid_e95_a3c_h264_mp4.dcm",
            27,
            "9d1b441e7e2c15506653c9b1cba34961dfd204d6dd6a2db31407af59cfae4b22",
            "0aafd47b16592190b4aea3a1c6853820aa117e642cb74d7013ebfb0c2528f90e",
        ),
        (
            "ge_vivid_e95_a3c_hevc.dcm",
            27,
            "2ad46e6db0bcfb25f77a23c516dd46b96aee197cfb0d8e27ef08a27ad97a2a92",
            "b6ca4fed531f38f1b60754692ca0f3a617afb386a0f809d48d8ce3b3315f1427",
        ),
        (
            "sonosite_apical_mpeg2.dcm",
            30,
            "8bb6952c804e93cc191db08d324f1b653270faef026438a6988a7533837f0321",
            "d2f471ca762ef12781dfcea759cd754e7a621d2acf6daae26a4f0a7d1427746f",
        ),
    ];

    fn plane_hash(picture: &super::Video) -> String {
        let mut hasher = Sha256::new();
        for plane in 0..picture.planes() {
            let (width, height) = (picture.plane_width(plane) as usize, picture.plane_height(plane) as usize);
            for row in picture.data(plane).chunks(picture.stride(plane)).take(height) {
                hasher.update(&row[..width]);
            }
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn decoded_planes_are_those_of_the_manifest() {
        let Some(shared) = test_support::shared_data() else { return };
        for (name, frames, first, last) in PICTURES {
            let mut findings: Vec<Finding> = Vec::new();
            let opened = open_data_set(&shared.join("dicom/derived").join(name), &mut findings).expect("it opens");
            let Some(PixelLocation::Encapsulated { offset, .. }) = opened.scan.pixels else {
                panic!("{name} has no encapsulated pixel data");
            };
            let (_, first_item) = basic_offset_table(&opened.source, offset).expect("it has an offset table");
            let extents: Vec<Extent> =
                walk_fragments(&opened.source, first_item, None).expect("it has fragments").extents;
            let image = ImageFormat::read(&opened.scan.data_set, &mut findings).expect("an image");
            let reader = ExtentReader::new(opened.source, extents);
            let mut video = VideoStream::new(FrameFormat { codec: Codec::Video, image }, Box::new(reader));
            assert_eq!(video.count(Duration::ZERO), Ok(frames), "{name}");
            let mut cursor = video.start().expect("FFmpeg opens it");
            let hashes: Vec<String> =
                std::iter::from_fn(|| cursor.next_picture()).map(|picture| plane_hash(&picture)).collect();
            assert_eq!(hashes.len(), frames as usize, "{name}");
            assert_eq!(hashes.first().map(String::as_str), Some(first), "{name}");
            assert_eq!(hashes.last().map(String::as_str), Some(last), "{name}");
        }
    }
}
