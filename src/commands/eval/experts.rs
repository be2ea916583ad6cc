//! The experts' labels of TTE47's test images beside a model's predictions.

use std::path::Path;

use evaluate::{Prediction, Predictions};
use train::data::{EXPERTS_FILE, ExpertLabels, tte47_experts};
use zoo::LabelSet;

use crate::output;

/// Adds the experts' labels to the predictions of the test images, where the data set's folder has them.
pub fn with_experts(images: Predictions, folder: &Path, views: &LabelSet) -> anyhow::Result<Predictions> {
    let Some(experts) = tte47_experts(folder, views)? else {
        output::note(format_args!("no {EXPERTS_FILE} in {}: the report has no agreement of experts", folder.display()));
        return Ok(images);
    };
    let not_sure: ExpertLabels = [None; 3];
    let add = |row: &Prediction| {
        let labels = experts.get(&row.loop_name).unwrap_or(&not_sure);
        Prediction { experts: labels.to_vec(), ..row.clone() }
    };
    Ok(Predictions::new(images.classes().to_vec(), images.rows().iter().map(add).collect())?)
}
