//! Loops and studies by the names in addresses.

use std::path::PathBuf;

use domain::{SopUid, StudyUid};
use serde::Deserialize;
use store::{PageBackend, StoreError, StudyName};

use crate::PageError;
use crate::settings::Stores;

/// The part of an address that names a loop: `/loop/12/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct LoopAddress {
    /// Number of the study.
    pub(crate) study: i64,
    /// Number of the loop in it, from 1.
    pub(crate) number: usize,
}

impl LoopAddress {
    /// Returns the short name, as the command line takes it.
    pub(crate) fn name(self) -> String {
        format!("{}/{}", self.study, self.number)
    }
}

/// A loop that an address names.
#[derive(Debug, Clone)]
pub(crate) struct NamedLoop {
    pub(crate) address: LoopAddress,
    pub(crate) study: StudyUid,
    pub(crate) sop: SopUid,
}

impl Stores {
    /// Returns the study of a number or a UID.
    ///
    /// # Errors
    /// [`PageError::NotFound`], or the database cannot be read.
    pub(crate) async fn study(&self, name: &str) -> Result<StudyUid, PageError> {
        let not_found = || PageError::NotFound(format!("study {name}"));
        let parsed: StudyName = name.parse().map_err(|_| not_found())?;
        let found = self.read(move |store| store.studies_named(&parsed)).await?;
        match <[StudyUid; 1]>::try_from(found) {
            Ok([study]) => Ok(study),
            Err(_) => Err(not_found()),
        }
    }

    /// Returns the loop that an address names.
    ///
    /// # Errors
    /// [`PageError::NotFound`], or the database cannot be read.
    pub(crate) async fn named_loop(&self, address: LoopAddress) -> Result<NamedLoop, PageError> {
        let study = self.study(&address.study.to_string()).await?;
        let of_study = study.clone();
        let loops = self.read(move |store| store.numbered_loops(&of_study)).await?;
        let sop = address.number.checked_sub(1).and_then(|index| loops.into_iter().nth(index));
        let sop = sop.ok_or_else(|| PageError::NotFound(format!("loop {}", address.name())))?;
        Ok(NamedLoop { address, study, sop })
    }

    /// Returns a file of a loop that is there.
    ///
    /// # Errors
    /// [`PageError::File`] where none is known.
    pub(crate) async fn file(&self, named: &NamedLoop) -> Result<PathBuf, PageError> {
        let (study, sop) = (named.study.clone(), named.sop.clone());
        let file = self.read(move |store| file_of(store, &study, &sop)).await?;
        file.ok_or_else(|| PageError::File("no file of it is known".to_owned()))
    }
}

fn file_of(store: &dyn PageBackend, study: &StudyUid, sop: &SopUid) -> Result<Option<PathBuf>, StoreError> {
    Ok(store.paths(study)?.get(sop).and_then(|files| store::present_file(files)).cloned())
}
