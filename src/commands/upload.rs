//! `echolabel upload`: puts loops into an object store, each once.

use std::path::Path;

use anyhow::{Context as _, ensure};
use daemon::Completeness;

use super::label::find_files;
use super::{Failure, Outcome};
use crate::cli::UploadOptions;
use crate::labeller::check_file;
use crate::output;
use crate::place::{Digests, Place, objects};

/// Puts every complete DICOM file with pixels; others are passed over.
pub fn run(options: &UploadOptions) -> Outcome {
    let is_prefix = matches!(Place::new(options.to.as_ref()), Place::Object(_)) && options.to.ends_with('/');
    if !is_prefix {
        return Err(anyhow::anyhow!("--to: {:?} is no address such as s3://bucket/loops/", options.to).into());
    }
    let (files, unreadable) = find_files(&options.paths);
    let mut failed = unreadable.len();
    for (path, message) in unreadable {
        output::note(format_args!("{}: {message}", output::path(&path)));
    }
    let bar = crate::progress::bar(files.len() as u64, "uploading");
    let (mut put, mut there, mut passed_over) = (0, 0, 0);
    for file in files {
        match upload(&file.path, &options.to) {
            Ok(Some(true)) => put += 1,
            Ok(Some(false)) => there += 1,
            Ok(None) => passed_over += 1,
            Err(error) => {
                failed += 1;
                bar.suspend(|| output::note(format_args!("{}: {error:#}", output::path(&file.path))));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    output::line(format_args!(
        "{put} loops put, {there} were there, {passed_over} files without one, {failed} failed"
    ))?;
    if failed > 0 { Err(Failure::SomeInputs) } else { Ok(()) }
}

/// Puts one file under the digest of its data set; `None` for what is no loop.
fn upload(path: &Path, to: &str) -> anyhow::Result<Option<bool>> {
    ensure!(matches!(Place::new(path), Place::File(_)), "it is an object already");
    match check_file(path) {
        Completeness::Complete { .. } => {}
        Completeness::Incomplete { reason, .. } => anyhow::bail!("{reason}"),
        Completeness::Archive { .. } | Completeness::NotDicom { .. } => return Ok(None),
    }
    let Ok(pixels) = cine::pixel_sha256(path) else { return Ok(None) };
    let bytes = std::fs::read(path)?;
    let content = files::sha256_of(&bytes[..])?;
    let address = format!("{to}{}.dcm", cine::data_set_sha256(path)?);
    objects::put_new(&address, bytes, Digests { content, pixels }).map(Some).context("cannot put it")
}
