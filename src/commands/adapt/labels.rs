//! The loops to learn from.

use std::collections::BTreeMap;

use anyhow::ensure;
use store::LabelStore as _;
use train::{LabelledFile, LabelledLoops, LoopData};
use zoo::LabelSet;

use crate::cli::{AdaptOptions, Common};

/// Returns the labelled loops of the CSV, or those of the database that people have reviewed.
pub fn read(common: &Common, options: &AdaptOptions, views: &LabelSet) -> anyhow::Result<LabelledLoops> {
    if let Some(labels) = &options.labels {
        let data = LoopData {
            folder: options.loops.clone(),
            labels: labels.clone(),
            validation_share: 0.0,
            test_share: 0.0,
            clips_per_loop: None,
        };
        return Ok(train::loops_of_csv(&data, options.seed, views)?);
    }
    let store = crate::commands::open_store(common, options.db.clone())?;
    let mut files = Vec::new();
    for study in store.studies()? {
        let uid = &study.study_instance_uid;
        let reviews = store.reviews(uid)?;
        if reviews.is_empty() {
            continue;
        }
        let paths = store.paths(uid)?;
        // In the order of UIDs, so that the same reviews give the same layer.
        let latest: BTreeMap<_, _> = store::latest_reviews(&reviews).into_iter().collect();
        for (sop, review) in latest.into_iter().filter(|(_, review)| !review.not_sure) {
            let class = match &review.view {
                None => None,
                // A review of a model with other views says nothing here.
                Some(view) => match views.index_of(view) {
                    Some(class) => Some(class),
                    None => continue,
                },
            };
            if let Some(path) = paths.get(sop).and_then(|files| store::present_file(files)) {
                files.push(LabelledFile { sop_instance_uid: sop.to_string(), class, path: path.clone() });
            }
        }
    }
    ensure!(
        !files.is_empty(),
        "the database has no reviewed loops with views of {}: label some with `echolabel review`, or give --labels CSV",
        views.name
    );
    Ok(train::loops_of_files(files, options.seed))
}
