//! Reference files of resizing and gray: what TensorFlow, torch, Pillow and OpenCV make of the same images.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use preprocess::{ImageView, color, resize};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::Value;
use zoo::Resize;

use crate::compare::{Digest, Numbers, larger, largest_difference};
use crate::eleven_views::{self, Pipeline};
use crate::inputs::{bounded, fnv1a64, image_u8};
use crate::{Check, ParityError, ReferenceFile, Result};

/// Tolerances on values 0 to 255 (references' README).
const EXACT: f64 = 0.0;
const TORCHVISION_BYTES: f64 = 1.0;
const FLOAT: f64 = 1e-3;
/// Rounding of a mean or a standard deviation of exact values, which depends on the order of summing.
const STATISTICS_ROUNDING: f64 = 1e-6;

#[derive(Deserialize)]
struct Content {
    framework: String,
    seed: String,
    small: Vec<Case>,
    large: Vec<Case>,
    gray: BTreeMap<String, Value>,
    #[serde(default)]
    thesis_pipeline: Vec<Pipeline>,
}

#[derive(Deserialize)]
struct Case {
    src: [usize; 2],
    dst: [usize; 2],
    method: Option<String>,
    antialias: Option<bool>,
    out: Option<Numbers>,
    digest: Option<Digest>,
    fnv1a64: Option<String>,
}

/// The counterpart here of a framework's function.
struct Method {
    resize: Resize,
    channels: Channels,
    tolerance: f64,
}

enum Channels {
    All,
    First,
    Gray,
}

/// Compares every image in the file and in the safetensors files beside it.
pub(crate) fn verify(file: &ReferenceFile) -> Result<Vec<Check>> {
    let content: Content = file.parse()?;
    let family = if content.framework.starts_with("tensorflow") { "tf" } else { "torch" };
    let mut images = Images { file, seed: &content.seed, made: HashMap::new() };
    let mut checks = Vec::new();
    for case in content.small.iter().chain(&content.large) {
        checks.push(images.check(family, case)?);
    }
    checks.extend(gray(&content, family));
    for pipeline in &content.thesis_pipeline {
        checks.extend(eleven_views::verify(file, &content.seed, pipeline)?);
    }
    checks.extend(images.check_tensors(family)?);
    if let Some(first) = content.thesis_pipeline.first() {
        checks.extend(eleven_views::verify_tensors(file, &content.seed, first.frames)?);
    }
    Ok(checks)
}

impl Method {
    /// Our way to the function `name` of a reference file.
    fn named(name: &str) -> Option<Self> {
        let (resize, tolerance) = match name {
            "tf_bilinear" | "tf_bilinear_aa0_channel0" => (Resize::Tensorflow, FLOAT),
            "tf_bilinear_aa" | "tf_bilinear_aa1_channel0" => (Resize::TensorflowAntialias, FLOAT),
            "pil_bilinear" | "pil_gray_then_bilinear" => (Resize::Pillow, EXACT),
            "pil_nearest" => (Resize::PillowNearest, EXACT),
            "torchvision_u8_bilinear_aa" => (Resize::Torchvision, TORCHVISION_BYTES),
            "torchvision_u8_bilinear_noaa" => (Resize::TorchvisionNoAntialias, TORCHVISION_BYTES),
            "torch_f32_bilinear_aa" => (Resize::TorchFloat, FLOAT),
            "torch_f32_bilinear_noaa" => (Resize::TorchFloatNoAntialias, FLOAT),
            "cv2_linear" => (Resize::Opencv, EXACT),
            "cv2_area" => (Resize::OpencvArea, EXACT),
            "cv2_cubic" => (Resize::OpencvCubic, EXACT),
            _ => return None,
        };
        let channels = match name {
            "pil_gray_then_bilinear" => Channels::Gray,
            _ if name.ends_with("_channel0") => Channels::First,
            _ => Channels::All,
        };
        Some(Self { resize, channels, tolerance })
    }

