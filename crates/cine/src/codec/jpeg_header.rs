//! Header of a JPEG or JPEG-LS codestream, up to its first scan (ITU-T T.81 annex B, T.87 annex C).

/// One component of the frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JpegComponent {
    pub id: u8,
    pub horizontal_sampling: u8,
    pub vertical_sampling: u8,
}

/// The frame header and the markers that decide the colors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JpegHeader {
    /// Second byte of the start-of-frame marker: 0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7 JPEG-LS, ...
    pub start_of_frame: u8,
    pub precision_bits: u8,
    pub rows: u32,
    pub columns: u32,
    pub components: Vec<JpegComponent>,
    pub has_jfif_marker: bool,
    /// Transform of the Adobe marker: 0 none, 1 YCbCr.
    pub adobe_transform: Option<u8>,
    /// True if it has a Huffman table of its own.
    pub has_huffman_tables: bool,
    /// True if a run of zero bits must hold coefficients: an AC table gives its all-zero code to one, not to "end of
    /// block" or "sixteen zeros" as tables made for dark images do.
    pub zero_bits_are_coefficients: bool,
    /// Interleave mode of the first JPEG-LS scan: 0 one plane after the other.
    pub interleave_mode: u8,
}

impl JpegHeader {
    /// Reads the markers up to the first scan.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut header = Self {
            start_of_frame: 0,
            precision_bits: 0,
            rows: 0,
            columns: 0,
            components: Vec::new(),
            has_jfif_marker: false,
            adobe_transform: None,
            has_huffman_tables: false,
            zero_bits_are_coefficients: false,
            interleave_mode: 0,
        };
        if !bytes.starts_with(&[0xFF, 0xD8]) {
            return Err("it does not begin with a JPEG start mark".into());
        }
        let mut rest = bytes.get(2..).unwrap_or_default();
        loop {
            let (marker, segment, after) = next_segment(rest).ok_or("its JPEG header is cut")?;
            match (marker, segment) {
                (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7, _) => header.frame(marker, segment)?,
                (0xE0, [b'J', b'F', b'I', b'F', 0, ..]) => header.has_jfif_marker = true,
                (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                    header.adobe_transform = Some(*transform);
                }
                (0xC4, tables) => {
                    header.has_huffman_tables = true;
                    header.zero_bits_are_coefficients |= gives_zero_code_to_a_coefficient(tables);
                }
                (0xDA, _) => {
                    // The last two of the scan header's bytes: interleave mode, point transform.
                    header.interleave_mode = segment.iter().rev().nth(1).copied().unwrap_or(0);
                    break;
                }
                (0xD9, _) => return Err("it ends before its first scan".into()),
                _ => {}
            }
            rest = after;
        }
        if header.components.is_empty() {
            return Err("it has no frame header".into());
        }
        Ok(header)
    }

    fn frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), String> {
        let [precision, r0, r1, c0, c1, count, components @ ..] = segment else {
            return Err("its frame header is cut".into());
        };
        self.start_of_frame = marker;
        self.precision_bits = *precision;
        self.rows = u32::from(u16::from_be_bytes([*r0, *r1]));
        self.columns = u32::from(u16::from_be_bytes([*c0, *c1]));
        let (triples, _) = components.as_chunks::<3>();
        self.components = triples
            .iter()
            .take(usize::from(*count))
            .map(|[id, sampling, _]| JpegComponent {
                id: *id,
                horizontal_sampling: sampling >> 4,
                vertical_sampling: sampling & 0x0F,
            })
            .collect();
        Ok(())
    }

    /// Returns whether the second and third component have fewer samples than the first.
    pub(super) fn has_subsampled_chroma(&self) -> bool {
        let samples = |c: &JpegComponent| u16::from(c.horizontal_sampling) * u16::from(c.vertical_sampling);
        matches!(self.components.as_slice(), [luma, chroma @ ..] if chroma.iter().any(|c| samples(c) < samples(luma)))
    }
}

/// Returns whether a codestream is sequential JPEG of 8 bits in no more scans than components, so that a decoder passes
/// over the image once.
pub(super) fn is_one_pass_8_bit(bytes: &[u8]) -> bool {
    const START_OF_SCAN: [u8; 2] = [0xFF, 0xDA];
    JpegHeader::read(bytes).is_ok_and(|header| {
        let is_sequential = matches!(header.start_of_frame, 0xC0 | 0xC1) && header.precision_bits == 8;
        is_sequential && bytes.windows(2).filter(|pair| *pair == START_OF_SCAN).count() <= header.components.len()
    })
}

/// Returns the codestream without its Adobe segments, which decoders refuse where they are short; what they say is read
/// above.
///
/// `tables` is put in front of all segments.
pub(super) fn without_adobe_segments(bytes: &[u8], tables: &[u8]) -> Vec<u8> {
    let mut kept = bytes.get(..2).unwrap_or_default().to_vec();
    kept.extend_from_slice(tables);
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((marker, _, after)) = next_segment(rest).filter(|(marker, ..)| *marker != 0xDA) {
        if marker != 0xEE {
            kept.extend_from_slice(rest.get(..rest.len() - after.len()).unwrap_or_default());
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// Returns whether the first, all-zero code of an AC table in a DHT segment stands for a coefficient.
fn gives_zero_code_to_a_coefficient(mut tables: &[u8]) -> bool {
    const END_OF_BLOCK: u8 = 0x00;
    const SIXTEEN_ZEROS: u8 = 0xF0;
    while let [class_and_id, rest @ ..] = tables {
        let Some((counts, symbols)) = rest.split_at_checked(16) else {
            return false;
        };
        let is_ac = class_and_id >> 4 == 1;
        let first = symbols.first().copied().unwrap_or(END_OF_BLOCK);
        if is_ac && ![END_OF_BLOCK, SIXTEEN_ZEROS].contains(&first) {
            return true;
        }
        let count: usize = counts.iter().map(|count| usize::from(*count)).sum();
        tables = symbols.get(count..).unwrap_or_default();
    }
    false
}

/// Returns the next marker, its segment without the length, and what follows.
fn next_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    // Fill bytes 0xFF may stand before any marker.
    let marker_at = bytes.iter().position(|byte| *byte == 0xFF)?;
    let code_at = marker_at + bytes.get(marker_at..)?.iter().position(|byte| *byte != 0xFF)?;
    let marker = *bytes.get(code_at)?;
    let rest = bytes.get(code_at + 1..)?;
    let stands_alone = matches!(marker, 0x00 | 0x01 | 0xD0..=0xD9);
    if stands_alone {
        return Some((marker, &[], rest));
    }
    let length = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?));
    Some((marker, rest.get(2..length)?, rest.get(length..)?))
}
