//! Parts that both documents have besides their content: patient, study, series, equipment, file meta group.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use domain::StudyAttributes;

use crate::codes::dcm;
use crate::elements::{coded, empty, sequence, text};
use crate::text::{MAX_LO, ascii, short};
use crate::{ReportError, StudyReport};

/// Manufacturer and Device Manufacturer of everything that the program writes.
pub(crate) const MANUFACTURER: &str = "echolabel";

/// Identifies the program as writer of a file: version 5 UUID of "echolabel" in the namespace of host names.
const IMPLEMENTATION_CLASS_UID: &str = "2.25.208739493875398824640405531190876190827";

/// Attributes that must be there, even if empty (type 2).
const TYPE_2: [(Tag, VR); 9] = [
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_ID, VR::SH),
];

/// Attributes that tell one document from the other.
pub(crate) struct DocumentHeader<'a> {
    pub class: &'a str,
    pub sop: &'a str,
    pub series: &'a str,
    pub modality: &'a str,
    pub series_number: &'a str,
    pub series_description: &'a str,
}

/// Returns a data set with everything but the content.
pub(crate) fn data_set(report: &StudyReport, header: &DocumentHeader<'_>) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr) in TYPE_2 {
        object.put(empty(tag, vr));
    }
    for (tag, value) in report.attributes.iter() {
        if let Some(element) = copied(Tag(tag.0, tag.1), value) {
            object.put(element);
        }
    }
    let date = report.revision.time.strftime("%Y%m%d").to_string();
    let time = report.revision.time.strftime("%H%M%S").to_string();
    let instance_number = report.revision.number.to_string();
    let description = match report.algorithms.iter().all(|algorithm| algorithm.is_validated) {
        true => header.series_description.to_owned(),
        false => format!("{} - NOT VALIDATED ON PATIENTS", header.series_description),
    };
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, VR::UI, header.class),
        (tags::SOP_INSTANCE_UID, VR::UI, header.sop),
        (tags::INSTANCE_CREATION_DATE, VR::DA, &date),
        (tags::INSTANCE_CREATION_TIME, VR::TM, &time),
        (tags::CONTENT_DATE, VR::DA, &date),
        (tags::CONTENT_TIME, VR::TM, &time),
        (tags::SERIES_DATE, VR::DA, &date),
        (tags::SERIES_TIME, VR::TM, &time),
        (tags::MODALITY, VR::CS, header.modality),
        (tags::MANUFACTURER, VR::LO, MANUFACTURER),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, MANUFACTURER),
        (tags::SOFTWARE_VERSIONS, VR::LO, &short(&report.software_version, MAX_LO)),
        (tags::SERIES_DESCRIPTION, VR::LO, &short(&description, MAX_LO)),
        (tags::STUDY_INSTANCE_UID, VR::UI, report.study.as_str()),
        (tags::SERIES_INSTANCE_UID, VR::UI, header.series),
        (tags::SERIES_NUMBER, VR::IS, header.series_number),
        (tags::INSTANCE_NUMBER, VR::IS, &instance_number),
    ] {
        object.put(text(tag, vr, value));
    }
    object.put(empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, VR::SQ));
    if !report.algorithms.is_empty() {
        object.put(contributing_equipment(report));
    }
    object
}

/// Returns the models as equipment that contributed (IHE AI Results): another model has another Device UID.
fn contributing_equipment(report: &StudyReport) -> DataElement<InMemDicomObject> {
    let items = report.algorithms.iter().map(|algorithm| {
        InMemDicomObject::from_element_iter([
            text(tags::MANUFACTURER, VR::LO, MANUFACTURER),
            text(tags::MANUFACTURER_MODEL_NAME, VR::LO, &short(&algorithm.name, MAX_LO)),
            text(tags::DEVICE_UID, VR::UI, &report.device_uid(&algorithm.digests)),
            text(tags::SOFTWARE_VERSIONS, VR::LO, &short(&algorithm.version, MAX_LO)),
            text(tags::CONTRIBUTION_DESCRIPTION, VR::ST, &ascii(&algorithm.parameters)),
            coded(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &dcm("109102", "Processing Equipment")),
        ])
    });
    sequence(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE, items.collect())
}

/// Returns an attribute with the bytes of the file, so that names stay as they are in whatever character set; `None` for a
/// tag that the dictionary lacks or a value that its VR does not allow.
fn copied(tag: Tag, value: &[u8]) -> Option<DataElement<InMemDicomObject>> {
    debug_assert!(StudyAttributes::TAGS.contains(&(tag.0, tag.1)));
    let vr = StandardDataDictionary.by_tag(tag)?.vr().relaxed();
    // Numbers in text are the one kind that the encoder would take for binary numbers.
    if matches!(vr, VR::DS | VR::IS) {
        return Some(text(tag, vr, std::str::from_utf8(value).ok()?.trim_matches([' ', '\0'])));
    }
    let mut bytes = value.to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(b' ');
    }
    Some(DataElement::new(tag, vr, PrimitiveValue::U8(bytes.into())))
}

/// Returns a data set as a DICOM file.
pub(crate) fn file_bytes(object: InMemDicomObject, class: &str, sop: &str) -> Result<Vec<u8>, ReportError> {
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(class)
        .media_storage_sop_instance_uid(sop)
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_class_uid(IMPLEMENTATION_CLASS_UID)
        .implementation_version_name("ECHOLABEL")
        .build()?;
    let mut bytes = Vec::new();
    object.with_exact_meta(meta).write_all(&mut bytes).map_err(Box::new)?;
    Ok(bytes)
}