    /// Returns the result, [height, width, channels] row-major.
    fn run(&self, view: ImageView<'_>, target: (usize, usize)) -> Vec<f64> {
        let red = || resize(&view, |pixel| pixel[0], target, self.resize);
        let values = match self.channels {
            Channels::First => red(),
            Channels::Gray => resize(&view, color::pillow_luma, target, self.resize),
            Channels::All => {
                let green = resize(&view, |pixel| pixel[1], target, self.resize);
                let blue = resize(&view, |pixel| pixel[2], target, self.resize);
                red().into_iter().zip(green).zip(blue).flat_map(|((red, green), blue)| [red, green, blue]).collect()
            }
        };
        values.into_iter().map(f64::from).collect()
    }

    fn count(&self) -> usize {
        if matches!(self.channels, Channels::All) { 3 } else { 1 }
    }
}

/// The source images, each made once.
struct Images<'a> {
    file: &'a ReferenceFile,
    seed: &'a str,
    made: HashMap<[usize; 2], Vec<u8>>,
}

impl Images<'_> {
    fn resized(&mut self, from: [usize; 2], to: [usize; 2], method: &Method) -> Result<Vec<f64>> {
        for size in [from, to] {
            bounded(&[size[0], size[1], 3]).map_err(|problem| self.file.problem(problem))?;
        }
        let image = self.made.entry(from).or_insert_with(|| image_u8(self.seed, "resize", from[0], from[1], 0));
        Ok(method.run(ImageView::whole(image.as_chunks().0, from[1]), (to[0], to[1])))
    }

    fn check(&mut self, family: &str, case: &Case) -> Result<Check> {
        let name = match (&case.method, case.antialias) {
            (Some(method), _) => method.clone(),
            (None, antialias) => format!("{family}_bilinear{}", if antialias == Some(true) { "_aa" } else { "" }),
        };
        let title = sizes(case.src, case.dst);
        let Some(method) = Method::named(&name) else {
            return Ok(Check::unsupported("resize", &format!("{title} {name}")));
        };
        let ours = self.resized(case.src, case.dst, &method)?;
        let shape = [case.dst[0], case.dst[1], method.count()];
        let deviation = match (&case.out, &case.digest) {
            (Some(out), _) if out.shape == shape => largest_difference(ours.iter().copied(), out.singles()),
            (None, Some(digest)) if digest.shape == shape => {
                let statistics = digest.statistics_deviation(&ours);
                let statistics = if statistics <= STATISTICS_ROUNDING { 0.0 } else { statistics };
                larger(statistics, digest.samples_deviation(&ours))
            }
            (None, None) => return Err(self.file.problem(format!("{title} {name} has no numbers"))),
            _ => return Err(self.file.problem(format!("{title} {name} is not {shape:?}"))),
        };
        let other_bytes = method.tolerance == EXACT
            && case.fnv1a64.as_ref().is_some_and(|hash| {
                let bytes: Vec<u8> = ours.iter().map(|&value| value as u8).collect();
                fnv1a64(&bytes) != *hash
            });
        // Of bytes that differ somewhere, one differs by one at least.
        let deviation = if other_bytes { larger(deviation, 1.0) } else { deviation };
        Ok(Check::new("resize", format!("{title} {name}"), deviation, method.tolerance))
    }

    /// Compares the images in the files `{family}_{height}x{width}_to_{side}.safetensors` beside the reference file.
    fn check_tensors(&mut self, family: &str) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for (stem, path) in tensor_files(self.file.path(), &format!("{family}_"))? {
            let Some((from, to)) = sizes_in(&stem[family.len() + 1..]) else {
                checks.push(Check::unsupported("resize", &format!("{stem}.safetensors")));
                continue;
            };
            for NamedTensor { name, shape, numbers } in tensors(&path)? {
                let title = format!("{} {name}, whole", sizes(from, to));
                let Some(method) = Method::named(&name) else {
                    checks.push(Check::unsupported("resize", &title));
                    continue;
                };
                let ours = self.resized(from, to, &method)?;
                let same_size = shape.starts_with(&to);
                let deviation = largest_difference(ours.iter().copied(), numbers.iter().copied());
                let deviation = if same_size { deviation } else { f64::INFINITY };
                checks.push(Check::new("resize", title, deviation, method.tolerance));
            }
        }
        Ok(checks)
    }
}

