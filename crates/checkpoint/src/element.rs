//! The number types that weights are stored as, and their way to f32.

use crate::budget::Budget;
use crate::error::Fault;

/// The number type a tensor is stored as in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// IEEE half precision.
    F16,
    /// The upper half of an f32.
    BF16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl Element {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Element::F16 | Element::BF16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// All numbers of `raw` (little-endian) as f32; `raw` must be a whole number of elements.
    pub(crate) fn decode(self, raw: &[u8], budget: &Budget, place: &str) -> Result<Vec<f32>, Fault> {
        let (elements, rest) = (raw.len() / self.bytes(), raw.len() % self.bytes());
        if rest != 0 {
            return Err(Fault::damaged(place, format!("{} bytes are no whole number of elements", raw.len())));
        }
        let mut values = budget.vec(elements, place)?;
        match self {
            Element::F16 => {
                values.extend(raw.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()));
            }
            Element::BF16 => {
                values.extend(raw.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f32()));
            }
            Element::F32 => values.extend(raw.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            Element::F64 => {
                for chunk in raw.as_chunks().0 {
                    values.push(narrow(f64::from_le_bytes(*chunk), place)?);
                }
            }
        }
        Ok(values)
    }
}

/// An f64 as the nearest f32; a finite number that would become infinite is refused.
fn narrow(wide: f64, place: &str) -> Result<f32, Fault> {
    let narrow = wide as f32;
    if wide.is_finite() && narrow.is_infinite() {
        return Err(Fault::not_read(place, format!("the number {wide:e}, too large for f32")));
    }
    Ok(narrow)
}

/// The number of elements of a shape, or `None` where it overflows.
///
/// An empty tensor has 0 elements even if another axis is huge.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(element: Element, raw: &[u8]) -> Result<Vec<f32>, Fault> {
        element.decode(raw, &Budget::for_file_of(raw.len()), "test")
    }

    #[test]
    fn every_type_becomes_f32() {
        assert_eq!(decode(Element::F16, &[0x00, 0x3c, 0x01, 0x00]).unwrap(), [1.0, 5.960_464_5e-8]);
        assert_eq!(decode(Element::BF16, &[0x80, 0x3f, 0x20, 0xc0]).unwrap(), [1.0, -2.5]);
        assert_eq!(decode(Element::F32, &(-0.1_f32).to_le_bytes()).unwrap(), [-0.1]);
        assert_eq!(decode(Element::F64, &0.1_f64.to_le_bytes()).unwrap(), [0.1]);
        assert!(decode(Element::F64, &f64::INFINITY.to_le_bytes()).unwrap()[0].is_infinite());
    }

    #[test]
    fn half_an_element_and_too_large_numbers_are_refused() {
        assert!(decode(Element::F32, &[0; 6]).is_err());
        assert!(decode(Element::F64, &1e300_f64.to_le_bytes()).is_err());
    }

    #[test]
    fn shapes_overflow_to_none() {
        assert_eq!(elements(&[]), Some(1));
        assert_eq!(elements(&[usize::MAX, 0, 2]), Some(0));
        assert_eq!(elements(&[usize::MAX, 2]), None);
    }
}
