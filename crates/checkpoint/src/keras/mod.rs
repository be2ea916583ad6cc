//! Keras: which datasets of an HDF5 file are weights, and what they are called.

mod legacy;
mod natural;
mod store;

use crate::budget::Budget;
use crate::element::Element;
use crate::error::Fault;
use crate::hdf5::{Datatype, File, Object};
use crate::{Checkpoint, LeftOut, StoredTensor};

/// Reads an HDF5 file that Keras wrote, in either of its layouts.
pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Checkpoint, Fault> {
    let file = File::open(bytes, budget)?;
    match legacy::weights_group(&file)? {
        Some(group) => legacy::read(&file, group, budget),
        None => store::read(&file, budget),
    }
}

/// A dataset as a tensor called `name`, or why it is none.
fn tensor(file: &File, dataset: &Object, name: &str, budget: &Budget) -> Result<Result<StoredTensor, LeftOut>, Fault> {
    let element = match file.datatype(dataset)? {
        Datatype::Float(element) => element,
        // h5py has no bfloat16: Keras 3 stores two bytes without meaning and says in an attribute what they are.
        Datatype::Opaque(2) if file.strings(dataset, "dtype")?.is_some_and(|dtype| dtype == ["bfloat16"]) => {
            Element::BF16
        }
        Datatype::Integer(bytes) => {
            return Ok(Err(LeftOut::new(name, format!("integers or booleans of {bytes} bytes"))));
        }
        Datatype::FixedText(_) | Datatype::VariableText => return Ok(Err(LeftOut::new(name, "text"))),
        Datatype::Opaque(bytes) => return Ok(Err(LeftOut::new(name, format!("{bytes} bytes without a number type")))),
    };
    let (shape, values) = file.read(dataset, |shape, raw| Ok((shape, element.decode(raw, budget, name)?)))?;
    charge_entry(name, budget)?;
    Ok(Ok(StoredTensor { name: name.to_owned(), shape, values, stored_as: element }))
}

/// Takes the memory for an entry of the checkpoint, beside its values.
fn charge_entry(name: &str, budget: &Budget) -> Result<(), Fault> {
    budget.grow::<StoredTensor>(1, name)?;
    budget.allocate(2 * name.len() + 64, name)
}
