//! Ranges for int8: the smallest and largest input of each convolution, measured on prepared frames.

use std::path::{Path, PathBuf};

use candle_core::DType;
use domain::Precision;
use nn::InputRange;
use serde::{Deserialize, Serialize};

use crate::{ModelCard, Registry, Result, ZooError};

/// Returns the type of the maps between an encoder's layers where Candle runs them.
pub const fn map_dtype(precision: Precision) -> DType {
    match precision {
        Precision::F32 | Precision::Int8 => DType::F32,
        Precision::Bf16 => DType::BF16,
        Precision::F16 => DType::F16,
    }
}

/// A model's calibration for int8, kept beside its weights as `NAME.int8.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationRanges {
    /// The model's name in the registry.
    pub model: String,
    /// The hexadecimal sha256 of the weights that it was made with; it is good for no others.
    pub weights_sha256: String,
    /// The frames that were looked at.
    pub frames: CalibrationFrames,
    /// The comparison of int8 with single precision on loops that were kept out of it.
    pub measured: Option<QuantizationError>,
    /// The smallest and the largest number that each convolution and each maximum reads, in the order of the layers.
    pub ranges: Vec<[f32; 2]>,
}

/// The frames that a calibration comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationFrames {
    /// Their origin, in words.
    pub source: String,
    /// Number of loops.
    pub loops: usize,
    /// Number of prepared frames.
    pub frames: usize,
}

/// Int8 against single precision on the same loops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationError {
    /// Number of loops.
    pub loops: usize,
    /// The share of loops whose likeliest class is the same, 0 to 1.
    pub same_class: f64,
    /// The largest difference of any class's probability.
    pub largest_difference: f64,
    /// The mean difference over all classes and loops.
    pub mean_difference: f64,
    /// Loops whose truth is known, on which the errors below rest.
    pub loops_with_truth: usize,
    /// The expected calibration error of single precision (Guo et al., "On Calibration of Modern Neural Networks", ICML
    /// 2017), 0 to 1; `None` where no truth is known.
    pub calibration_error_f32: Option<f64>,
    /// That of int8.
    pub calibration_error_int8: Option<f64>,
}

impl QuantizationRanges {
    /// The ranges as the encoder takes them.
    pub(crate) fn input_ranges(&self) -> Vec<InputRange> {
        self.ranges.iter().map(|&[min, max]| InputRange { min, max }).collect()
    }

    /// Refuses weights that it was not made with.
    pub(crate) fn check(&self, weights_sha256: &str) -> Result<()> {
        if self.weights_sha256 == weights_sha256 {
            return Ok(());
        }
        Err(ZooError::QuantizationOfOtherWeights {
            model: self.model.clone(),
            found: self.weights_sha256.clone(),
            expected: weights_sha256.to_owned(),
        })
    }
}

impl Registry {
    /// Returns the path at which the entry's ranges for int8 are or should be.
    pub fn quantization_path(&self, card: &ModelCard) -> PathBuf {
        self.folder().join(format!("{}.int8.json", card.name))
    }

    /// Reads the entry's calibration; whether it fits the weights is told when a model is quantized by it.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn read_quantization(&self, card: &ModelCard) -> Result<QuantizationRanges> {
        let path = self.quantization_path(card);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ZooError::QuantizationAbsent { model: card.name.clone(), path });
            }
            Err(source) => return Err(ZooError::Read { path, source }),
        };
        let calibration: QuantizationRanges =
            serde_json::from_slice(&text).map_err(|error| format_error(&path, error.to_string()))?;
        match calibration.model == card.name {
            true => Ok(calibration),
            false => Err(format_error(&path, format!("it is for {}", calibration.model))),
        }
    }

    /// Writes a calibration beside the weights; one that was there is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_quantization(&self, card: &ModelCard, calibration: &QuantizationRanges) -> Result<PathBuf> {
        let path = self.quantization_path(card);
        let write_error = |source| ZooError::Write { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(calibration).map_err(|error| write_error(error.into()))?;
        std::fs::create_dir_all(self.folder()).map_err(write_error)?;
        files::write(&path, &text, files::Access::Umask).map_err(write_error)?;
        Ok(path)
    }
}

fn format_error(path: &Path, problem: String) -> ZooError {
    ZooError::Format { path: path.to_owned(), format: "calibration", problem }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn calibrated(registry: &Registry) -> (QuantizationRanges, Tensor) {
        let model = registry.read_model("tte11-tiny", &Device::Cpu).unwrap();
        let frames = crate::weights::noise("calibration", (6, 3, 96, 96)).unwrap();
        let mut observer = model.observer(96).unwrap();
        observer.observe(&frames.flatten_all().unwrap().to_vec1().unwrap()).unwrap();
        let ranges = observer.ranges().iter().map(|range| [range.min, range.max]).collect();
        let frames_of = CalibrationFrames { source: "random numbers".to_owned(), loops: 0, frames: 6 };
        let calibration = QuantizationRanges {
            model: "tte11-tiny".to_owned(),
            weights_sha256: model.weights_sha256().to_owned(),
            frames: frames_of,
            measured: None,
            ranges,
        };
        (calibration, frames)
    }

    #[test]
    fn a_calibrated_model_runs_near_single_precision() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let (calibration, frames) = calibrated(&registry);
        let model = registry.read_model("tte11-tiny", &Device::Cpu).unwrap();
        let plain = model.encode(&frames).unwrap();
        let bytes = model.quantized(&calibration).unwrap().encode(&frames).unwrap();
        let squares = |tensor: &Tensor| tensor.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let noise = (squares(&(&plain - &bytes).unwrap()) / squares(&plain)).sqrt();
        assert!(noise > 0.0 && noise < 0.05, "{noise}");
    }

    #[test]
    fn a_calibration_is_read_back_and_refused_with_other_weights() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path()).unwrap();
        let card = registry.card("tte11-tiny").unwrap();
        let absent = registry.read_quantization(card).unwrap_err().to_string();
        assert!(absent.contains("echolabel models quantize tte11-tiny"), "{absent}");
        let (mut calibration, _) = calibrated(&registry);
        registry.write_quantization(card, &calibration).unwrap();
        assert_eq!(registry.read_quantization(card).unwrap(), calibration);
        let other = registry.card("tte11-image").unwrap();
        std::fs::copy(registry.quantization_path(card), registry.quantization_path(other)).unwrap();
        assert!(registry.read_quantization(other).unwrap_err().to_string().contains("it is for tte11-tiny"));

        let model = || registry.read_model("tte11-tiny", &Device::Cpu).unwrap();
        calibration.ranges.pop();
        let frames = Tensor::zeros((1, 3, 96, 96), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(model().quantized(&calibration).unwrap().encode(&frames).is_err(), "a range is missing");
        calibration.weights_sha256 = "0".repeat(64);
        let error = model().quantized(&calibration).err().unwrap();
        assert!(matches!(error, ZooError::QuantizationOfOtherWeights { .. }), "{error}");
    }

    #[test]
    fn what_the_kernels_do_not_run_is_refused() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let clips = registry.make_untrained_model("tte11-r2plus1d", &Device::Cpu).unwrap();
        assert!(matches!(clips.observer(64), Err(ZooError::NotQuantizable { .. })));
    }
}
