//! The files that an evaluation leaves.

use std::path::Path;

use anyhow::Context as _;
use evaluate::pictures::{self, Cells};
use evaluate::{Evaluation, Predictions, TsneOptions, tsne};
use sha2::{Digest, Sha256};

use crate::commands::Outcome;
use crate::output;

/// Writes report, figures, predictions and pictures into `folder` and prints the headline.
pub fn write(folder: &Path, predictions: &Predictions, evaluation: &Evaluation) -> Outcome {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())
    };
    write("report.html", evaluation.to_html().as_bytes())?;
    write("figures.json", evaluation.to_json()?.as_bytes())?;
    write("predictions.csv", evaluate::to_csv(predictions)?.as_bytes())?;
    for (name, drawing) in [
        ("confusion", pictures::confusion(&evaluation.confusion, &evaluation.classes, Cells::Counts)),
        ("confusion-shares", pictures::confusion(&evaluation.confusion, &evaluation.classes, Cells::Shares)),
        ("reliability", pictures::reliability(&evaluation.reliability)),
        ("coverage", pictures::coverage(&evaluation.coverage_curve)),
    ] {
        write(&format!("{name}.svg"), drawing.to_svg().as_bytes())?;
        write(&format!("{name}.png"), &drawing.to_png()?)?;
    }
    for figure in &evaluation.figures {
        let Some(value) = figure.value else { continue };
        let (scale, unit) = if figure.is_share { (100.0, " %") } else { (1.0, "") };
        let interval = figure.interval.map(|range| format!(" ({:.1} to {:.1})", scale * range.low, scale * range.high));
        let (name, interval) = (&figure.name, interval.unwrap_or_default());
        output::line(format_args!("{name:<28} {:.2}{unit}{interval}", scale * value))?;
    }
    if let Some(inventory) = &evaluation.inventory {
        let exact = 100.0 * inventory.exact;
        output::line(format_args!("{:<28} {exact:.1} % of {} studies", "inventory exact", inventory.studies))?;
    }
    if let Some((subset, figures)) = &evaluation.subset {
        for (what, value) in [("accuracy", figures.pooled), ("balanced accuracy", figures.mean_recall)] {
            let Some(value) = value else { continue };
            output::line(format_args!("{what} of {}: {:.2} %", subset.name, 100.0 * value))?;
        }
    }
    if let Some(index) = evaluation.experts.as_ref().and_then(|experts| experts.agreement.williams_index) {
        output::line(format_args!("{:<28} {index:.3}", "modified Williams index"))?;
    }
    output::line(folder.join("report.html").display())
}

/// Places on a plane by t-SNE, of as many rows as it takes in good time; `None` without vectors.
pub fn places(predictions: &Predictions) -> anyhow::Result<Option<Vec<[f64; 2]>>> {
    const MOST_ROWS: usize = 3000;
    let features: Vec<&[f32]> = predictions.rows().iter().filter_map(|row| row.features.as_deref()).collect();
    if features.len() != predictions.rows().len() || features.len() > MOST_ROWS || features.len() < 10 {
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
    Ok(hex(&Sha256::digest(evaluate::to_csv(predictions)?.as_bytes())))
}

/// The sha256 of a file.
pub fn file_digest(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
