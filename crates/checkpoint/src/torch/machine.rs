//! The pickle machine: a stack, a memo, and the opcodes of protocols 2 to 5.

use std::collections::BTreeMap;

use super::rebuild;
use super::value::{Global, Heap, Value};
use crate::budget::Budget;
use crate::bytes::{Reader, text};
use crate::error::Fault;

/// Memory that one memorized value takes.
const MEMO_BYTES: usize = 64;

/// Result of a pickle program: its value, and the containers that the value refers to.
pub(crate) struct Pickle<'a> {
    pub(crate) heap: Heap<'a>,
    pub(crate) root: Value<'a>,
    /// Offset behind the STOP opcode.
    pub(crate) end: usize,
}

/// Runs the pickle that starts at `start` of `bytes`.
pub(crate) fn run<'a>(bytes: &'a [u8], start: usize, budget: &Budget) -> Result<Pickle<'a>, Fault> {
    let mut machine = Machine {
        reader: Reader::at(bytes, start, "pickle"),
        budget,
        stack: Vec::new(),
        highest: 0,
        marks: Vec::new(),
        most_marks: 0,
        memo: BTreeMap::new(),
        heap: Heap::default(),
    };
    loop {
        let at = machine.reader.position();
        let opcode = machine.reader.u8()?;
        if opcode == b'.' {
            break;
        }
        budget.work(1, "pickle")?;
        machine.step(opcode).map_err(|fault| fault.within(&format!("pickle opcode {opcode:#04x} at offset {at}")))?;
    }
    let root = machine.pop()?;
    Ok(Pickle { root, end: machine.reader.position(), heap: machine.heap })
}

