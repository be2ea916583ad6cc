//! The files that an evaluation leaves.

use std::path::Path;

use anyhow::Context as _;
use evaluate::plots::{self, Cells};
use evaluate::{Evaluation, Predictions, TsneOptions, fixed, tsne};

use crate::commands::Outcome;
use crate::output;

/// Writes report, metrics, predictions and plots into `folder` and prints the headline.
pub fn write(folder: &Path, predictions: &Predictions, evaluation: &Evaluation) -> Outcome {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        files::write(&path, bytes, files::Access::Umask).with_context(|| path.display().to_string())
    };
    write("report.html", evaluation.to_html().as_bytes())?;
    write("metrics.json", evaluation.to_json()?.as_bytes())?;
    write("predictions.csv", evaluate::to_csv(predictions)?.as_bytes())?;
    for (name, drawing) in [
        ("confusion", plots::confusion(&evaluation.confusion, &evaluation.classes, Cells::Counts)),
        ("confusion-shares", plots::confusion(&evaluation.confusion, &evaluation.classes, Cells::Shares)),
        ("reliability", plots::reliability(&evaluation.reliability)),
        ("coverage", plots::coverage(&evaluation.coverage_curve)),
    ] {
        write(&format!("{name}.svg"), drawing.to_svg().as_bytes())?;
        write(&format!("{name}.png"), &drawing.to_png()?)?;
    }
    for metric in &evaluation.metrics {
        let Some(value) = metric.value else { continue };
        let (scale, unit) = if metric.is_share { (100.0, " %") } else { (1.0, "") };
        let scaled = |value: f64, decimals| fixed(scale * value, decimals);
        let interval = metric.interval.map(|range| format!(" ({} to {})", scaled(range.low, 1), scaled(range.high, 1)));
        let (name, interval) = (&metric.name, interval.unwrap_or_default());
        output::line(format_args!("{name:<28} {}{unit}{interval}", scaled(value, 2)))?;
    }
    if let Some(inventory) = &evaluation.inventory {
        let exact = 100.0 * inventory.exact;
        output::line(format_args!("{:<28} {exact:.1} % of {} studies", "inventory exact", inventory.studies))?;
    }
    if let Some((subset, metrics)) = &evaluation.subset {
        for (what, value) in [("accuracy", metrics.pooled), ("balanced accuracy", metrics.mean_recall)] {
            let Some(value) = value else { continue };
            output::line(format_args!("{what} of {}: {:.2} %", subset.name, 100.0 * value))?;
        }
    }
    if let Some(index) = evaluation.experts.as_ref().and_then(|experts| experts.agreement.williams_index) {
        output::line(format_args!("{:<28} {}", "modified Williams index", fixed(index, 3)))?;
    }
    output::line(folder.join("report.html").display())
}

/// Embeds the rows in a plane by t-SNE; `None` without feature vectors, and for more rows than it does in good time.
pub fn embedding(predictions: &Predictions) -> anyhow::Result<Option<Vec<[f64; 2]>>> {
    const MAX_ROWS: usize = 3000;
    let features: Vec<&[f32]> = predictions.rows().iter().filter_map(|row| row.features.as_deref()).collect();
    if features.len() != predictions.rows().len() || features.len() > MAX_ROWS || features.len() < 10 {
        return Ok(None);
    }
    Ok(Some(tsne(&features, TsneOptions::default())?))
}

/// Today, as it stands in a report.
pub fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

/// The sha256 of predictions, where there is no data set to name.
pub fn fingerprint(predictions: &Predictions) -> anyhow::Result<String> {
    Ok(files::sha256_of(evaluate::to_csv(predictions)?.as_bytes())?.to_string())
}
