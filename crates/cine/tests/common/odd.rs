//! Loops of 8 frames of 160 x 120 in explicit little endian, whose header and pixel data a test may bend.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

pub const ROWS: u16 = 120;
pub const COLUMNS: u16 = 160;
pub const FRAMES: usize = 8;
pub const JPEG: &str = "1.2.840.10008.1.2.4.50";
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
pub const UNDEFINED: u32 = u32::MAX;

/// The header of a loop; the fields are what the tests change.
pub struct Header {
    pub sop_instance_uid: String,
    pub transfer_syntax: &'static str,
    pub modality: &'static str,
    pub samples_per_pixel: u16,
    pub photometric: &'static str,
    pub bits: (u16, u16),
    /// Planar Configuration, written where there are three samples.
    pub planar: u16,
    /// Pixel Representation.
    pub signed: u16,
    pub rows: u16,
    pub columns: u16,
    pub frames: usize,
    /// Frame Time (0018,1063).
    pub frame_time: Option<&'static str>,
    /// Frame Time Vector (0018,1065).
    pub frame_time_vector: Option<String>,
    /// Corners of one 2-D region.
    pub region: Option<[u32; 4]>,
    /// Bytes that stand before group 0028.
    pub extra: Vec<u8>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            sop_instance_uid: "1.2.3.4".to_owned(),
            transfer_syntax: EXPLICIT_LITTLE,
            modality: "US",
            samples_per_pixel: 3,
            photometric: "RGB",
            bits: (8, 8),
            planar: 0,
            signed: 0,
            rows: ROWS,
            columns: COLUMNS,
            frames: FRAMES,
            frame_time: Some("33.333"),
            frame_time_vector: None,
            region: None,
            extra: Vec::new(),
        }
    }
}

impl Header {
    /// The header of a JPEG loop.
    pub fn jpeg() -> Self {
        Self { transfer_syntax: JPEG, photometric: "YBR_FULL_422", ..Self::default() }
    }

    /// The file with `pixel_element` as its last element.
    pub fn file(&self, pixel_element: &[u8]) -> Vec<u8> {
        let implicit = self.transfer_syntax == IMPLICIT_LITTLE;
        let mut body = Vec::new();
        let mut put = |group, number, vr: &[u8; 2], value: &[u8]| {
            body.extend(element(group, number, vr, value, implicit));
        };
        put(0x0008, 0x0016, b"UI", &text("1.2.840.10008.5.1.4.1.1.3.1", 0));
        put(0x0008, 0x0018, b"UI", &text(&self.sop_instance_uid, 0));
        put(0x0008, 0x0060, b"CS", &text(self.modality, b' '));
        if let Some(ms) = self.frame_time {
            put(0x0018, 0x1063, b"DS", &text(ms, b' '));
        }
        if let Some(vector) = &self.frame_time_vector {
            put(0x0018, 0x1065, b"DS", &text(vector, b' '));
        }
        if let Some([x0, y0, x1, y1]) = self.region {
            let mut region = Vec::new();
            region.extend(element(0x0018, 0x6012, b"US", &1_u16.to_le_bytes(), implicit));
            region.extend(element(0x0018, 0x6014, b"US", &1_u16.to_le_bytes(), implicit));
            for (number, corner) in [(0x6018, x0), (0x601A, y0), (0x601C, x1), (0x601E, y1)] {
                region.extend(element(0x0018, number, b"UL", &corner.to_le_bytes(), implicit));
            }
            put(0x0018, 0x6011, b"SQ", &item(&region));
        }
        put(0x0020, 0x000D, b"UI", &text("1.2.3", 0));
        put(0x0020, 0x000E, b"UI", &text("1.2.3.1", 0));
        body.extend_from_slice(&self.extra);
        let mut put = |group, number, vr: &[u8; 2], value: &[u8]| {
            body.extend(element(group, number, vr, value, implicit));
        };
        put(0x0028, 0x0002, b"US", &self.samples_per_pixel.to_le_bytes());
        put(0x0028, 0x0004, b"CS", &text(self.photometric, b' '));
        if self.samples_per_pixel == 3 {
            put(0x0028, 0x0006, b"US", &self.planar.to_le_bytes());
        }
        put(0x0028, 0x0008, b"IS", &text(&self.frames.to_string(), b' '));
        let pointer = if self.frame_time_vector.is_some() { 0x65 } else { 0x63 };
        put(0x0028, 0x0009, b"AT", &[0x18, 0x00, pointer, 0x10]);
        put(0x0028, 0x0010, b"US", &self.rows.to_le_bytes());
        put(0x0028, 0x0011, b"US", &self.columns.to_le_bytes());
        put(0x0028, 0x0100, b"US", &self.bits.0.to_le_bytes());
        put(0x0028, 0x0101, b"US", &self.bits.1.to_le_bytes());
        put(0x0028, 0x0103, b"US", &self.signed.to_le_bytes());
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        file.extend(element(0x0002, 0x0010, b"UI", &text(self.transfer_syntax, 0), false));
        file.extend(body);
        file.extend_from_slice(pixel_element);
        file
    }
}

