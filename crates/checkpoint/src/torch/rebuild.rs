//! The calls of a pickle that mean a tensor or a mapping; every other one leaves a marker.

use super::value::{Global, Heap, Number, Storage, Tensor, Value};
use crate::budget::Budget;
use crate::element::Element;
use crate::error::Fault;

/// More bytes than any key of a storage has; many tensors may share one, and each looks it up.
const MAX_KEY_BYTES: usize = 100;
/// More axes than any weight has.
const MAX_RANK: usize = 32;

/// Returns the value of `callable(*arguments)` without calling it.
pub(super) fn call<'a>(
    heap: &mut Heap<'a>,
    callable: Value<'a>,
    arguments: Value<'a>,
    budget: &Budget,
) -> Result<Value<'a>, Fault> {
    let Value::Global(index) = callable else { return Ok(Value::Other("the result of a computed call")) };
    let Global { module, name } = heap.globals[index];
    match (module, name) {
        ("collections", "OrderedDict" | "defaultdict") => new_dict(heap, arguments, budget),
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
            rebuild_tensor(heap, arguments, name == "_rebuild_tensor_v3", budget)
        }
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            let first = heap.items(arguments).and_then(<[_]>::first).copied();
            first.ok_or_else(|| Fault::damaged(name, "has no arguments"))
        }
        _ => Ok(Value::Instance(index)),
    }
}

/// An empty dictionary, or one of the list of pairs that Python 2 passes to OrderedDict.
fn new_dict<'a>(heap: &mut Heap<'a>, arguments: Value<'a>, budget: &Budget) -> Result<Value<'a>, Fault> {
    let first = heap.items(arguments).and_then(<[_]>::first).copied();
    let pairs = first.and_then(|pairs| heap.items(pairs)).unwrap_or_default();
    let mut dict = budget.vec(pairs.len(), "pickle dictionary")?;
    for pair in pairs {
        match heap.items(*pair) {
            Some([key, value]) => dict.push((*key, *value)),
            _ => return Err(Fault::damaged("OrderedDict", "an item is no pair")),
        }
    }
    budget.grow::<Vec<Value>>(1, "pickle containers")?;
    heap.dicts.push(dict);
    Ok(Value::Dict(heap.dicts.len() - 1))
}

/// `(storage, offset, size, stride, ...)`, and for version 3 the number type as the seventh.
fn rebuild_tensor<'a>(
    heap: &mut Heap<'a>,
    arguments: Value<'a>,
    has_number: bool,
    budget: &Budget,
) -> Result<Value<'a>, Fault> {
    let damaged = |what: &str| Fault::damaged("a tensor", what);
    let items = heap.items(arguments).unwrap_or_default();
    let [Value::Storage(storage), Value::Integer(offset), shape, strides, ..] = *items else {
        return Err(damaged("is not made of storage, offset, shape and strides"));
    };
    let number = match items.get(6) {
        Some(Value::Global(index)) if has_number => number_of_dtype(heap.globals[*index]),
        _ if has_number => return Err(damaged("has no number type")),
        _ => heap.storages[storage].number,
    };
    let shape = sizes(heap, shape).ok_or_else(|| damaged("its shape is no tuple of sizes"))?;
    let strides = sizes(heap, strides).ok_or_else(|| damaged("its strides are no tuple of sizes"))?;
    if shape.len() != strides.len() || shape.len() > MAX_RANK {
        return Err(damaged(&format!("{} axes and {} strides", shape.len(), strides.len())));
    }
    let offset = size(Value::Integer(offset)).ok_or_else(|| damaged("its offset is negative"))?;
    budget.grow::<Tensor>(1, "tensors")?;
    budget.allocate(16 * shape.len(), "tensors")?;
    heap.tensors.push(Tensor { storage, number, offset, shape, strides });
    Ok(Value::Tensor(heap.tensors.len() - 1))
}

/// A persistent id: `("storage", type, key, location, elements)`, and in legacy files a view `(key, offset, elements)`.
pub(super) fn persistent<'a>(heap: &mut Heap<'a>, id: Value<'a>, budget: &Budget) -> Result<Value<'a>, Fault> {
    let damaged = |what: &str| Fault::damaged("a storage", what);
    let items = heap.items(id).unwrap_or_default();
    match *items {
        [Value::Text("storage"), Value::Global(kind), Value::Text(key), _location, elements, ref view @ ..] => {
            if key.len() > MAX_KEY_BYTES {
                return Err(damaged(&format!("its key has {} bytes", key.len())));
            }
            let number = number_of_storage(heap.globals[kind]);
            let number = number.ok_or_else(|| {
                Fault::not_read(format!("storage {key}"), format!("the storage type {}", heap.globals[kind]))
            })?;
            let elements = size(elements).ok_or_else(|| damaged("its length is no size"))?;
            let view_offset = match view.first().and_then(|view| heap.items(*view)) {
                Some([_, offset, _]) => size(*offset).ok_or_else(|| damaged("its view's offset is no size"))?,
                Some(_) => return Err(damaged("its view is not made of key, offset and length")),
                None => 0,
            };
            budget.grow::<Storage>(1, "storages")?;
            heap.storages.push(Storage { key, number, elements, view_offset });
            Ok(Value::Storage(heap.storages.len() - 1))
        }
        // Before 1.6 the class of a pickled module came with its source text.
        [Value::Text("module"), Value::Global(class), ..] => Ok(Value::Global(class)),
        _ => Err(damaged("a persistent id that torch does not write")),
    }
}

fn sizes(heap: &Heap, value: Value) -> Option<Vec<usize>> {
    let Value::Sequence(index) = value else { return None };
    heap.sequences[index].iter().map(|item| size(*item)).collect()
}

fn size(value: Value) -> Option<usize> {
    match value {
        Value::Integer(value) => usize::try_from(value).ok(),
        _ => None,
    }
}

fn number_of_storage(kind: Global) -> Option<Number> {
    if !matches!(kind.module, "torch" | "torch.cuda" | "torch.storage") {
        return None;
    }
    Some(match kind.name {
        "FloatStorage" => Number::Float(Element::F32),
        "HalfStorage" => Number::Float(Element::F16),
        "BFloat16Storage" => Number::Float(Element::BF16),
        "DoubleStorage" => Number::Float(Element::F64),
        "LongStorage" => Number::Other("int64", 8),
        "IntStorage" => Number::Other("int32", 4),
        "ShortStorage" => Number::Other("int16", 2),
        "CharStorage" => Number::Other("int8", 1),
        "ByteStorage" => Number::Other("uint8", 1),
        "BoolStorage" => Number::Other("bool", 1),
        "ComplexFloatStorage" => Number::Other("complex64", 8),
        "ComplexDoubleStorage" => Number::Other("complex128", 16),
        "QUInt8Storage" => Number::Other("quint8", 1),
        "QInt8Storage" => Number::Other("qint8", 1),
        "QInt32Storage" => Number::Other("qint32", 4),
        "UntypedStorage" => Number::Other("bytes", 1),
        _ => return None,
    })
}

/// The number type of a tensor on an untyped storage.
fn number_of_dtype(dtype: Global) -> Number {
    match (dtype.module, dtype.name) {
        ("torch", "float32") => Number::Float(Element::F32),
        ("torch", "float16") => Number::Float(Element::F16),
        ("torch", "bfloat16") => Number::Float(Element::BF16),
        ("torch", "float64") => Number::Float(Element::F64),
        _ => Number::Other("a number type without a storage class of its own", 1),
    }
}
