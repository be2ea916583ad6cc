use std::collections::{BTreeMap, HashMap};

use super::layers::{Class, NeededLayer};
use super::{Place, TensorOutline};
use crate::{Result, ZooError};

/// Finds the place of each needed tensor, by layer name; numbered layers by their order of appearance in the file.
pub(super) fn find(
    file: &str,
    stored: &[TensorOutline],
    layers: &[NeededLayer<'_>],
    needed: usize,
) -> Result<Vec<Option<Place>>> {
    let named: HashMap<&str, usize> = layers
        .iter()
        .enumerate()
        .filter(|(_, layer)| !layer.is_numbered())
        .map(|(index, layer)| (layer.name, index))
        .collect();
    let mut numbered: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
    for (index, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.is_numbered()) {
        numbered.entry(layer.class).or_default().push(index);
    }
    let mut appeared: BTreeMap<Class, Vec<&str>> = BTreeMap::new();
    let mut places = vec![None; needed];
    for (at, tensor) in stored.iter().enumerate() {
        let (path, variable) = tensor.name.rsplit_once('/').unwrap_or(("", &tensor.name));
        let layer = suffixes(path).find_map(|suffix| named.get(suffix).copied()).or_else(|| {
            let (class, _) = Class::of_numbered(path.rsplit('/').next()?)?;
            let paths = appeared.entry(class).or_default();
            let rank = paths.iter().position(|seen| *seen == path).unwrap_or_else(|| {
                paths.push(path);
                paths.len() - 1
            });
            numbered.get(&class)?.get(rank).copied()
        });
        let Some(layer) = layer.map(|index| &layers[index]) else { continue };
        // A layer scale has one variable, which Keras calls gamma, Variable, or what its version pleases.
        let variable = if layer.class == Class::LayerScale { "layer_scale" } else { variable };
        let Some(&(_, needed)) = layer.variables.iter().find(|(name, _)| *name == variable) else { continue };
        let place = Place { stored: at, transposed: layer.transposed && variable == "kernel" };
        if let Some(Place { stored: first, .. }) = places[needed].replace(place) {
            return Err(ZooError::AmbiguousTensors {
                weights: file.to_owned(),
                part: layer.name.to_owned(),
                places: format!("{:?} or {:?}", stored[first].name, tensor.name),
            });
        }
    }
    Ok(places)
}

/// The path and what is left of it after each slash, longest first, so that `conv1/bn` is not taken for `bn`.
fn suffixes(path: &str) -> impl Iterator<Item = &str> {
    std::iter::once(path).chain(path.match_indices('/').map(|(slash, _)| &path[slash + 1..]))
}
