//! A copy of a weight file with another last layer.

use std::path::Path;

use candle_core::{Device, Tensor};
use files::{Access, AtomicFile};

use super::SafetensorsFile;
use crate::{Result, ZooError};

/// The names of the last layer of a classifier of one layer.
const NAMES: [&str; 2] = ["classifier.weight", "classifier.bias"];

/// Copies the weights in `from` to `to` with `weight` [classes, C] and `bias` [classes] as the last layer, and returns
/// the sha256 of the copy. All other tensors keep their bytes.
///
/// # Errors
/// A file cannot be read or written.
pub fn replace_last_layer(from: &Path, to: &Path, weight: &[Vec<f32>], bias: &[f32]) -> Result<String> {
    let write_error = |source| ZooError::Write { path: to.to_owned(), source };
    // A file that cannot be a weight file is named before anything is written.
    SafetensorsFile::read(from)?;
    let mut tensors = candle_core::safetensors::load(from, &Device::Cpu)?;
    let width = weight.first().map_or(0, Vec::len);
    let weight = Tensor::from_vec(weight.concat(), (weight.len(), width), &Device::Cpu)?;
    let bias = Tensor::new(bias, &Device::Cpu)?;
    tensors.extend(NAMES.map(ToOwned::to_owned).into_iter().zip([weight, bias]));
    let file = AtomicFile::new(to, Access::Umask).map_err(write_error)?;
    candle_core::safetensors::save(&tensors, file.path())?;
    let sha256 = SafetensorsFile::read(file.path())?.digest();
    file.commit().map_err(write_error)?;
    Ok(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::TensorSource as _;

    #[test]
    fn the_last_layer_alone_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
        let ones = |shape: &[usize]| Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu).expect("a tensor");
        let half = ones(&[4]).to_dtype(candle_core::DType::F16).expect("half");
        let tensors = [("encoder.x", half), (NAMES[0], ones(&[2, 4])), (NAMES[1], ones(&[2]))];
        let tensors = tensors.map(|(name, tensor)| (name.to_owned(), tensor)).into_iter().collect();
        candle_core::safetensors::save(&tensors, &from).expect("written");
        let sha256 = replace_last_layer(&from, &to, &vec![vec![2.0; 4]; 3], &[1.0; 3]).expect("replaced");
        let copy = SafetensorsFile::read(&to).expect("read");
        assert_eq!(copy.digest(), sha256);
        assert!(copy.tensor(NAMES[0], &[3, 4]).is_ok() && copy.tensor("encoder.x", &[4]).is_ok());
        assert!(replace_last_layer(&folder.path().join("none"), &to, &[vec![2.0; 4]], &[1.0]).is_err());
    }
}
