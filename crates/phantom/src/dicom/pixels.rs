//! One frame in each encoding.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::builder::Header;
use crate::error::PhantomError;
use crate::spec::PixelEncoding;
use domain::RgbImage;

/// Grays in the palette; colors follow.
const GRAYS: usize = 120;
/// Levels per channel of the palette's color cube.
const CUBE: usize = 5;
const JPEG_QUALITY: u8 = 90;

/// Returns the stored bytes of a frame.
///
/// # Errors
/// The JPEG encoder refuses the image.
pub fn encode(image: &RgbImage, encoding: PixelEncoding, frame: u32) -> Result<Vec<u8>, PhantomError> {
    match encoding {
        PixelEncoding::JpegBaseline => jpeg(image, frame),
        PixelEncoding::RleRgb => Ok(rle(image)),
        PixelEncoding::RawYbr422 => Ok(ybr_422(image)),
        PixelEncoding::Palette => Ok(image.pixels().chunks_exact(3).map(palette_index).collect()),
        PixelEncoding::ExplicitRgb | PixelEncoding::ImplicitRgb | PixelEncoding::DeflatedRgb => {
            Ok(image.pixels().to_vec())
        }
    }
}

fn jpeg(image: &RgbImage, frame: u32) -> Result<Vec<u8>, PhantomError> {
    let mut bytes = vec![];
    let mut encoder = Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
    encoder
        .encode(image.pixels(), image.width() as u16, image.height() as u16, ColorType::Rgb)
        .map_err(|source| PhantomError::EncodeFrame { frame, source })?;
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    Ok(bytes)
}

/// Returns pairs of pixels as Y Y Cb Cr (PS3.3 C.7.6.3.1.2), full range; an odd last column is paired with itself.
fn ybr_422(image: &RgbImage) -> Vec<u8> {
    let row_bytes = image.width() as usize * 3;
    let mut bytes = Vec::with_capacity(image.pixels().len() * 2 / 3);
    for row in image.pixels().chunks_exact(row_bytes) {
        for pair in row.chunks(6) {
            let first = ybr(&pair[..3]);
            let second = if pair.len() == 6 { ybr(&pair[3..]) } else { first };
            let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
            bytes.push(byte(first[0]));
            bytes.push(byte(second[0]));
            bytes.push(byte((first[1] + second[1]) / 2.0));
            bytes.push(byte((first[2] + second[2]) / 2.0));
        }
    }
    bytes
}

/// Returns luma and chroma after ITU-R BT.601, full range.
fn ybr(rgb: &[u8]) -> [f32; 3] {
    let [r, g, b] = [f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2])];
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [luma, 128.0 + (b - luma) * 0.564_334, 128.0 + (r - luma) * 0.713_267]
}

/// Returns three PackBits segments, one per color plane (PS3.5 Annex G).
fn rle(image: &RgbImage) -> Vec<u8> {
    let (mut header, mut body) = (vec![3_u32], vec![]);
    for channel in 0..3 {
        header.push(64 + body.len() as u32);
        let plane: Vec<u8> = image.pixels().iter().skip(channel).step_by(3).copied().collect();
        for row in plane.chunks(image.width() as usize) {
            pack_bits(row, &mut body);
        }
        if body.len() % 2 == 1 {
            body.push(0);
        }
    }
    header.resize(16, 0);
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(body);
    bytes
}

fn pack_bits(row: &[u8], out: &mut Vec<u8>) {
    let run_at = |at: usize| row[at..].iter().take(128).take_while(|&&byte| byte == row[at]).count();
    let mut at = 0;
    while at < row.len() {
        let run = run_at(at);
        if run >= 3 {
            out.extend([(257 - run) as u8, row[at]]);
            at += run;
            continue;
        }
        let start = at;
        while at < row.len() && at - start < 128 && run_at(at) < 3 {
            at += 1;
        }
        out.push((at - start - 1) as u8);
        out.extend(&row[start..at]);
    }
}

/// Puts the three lookup tables of 256 entries of 16 bits.
pub fn put_palette(header: &mut Header) {
    let tables = [
        (tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA),
        (tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA),
        (tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA),
    ];
    for (channel, (descriptor, data)) in tables.into_iter().enumerate() {
        header.words(descriptor, VR::US, vec![256, 0, 16]);
        let words = (0..256).map(|index| u16::from(palette_color(index)[channel]) * 257).collect();
        header.words(data, VR::OW, words);
    }
}

/// Grays first, then a cube of colors; what is left is white.
fn palette_color(index: usize) -> [u8; 3] {
    if index < GRAYS {
        return [(index * 255 / (GRAYS - 1)) as u8; 3];
    }
    let cell = index - GRAYS;
    if cell >= CUBE * CUBE * CUBE {
        return [255; 3];
    }
    let level = |step: usize| (step * 255 / (CUBE - 1)) as u8;
    [level(cell / (CUBE * CUBE)), level(cell / CUBE % CUBE), level(cell % CUBE)]
}

fn palette_index(rgb: &[u8]) -> u8 {
    let [r, g, b] = [usize::from(rgb[0]), usize::from(rgb[1]), usize::from(rgb[2])];
    let spread = r.max(g).max(b) - r.min(g).min(b);
    if spread < 40 {
        let mean = (r + g + b) / 3;
        return ((mean * (GRAYS - 1) + 127) / 255) as u8;
    }
    let step = |value: usize| (value * (CUBE - 1) + 127) / 255;
    (GRAYS + step(r) * CUBE * CUBE + step(g) * CUBE + step(b)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(bytes: &[u8], length: usize) -> Vec<u8> {
        let (mut out, mut at) = (vec![], 0);
        while out.len() < length {
            let code = bytes[at] as i8;
            if code >= 0 {
                let count = code as usize + 1;
                out.extend(&bytes[at + 1..at + 1 + count]);
                at += 1 + count;
            } else {
                let count = 1 - isize::from(code);
                out.extend(std::iter::repeat_n(bytes[at + 1], count as usize));
                at += 2;
            }
        }
        out
    }

    #[test]
    fn pack_bits_round_trips() {
        let mut rows: Vec<Vec<u8>> = vec![vec![7], vec![1, 1], vec![0; 300], (0..=255).collect()];
        rows.push((0..500_u32).map(|i| (i * i / 700) as u8).collect());
        for row in rows {
            let mut packed = vec![];
            pack_bits(&row, &mut packed);
            assert_eq!(unpack(&packed, row.len()), row);
        }
    }

    #[test]
    fn the_palette_keeps_grays_and_strong_colors() {
        for rgb in [[0, 0, 0], [130, 130, 130], [255, 255, 255], [255, 0, 0], [70, 225, 70]] {
            let back = palette_color(usize::from(palette_index(&rgb)));
            for (old, new) in rgb.iter().zip(back) {
                assert!(old.abs_diff(new) <= 33, "{rgb:?} became {back:?}");
            }
        }
    }
}
