//! Elements of a data set.

use dicom_core::value::{DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use domain::DicomCode;

use crate::text;

/// Returns an element of text.
pub(crate) fn text(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// Returns an element without a value.
pub(crate) fn empty(tag: Tag, vr: VR) -> DataElement<InMemDicomObject> {
    match vr {
        VR::SQ => sequence(tag, Vec::new()),
        _ => DataElement::new(tag, vr, PrimitiveValue::Empty),
    }
}

/// Returns a sequence.
pub(crate) fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, Value::Sequence(DataSetSequence::new(items, Length::UNDEFINED)))
}

/// Returns a sequence of one coded concept.
pub(crate) fn coded(tag: Tag, code: &DicomCode) -> DataElement<InMemDicomObject> {
    sequence(
        tag,
        vec![InMemDicomObject::from_element_iter([
            text(tags::CODE_VALUE, VR::SH, &code.value),
            text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, &code.scheme),
            text(tags::CODE_MEANING, VR::LO, &text::short(&code.meaning, text::MAX_LO)),
        ])],
    )
}
