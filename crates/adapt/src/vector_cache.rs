//! Vectors of loops, kept in a folder.

use std::path::{Path, PathBuf};

use domain::Sha256;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::{AdaptError, Result, Sample};

/// The number that stands for "no beat is known".
const NO_BEAT: i64 = -1;

/// A folder with one file a loop, named by a digest of all that decides its vectors.
#[derive(Debug, Clone)]
pub struct VectorCache {
    folder: PathBuf,
}

impl VectorCache {
    /// Opens the folder, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self> {
        let write = |source| AdaptError::Write { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(write)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Returns the vectors kept under `key`; `None` if there are none or the file is damaged: they are computed again.
    pub fn get(&self, key: Sha256) -> Option<Vec<Sample>> {
        let bytes = std::fs::read(self.path(key)).ok()?;
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let (vectors, beats) = (tensors.tensor("vectors").ok()?, tensors.tensor("beats").ok()?);
        let &[count, width] = vectors.shape() else { return None };
        if (vectors.dtype(), beats.dtype(), beats.shape()) != (Dtype::F32, Dtype::I64, &[count]) || width == 0 {
            return None;
        }
        let values: Vec<f32> = vectors.data().as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        let beats = beats.data().as_chunks::<8>().0.iter().map(|eight| i64::from_le_bytes(*eight));
        let sample =
            |(vector, beat): (&[f32], i64)| Sample { beat: usize::try_from(beat).ok(), vector: vector.to_vec() };
        Some(values.chunks_exact(width).zip(beats).map(sample).collect())
    }

    /// Keeps the vectors of a loop under `key`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&self, key: Sha256, samples: &[Sample]) -> Result<()> {
        let width = samples.first().map_or(0, |sample| sample.vector.len());
        let values: Vec<u8> =
            samples.iter().flat_map(|sample| &sample.vector).flat_map(|value| value.to_le_bytes()).collect();
        let number = |beat: Option<usize>| beat.map_or(NO_BEAT, |beat| beat as i64);
        let beats: Vec<u8> = samples.iter().flat_map(|sample| number(sample.beat).to_le_bytes()).collect();
        let path = self.path(key);
        let fault = |source| AdaptError::Write { path: path.clone(), source };
        let invalid = |error: safetensors::SafeTensorError| fault(std::io::Error::other(error));
        let vectors = TensorView::new(Dtype::F32, vec![samples.len(), width], &values).map_err(invalid)?;
        let beats = TensorView::new(Dtype::I64, vec![samples.len()], &beats).map_err(invalid)?;
        let bytes = serialize([("vectors", vectors), ("beats", beats)], None).map_err(invalid)?;
        files::write(&path, &bytes, files::Access::Umask).map_err(fault)
    }

    fn path(&self, key: Sha256) -> PathBuf {
        self.folder.join(format!("{key}.safetensors"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back_and_damaged_files_are_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = VectorCache::open(&folder.path().join("vectors")).expect("a cache");
        let samples =
            vec![Sample { beat: None, vector: vec![1.0, -2.5] }, Sample { beat: Some(3), vector: vec![0.0, f32::MAX] }];
        let key = Sha256::from([7; 32]);
        assert_eq!(cache.get(key), None);
        cache.put(key, &samples).expect("written");
        assert_eq!(cache.get(key), Some(samples));
        let path = cache.path(key);
        let bytes = std::fs::read(&path).expect("bytes");
        std::fs::write(&path, &bytes[..bytes.len() - 3]).expect("cut");
        assert_eq!(cache.get(key), None);
    }
}
