use crate::{Result, ZooError};

/// A tensor's name and shape, without its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorOutline {
    /// The name in its file, or in the model.
    pub name: String,
    /// The sides.
    pub shape: Vec<usize>,
}

/// Matching of a file's tensors to those that a model needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its index among the file's tensors.
    pub stored: usize,
    /// True if the model has rows and columns the other way round (Keras' dense kernels).
    pub transposed: bool,
}

/// Checks shapes and that no tensor of the file is left over; gives the places in the order of `needed`.
///
/// `places` holds, for each tensor needed, where it was found. The first fault is named with both names.
pub(super) fn checked(
    file: &str,
    (stored, needed): (&[TensorOutline], &[TensorOutline]),
    places: Vec<Option<Place>>,
) -> Result<Vec<Place>> {
    let mut used = vec![false; stored.len()];
    let mut checked = Vec::with_capacity(needed.len());
    for (needed, place) in needed.iter().zip(places) {
        let place =
            place.ok_or_else(|| ZooError::MissingTensor { weights: file.to_owned(), tensor: needed.name.clone() })?;
        let found = &stored[place.stored];
        let shape: Vec<usize> = match place.transposed {
            true => found.shape.iter().rev().copied().collect(),
            false => found.shape.clone(),
        };
        if shape != needed.shape {
            return Err(ZooError::MisshapenTensor {
                weights: file.to_owned(),
                tensor: format!("{} (here {})", found.name, needed.name),
                found: found.shape.clone(),
                expected: match place.transposed {
                    true => needed.shape.iter().rev().copied().collect(),
                    false => needed.shape.clone(),
                },
            });
        }
        used[place.stored] = true;
        checked.push(place);
    }
    let mut extra: Vec<&str> =
        stored.iter().zip(&used).filter(|(_, used)| !**used).map(|(tensor, _)| tensor.name.as_str()).collect();
    extra.sort_unstable();
    match extra.first() {
        Some(first) => {
            Err(ZooError::ExtraTensors { weights: file.to_owned(), count: extra.len(), first: (*first).to_owned() })
        }
        None => Ok(checked),
    }
}
