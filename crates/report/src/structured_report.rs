//! The Comprehensive SR: TID 1500, with a TID 1501 group an observation.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use domain::{DicomCode, StudyUid};

use crate::codes::{dcm, image_mode, sct};
use crate::content::{Item, Relationship};
use crate::elements::{empty, sequence, text};
use crate::evidence::study_reference;
use crate::header::{self, DocumentHeader, MANUFACTURER};
use crate::text::{ascii, person_name};
use crate::{CodedView, DocumentUids, LoopFinding, Observation, Observer, ReportError, ReportedObject, StudyReport};

/// SOP Class UID of Comprehensive SR Storage.
pub const REPORT_CLASS: &str = uids::COMPREHENSIVE_SR_STORAGE;

impl StudyReport {
    /// Returns the structured report as a DICOM file.
    ///
    /// # Errors
    /// [`ReportError::NoLoop`] where the study has no object to refer to; the object cannot be encoded.
    pub fn structured_report(&self) -> Result<Vec<u8>, ReportError> {
        if self.objects.is_empty() {
            return Err(ReportError::NoLoop);
        }
        let uids = self.uids();
        let document = DocumentHeader {
            class: REPORT_CLASS,
            sop: uids.report.as_str(),
            series: uids.report_series.as_str(),
            modality: "SR",
            series_number: "9801",
            series_description: "echolabel views",
        };
        let mut object = header::data_set(self, &document);
        object.put(text(tags::COMPLETION_FLAG, VR::CS, "COMPLETE"));
        object.put(text(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED"));
        object.put(text(tags::PRELIMINARY_FLAG, VR::CS, "FINAL"));
        object.put(empty(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, VR::SQ));
        let images: Vec<_> = self.objects.iter().map(|reported| &reported.image).collect();
        let evidence = study_reference(&self.study, &images);
        object.put(sequence(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![evidence]));
        if let Some(predecessor) = &self.revision.predecessor {
            let reference = predecessor_reference(&self.study, predecessor);
            object.put(sequence(tags::PREDECESSOR_DOCUMENTS_SEQUENCE, vec![reference]));
        }
        self.tree().write(&mut object);
        header::file_bytes(object, REPORT_CLASS, uids.report.as_str())
    }

    fn tree(&self) -> Item {
        use Relationship::{Contains, HasConceptModifier};
        let language = DicomCode::new("en", "RFC5646", "English");
        let mut root = Item::container(dcm("126000", "Imaging Measurement Report"), Some("1500"));
        root.add(HasConceptModifier, Item::code(dcm("121049", "Language of Content Item and Descendants"), &language));
        self.add_device_observer(&mut root);
        let procedure = sct("433236007", "Transthoracic echocardiography");
        root.add(HasConceptModifier, Item::code(dcm("121058", "Procedure reported"), &procedure));
        root.add(Contains, self.image_library());
        let mut groups = Item::container(dcm("126010", "Imaging Measurements"), None);
        for object in &self.objects {
            for observation in &object.observations {
                groups.add(Contains, self.measurement_group(object, observation));
            }
        }
        root.add(Contains, groups);
        let counts = Item::text(dcm("121106", "Comment"), &ascii(&self.file_counts));
        let evaluations = DicomCode::new("C0034375", "UMLS", "Qualitative Evaluations");
        root.with(Contains, Item::container(evaluations, None).with(Contains, counts))
    }

    /// Adds the program as observer (TID 1004) to the root of a document.
    pub(crate) fn add_device_observer(&self, root: &mut Item) {
        for item in [
            Item::code(dcm("121005", "Observer Type"), &dcm("121007", "Device")),
            Item::uid(dcm("121012", "Device Observer UID"), &self.device_uid(&self.model_digests())),
            Item::text(dcm("121013", "Device Observer Name"), MANUFACTURER),
            Item::text(dcm("121014", "Device Observer Manufacturer"), MANUFACTURER),
            Item::text(dcm("121015", "Device Observer Model Name"), &ascii(&self.software_version)),
        ] {
            root.add(Relationship::HasObservationContext, item);
        }
    }

    fn image_library(&self) -> Item {
        use Relationship::{Contains, HasAcquisitionContext};
        let mut group = Item::container(dcm("126200", "Image Library Group"), None);
        for object in &self.objects {
            let modality = Item::code(dcm("121139", "Modality"), &dcm("US", "Ultrasound"));
            group.add(Contains, Item::image(None, &object.image, &[]).with(HasAcquisitionContext, modality));
        }
        Item::container(dcm("111028", "Image Library"), None).with(Contains, group)
    }

    fn measurement_group(&self, object: &ReportedObject, observation: &Observation) -> Item {
        use Relationship::{Contains, HasConceptModifier, HasObservationContext};
        let mut group = Item::container(dcm("125007", "Measurement Group"), Some("1501"));
        let identifier = format!("Loop {}", object.number);
        group.add(HasObservationContext, Item::text(dcm("112039", "Tracking Identifier"), &identifier));
        let tracking = self.tracking_uid(&object.image.sop);
        group.add(HasObservationContext, Item::uid(dcm("112040", "Tracking Unique Identifier"), &tracking));
        match &observation.observer {
            Observer::Algorithm(index) => {
                let algorithm = self.algorithms.get(*index);
                for (code, meaning, value) in [
                    ("111001", "Algorithm Name", algorithm.map(|algorithm| &algorithm.name)),
                    ("111003", "Algorithm Version", algorithm.map(|algorithm| &algorithm.version)),
                    ("111002", "Algorithm Parameters", algorithm.map(|algorithm| &algorithm.parameters)),
                ] {
                    if let Some(value) = value {
                        group.add(HasConceptModifier, Item::text(dcm(code, meaning), &ascii(value)));
                    }
                }
            }
            Observer::Person { name } => {
                let person = Item::code(dcm("121005", "Observer Type"), &dcm("121006", "Person"));
                group.add(HasObservationContext, person);
                let name = Item::person(dcm("121008", "Person Observer Name"), &person_name(name));
                group.add(HasObservationContext, name);
            }
            Observer::Program => {}
        }
        group.add(Contains, Item::image(Some(sct("260753009", "Source")), &object.image, &observation.frames));
        if let Some(certainty) = observation.certainty {
            group.add(Contains, Item::percent(dcm("111012", "Certainty of Finding"), 100.0 * certainty));
        }
        add_view(&mut group, &observation.finding);
        if let Some(mode) = object.mode.and_then(image_mode) {
            group.add(Contains, Item::code(sct("399264008", "Image mode"), &mode));
        }
        if let Some(comment) = comment(observation) {
            group.add(Contains, Item::text(dcm("121106", "Comment"), &comment));
        }
        group
    }
}

fn add_view(group: &mut Item, finding: &LoopFinding) {
    use Relationship::{Contains, HasConceptModifier};
    let undetermined = sct("373068000", "Undetermined");
    let image_view = |code: &DicomCode| Item::code(dcm("111031", "Image View"), code);
    match finding {
        LoopFinding::Undetermined => group.add(Contains, image_view(&undetermined)),
        LoopFinding::View { codes: None, .. } => {}
        LoopFinding::View { codes: Some(CodedView { view, modifiers, sites, .. }), .. } => {
            if let Some(view) = view {
                group.add(Contains, image_view(view));
            }
            for modifier in modifiers {
                group.add(Contains, Item::code(dcm("111032", "Image View Modifier"), modifier));
            }
            for site in sites {
                group.add(HasConceptModifier, Item::code(sct("363698007", "Finding Site"), site));
            }
        }
    }
}

/// Returns the observation's remark; a view whose code does not say all of it is named too.
fn comment(observation: &Observation) -> Option<String> {
    let name = match &observation.finding {
        LoopFinding::View { codes: Some(CodedView { is_equivalent: true, .. }), .. } | LoopFinding::Undetermined => {
            None
        }
        LoopFinding::View { name, .. } => Some(format!("View: {name}")),
    };
    let parts: Vec<String> = name.iter().chain(&observation.comment).map(|part| ascii(part)).collect();
    let comment = parts.join(". ");
    (!comment.is_empty()).then_some(comment)
}

fn predecessor_reference(study: &StudyUid, predecessor: &DocumentUids) -> InMemDicomObject {
    let image = crate::ImageReference {
        class: REPORT_CLASS.to_owned(),
        sop: predecessor.report.clone(),
        series: predecessor.report_series.clone(),
    };
    study_reference(study, &[&image])
}