struct Machine<'a, 'b> {
    reader: Reader<'a>,
    budget: &'b Budget,
    stack: Vec<Value<'a>>,
    /// The most values that were ever on the stack: what has been paid for.
    highest: usize,
    /// Heights of the stack where marks stand.
    marks: Vec<usize>,
    most_marks: usize,
    memo: BTreeMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Machine<'a, '_> {
    fn step(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            // PROTO, FRAME: what they announce is not needed.
            0x80 => self.reader.skip(1),
            0x95 => self.reader.skip(8),
            b'N' => self.push(Value::Other("None")),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' | b'M' | b'J' | 0x8a | 0x8b => self.integer(opcode),
            b'G' => self.skip_and_push(8, Value::Other("a float")),
            b'X' | 0x8c | 0x8d | b'T' | b'U' => self.text(opcode),
            b'B' | b'C' | 0x8e | 0x96 => self.bytes(opcode),
            b'(' => self.mark(),
            b'0' => self.pop().map(|_| ()),
            b'1' => self.pop_to_mark().map(|_| ()),
            b'2' => self.top().and_then(|top| self.push(top)),
            b')' => self.push_sequence(Vec::new()),
            b']' => self.push_sequence(Vec::new()),
            b't' | b'l' => {
                let items = self.pop_to_mark()?;
                self.push_sequence(items)
            }
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.push_sequence(items)
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(items)
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)
            }
            b'}' => self.push_dict(),
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)
            }
            0x8f => self.push(Value::Other("a set")),
            0x90 => self.pop_to_mark().map(|_| ()),
            0x91 => {
                self.pop_to_mark()?;
                self.push(Value::Other("a set"))
            }
            b'q' | b'r' | 0x94 => self.memorize(opcode),
            b'h' | b'j' => self.recall(opcode),
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(module, name)
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.push_global(module, name),
                _ => Err(self.reader.damaged("module and name are no text")),
            },
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)
            }
            0x92 => {
                let (_keywords, arguments, callable) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(callable, arguments)
            }
            // BUILD sets attributes of an object; no weight is kept in one.
            b'b' => self.pop().map(|_| ()),
            b'Q' => {
                let id = self.pop()?;
                let value = rebuild::persistent(&mut self.heap, id, self.budget)?;
                self.push(value)
            }
            _ => Err(Fault::not_read("the machine", "an opcode that torch does not write")),
        }
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), Fault> {
        self.stack.push(value);
        if self.stack.len() > self.highest {
            self.budget.grow::<Value>(1, "pickle stack")?;
            self.highest = self.stack.len();
        }
        Ok(())
    }

    /// Values below the last mark are out of reach, as they are for Python.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value<'a>, Fault> {
        if self.stack.len() <= self.floor() {
            return Err(self.reader.damaged("the stack is empty"));
        }
        self.stack.pop().ok_or_else(|| self.reader.damaged("the stack is empty"))
    }

    fn top(&self) -> Result<Value<'a>, Fault> {
        let reachable = self.stack.get(self.floor()..).and_then(<[_]>::last);
        reachable.copied().ok_or_else(|| self.reader.damaged("the stack is empty"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, Fault> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= self.floor());
        let start = start.ok_or_else(|| self.reader.damaged("the stack is empty"))?;
        self.split_off(start)
    }

    fn mark(&mut self) -> Result<(), Fault> {
        self.marks.push(self.stack.len());
        if self.marks.len() > self.most_marks {
            self.budget.grow::<usize>(1, "pickle marks")?;
            self.most_marks = self.marks.len();
        }
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, Fault> {
        let start = self.marks.pop().ok_or_else(|| self.reader.damaged("no mark is there"))?;
        self.split_off(start)
    }

    fn split_off(&mut self, start: usize) -> Result<Vec<Value<'a>>, Fault> {
        let mut items = self.budget.vec(self.stack.len().saturating_sub(start), "pickle container")?;
        items.extend(self.stack.drain(start..));
        Ok(items)
    }

    fn push_sequence(&mut self, items: Vec<Value<'a>>) -> Result<(), Fault> {
        self.budget.grow::<Vec<Value>>(1, "pickle containers")?;
        self.heap.sequences.push(items);
        self.push(Value::Sequence(self.heap.sequences.len() - 1))
    }

    fn push_dict(&mut self) -> Result<(), Fault> {
        self.budget.grow::<Vec<Value>>(1, "pickle containers")?;
        self.heap.dicts.push(Vec::new());
        self.push(Value::Dict(self.heap.dicts.len() - 1))
    }

    fn push_global(&mut self, module: &'a str, name: &'a str) -> Result<(), Fault> {
        self.budget.grow::<Global>(1, "pickle globals")?;
        self.heap.globals.push(Global { module, name });
        self.push(Value::Global(self.heap.globals.len() - 1))
    }

    /// Appends to a list; what is appended to an object of another class is not looked at.
    fn append(&mut self, items: Vec<Value<'a>>) -> Result<(), Fault> {
        if let Value::Sequence(list) = self.top()? {
            self.budget.grow::<Value>(items.len(), "pickle list")?;
            self.heap.sequences[list].extend(items);
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<(), Fault> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.reader.damaged("a key without a value"));
        }
        if let Value::Dict(dict) = self.top()? {
            self.budget.grow::<[Value; 2]>(pairs.len(), "pickle dictionary")?;
            self.heap.dicts[dict].extend(pairs.iter().map(|[key, value]| (*key, *value)));
        }
        Ok(())
    }

    fn call(&mut self, callable: Value<'a>, arguments: Value<'a>) -> Result<(), Fault> {
        let value = rebuild::call(&mut self.heap, callable, arguments, self.budget)?;
        self.push(value)
    }

    fn memorize(&mut self, opcode: u8) -> Result<(), Fault> {
        let slot = match opcode {
            b'q' => u32::from(self.reader.u8()?),
            b'r' => self.reader.u32()?,
            _ => u32::try_from(self.memo.len()).map_err(|_| self.reader.damaged("the memo is full"))?,
        };
        let top = self.top()?;
        if self.memo.insert(slot, top).is_none() {
            self.budget.allocate(MEMO_BYTES, "pickle memo")?;
        }
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), Fault> {
        let slot = if opcode == b'h' { u32::from(self.reader.u8()?) } else { self.reader.u32()? };
        let value = self.memo.get(&slot).copied();
        self.push(value.ok_or_else(|| self.reader.damaged(format!("nothing was memorized as {slot}")))?)
    }

    fn integer(&mut self, opcode: u8) -> Result<(), Fault> {
        let value = match opcode {
            b'K' => i64::from(self.reader.u8()?),
            b'M' => i64::from(self.reader.u16()?),
            b'J' => i64::from(self.reader.array().map(i32::from_le_bytes)?),
            _ => {
                let length = if opcode == 0x8a { u32::from(self.reader.u8()?) } else { self.reader.u32()? };
                let bytes = self.reader.take(length as usize)?;
                match sign_extended(bytes) {
                    Some(value) => value,
                    None => return self.push(Value::Other("a large integer")),
                }
            }
        };
        self.push(Value::Integer(value))
    }

    fn text(&mut self, opcode: u8) -> Result<(), Fault> {
        let length = self.length(opcode)?;
        let bytes = self.reader.take(length)?;
        // Python 2 wrote names as byte strings; those that are no UTF-8 are no names of weights.
        let value = match opcode {
            b'T' | b'U' => text(bytes, "text").map_or(Value::Other("bytes"), Value::Text),
            _ => Value::Text(text(bytes, "text")?),
        };
        self.push(value)
    }

    fn bytes(&mut self, opcode: u8) -> Result<(), Fault> {
        let length = self.length(opcode)?;
        self.skip_and_push(length, Value::Other("bytes"))
    }

    /// The length that stands before text or bytes: 1, 4 or 8 bytes.
    fn length(&mut self, opcode: u8) -> Result<usize, Fault> {
        match opcode {
            0x8c | b'U' | b'C' => self.reader.u8().map(usize::from),
            0x8d | 0x8e | 0x96 => self.reader.size(),
            _ => self.reader.u32().map(|length| length as usize),
        }
    }

    fn skip_and_push(&mut self, count: usize, value: Value<'a>) -> Result<(), Fault> {
        self.reader.skip(count)?;
        self.push(value)
    }

    /// Text up to the next line end, as GLOBAL has it.
    fn line(&mut self) -> Result<&'a str, Fault> {
        let mut ahead = self.reader.clone();
        let mut length = 0;
        while ahead.u8()? != b'\n' {
            length += 1;
        }
        let line = self.reader.take(length)?;
        self.reader.skip(1)?;
        text(line, "a global's name")
    }
}

/// A little-endian two's complement number of at most 8 bytes.
fn sign_extended(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}
