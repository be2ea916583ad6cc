//! Small DICOM files written byte by byte.

/// Way in which an encapsulated file gives the position of its frames.
#[allow(dead_code)]
#[derive(Debug, Clone, Copy)]
pub enum Fragmenting {
    WithTable,
    WithoutTable,
}

/// A gray loop of `frames` frames, explicit little endian, whose samples are the frame's number.
pub fn native_file(rows: u16, columns: u16, frames: u32) -> Vec<u8> {
    let mut file = header(rows, columns, frames, "1.2.840.10008.1.2.1");
    let frame_bytes = usize::from(rows) * usize::from(columns);
    let samples: Vec<u8> = (0..frames).flat_map(|frame| vec![frame as u8; frame_bytes]).collect();
    file.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0]);
    file.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}

/// The same loop in RLE, one fragment a frame.
pub fn encapsulated_file(rows: u16, columns: u16, frames: u32, fragmenting: Fragmenting) -> Vec<u8> {
    let mut file = header(rows, columns, frames, "1.2.840.10008.1.2.5");
    file.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let fragments: Vec<Vec<u8>> = (0..frames).map(|frame| rle_frame(rows, columns, frame as u8)).collect();
    let mut offset = 0_u32;
    let mut table = Vec::new();
    for fragment in &fragments {
        table.extend_from_slice(&offset.to_le_bytes());
        offset += fragment.len() as u32 + 8;
    }
    match fragmenting {
        Fragmenting::WithTable => item(&mut file, &table),
        Fragmenting::WithoutTable => item(&mut file, &[]),
    }
    fragments.iter().for_each(|fragment| item(&mut file, fragment));
    file.extend_from_slice(&[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    file
}

fn item(file: &mut Vec<u8>, value: &[u8]) {
    file.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
    file.extend_from_slice(&(value.len() as u32).to_le_bytes());
    file.extend_from_slice(value);
}

/// One RLE segment that repeats one level (PS3.5 annex G).
fn rle_frame(rows: u16, columns: u16, level: u8) -> Vec<u8> {
    let mut frame = vec![0; 64];
    frame[0] = 1;
    frame[4] = 64;
    let mut left = usize::from(rows) * usize::from(columns);
    while left > 0 {
        let run = left.min(128);
        // A run of 1 is a literal of length 1.
        let control = if run == 1 { 0 } else { (257 - run) as u8 };
        frame.extend([control, level]);
        left -= run;
    }
    frame
}

/// Preamble, file meta group and the data set up to the pixel data, with a region, timing and R waves.
fn header(rows: u16, columns: u16, frames: u32, transfer_syntax: &str) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    element(&mut file, 0x0002, 0x0010, b"UI", &text(transfer_syntax, 0));
    element(&mut file, 0x0008, 0x0016, b"UI", &text("1.2.840.10008.5.1.4.1.1.3.1", 0));
    element(&mut file, 0x0008, 0x0018, b"UI", &text("1.2.3.4", 0));
    element(&mut file, 0x0008, 0x0060, b"CS", b"US");
    element(&mut file, 0x0010, 0x0010, b"PN", b"Nobody^Ever ");
    element(&mut file, 0x0018, 0x1063, b"DS", b"20");
    element(&mut file, 0x0018, 0x1088, b"IS", b"60");
    region(&mut file, rows, columns);
    let r_waves: Vec<u8> = [100.0_f32, 1100.0].iter().flat_map(|ms| ms.to_le_bytes()).collect();
    element(&mut file, 0x0018, 0x6060, b"FL", &r_waves);
    element(&mut file, 0x0020, 0x000D, b"UI", &text("1.2.3", 0));
    element(&mut file, 0x0020, 0x000E, b"UI", &text("1.2.3.1", 0));
    element(&mut file, 0x0028, 0x0002, b"US", &1_u16.to_le_bytes());
    element(&mut file, 0x0028, 0x0004, b"CS", b"MONOCHROME2 ");
    element(&mut file, 0x0028, 0x0008, b"IS", &text(&frames.to_string(), b' '));
    element(&mut file, 0x0028, 0x0009, b"AT", &[0x18, 0x00, 0x63, 0x10]);
    element(&mut file, 0x0028, 0x0010, b"US", &rows.to_le_bytes());
    element(&mut file, 0x0028, 0x0011, b"US", &columns.to_le_bytes());
    element(&mut file, 0x0028, 0x0100, b"US", &8_u16.to_le_bytes());
    element(&mut file, 0x0028, 0x0101, b"US", &8_u16.to_le_bytes());
    file
}

fn region(file: &mut Vec<u8>, rows: u16, columns: u16) {
    let mut content = Vec::new();
    element(&mut content, 0x0018, 0x6012, b"US", &1_u16.to_le_bytes());
    element(&mut content, 0x0018, 0x6014, b"US", &1_u16.to_le_bytes());
    for (number, corner) in [(0x6018, 0), (0x601A, 0), (0x601C, columns - 1), (0x601E, rows - 1)] {
        element(&mut content, 0x0018, number, b"UL", &u32::from(corner).to_le_bytes());
    }
    file.extend_from_slice(&[0x18, 0x00, 0x11, 0x60, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    item(file, &content);
    file.extend_from_slice(&[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
}

fn element(file: &mut Vec<u8>, group: u16, number: u16, vr: &[u8; 2], value: &[u8]) {
    file.extend_from_slice(&group.to_le_bytes());
    file.extend_from_slice(&number.to_le_bytes());
    file.extend_from_slice(vr);
    file.extend_from_slice(&(value.len() as u16).to_le_bytes());
    file.extend_from_slice(value);
}

/// A text padded to an even length.
fn text(value: &str, padding: u8) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(padding);
    }
    bytes
}
