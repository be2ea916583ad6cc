//! Keras' older layout: groups by layer, with the order and names of weights in attributes.
//!
//! The weights group is the root (`save_weights`) or `model_weights` (a whole model); its `layer_names` list the layer
//! groups, whose `weight_names` list paths below the layer group. Lists beyond 64 kB are cut into `layer_names0`,
//! `layer_names1` and so on. Source: `keras/src/legacy/saving/legacy_h5_format.py` (layout only).

use std::collections::BTreeSet;

use super::{charge_entry, tensor};
use crate::budget::Budget;
use crate::error::Fault;
use crate::hdf5::{File, Object};
use crate::{Checkpoint, Format, LeftOut};

const WHOLE_MODEL_GROUP: &str = "model_weights";
/// Weights of a subclassed model that belong to no layer.
const TOP_LEVEL_GROUP: &str = "top_level_model_weights";
const OPTIMIZER_GROUP: &str = "optimizer_weights/";

/// The path of the group that has `layer_names`, or `None` where the file has another layout.
pub(super) fn weights_group(file: &File) -> Result<Option<&'static str>, Fault> {
    for group in [WHOLE_MODEL_GROUP, ""] {
        if let Some(object) = file.object(group)
            && names(file, object, "layer_names")?.is_some()
        {
            return Ok(Some(group));
        }
    }
    Ok(None)
}

/// Reads all weights that `weight_names` list, in their order.
pub(super) fn read(file: &File, weights_group: &str, budget: &Budget) -> Result<Checkpoint, Fault> {
    let mut checkpoint = Checkpoint { format: Format::KerasLegacy, tensors: Vec::new(), left_out: Vec::new() };
    let mut listed = BTreeSet::new();
    for layer in layers(file, weights_group)? {
        let layer_path = join(weights_group, &layer);
        let group = file.object(&layer_path).filter(|object| !object.is_dataset);
        let group = group.ok_or_else(|| Fault::damaged(&layer_path, "the layer is listed, but has no group"))?;
        let weight_names = names(file, group, "weight_names")?;
        let weight_names =
            weight_names.ok_or_else(|| Fault::damaged(&layer_path, "the layer's group has no weight_names"))?;
        for weight in weight_names {
            let path = join(&layer_path, &weight);
            let dataset = file.object(&path).filter(|object| object.is_dataset);
            let dataset = dataset.ok_or_else(|| Fault::damaged(&path, "the weight is listed, but not there"))?;
            let name = join(&layer, weight.strip_suffix(":0").unwrap_or(&weight));
            if !listed.insert(dataset.path.as_str()) {
                return Err(Fault::damaged(path, "the weight is listed twice"));
            }
            match tensor(file, dataset, &name, budget)? {
                Ok(tensor) => checkpoint.tensors.push(tensor),
                Err(left_out) => checkpoint.left_out.push(left_out),
            }
        }
    }
    for object in file.objects().iter().filter(|object| object.is_dataset && !listed.contains(object.path.as_str())) {
        let is_optimizer = object.path.starts_with(OPTIMIZER_GROUP);
        let why = if is_optimizer { "optimizer state" } else { "not listed by any layer's weight_names" };
        charge_entry(&object.path, budget)?;
        checkpoint.left_out.push(LeftOut::new(&object.path, why));
    }
    Ok(checkpoint)
}

/// The layers in their order, and the group of weights that belong to none where it has some.
fn layers(file: &File, weights_group: &str) -> Result<Vec<String>, Fault> {
    let group = file.object(weights_group).ok_or_else(|| Fault::damaged(weights_group, "is not there"))?;
    let mut layers = names(file, group, "layer_names")?.unwrap_or_default();
    let top_level = file.object(&join(weights_group, TOP_LEVEL_GROUP));
    if let Some(top_level) = top_level
        && names(file, top_level, "weight_names")?.is_some_and(|names| !names.is_empty())
    {
        layers.push(TOP_LEVEL_GROUP.to_owned());
    }
    Ok(layers)
}

/// A list of names, put together from numbered pieces where there are some.
fn names(file: &File, object: &Object, attribute: &str) -> Result<Option<Vec<String>>, Fault> {
    if let Some(names) = file.strings(object, attribute)? {
        return Ok(Some(names));
    }
    let mut all: Option<Vec<String>> = None;
    for piece in 0.. {
        match file.strings(object, &format!("{attribute}{piece}"))? {
            Some(names) => all.get_or_insert_default().extend(names),
            None => break,
        }
    }
    Ok(all)
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}
