//! Matching of a torch checkpoint's tensors to a model's.
//!
//! A model has parts (encoder, head, fusion, classifier), and inside a part it keeps the checkpoint's own names. What a
//! checkpoint calls the part, and what was wrapped around it (`module.`, `net.`, `feature.`), is found: it is the one
//! prefix under which every tensor of the part is there with its shape.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::arrange::{Place, TensorOutline, checked};
use crate::{Result, ZooError};

/// Finds every tensor that is needed among those stored; names are dotted paths.
pub(super) fn places(file: &str, stored: &[TensorOutline], needed: &[TensorOutline]) -> Result<Vec<Place>> {
    let index: HashMap<&str, usize> =
        stored.iter().enumerate().map(|(index, tensor)| (tensor.name.as_str(), index)).collect();
    let mut found: Vec<Option<Place>> = vec![None; needed.len()];
    let mut taken = BTreeSet::new();
    let mut parts = parts(needed);
    // The largest part has the fewest places where it fits; what it takes is out of the question for the others.
    parts.sort_by_key(|part| std::cmp::Reverse(part.members.len()));
    for part in &parts {
        let prefix = part.prefix(file, (stored, needed), &taken)?;
        for &member in &part.members {
            let name = format!("{prefix}{}", part.rest(needed, member));
            if let Some(&stored) = index.get(name.as_str()) {
                found[member] = Some(Place { stored, transposed: false });
                taken.insert(stored);
            }
        }
    }
    checked(file, (stored, needed), found)
}

/// Tensors of a model that keep their names relative to each other.
struct Part {
    /// The common prefix of their names in the model, up to and with the last common dot.
    common: String,
    /// Their indexes among the tensors needed.
    members: Vec<usize>,
}

/// The model's parts: tensors whose names begin with the same word.
fn parts(needed: &[TensorOutline]) -> Vec<Part> {
    let mut by_word: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, tensor) in needed.iter().enumerate() {
        let word = tensor.name.split('.').next().unwrap_or_default();
        by_word.entry(word).or_default().push(index);
    }
    by_word.into_values().map(|members| Part { common: common_path(needed, &members), members }).collect()
}

/// The longest path, with its last dot, that all of these names begin with.
fn common_path(needed: &[TensorOutline], members: &[usize]) -> String {
    let Some((&first, others)) = members.split_first() else { return String::new() };
    let mut path = needed[first].name.rfind('.').map_or("", |dot| &needed[first].name[..=dot]);
    while !others.iter().all(|&other| needed[other].name.starts_with(path)) {
        let shorter = path.trim_end_matches('.').rfind('.').map_or(0, |dot| dot + 1);
        path = &path[..shorter];
    }
    path.to_owned()
}

impl Part {
    /// A member's name below the common path.
    fn rest<'a>(&self, needed: &'a [TensorOutline], member: usize) -> &'a str {
        &needed[member].name[self.common.len()..]
    }

    /// Returns the prefix of this part's names in the file.
    ///
    /// If no prefix fits wholly, it is the one under which most tensors are found: the check that follows then names what
    /// is missing there.
    fn prefix(
        &self,
        file: &str,
        (stored, needed): (&[TensorOutline], &[TensorOutline]),
        taken: &BTreeSet<usize>,
    ) -> Result<String> {
        let by_rest: HashMap<&str, usize> =
            self.members.iter().map(|&member| (self.rest(needed, member), member)).collect();
        // For each prefix: how many tensors are there by name, and how many of these have the right shape.
        let mut fits: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (index, tensor) in stored.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            for cut in cuts(&stored[index].name) {
                if let Some(&member) = by_rest.get(&tensor.name[cut..]) {
                    let fit = fits.entry(&tensor.name[..cut]).or_default();
                    fit.0 += 1;
                    fit.1 += usize::from(tensor.shape == needed[member].shape);
                }
            }
        }
        let whole: Vec<&str> =
            fits.iter().filter(|(_, fit)| fit.1 == self.members.len()).map(|(prefix, _)| *prefix).collect();
        match whole.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => {
                let best = fits.iter().max_by_key(|(_, fit)| (fit.1, fit.0)).map(|(prefix, _)| *prefix);
                best.map(str::to_owned).ok_or_else(|| ZooError::MissingTensor {
                    weights: file.to_owned(),
                    tensor: needed[self.members[0]].name.clone(),
                })
            }
            [first, second, ..] => Err(ZooError::AmbiguousTensors {
                weights: file.to_owned(),
                part: self.common.clone(),
                places: format!("{first:?} or {second:?}"),
            }),
        }
    }
}

/// Returns the positions at which a dotted name can be cut into a prefix and a rest: at its start and after each dot.
fn cuts(name: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1))
}
