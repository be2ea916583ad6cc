//! Finds the state dict among a checkpoint's mappings, and its tensors.

use std::collections::BTreeSet;

use super::tensor;
use super::value::{Heap, Number, Storage, Value};
use crate::budget::Budget;
use crate::element::elements;
use crate::error::Fault;
use crate::{LeftOut, StoredTensor};

/// Memory for remembering a container: the visit, and that it was seen.
const VISIT_BYTES: usize = 3 * size_of::<Visit>() + 48;
/// Memory that a tensor or something left out takes beside its name.
const ENTRY_BYTES: usize = 3 * size_of::<StoredTensor>() + 64;

/// Source of the numbers of a storage.
pub(super) trait Storages<'a> {
    /// The bytes of a storage, as many as it says; each storage is asked for once a tensor.
    fn bytes(&mut self, storage: &Storage<'a>) -> Result<&[u8], Fault>;
}

/// The tensors of the mapping that directly holds the most floating elements, and what was left out.
///
/// A checkpoint wraps its state dict in whatever its author liked (`state_dict`, `model`, `net`...), so it is found by
/// structure: of all mappings reachable from `root` without entering an optimizer's (`state` with `param_groups`), the
/// largest; the first one of equals.
pub(super) fn read<'a>(
    heap: &Heap<'a>,
    root: Value<'a>,
    storages: &mut impl Storages<'a>,
    budget: &Budget,
) -> Result<(Vec<StoredTensor>, Vec<LeftOut>), Fault> {
    let visits = visit(heap, root, budget)?;
    let Some(chosen) = largest_mapping(heap, &visits) else { return Err(nothing_found(heap, root, &visits)) };
    let mut left_out = Vec::new();
    list_neighbors(heap, &visits, chosen, budget, &mut left_out)?;

    let mut tensors = Vec::new();
    let mut names = BTreeSet::new();
    for (key, value) in entries(heap, visits[chosen].container) {
        let name = name_of(key);
        budget.allocate(4 * name.len() + ENTRY_BYTES, "state dict")?;
        if !names.insert(name.clone()) {
            return Err(Fault::damaged(format!("state dict: {name}"), "is there twice"));
        }
        match value {
            Value::Tensor(index) => match heap.tensors[index].number {
                Number::Float(element) => {
                    let tensor = &heap.tensors[index];
                    let storage = &heap.storages[tensor.storage];
                    let bytes = storages.bytes(storage).map_err(|fault| fault.within(&name))?;
                    let values = tensor::read(tensor, element, storage.view_offset, bytes, budget)
                        .map_err(|fault| fault.within(&name))?;
                    tensors.push(StoredTensor { name, shape: tensor.shape.clone(), values, stored_as: element });
                }
                Number::Other(what, _) => left_out.push(LeftOut::new(&name, format!("stored as {what}"))),
            },
            other => left_out.push(LeftOut::new(&name, format!("{}, not a tensor", heap.describe(other)))),
        }
    }
    Ok((tensors, left_out))
}

/// A container that was reached, and the visit it was reached from.
struct Visit<'a> {
    container: Value<'a>,
    from: Option<usize>,
    is_optimizer: bool,
}

/// All containers reachable from the root, each once, outer ones and earlier ones first.
fn visit<'a>(heap: &Heap<'a>, root: Value<'a>, budget: &Budget) -> Result<Vec<Visit<'a>>, Fault> {
    let mut seen = BTreeSet::new();
    let mut visits: Vec<Visit> = Vec::new();
    let mut add = |container: Value<'a>, from: Option<usize>, visits: &mut Vec<Visit<'a>>| {
        let id = match container {
            Value::Dict(index) => (0, index),
            Value::Sequence(index) => (1, index),
            _ => return Ok(()),
        };
        if seen.insert(id) {
            budget.allocate(VISIT_BYTES, "state dict")?;
            visits.push(Visit { container, from, is_optimizer: is_optimizer(heap, container) });
        }
        Ok(())
    };
    add(root, None, &mut visits)?;
    let mut next = 0;
    while let Some(visit) = visits.get(next) {
        if !visit.is_optimizer {
            for (_, value) in entries(heap, visit.container) {
                budget.work(1, "state dict")?;
                add(value, Some(next), &mut visits)?;
            }
        }
        next += 1;
    }
    Ok(visits)
}

