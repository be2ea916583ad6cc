use std::collections::BTreeMap;

use super::layers::{Class, NeededLayer};
use super::{Place, TensorOutline};
use crate::{Result, ZooError};

/// The prefix of paths in files of Keras 2.13, which counts each layer twice, so that its numbers go up in twos.
const KERAS_2_13: &str = "_layer_checkpoint_dependencies";

/// A layer of the file: its path, and the indexes of its variables by their numbers.
#[derive(Default)]
struct StoredLayer<'a> {
    path: &'a str,
    variables: BTreeMap<usize, usize>,
}

/// Finds the place of each needed tensor: the layers of one class in their order, their variables in theirs.
pub(super) fn find(
    file: &str,
    stored: &[TensorOutline],
    layers: &[NeededLayer<'_>],
    needed: usize,
) -> Result<Vec<Option<Place>>> {
    let by_class = stored_layers(file, stored)?;
    let mut next: BTreeMap<Class, usize> = BTreeMap::new();
    let mut places = vec![None; needed];
    // The file's layers come inner models first, so these must too.
    let (nested, others): (Vec<_>, Vec<_>) = layers.iter().partition(|layer| layer.is_nested());
    for layer in nested.into_iter().chain(others) {
        let rank = next.entry(layer.class).or_default();
        let found = by_class.get(&layer.class).and_then(|found| found.get(*rank));
        *rank += 1;
        let Some(found) = found else { continue };
        for (number, &(variable, needed)) in layer.variables.iter().enumerate() {
            let transposed = layer.transposed && variable == "kernel";
            places[needed] = found.variables.get(&number).map(|&stored| Place { stored, transposed });
        }
    }
    Ok(places)
}

/// The file's layers by class, inner models before the layers around them, then by number.
fn stored_layers<'a>(file: &str, stored: &'a [TensorOutline]) -> Result<BTreeMap<Class, Vec<StoredLayer<'a>>>> {
    type Order<'a> = (std::cmp::Reverse<usize>, &'a str, usize);
    let mut sorted: BTreeMap<Class, BTreeMap<Order<'a>, StoredLayer<'a>>> = BTreeMap::new();
    for (at, tensor) in stored.iter().enumerate() {
        let Some((path, variable, model, class, number)) = parts(&tensor.name) else {
            let first = tensor.name.clone();
            return Err(ZooError::ExtraTensors { weights: file.to_owned(), count: 1, first });
        };
        let order = (std::cmp::Reverse(model.matches('/').count()), model, number);
        let layer = sorted.entry(class).or_default().entry(order).or_default();
        layer.path = path;
        layer.variables.insert(variable, at);
    }
    for layers in sorted.values() {
        check_numbers(file, layers.iter().map(|((_, model, number), layer)| (*model, *number, layer.path)))?;
    }
    Ok(sorted.into_iter().map(|(class, layers)| (class, layers.into_values().collect())).collect())
}

/// A tensor's layer path and variable number; the layer's model, class and number there.
fn parts(name: &str) -> Option<(&str, usize, &str, Class, usize)> {
    let (path, variable) = name.rsplit_once("/vars/")?;
    let (model, layer) = path.rsplit_once('/').unwrap_or(("", path));
    let (class, number) = Class::of_numbered(layer)?;
    Some((path, variable.parse().ok()?, model, class, number))
}

/// Checks that the layers of one class in one model are numbered without a gap.
///
/// Only the numbers tell the layers apart, so a gap means that one is missing and the others cannot be told either.
fn check_numbers<'a>(file: &str, layers: impl Iterator<Item = (&'a str, usize, &'a str)>) -> Result<()> {
    let mut by_model: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for (model, number, path) in layers {
        by_model.entry(model).or_default().push((number, path));
    }
    for layers in by_model.values() {
        for (rank, (number, path)) in layers.iter().enumerate() {
            let step = if path.starts_with(KERAS_2_13) { 2 } else { 1 };
            if *number != rank * step {
                return Err(ZooError::LayerNumbers { weights: file.to_owned(), layer: (*path).to_owned() });
            }
        }
    }
    Ok(())
}
