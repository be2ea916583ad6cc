//! Content items: the tree of a document.

use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use domain::DicomCode;

use crate::ImageReference;
use crate::elements::{coded, sequence, text};

/// Relationship of an item to the one that holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Relationship {
    Contains,
    HasObservationContext,
    HasAcquisitionContext,
    HasConceptModifier,
}

impl Relationship {
    const fn defined_term(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasObservationContext => "HAS OBS CONTEXT",
            Self::HasAcquisitionContext => "HAS ACQ CONTEXT",
            Self::HasConceptModifier => "HAS CONCEPT MOD",
        }
    }
}

/// A content item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    value_type: &'static str,
    concept: Option<DicomCode>,
    values: Vec<DataElement<InMemDicomObject>>,
    children: Vec<(Relationship, Item)>,
}

impl Item {
    fn new(value_type: &'static str, concept: Option<DicomCode>, values: Vec<DataElement<InMemDicomObject>>) -> Self {
        Self { value_type, concept, values, children: Vec::new() }
    }

    /// Returns a container; `template` is the number of its template in PS3.16, where it is the root of one.
    pub fn container(concept: DicomCode, template: Option<&str>) -> Self {
        let mut values = vec![text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE")];
        values.extend(template.map(|template| {
            let item = InMemDicomObject::from_element_iter([
                text(tags::MAPPING_RESOURCE, VR::CS, "DCMR"),
                text(tags::TEMPLATE_IDENTIFIER, VR::CS, template),
            ]);
            sequence(tags::CONTENT_TEMPLATE_SEQUENCE, vec![item])
        }));
        Self::new("CONTAINER", Some(concept), values)
    }

    pub fn code(concept: DicomCode, value: &DicomCode) -> Self {
        Self::new("CODE", Some(concept), vec![coded(tags::CONCEPT_CODE_SEQUENCE, value)])
    }

    /// Returns a text; `value` must be ASCII.
    pub fn text(concept: DicomCode, value: &str) -> Self {
        Self::new("TEXT", Some(concept), vec![text(tags::TEXT_VALUE, VR::UT, value)])
    }

    pub fn uid(concept: DicomCode, value: &str) -> Self {
        Self::new("UIDREF", Some(concept), vec![text(tags::UID, VR::UI, value)])
    }

    pub fn person(concept: DicomCode, name: &str) -> Self {
        Self::new("PNAME", Some(concept), vec![text(tags::PERSON_NAME, VR::PN, name)])
    }

    /// Returns a number in percent, with one digit after the point: a decimal string has 16 characters at most.
    pub fn percent(concept: DicomCode, percent: f64) -> Self {
        let unit = DicomCode::new("%", "UCUM", "Percent");
        let measured = InMemDicomObject::from_element_iter([
            coded(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, &unit),
            text(tags::NUMERIC_VALUE, VR::DS, &format!("{percent:.1}")),
        ]);
        Self::new("NUM", Some(concept), vec![sequence(tags::MEASURED_VALUE_SEQUENCE, vec![measured])])
    }

    /// Returns a reference to an image, or to some of its frames by their indexes from 0.
    pub fn image(concept: Option<DicomCode>, image: &ImageReference, frames: &[u32]) -> Self {
        let mut reference = InMemDicomObject::from_element_iter([
            text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class),
            text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, image.sop.as_str()),
        ]);
        if !frames.is_empty() {
            // DICOM counts frames from 1.
            let numbers: Vec<String> = frames.iter().map(|index| (u64::from(*index) + 1).to_string()).collect();
            reference.put(text(tags::REFERENCED_FRAME_NUMBER, VR::IS, &numbers.join("\\")));
        }
        Self::new("IMAGE", concept, vec![sequence(tags::REFERENCED_SOP_SEQUENCE, vec![reference])])
    }

    /// Adds an item below this one.
    pub fn add(&mut self, relationship: Relationship, child: Item) {
        self.children.push((relationship, child));
    }

    /// Returns this item with another below it.
    pub fn with(mut self, relationship: Relationship, child: Item) -> Self {
        self.add(relationship, child);
        self
    }

    /// Puts the item into a data set: a document's own, or that of an item of Content Sequence.
    pub fn write(&self, object: &mut InMemDicomObject) {
        object.put(text(tags::VALUE_TYPE, VR::CS, self.value_type));
        if let Some(concept) = &self.concept {
            object.put(coded(tags::CONCEPT_NAME_CODE_SEQUENCE, concept));
        }
        for value in &self.values {
            object.put(value.clone());
        }
        if self.children.is_empty() {
            return;
        }
        let items = self.children.iter().map(|(relationship, child)| {
            let mut item = InMemDicomObject::new_empty();
            item.put(text(tags::RELATIONSHIP_TYPE, VR::CS, relationship.defined_term()));
            child.write(&mut item);
            item
        });
        object.put(sequence(tags::CONTENT_SEQUENCE, items.collect()));
    }
}
