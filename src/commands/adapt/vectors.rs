//! Loops to vectors, kept or computed.

use std::path::{Path, PathBuf};

use adapt::{LabelledLoop, Sample, VectorCache};
use domain::Sha256;
use pipeline::Pipeline;
use train::{Example, LabelledLoops};

use crate::commands::parallel::in_order;

/// SOP Instance UIDs of loops that cannot be used, with the reason.
pub type LeftOut = Vec<(String, String)>;

/// Returns every loop as vectors.
pub fn compute(
    pipeline: &Pipeline,
    cache: &VectorCache,
    labelled: LabelledLoops,
    workers: usize,
) -> anyhow::Result<(Vec<LabelledLoop>, LeftOut)> {
    let mut left_out: LeftOut =
        labelled.left_out.into_iter().map(|left| (left.sop_instance_uid, left.reason)).collect();
    let mut loops = Vec::new();
    let bar = crate::progress::bar(labelled.loops.len() as u64, "reading loops");
    let work = |(_, path): &(Example, PathBuf)| samples(pipeline, cache, path);
    let done = in_order(workers, &labelled.loops, work, |(example, _), result| {
        bar.inc(1);
        match result {
            Ok(samples) => loops.push(LabelledLoop {
                patient: example.patient.clone(),
                study: example.study.clone(),
                loop_name: example.source.clone(),
                class: example.class,
                samples,
            }),
            Err(reason) => left_out.push((example.source.clone(), reason)),
        }
        Ok(())
    });
    bar.finish_and_clear();
    match done {
        Ok(()) => Ok((loops, left_out)),
        Err(_) => anyhow::bail!("the loops could not be read"),
    }
}

/// Returns the vectors of one loop; the error is the reason why it has none, without its path.
fn samples(pipeline: &Pipeline, cache: &VectorCache, path: &Path) -> Result<Vec<Sample>, String> {
    let content = files::sha256(path).map_err(|error| error.to_string())?;
    let key = key(pipeline, content)?;
    if let Some(kept) = cache.get(key) {
        return Ok(kept);
    }
    let vectors = match pipeline.vectors(path).map_err(|error| error.message())? {
        Ok(vectors) => vectors,
        Err(refusal) => return Err(refusal.to_string()),
    };
    let samples: Vec<Sample> = vectors.into_iter().map(|(beat, vector)| Sample { beat, vector }).collect();
    // Vectors that cannot be kept are computed again the next time.
    if let Err(error) = cache.put(key, &samples) {
        tracing::warn!(%error, "vectors are not kept");
    }
    Ok(samples)
}

/// Everything that decides the vectors: the file, the weights, the resolved pipeline and this program's version.
fn key(pipeline: &Pipeline, content: Sha256) -> Result<Sha256, String> {
    let model = pipeline.key();
    let pipeline = model.pipeline_sha256.map(|digest| *digest.as_bytes()).unwrap_or_default();
    let all = [content.as_bytes(), model.weights_sha256.as_bytes(), &pipeline, env!("CARGO_PKG_VERSION").as_bytes()];
    files::sha256_of(all.concat().as_slice()).map_err(|error| error.to_string())
}
