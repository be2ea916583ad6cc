//! The objects of a study that a report refers to.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use cine::report_header;
use domain::{SopUid, StudyAttributes, StudyUid};
use report::ImageReference;
use store::{FileState, Inventory, LabelStore as _, Queue as _, Store, StoreError};

/// The objects of a study whose files are there.
pub struct StudyObjects {
    /// Patient and study attributes of the first of them; `None` where no file is there.
    pub attributes: Option<StudyAttributes>,
    /// References to loops, by SOP Instance UID.
    pub loops: BTreeMap<SopUid, ImageReference>,
    /// References to files that failed, in the order of the inventory.
    pub failed: Vec<ImageReference>,
}

impl StudyObjects {
    /// Reads the headers of a study's files.
    ///
    /// # Errors
    /// The database cannot be read. A file that cannot be read is left out.
    pub fn read(store: &Store, inventory: &Inventory) -> Result<Self, StoreError> {
        let study = &inventory.study_instance_uid;
        let mut objects = Self { attributes: None, loops: BTreeMap::new(), failed: Vec::new() };
        for (sop, files) in store.paths(study)? {
            if let Some(image) = objects.first_readable(study, &files, Some(&sop)) {
                objects.loops.insert(sop, image);
            }
        }
        let mut seen: HashSet<SopUid> = objects.loops.keys().cloned().collect();
        for entry in &inventory.not_labelled {
            if !matches!(entry.state, FileState::Failed | FileState::Incomplete) {
                continue;
            }
            let Some(job) = store.job(entry.job_id)? else { continue };
            if let Some(image) = objects.first_readable(study, &[job.file.path], None)
                && seen.insert(image.sop.clone())
            {
                objects.failed.push(image);
            }
        }
        Ok(objects)
    }

    /// Returns the reference to the object of the first file that is there and holds it.
    fn first_readable(&mut self, study: &StudyUid, files: &[PathBuf], sop: Option<&SopUid>) -> Option<ImageReference> {
        files.iter().find_map(|path| self.reference(study, path, sop))
    }

    fn reference(&mut self, study: &StudyUid, path: &Path, sop: Option<&SopUid>) -> Option<ImageReference> {
        let header = report_header(path).ok()?;
        if header.uids.study != *study || sop.is_some_and(|sop| header.uids.sop != *sop) {
            return None;
        }
        let class = header.class?;
        self.attributes.get_or_insert(header.attributes);
        Some(ImageReference { class, sop: header.uids.sop, series: header.uids.series })
    }
}
