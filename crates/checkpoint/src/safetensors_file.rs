//! safetensors: a JSON header, then the numbers.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::budget::Budget;
use crate::element::Element;
use crate::error::Fault;
use crate::{Checkpoint, Format, LeftOut, StoredTensor};

/// Memory that the library takes for each byte of the header: it keeps names and shapes twice.
const MEMORY_PER_HEADER_BYTE: usize = 16;
/// More axes than any weight has.
const MAX_RANK: usize = 32;

/// Returns whether `bytes` start as the format does: the header's length, then an object.
pub(crate) fn is_safetensors(bytes: &[u8]) -> bool {
    header_bytes(bytes).is_some() && bytes.get(8) == Some(&b'{')
}

/// Reads a file in the order in which its numbers lie.
pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Checkpoint, Fault> {
    let header = header_bytes(bytes).unwrap_or(usize::MAX);
    if header > bytes.len().saturating_sub(8) {
        return Err(Fault::damaged("safetensors header", format!("its {header} bytes are not all there: truncated")));
    }
    refuse_long_lists(&bytes[8..8 + header])?;
    budget.allocate(header.saturating_mul(MEMORY_PER_HEADER_BYTE), "safetensors header")?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| Fault::damaged("safetensors", error.to_string()))?;
    budget.grow::<(&str, TensorView)>(file.len(), "safetensors header")?;
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, view)| (view.data().as_ptr(), view.data().len(), *name));
    let mut checkpoint = Checkpoint { format: Format::Safetensors, tensors: Vec::new(), left_out: Vec::new() };
    for (name, view) in views {
        budget.grow::<StoredTensor>(1, name)?;
        budget.allocate(name.len() + 8 * view.shape().len(), name)?;
        let element = match view.dtype() {
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::BF16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            other => {
                checkpoint.left_out.push(LeftOut::new(name, format!("stored as {other}")));
                continue;
            }
        };
        let values = element.decode(view.data(), budget, name)?;
        let shape = view.shape().to_vec();
        checkpoint.tensors.push(StoredTensor { name: name.to_owned(), shape, values, stored_as: element });
    }
    Ok(checkpoint)
}

fn header_bytes(bytes: &[u8]) -> Option<usize> {
    let length = bytes.first_chunk().copied().map(u64::from_le_bytes)?;
    usize::try_from(length).ok().filter(|length| *length <= 100_000_000)
}

/// Refuses lists (shapes) of more than [`MAX_RANK`] items, each of which would take 48 bytes for two in the file.
fn refuse_long_lists(header: &[u8]) -> Result<(), Fault> {
    let (mut items, mut is_list, mut is_text, mut is_escaped) = (0, false, false, false);
    for byte in header {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b']' => (items, is_list) = (0, *byte == b'['),
            b',' if is_list => items += 1,
            _ => {}
        }
        if items >= MAX_RANK {
            return Err(Fault::damaged("safetensors header", format!("a shape of more than {MAX_RANK} axes")));
        }
    }
    Ok(())
}
