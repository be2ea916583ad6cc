//! References to the objects that a document is about, by series.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use domain::{SeriesUid, StudyUid};

use crate::ImageReference;
use crate::elements::{sequence, text};

/// Returns an item of a hierarchical reference: one study with its series and objects. Each series and object is there once.
pub(crate) fn study_reference(study: &StudyUid, images: &[&ImageReference]) -> InMemDicomObject {
    let mut series: Vec<(&SeriesUid, Vec<&ImageReference>)> = Vec::new();
    for image in images {
        match series.iter_mut().find(|(uid, _)| *uid == &image.series) {
            Some((_, of_series)) if of_series.iter().any(|other| other.sop == image.sop) => {}
            Some((_, of_series)) => of_series.push(image),
            None => series.push((&image.series, vec![image])),
        }
    }
    let items = series.into_iter().map(|(uid, images)| {
        let references = images.into_iter().map(|image| {
            InMemDicomObject::from_element_iter([
                text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class),
                text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, image.sop.as_str()),
            ])
        });
        InMemDicomObject::from_element_iter([
            text(tags::SERIES_INSTANCE_UID, VR::UI, uid.as_str()),
            sequence(tags::REFERENCED_SOP_SEQUENCE, references.collect()),
        ])
    });
    InMemDicomObject::from_element_iter([
        text(tags::STUDY_INSTANCE_UID, VR::UI, study.as_str()),
        sequence(tags::REFERENCED_SERIES_SEQUENCE, items.collect()),
    ])
}
