//! safetensors: a JSON header, then the numbers.

use safetensors::{Dtype, SafeTensors};

use crate::budget::Budget;
use crate::element::Element;
use crate::error::Fault;
use crate::{Checkpoint, Format, LeftOut, StoredTensor};

/// What the header may cost in memory for each of its bytes: the library keeps names and shapes twice.
const MEMORY_PER_HEADER_BYTE: usize = 6;

/// Whether `bytes` start as the format does: the header's length, then an object.
pub(crate) fn is_safetensors(bytes: &[u8]) -> bool {
    header_bytes(bytes).is_some() && bytes.get(8) == Some(&b'{')
}

/// Reads a file in the order in which its numbers lie.
pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Checkpoint, Fault> {
    let header = header_bytes(bytes).unwrap_or(usize::MAX);
    if header > bytes.len().saturating_sub(8) {
        return Err(Fault::damaged("safetensors header", format!("its {header} bytes are not all there: truncated")));
    }
    budget.allocate(header.saturating_mul(MEMORY_PER_HEADER_BYTE), "safetensors header")?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| Fault::damaged("safetensors", error.to_string()))?;
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, view)| (view.data().as_ptr(), view.data().len(), *name));
    let mut checkpoint = Checkpoint { format: Format::Safetensors, tensors: Vec::new(), left_out: Vec::new() };
    for (name, view) in views {
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
