//! Header of a JPEG 2000 codestream (ISO/IEC 15444-1 annex A.5 and A.6).

/// The few facts of the SIZ and COD segments that decide whether and how a frame is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jpeg2000Header {
    pub rows: u32,
    pub columns: u32,
    pub components: u16,
    pub precision_bits: u8,
    /// Number of quality layers.
    pub layers: u16,
    /// True if the codestream applies a color transform, which the decoder undoes to RGB.
    pub has_color_transform: bool,
}

impl Jpeg2000Header {
    /// Finds the codestream, bare or inside a JP2 file, and reads its SIZ and COD segments.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        const CODESTREAM_START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
        const CODING_STYLE: u8 = 0x52;
        let start = bytes.windows(4).position(|window| window == CODESTREAM_START)?;
        let mut rest = bytes.get(start + 2..)?;
        let mut size = None;
        loop {
            let ([0xFF, marker, l0, l1], _) = rest.split_first_chunk::<4>()? else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([*l0, *l1]));
            let segment = rest.get(4..length + 2)?;
            if *marker == 0x51 {
                size = Some(Self::size(segment)?);
            } else if *marker == CODING_STYLE {
                let mut header: Self = size?;
                header.layers = u16::from_be_bytes(segment.get(2..4)?.try_into().ok()?);
                header.has_color_transform = *segment.get(4)? == 1;
                return Some(header);
            }
            rest = rest.get(length + 2..)?;
        }
    }

    fn size(segment: &[u8]) -> Option<Self> {
        let word = |at: usize| segment.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        Some(Self {
            rows: word(6)?.checked_sub(word(14)?)?,
            columns: word(2)?.checked_sub(word(10)?)?,
            components: u16::from_be_bytes(segment.get(34..36)?.try_into().ok()?),
            precision_bits: (segment.get(36)? & 0x7F) + 1,
            layers: 0,
            has_color_transform: false,
        })
    }
}
