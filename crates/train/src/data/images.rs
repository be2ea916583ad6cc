//! Clips from image files: what the three published data sets have in common.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use domain::{RgbImage, RgbView};
use rayon::prelude::*;
use zoo::ModelCard;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::phantom::prepared_clips;
use super::{Example, check_patients};
use crate::{Clip, ClipCache, ClipCacheWriter, Result, TrainError};

/// A labelled clip whose frames lie in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageClip {
    /// The view that it shows.
    pub example: Example,
    /// Its frames in order.
    pub frames: Vec<PathBuf>,
}

/// Clips that are decoded before the next are: memory does not grow with the data set.
const AT_ONCE: usize = 64;

/// The prepared clips for the model `card`: those in `folder` if they are there, else decoded and prepared now.
///
/// A leaking split is refused before any image is read. `progress` hears of clips done and of all.
///
/// # Errors
/// A patient stands on two sides of the split, or the folder cannot be written.
pub fn image_cache(
    clips: &[ImageClip],
    card: &ModelCard,
    folder: &Path,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<ClipCache> {
    let examples: Vec<Example> = clips.iter().map(|clip| clip.example.clone()).collect();
    check_patients(&examples)?;
    let made_by = serde_json::to_string(&(&examples, &card.prepare)).unwrap_or_default();
    if let Some(cache) = ClipCache::open(folder, &made_by)? {
        return Ok(cache);
    }
    let planes = card.prepare.color.planes();
    let mut writer = ClipCacheWriter::create(folder, &made_by, (planes, card.prepare.size))?;
    for (number, some) in clips.chunks(AT_ONCE).enumerate() {
        let prepared: Vec<Result<Clip>> = some.par_iter().map(|clip| prepared(clip, card)).collect();
        for (clip, prepared) in some.iter().zip(prepared) {
            writer.add(clip.example.clone(), &prepared?)?;
        }
        progress((number * AT_ONCE + some.len()) as u32, clips.len() as u32);
    }
    writer.finish()
}

fn prepared(clip: &ImageClip, card: &ModelCard) -> Result<Clip> {
    let images = clip.frames.iter().map(|path| read_rgb(path)).collect::<Result<Vec<_>>>()?;
    let views: Vec<RgbView<'_>> = images.iter().map(RgbImage::view).collect();
    let whole = [(0..views.len()).collect()];
    prepared_clips(&views, &whole, None, card)?.pop().ok_or_else(|| TrainError::Format {
        path: clip.frames.first().cloned().unwrap_or_default(),
        problem: "a clip without frames".to_owned(),
    })
}

/// Reads a PNG or JPEG file; what it is stands in its first bytes, not in its name.
fn read_rgb(path: &Path) -> Result<RgbImage> {
    let bytes = std::fs::read(path).map_err(|source| TrainError::File { path: path.to_owned(), source })?;
    let read = if bytes.starts_with(b"\x89PNG") { read_png(&bytes) } else { read_jpeg(&bytes) };
    read.map_err(|problem| TrainError::Format { path: path.to_owned(), problem })
}

fn read_png(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("an image too large for memory")?];
    let frame = reader.next_frame(&mut pixels).map_err(|error| error.to_string())?;
    pixels.truncate(frame.buffer_size());
    let pixels = match frame.color_type {
        png::ColorType::Rgb => pixels,
        png::ColorType::Grayscale => pixels.into_iter().flat_map(|level| [level; 3]).collect(),
        png::ColorType::GrayscaleAlpha => pixels.chunks_exact(2).flat_map(|pixel| [pixel[0]; 3]).collect(),
        png::ColorType::Rgba => pixels.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        other => return Err(format!("pixels of type {other:?}")),
    };
    RgbImage::new(frame.width, frame.height, pixels).map_err(|error| error.to_string())
}

fn read_jpeg(bytes: &[u8]) -> Result<RgbImage, String> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| format!("neither PNG nor JPEG: {error}"))?;
    let (width, height) = decoder.dimensions().ok_or("a JPEG image without dimensions")?;
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    RgbImage::new(side(width), side(height), pixels).map_err(|error| error.to_string())
}