/// A text padded to an even length.
pub fn text(value: &str, padding: u8) -> Vec<u8> {
    even(value.as_bytes().to_vec(), padding)
}

/// Bytes padded to an even length.
pub fn even(mut bytes: Vec<u8>, padding: u8) -> Vec<u8> {
    if bytes.len() % 2 == 1 {
        bytes.push(padding);
    }
    bytes
}

/// One element of defined length.
pub fn element(group: u16, number: u16, vr: &[u8; 2], value: &[u8], implicit: bool) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    if implicit {
        bytes.extend((value.len() as u32).to_le_bytes());
    } else if [b"OB", b"OW", b"SQ", b"UN"].contains(&vr) {
        bytes.extend_from_slice(vr);
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend_from_slice(vr);
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

/// The head of an explicit element with a 32-bit length.
pub fn long_head(group: u16, number: u16, vr: &[u8; 2], length: u32) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend_from_slice(vr);
    bytes.extend([0, 0]);
    bytes.extend(length.to_le_bytes());
    bytes
}

pub fn item(value: &[u8]) -> Vec<u8> {
    [&[0xFE, 0xFF, 0x00, 0xE0], (value.len() as u32).to_le_bytes().as_slice(), value].concat()
}

pub const DELIMITER: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

/// Pixel data of defined length that holds these bytes.
pub fn native(bytes: &[u8]) -> Vec<u8> {
    [long_head(0x7FE0, 0x0010, b"OB", bytes.len() as u32).as_slice(), bytes].concat()
}

/// Encapsulated pixel data with an empty offset table and one item a frame.
pub fn encapsulated(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = long_head(0x7FE0, 0x0010, b"OB", UNDEFINED);
    bytes.extend(item(&[]));
    frames.iter().for_each(|frame| bytes.extend(item(frame)));
    bytes.extend(DELIMITER);
    bytes
}

/// A picture whose texture moves: RGB, `rows * columns * 3` bytes.
pub fn picture(frame: usize, rows: u16, columns: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..usize::from(rows) {
        for x in 0..usize::from(columns) {
            let off_axis = (x as f64 - f64::from(columns) / 2.0).abs();
            let inside = off_axis < y as f64 * 0.6 && y > 10 && y + 8 < usize::from(rows);
            let wave = ((x * 3 + frame * 5) / 7 + (y * 2 + frame) / 5) % 9;
            let level = if inside { 40 + 20 * wave as u8 } else { 0 };
            bytes.extend([level; 3]);
        }
    }
    bytes
}

/// All frames behind each other.
pub fn pictures() -> Vec<u8> {
    (0..FRAMES).flat_map(|frame| picture(frame, ROWS, COLUMNS)).collect()
}

/// The frames as baseline JPEG, `rows` x COLUMNS, padded to an even length.
pub fn jpegs(rows: u16) -> Vec<Vec<u8>> {
    (0..FRAMES)
        .map(|frame| {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 90);
            encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
            encoder
                .encode(&picture(frame, rows, COLUMNS), COLUMNS, rows, ColorType::Rgb)
                .expect("the picture can be encoded");
            even(bytes, 0)
        })
        .collect()
}

/// The JPEG without its end mark.
pub fn without_end_mark(jpeg: &[u8]) -> Vec<u8> {
    let end = jpeg.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).expect("it has an end mark");
    even(jpeg[..end].to_vec(), 0)
}

/// The JPEG without its Huffman tables.
pub fn without_huffman_tables(jpeg: &[u8]) -> Vec<u8> {
    let mut kept = jpeg[..2].to_vec();
    let mut at = 2;
    while jpeg[at + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xC4 {
            kept.extend_from_slice(&jpeg[at..at + 2 + length]);
        }
        at += 2 + length;
    }
    kept.extend_from_slice(&jpeg[at..]);
    even(kept, 0)
}