/// The visit of the mapping with the most floating elements, or `None` where no mapping has a floating tensor.
fn largest_mapping(heap: &Heap, visits: &[Visit]) -> Option<usize> {
    let mut largest: Option<(usize, usize)> = None;
    for (index, visit) in visits.iter().enumerate() {
        let Value::Dict(dict) = visit.container else { continue };
        let floating = heap.dicts[dict].iter().filter_map(|(_, value)| match value {
            Value::Tensor(tensor) => Some(&heap.tensors[*tensor]),
            _ => None,
        });
        let sizes = floating
            .filter(|tensor| matches!(tensor.number, Number::Float(_)))
            .map(|tensor| elements(&tensor.shape).unwrap_or(usize::MAX));
        let Some(size) = sizes.reduce(usize::saturating_add) else { continue };
        if largest.is_none_or(|(_, most)| size > most) {
            largest = Some((index, size));
        }
    }
    largest.map(|(index, _)| index)
}

/// An optimizer's state dict, whose moments would look like weights.
fn is_optimizer(heap: &Heap, container: Value) -> bool {
    let Value::Dict(index) = container else { return false };
    let has = |name: &str| heap.dicts[index].iter().any(|(key, _)| matches!(key, Value::Text(text) if *text == name));
    has("state") && has("param_groups")
}

/// Says of everything beside the way from the root to the chosen mapping that it was left out.
fn list_neighbors(
    heap: &Heap,
    visits: &[Visit],
    chosen: usize,
    budget: &Budget,
    left_out: &mut Vec<LeftOut>,
) -> Result<(), Fault> {
    let mut inner = chosen;
    while let Some(outer) = visits[inner].from {
        for (key, value) in entries(heap, visits[outer].container) {
            if is_same(value, visits[inner].container) {
                continue;
            }
            let name = name_of(key);
            budget.allocate(2 * name.len() + ENTRY_BYTES, "state dict")?;
            if let Value::Dict(dict) = value {
                budget.work(heap.dicts[dict].len(), "state dict")?;
            }
            let what = match is_optimizer(heap, value) {
                true => "an optimizer's state".to_owned(),
                false => heap.describe(value),
            };
            left_out.push(LeftOut::new(&name, format!("{what}, beside the weights")));
        }
        inner = outer;
    }
    Ok(())
}

fn nothing_found(heap: &Heap, root: Value, visits: &[Visit]) -> Fault {
    let inside = visits.iter().flat_map(|visit| entries(heap, visit.container)).map(|(_, value)| value);
    let class = std::iter::once(root).chain(inside).find_map(|value| match value {
        Value::Instance(index) => Some(heap.globals[index].to_string()),
        _ => None,
    });
    match class {
        Some(class) => Fault::PickledObject { class },
        None => Fault::NoWeights { what: format!("{}, in it no mapping of names to tensors", heap.describe(root)) },
    }
}

/// Keys and values of a mapping, or positions and items of a sequence.
fn entries<'h, 'a>(heap: &'h Heap<'a>, container: Value<'a>) -> impl Iterator<Item = (Value<'a>, Value<'a>)> + 'h {
    let (pairs, items): (&[_], &[_]) = match container {
        Value::Dict(index) => (&heap.dicts[index], &[]),
        Value::Sequence(index) => (&[], &heap.sequences[index]),
        _ => (&[], &[]),
    };
    let numbered = items.iter().zip(0..).map(|(item, position)| (Value::Integer(position), *item));
    pairs.iter().copied().chain(numbered)
}

fn is_same(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::Dict(a), Value::Dict(b)) | (Value::Sequence(a), Value::Sequence(b)) => a == b,
        _ => false,
    }
}

fn name_of(key: Value) -> String {
    match key {
        Value::Text(text) => text.to_owned(),
        Value::Integer(number) => number.to_string(),
        _ => "a key that is no text".to_owned(),
    }
}
