use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use files::{Access, AtomicFile};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::{Example, LeftOut};
use crate::{Clip, Result, TrainError};

/// Prepared clips on disk, read one by one: `clips.bin` with the pixels and `clips.json` with what they show.
pub struct ClipCache {
    path: PathBuf,
    pixels: File,
    index: Index,
    offsets: Vec<u64>,
}

/// The content of `clips.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    /// Digest of all that made the clips: another recipe, seed or preparation makes another cache.
    made_by: String,
    /// sha256 of `clips.bin`.
    sha256: String,
    planes: usize,
    size: usize,
    examples: Vec<Example>,
    /// Examples that could not be used.
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

const PIXELS: &str = "clips.bin";
const INDEX: &str = "clips.json";

impl ClipCache {
    /// The cache in `folder` if there is one that was made by `made_by`.
    ///
    /// # Errors
    /// The cache cannot be read or is damaged.
    pub fn open(folder: &Path, made_by: &str) -> Result<Option<Self>> {
        let path = folder.join(INDEX);
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let Ok(index) = serde_json::from_str::<Index>(&text) else { return Ok(None) };
        if index.made_by != made_by {
            return Ok(None);
        }
        let path = folder.join(PIXELS);
        let failed = |source| TrainError::File { path: path.clone(), source };
        let pixels = File::open(&path).map_err(failed)?;
        let frame = (index.planes * index.size * index.size) as u64;
        let mut end = 0;
        let offsets = index.examples.iter().map(|example| {
            let start = end;
            end += frame * example.frames as u64;
            start
        });
        let offsets = offsets.collect();
        let length = pixels.metadata().map_err(failed)?.len();
        if length != end {
            let problem = format!("{length} bytes for clips of {end}; delete the folder and it is made anew");
            return Err(TrainError::Format { path, problem });
        }
        Ok(Some(Self { path, pixels, index, offsets }))
    }

    /// Labels of the clips, in order.
    pub fn examples(&self) -> &[Example] {
        &self.index.examples
    }

    /// Examples that could not be used, with the reason.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.index.left_out
    }

    /// The digest of all pixels, which stands for the data in a file list.
    pub fn fingerprint(&self) -> &str {
        &self.index.sha256
    }

    /// Clip `number`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn clip(&self, number: usize) -> Result<Clip> {
        let Index { planes, size, examples, .. } = &self.index;
        let frames = examples[number].frames;
        let mut pixels = vec![0; frames * planes * size * size];
        read_exact_at(&self.pixels, &mut pixels, self.offsets[number])
            .map_err(|source| TrainError::File { path: self.path.clone(), source })?;
        Ok(Clip { frames, planes: *planes, size: *size, pixels })
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, offset)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[read..];
        offset += read as u64;
    }
    Ok(())
}

/// Writes a cache clip by clip; it exists only once it is whole.
pub struct ClipCacheWriter {
    folder: PathBuf,
    pixels: BufWriter<AtomicFile>,
    digest: Sha256,
    index: Index,
}

impl ClipCacheWriter {
    /// A cache in `folder` for clips of `planes` planes and side `size`, made by `made_by`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: &Path, made_by: &str, (planes, size): (usize, usize)) -> Result<Self> {
        let failed = |source| TrainError::File { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let pixels = BufWriter::new(AtomicFile::new(&folder.join(PIXELS), Access::Umask).map_err(failed)?);
        let index = Index {
            made_by: made_by.to_owned(),
            sha256: String::new(),
            planes,
            size,
            examples: Vec::new(),
            left_out: Vec::new(),
        };
        Ok(Self { folder: folder.to_owned(), pixels, digest: Sha256::new(), index })
    }

    /// Adds a clip; `example` says what it shows, and its number of frames is set here.
    ///
    /// # Errors
    /// The clip has another shape, or the folder cannot be written.
    pub fn add(&mut self, mut example: Example, clip: &Clip) -> Result<()> {
        if (clip.planes, clip.size) != (self.index.planes, self.index.size) {
            let problem = format!("a clip of {} planes of side {}", clip.planes, clip.size);
            return Err(TrainError::Format { path: self.folder.clone(), problem });
        }
        example.frames = clip.frames;
        self.digest.update(&clip.pixels);
        self.index.examples.push(example);
        self.pixels.write_all(&clip.pixels).map_err(|source| TrainError::File { path: self.folder.clone(), source })
    }

    /// Notes what could not be used.
    pub fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        self.index.left_out = left_out;
    }

    /// Ends the cache and opens it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn finish(mut self) -> Result<ClipCache> {
        let failed = |source| TrainError::File { path: self.folder.clone(), source };
        self.pixels.into_inner().map_err(|error| failed(error.into_error()))?.commit().map_err(failed)?;
        self.index.sha256 = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = serde_json::to_string(&self.index).map_err(|error| failed(error.into()))?;
        files::write(&self.folder.join(INDEX), text.as_bytes(), Access::Umask).map_err(failed)?;
        let made_by = self.index.made_by.clone();
        ClipCache::open(&self.folder, &made_by)?.ok_or_else(|| TrainError::Format {
            path: self.folder.clone(),
            problem: "the cache that was just written is not there".to_owned(),
        })
    }
}
