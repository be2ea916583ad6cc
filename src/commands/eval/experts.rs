//! What experts said of TTE47's test images, beside what a model says.

use std::path::Path;

use evaluate::{Prediction, Predictions};
use train::data::{EXPERTS_FILE, ExpertLabels, tte47_experts};
use zoo::LabelSet;

/// The predictions of the test images with the experts' labels, where the data set's folder has them.
pub fn added(images: Predictions, folder: &Path, views: &LabelSet) -> anyhow::Result<Predictions> {
    let Some(experts) = tte47_experts(folder, views)? else {
        eprintln!("no {EXPERTS_FILE} in {}: the report has no agreement of experts", folder.display());
        return Ok(images);
    };
    let unsure: ExpertLabels = [None; 3];
    let with_experts = |row: &Prediction| {
        let said = experts.get(&row.loop_name).unwrap_or(&unsure);
        Prediction { experts: said.to_vec(), ..row.clone() }
    };
    Ok(Predictions::new(images.classes().to_vec(), images.rows().iter().map(with_experts).collect())?)
}
