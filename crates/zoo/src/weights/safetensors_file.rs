use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::TensorSource;
use super::formula::hex;
use crate::{Result, ZooError};

/// A `.safetensors` file, read once; 16-bit numbers become f32 when asked for.
pub struct SafetensorsFile {
    path: PathBuf,
    bytes: Vec<u8>,
    sha256: String,
}

impl SafetensorsFile {
    /// Reads the file and checks its header.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| ZooError::Read { path: path.to_owned(), source })?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let file = Self { path: path.to_owned(), bytes, sha256 };
        file.tensors()?;
        Ok(file)
    }

    fn tensors(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| ZooError::Format {
            path: self.path.clone(),
            format: "safetensors",
            problem: error.to_string(),
        })
    }
}

impl TensorSource for SafetensorsFile {
    fn description(&self) -> String {
        self.path.display().to_string()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensors = self.tensors()?;
        let view = tensors
            .tensor(name)
            .map_err(|_| ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() })?;
        if view.shape() != shape {
            return Err(ZooError::MisshapenTensor {
                weights: self.description(),
                tensor: name.to_owned(),
                found: view.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        let stored = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            other => {
                return Err(ZooError::TensorType {
                    weights: self.description(),
                    tensor: name.to_owned(),
                    found: format!("{other:?}"),
                });
            }
        };
        Ok(Tensor::from_raw_buffer(view.data(), stored, shape, &Device::Cpu)?.to_dtype(DType::F32)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        self.tensors().ok().map(|tensors| tensors.names().into_iter().map(ToString::to_string).collect())
    }

    fn sha256(&self) -> String {
        self.sha256.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::weights::Weights;

    fn write(folder: &Path, tensors: &[(&str, &[usize])]) -> PathBuf {
        let path = folder.join("tiny.safetensors");
        let tensors: HashMap<String, Tensor> = tensors
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), Tensor::ones(*shape, DType::F16, &Device::Cpu).unwrap()))
            .collect();
        candle_core::safetensors::save(&tensors, &path).unwrap();
        path
    }

    #[test]
    fn missing_extra_and_misshapen_tensors_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = SafetensorsFile::read(&write(folder.path(), &[("a.weight", &[2, 3]), ("b", &[4])])).unwrap();
        let read = |build: &dyn Fn(&Weights<'_>) -> Result<()>| {
            Weights::read_all(&file, &Device::Cpu, '.', |weights| build(weights)).map_err(|error| error.to_string())
        };
        let all = read(&|weights| {
            let tensor = weights.at("a").tensor("weight", &[2, 3])?;
            assert_eq!(tensor.dtype(), DType::F32);
            weights.tensor("b", &[4]).map(drop)
        });
        assert_eq!(all, Ok(()));
        let missing = read(&|weights| weights.tensor("c", &[1]).map(drop)).unwrap_err();
        assert!(missing.contains("\"c\" is missing"), "{missing}");
        let misshapen = read(&|weights| weights.at("a").tensor("weight", &[3, 2]).map(drop)).unwrap_err();
        assert!(misshapen.contains("[2, 3], expected [3, 2]"), "{misshapen}");
        let extra = read(&|weights| weights.tensor("b", &[4]).map(drop)).unwrap_err();
        assert!(extra.contains("a.weight"), "{extra}");
    }

    #[test]
    fn a_cut_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &[("a", &[64])]);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 4, 8, 20, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(SafetensorsFile::read(&path).is_err(), "{length}");
        }
    }
}
