//! A data set under construction.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::InMemDicomObject;

/// Data set under construction, with one short method per kind of value.
pub struct Header(pub InMemDicomObject);

impl Header {
    /// Puts text.
    pub fn text(&mut self, tag: Tag, vr: VR, value: impl Into<String>) {
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::from(value.into())));
    }

    /// Puts several texts.
    pub fn texts(&mut self, tag: Tag, vr: VR, values: &[&str]) {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::Strs(values.into())));
    }

    /// Puts an unsigned short.
    pub fn short(&mut self, tag: Tag, value: u16) {
        self.0.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }

    /// Puts an unsigned long.
    pub fn long(&mut self, tag: Tag, value: u32) {
        self.0.put(DataElement::new(tag, VR::UL, PrimitiveValue::from(value)));
    }

    /// Puts a double.
    pub fn double(&mut self, tag: Tag, value: f64) {
        self.0.put(DataElement::new(tag, VR::FD, PrimitiveValue::from(value)));
    }

    /// Puts 16-bit words.
    pub fn words(&mut self, tag: Tag, vr: VR, values: Vec<u16>) {
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::U16(values.into())));
    }
}
