//! From a strided view of a storage to contiguous values.

use super::value::Tensor;
use crate::budget::Budget;
use crate::element::{Element, elements};
use crate::error::Fault;

/// The values of a tensor, row-major, out of the bytes of its storage.
///
/// `view_offset` is added to the tensor's own offset; both in elements.
pub(super) fn read(
    tensor: &Tensor,
    element: Element,
    view_offset: usize,
    storage: &[u8],
    budget: &Budget,
) -> Result<Vec<f32>, Fault> {
    let damaged = |what: String| Fault::damaged("view", what);
    let count = elements(&tensor.shape).ok_or_else(|| damaged(format!("the shape {:?} is too large", tensor.shape)))?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let start = tensor.offset.checked_add(view_offset);
    let reach = tensor
        .shape
        .iter()
        .zip(&tensor.strides)
        .try_fold(0_usize, |reach, (axis, stride)| reach.checked_add((axis - 1).checked_mul(*stride)?));
    let end = start.zip(reach).and_then(|(start, reach)| start.checked_add(reach)?.checked_add(1));
    let stored = storage.len() / element.bytes();
    let (Some(start), Some(_)) = (start, end.filter(|end| *end <= stored)) else {
        let Tensor { offset, shape, strides, .. } = tensor;
        let what = format!("shape {shape:?} with strides {strides:?} from {offset} is larger than {stored} elements");
        return Err(damaged(what));
    };
    let width = element.bytes();
    if is_contiguous(tensor) {
        let raw = storage.get(start * width..(start + count) * width);
        let raw = raw.ok_or_else(|| damaged("is larger than its storage".to_owned()))?;
        return element.decode(raw, budget, "values");
    }
    // Also paid for as f32 by `decode`; the raw copy is gone when this returns.
    let mut raw: Vec<u8> = budget.vec(count * width, "strided values")?;
    budget.work(count, "strided values")?;
    // The stride of an axis of length 1 means nothing, and may be any number.
    let pairs = tensor.shape.iter().zip(&tensor.strides);
    let strides: Vec<usize> = pairs.map(|(axis, stride)| if *axis == 1 { 0 } else { *stride }).collect();
    let mut index = vec![0; tensor.shape.len()];
    let mut at = start;
    for _ in 0..count {
        raw.extend_from_slice(storage.get(at * width..(at + 1) * width).unwrap_or_default());
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < tensor.shape[axis] {
                break;
            }
            at -= strides[axis] * tensor.shape[axis];
            index[axis] = 0;
        }
    }
    let values = element.decode(&raw, budget, "values");
    budget.release(raw.len());
    values
}

/// Returns whether the elements are contiguous; strides of axes of length 1 mean nothing.
fn is_contiguous(tensor: &Tensor) -> bool {
    let mut expected = 1;
    for (axis, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        if *axis != 1 && *stride != expected {
            return false;
        }
        expected *= axis;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::value::Number;
    use super::*;

    fn read_f32(stored: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Result<Vec<f32>, Fault> {
        let storage: Vec<u8> = (0..stored).flat_map(|value| (value as f32).to_le_bytes()).collect();
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        let tensor = Tensor { storage: 0, number: Number::Float(Element::F32), offset, shape, strides };
        read(&tensor, Element::F32, 0, &storage, &Budget::for_file_of(storage.len()))
    }

    #[test]
    fn views_come_out_contiguous() {
        assert_eq!(read_f32(6, 0, &[2, 3], &[3, 1]).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(read_f32(6, 0, &[3, 2], &[1, 3]).unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(read_f32(6, 1, &[2, 2], &[0, 2]).unwrap(), [1.0, 3.0, 1.0, 3.0]);
        assert_eq!(read_f32(6, 5, &[], &[]).unwrap(), [5.0]);
        assert_eq!(read_f32(6, 5, &[1, 1], &[100, 7]).unwrap(), [5.0]);
        assert_eq!(read_f32(0, 9, &[0, 3], &[3, 1]).unwrap(), [0.0; 0]);
    }

    #[test]
    fn views_beyond_the_storage_are_refused() {
        assert!(read_f32(6, 1, &[2, 3], &[3, 1]).is_err());
        assert!(read_f32(6, 0, &[2, 3], &[4, 1]).is_err());
        assert!(read_f32(6, usize::MAX, &[2], &[usize::MAX]).is_err());
        assert!(matches!(read_f32(6, 0, &[1 << 40], &[0]), Err(Fault::TooCostly { .. })));
    }
}
