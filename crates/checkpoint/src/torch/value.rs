//! Values of a pickle, as far as weights need them.

use crate::element::Element;

/// A value of a pickle; containers are numbers in the [`Heap`], so that shared and cyclic ones cost nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Bool(bool),
    /// None, a float, bytes, a large integer, a set: never needed, so only what it is.
    Other(&'static str),
    /// A class or function by name.
    Global(usize),
    /// Instance that a call of the global would have made.
    Instance(usize),
    Sequence(usize),
    Dict(usize),
    Storage(usize),
    Tensor(usize),
}

/// The containers and named things that values refer to.
#[derive(Debug, Default)]
pub(crate) struct Heap<'a> {
    pub(crate) globals: Vec<Global<'a>>,
    pub(crate) sequences: Vec<Vec<Value<'a>>>,
    pub(crate) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub(crate) storages: Vec<Storage<'a>>,
    pub(crate) tensors: Vec<Tensor>,
}

/// A class or function: module and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Global<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
}

impl std::fmt::Display for Global<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names may be as long as the file, and many values may share one.
        write!(out, "{:.100}.{:.100}", self.module, self.name)
    }
}

/// A reference to numbers stored beside the pickle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage<'a> {
    pub(crate) key: &'a str,
    pub(crate) number: Number,
    /// Elements of the whole storage.
    pub(crate) elements: usize,
    /// Start of a view of the storage, in elements.
    pub(crate) view_offset: usize,
}

/// The number type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Float(Element),
    /// A type that is not read: its name and bytes.
    Other(&'static str, usize),
}

impl Number {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Number::Float(element) => element.bytes(),
            Number::Other(_, bytes) => bytes,
        }
    }
}

/// A strided view of a storage; offset and strides in elements.
#[derive(Debug)]
pub(crate) struct Tensor {
    /// Index in [`Heap::storages`].
    pub(crate) storage: usize,
    pub(crate) number: Number,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl<'a> Heap<'a> {
    /// Describes a value for messages.
    pub(crate) fn describe(&self, value: Value) -> String {
        match value {
            Value::Text(_) => "text".to_owned(),
            Value::Integer(_) => "an integer".to_owned(),
            Value::Bool(_) => "a boolean".to_owned(),
            Value::Other(what) => what.to_owned(),
            Value::Global(index) => format!("the name {}", self.globals[index]),
            Value::Instance(index) => format!("an object of class {}", self.globals[index]),
            Value::Sequence(index) => format!("a sequence of {}", self.sequences[index].len()),
            Value::Dict(index) => format!("a mapping of {}", self.dicts[index].len()),
            Value::Storage(_) => "a bare storage".to_owned(),
            Value::Tensor(_) => "a tensor".to_owned(),
        }
    }

    /// The items of a tuple or list.
    pub(crate) fn items(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Sequence(index) => Some(&self.sequences[index]),
            _ => None,
        }
    }
}
