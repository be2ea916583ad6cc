//! Keras' newer layout (`.weights.h5`, `.keras`): groups by class and count of the layer, variables by number.

use super::{charge_entry, natural, tensor};
use crate::budget::Budget;
use crate::error::Fault;
use crate::hdf5::File;
use crate::{Checkpoint, Format, LeftOut};

/// Groups at the root that belong to training, under the names that Keras 2.12 to 3.15 gave them.
const TRAINING_GROUPS: [&str; 10] = [
    "optimizer",
    "_optimizer",
    "metrics",
    "_metrics",
    "compiled_metrics",
    "compile_metrics",
    "_compile_metrics",
    "_compile_loss",
    "loss_tracker",
    "_loss_tracker",
];

/// Reads every dataset in a `vars` group, in natural order of the paths.
pub(super) fn read(file: &File, budget: &Budget) -> Result<Checkpoint, Fault> {
    let mut datasets: Vec<_> = file.objects().iter().filter(|object| object.is_dataset).collect();
    if !datasets.iter().any(|dataset| is_variable(&dataset.path)) {
        let what = "an HDF5 file without Keras' layer_names attribute and without a vars group";
        return Err(Fault::NoWeights { what: what.to_owned() });
    }
    datasets.sort_by(|a, b| natural::compare(&a.path, &b.path));
    let mut checkpoint = Checkpoint { format: Format::KerasStore, tensors: Vec::new(), left_out: Vec::new() };
    for dataset in datasets {
        let root_group = dataset.path.split('/').next().unwrap_or_default();
        let why = if TRAINING_GROUPS.contains(&root_group) {
            Some("state of the optimizer, the loss or a metric")
        } else if !is_variable(&dataset.path) {
            Some("not in a vars group")
        } else {
            None
        };
        charge_entry(&dataset.path, budget)?;
        if let Some(why) = why {
            checkpoint.left_out.push(LeftOut::new(&dataset.path, why));
            continue;
        }
        match tensor(file, dataset, &dataset.path, budget)? {
            Ok(tensor) => checkpoint.tensors.push(tensor),
            Err(left_out) => checkpoint.left_out.push(left_out),
        }
    }
    Ok(checkpoint)
}

/// Returns whether the last group of a path is `vars`.
fn is_variable(path: &str) -> bool {
    path.rsplit('/').nth(1) == Some("vars")
}
