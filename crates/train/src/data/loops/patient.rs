//! Who a loop comes from, without saying who that is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dicom_core::Tag;
use dicom_object::collector::DicomCollector;
use dicom_object::mem::InMemDicomObject;
use sha2::{Digest, Sha256};

const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const AFTER_PATIENT_ID: Tag = Tag(0x0010, 0x0021);

/// A number that stands for a patient in everything that is written. The same patient and seed give the same number; who
/// knows the seed can test a guess of an ID, so it is a pseudonym and not more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pseudonym(u64);

impl Pseudonym {
    /// The pseudonym of `id`, which is the ID of a `kind`.
    pub fn of(kind: &str, id: &str, seed: u64) -> Self {
        let digest = Sha256::digest(format!("{kind}\n{seed}\n{id}"));
        let (number, _) = digest.split_at(8);
        Self(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A number from 0 to below 1, evenly distributed over patients.
    pub fn share(self) -> f64 {
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl std::fmt::Display for Pseudonym {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "patient-{:016x}", self.0)
    }
}

/// Patient ID (0010,0020) of a file that `cine` has opened; `None` where it is empty or cannot be read.
///
/// `cine` keeps away from what names a patient on purpose, so this one element is read by dicom-rs. It may panic on a header
/// that `cine` can read, and nests as deep as the file does, which `cine` has bounded before.
pub(super) fn patient_id(path: &Path) -> Option<String> {
    let read = || {
        let mut object = InMemDicomObject::new_empty();
        let mut collector = DicomCollector::open_file(path).ok()?;
        collector.read_dataset_up_to(AFTER_PATIENT_ID, &mut object).ok()?;
        let id = object.element(PATIENT_ID).ok()?.to_str().ok()?;
        let id = id.trim_matches(['\0', ' ']);
        (!id.is_empty()).then(|| id.to_owned())
    };
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_a_function_of_who_and_seed() {
        let one = Pseudonym::of("patient", "4711", 1);
        assert_eq!(one, Pseudonym::of("patient", "4711", 1));
        for other in [("study", "4711", 1), ("patient", "4712", 1), ("patient", "4711", 2)] {
            assert_ne!(one, Pseudonym::of(other.0, other.1, other.2));
        }
        assert!(!one.to_string().contains("4711"));
    }

    #[test]
    fn shares_are_even() {
        let below = (0..4000).filter(|id| Pseudonym::of("patient", &id.to_string(), 3).share() < 0.25).count();
        // Four standard errors of a quarter of 4000.
        assert!(below.abs_diff(1000) < 110, "{below}");
    }
}