/// Compares conversions to gray and of bytes to 0..1.
fn gray(content: &Content, family: &str) -> Vec<Check> {
    let image = image_u8(&content.seed, "gray", 16, 16, 0);
    let pixels = image.as_chunks().0;
    let bytes = |luma: fn(&[u8; 3]) -> u8| -> Vec<f64> { pixels.iter().map(|pixel| f64::from(luma(pixel))).collect() };
    let unit = || (0..=255u8).map(|byte| f64::from(f32::from(byte) / 255.0)).collect();
    let check = |(name, theirs): (&String, &Value)| {
        let (ours, tolerance): (Vec<f64>, f64) = match name.as_str() {
            "pil_L" => (bytes(color::pillow_luma), EXACT),
            "cv2_rgb2gray" => (bytes(color::opencv_luma), EXACT),
            "torchvision_u8" => (bytes(color::torchvision_luma), TORCHVISION_BYTES),
            "rgb_to_grayscale_u8" => (bytes(color::tensorflow_luma), EXACT),
            "rgb_to_grayscale_f32" => {
                (pixels.iter().map(|pixel| f64::from(color::tensorflow_luma_float(pixel))).collect(), FLOAT)
            }
            "rescaling_f32" | "to_tensor_of_0_255" => (unit(), FLOAT / 255.0),
            _ => return Check::unsupported("gray", &format!("{family} {name}")),
        };
        // Bytes are a list, floats an object with their shape.
        let theirs: Vec<f64> = match theirs.get("data").unwrap_or(theirs).as_array() {
            Some(values) => values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect(),
            None => Vec::new(),
        };
        let deviation = largest_difference(ours.iter().copied(), theirs.iter().map(|&value| f64::from(value as f32)));
        Check::new("gray", format!("{family} {name}"), deviation, tolerance)
    };
    content.gray.iter().map(check).collect()
}

/// Height x width to height x width, as a person reads it.
fn sizes(from: [usize; 2], to: [usize; 2]) -> String {
    format!("{}x{} to {}x{}", from[0], from[1], to[0], to[1])
}

/// `{height}x{width}_to_{side}`
fn sizes_in(text: &str) -> Option<([usize; 2], [usize; 2])> {
    let (from, side) = text.split_once("_to_")?;
    let (height, width) = from.split_once('x')?;
    let side = side.parse().ok()?;
    Some(([height.parse().ok()?, width.parse().ok()?], [side, side]))
}

/// The safetensors files beside `path` whose names begin with `prefix`: name without ending, and path.
pub(crate) fn tensor_files(path: &Path, prefix: &str) -> Result<BTreeMap<String, std::path::PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let read = |source| ParityError::Read { path: folder.to_owned(), source };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if stem.starts_with(prefix) && path.extension().is_some_and(|extension| extension == "safetensors") {
            found.insert(stem, path);
        }
    }
    Ok(found)
}

/// A tensor of a safetensors file.
pub(crate) struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub numbers: Vec<f64>,
}

/// The tensors of bytes or float32 in a safetensors file, by name.
pub(crate) fn tensors(path: &Path) -> Result<Vec<NamedTensor>> {
    let bytes = std::fs::read(path).map_err(|source| ParityError::Read { path: path.to_owned(), source })?;
    let problem = |problem: String| ParityError::Format { path: path.to_owned(), problem };
    let file = SafeTensors::deserialize(&bytes).map_err(|error| problem(error.to_string()))?;
    let mut tensors = Vec::new();
    for (name, view) in file.iter() {
        let numbers = match view.dtype() {
            Dtype::U8 => view.data().iter().map(|&byte| f64::from(byte)).collect(),
            Dtype::F32 => view.data().as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
            other => return Err(problem(format!("tensor {name:?} holds {other:?}"))),
        };
        tensors.push(NamedTensor { name: name.to_owned(), shape: view.shape().to_vec(), numbers });
    }
    tensors.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tensors)
}
