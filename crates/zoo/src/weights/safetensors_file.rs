use std::cell::RefCell;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::TensorSource;
use crate::{Result, ZooError};

/// Bytes in front of the header: its length.
const LENGTH_BYTES: u64 = 8;

/// The longest header that is read, as in the safetensors library.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The source of the bytes of tensors.
trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A `.safetensors` file, or the bytes of one, whose tensors are read one by one, so that memory holds the model once;
/// 16-bit numbers become f32.
pub struct SafetensorsFile {
    path: PathBuf,
    file: RefCell<Box<dyn ReadSeek>>,
    header: Metadata,
    /// Offset of the numbers in bytes.
    data_start: u64,
    sha256: String,
}

impl SafetensorsFile {
    /// Opens the file, checks that its header and its length agree, and computes its digest.
    ///
    /// # Errors
    /// The file cannot be read, or header and length disagree.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| ZooError::Read { path: path.to_owned(), source })?;
        Self::checked(path, Box::new(file))
    }

    /// The same for the bytes of a file that is part of the program; `path` is what messages call it.
    ///
    /// # Errors
    /// Header and length disagree.
    pub fn from_bytes(path: &Path, bytes: &'static [u8]) -> Result<Self> {
        Self::checked(path, Box::new(Cursor::new(bytes)))
    }

    fn checked(path: &Path, mut file: Box<dyn ReadSeek>) -> Result<Self> {
        let read_error = |source| ZooError::Read { path: path.to_owned(), source };
        let invalid = |problem: String| ZooError::Format { path: path.to_owned(), format: "safetensors", problem };
        let length = file.seek(SeekFrom::End(0)).map_err(read_error)?;
        file.seek(SeekFrom::Start(0)).map_err(read_error)?;
        let mut header_length = [0; LENGTH_BYTES as usize];
        file.read_exact(&mut header_length)
            .map_err(|_| invalid(format!("it has {length} bytes, too few for a header")))?;
        let header_length = u64::from_le_bytes(header_length);
        if header_length > MAX_HEADER_BYTES.min(length.saturating_sub(LENGTH_BYTES)) {
            return Err(invalid(format!("its header would be {header_length} bytes of {length}")));
        }
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header).map_err(read_error)?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|error| invalid(format!("its header is damaged: {error}")))?;
        let data_start = LENGTH_BYTES + header_length;
        if length - data_start != header.data_len() as u64 {
            return Err(invalid(format!(
                "it holds {} bytes of numbers, not {}",
                length - data_start,
                header.data_len()
            )));
        }
        file.seek(SeekFrom::Start(0)).map_err(read_error)?;
        let sha256 = files::sha256_of(file.as_mut()).map_err(read_error)?.to_string();
        Ok(Self { path: path.to_owned(), file: RefCell::new(file), header, data_start, sha256 })
    }

    /// The hexadecimal sha256 of the whole file.
    pub fn digest(&self) -> String {
        self.sha256.clone()
    }

    fn bytes(&self, info: &TensorInfo) -> Result<Vec<u8>> {
        let (from, to) = info.data_offsets;
        let mut bytes = vec![0; to - from];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(self.data_start + from as u64))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| ZooError::Read { path: self.path.clone(), source })?;
        Ok(bytes)
    }
}

impl TensorSource for SafetensorsFile {
    fn description(&self) -> String {
        self.path.display().to_string()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let info = self
            .header
            .info(name)
            .ok_or_else(|| ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() })?;
        if info.shape != shape {
            return Err(ZooError::MisshapenTensor {
                weights: self.description(),
                tensor: name.to_owned(),
                found: info.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let stored = match info.dtype {
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
        Ok(Tensor::from_raw_buffer(&self.bytes(info)?, stored, shape, &Device::Cpu)?.to_dtype(DType::F32)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        Some(self.header.offset_keys())
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
