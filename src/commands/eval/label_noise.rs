//! The label-noise experiment: training labels that were made wrong, and those that clusters of the model's vectors find.

use anyhow::Context as _;
use evaluate::fixed;
use evaluate::label_noise::{ClusterOptions, NoiseMetrics, cluster_labels, noise_metrics};
use serde::Serialize;
use train::Split;
use train::data::noisy_classes;

use super::run::Run;
use crate::cli::{Common, EvalOptions};
use crate::commands::Outcome;
use crate::output;

/// The content of `label-noise.json` for one share.
#[derive(Serialize)]
struct AtShare {
    /// The share of labels that were made wrong.
    share: f64,
    /// Training loops with a view.
    loops: usize,
    /// True where the weights learned from these very labels, as in the experiment of EchoView47.
    learned_from_them: bool,
    #[serde(flatten)]
    metrics: NoiseMetrics,
}

/// Makes shares of the training labels wrong, clusters the training set's vectors and prints those that are found.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let run = Run::open(common, options, &options.source)?;
    let loops = train::loop_vectors(&run.card, &run.snapshot, &run.data, Split::Train, &run.device)?;
    let vectors: Vec<&[f32]> = loops.iter().map(|of_loop| of_loop.vector.as_slice()).collect();
    let original: Vec<usize> = loops.iter().map(|of_loop| of_loop.class).collect();
    let clusters = ClusterOptions::for_classes(run.views.views.len());
    let mut lines = Vec::new();
    for &share in &options.label_noise {
        let classes = noisy_classes(run.data.clips().examples(), &run.views, share, run.recipe.seed)?;
        let noisy: Vec<usize> = loops.iter().map(|of_loop| classes[of_loop.example].unwrap_or(of_loop.class)).collect();
        let proposed = cluster_labels(&vectors, &noisy, clusters).context("the training loops cannot be clustered")?;
        let metrics = noise_metrics(&original, &noisy, &proposed)?;
        let learned_from_them = run.recipe.label_noise == share;
        let percent =
            |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{} %", fixed(100.0 * share, 1)));
        output::line(format_args!(
            "label noise {:>5.1} %: Detection Rate {}, Label Recovery Precision {}, correction accuracy {}, of {} wrong labels \
             among {}{}",
            100.0 * share,
            percent(metrics.detection_rate),
            percent(metrics.label_recovery_precision),
            percent(metrics.correction_accuracy),
            metrics.noisy,
            loops.len(),
            if learned_from_them { "" } else { "; the weights did not learn from these labels" }
        ))?;
        lines.push(AtShare { share, loops: loops.len(), learned_from_them, metrics });
    }
    let folder = options.out.clone().unwrap_or_else(|| run.folder.clone());
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join("label-noise.json");
    files::write(&path, serde_json::to_string_pretty(&lines)?.as_bytes(), files::Access::Umask)
        .with_context(|| path.display().to_string())?;
    output::line(path.display())
}
