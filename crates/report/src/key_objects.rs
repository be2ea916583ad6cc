//! The Key Object Selection: TID 2010, the best loop of each view.

use dicom_dictionary_std::{tags, uids};

use crate::codes::dcm;
use crate::content::{Item, Relationship};
use crate::elements::sequence;
use crate::evidence::study_reference;
use crate::header::{self, DocumentHeader};
use crate::text::ascii;
use crate::{ReportError, StudyReport};

/// SOP Class UID of Key Object Selection Document Storage.
pub const KEY_OBJECT_CLASS: &str = uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE;

impl StudyReport {
    /// Returns the key objects as a DICOM file; `None` where no view was found, as a selection of nothing is no document.
    ///
    /// # Errors
    /// The object cannot be encoded.
    pub fn key_objects(&self) -> Result<Option<Vec<u8>>, ReportError> {
        if self.key_loops.is_empty() {
            return Ok(None);
        }
        let uids = self.uids();
        let document = DocumentHeader {
            class: KEY_OBJECT_CLASS,
            sop: uids.key_objects.as_str(),
            series: uids.key_objects_series.as_str(),
            modality: "KO",
            series_number: "9802",
            series_description: "echolabel best loops",
        };
        let mut object = header::data_set(self, &document);
        let images: Vec<_> = self.key_loops.iter().map(|key| &key.image).collect();
        let evidence = study_reference(&self.study, &images);
        object.put(sequence(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![evidence]));
        self.selection().write(&mut object);
        header::file_bytes(object, KEY_OBJECT_CLASS, uids.key_objects.as_str()).map(Some)
    }

    fn selection(&self) -> Item {
        use Relationship::{Contains, HasConceptModifier};
        let mut root = Item::container(dcm("113013", "Best In Set"), Some("2010"));
        let modifier = Item::code(dcm("113011", "Document Title Modifier"), &dcm("113017", "Stage-View"));
        root.add(HasConceptModifier, modifier);
        self.add_device_observer(&mut root);
        let views: Vec<&str> = self.key_loops.iter().map(|key| key.view.as_str()).collect();
        let description = format!("Best loop per view, in this order: {}", views.join(", "));
        root.add(Contains, Item::text(dcm("113012", "Key Object Description"), &ascii(&description)));
        for key in &self.key_loops {
            root.add(Contains, Item::image(None, &key.image, &[]));
        }
        root
    }
}
