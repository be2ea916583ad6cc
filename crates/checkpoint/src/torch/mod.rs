//! PyTorch: what `torch.save` writes, read without running anything.
//!
//! A pickle is a program. [`machine`] runs the part of its language that moves values about; calls are only looked up in
//! a short list ([`rebuild`]) and otherwise leave a marker that says which class would have been made.
//! Source: Python's `pickletools`, `torch/serialization.py` and `torch/_utils.py` (formats only).

mod legacy;
mod machine;
mod rebuild;
mod state_dict;
mod tensor;
mod value;
mod zip;

pub(crate) use legacy::{is_legacy, read as read_legacy};
pub(crate) use zip::{pickle_entry, read as read_zip};
