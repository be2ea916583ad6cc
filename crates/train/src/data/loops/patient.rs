//! Pseudonyms of patients.

use std::path::Path;

use sha2::{Digest, Sha256};

/// A number that stands for a patient in everything that is written. The same patient and seed give the same number; who
/// knows the seed can test a guess of an ID, so it is a pseudonym and not more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pseudonym(u64);

impl Pseudonym {
    /// Makes the pseudonym of `id`, which is the ID of a `kind`.
    pub fn new(kind: &str, id: &str, seed: u64) -> Self {
        Self::from_digest(&Sha256::digest(key(kind, seed) + id))
    }

    /// Makes the pseudonym of the patient whose ID the file at `path` has; `None` where it has none.
    pub fn from_file(path: &Path, seed: u64) -> Option<Self> {
        cine::patient_pseudonym(path, &key("patient", seed)).map(|digest| Self::from_digest(&digest))
    }

    fn from_digest(digest: &[u8]) -> Self {
        let (number, _) = digest.split_at(8);
        Self(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Returns a number from 0 to below 1, evenly distributed over patients.
    pub fn share(self) -> f64 {
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The text that an ID is appended to before it is hashed.
fn key(kind: &str, seed: u64) -> String {
    format!("{kind}\n{seed}\n")
}

impl std::fmt::Display for Pseudonym {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "patient-{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_a_function_of_who_and_seed() {
        let one = Pseudonym::new("patient", "4711", 1);
        assert_eq!(one, Pseudonym::new("patient", "4711", 1));
        for other in [("study", "4711", 1), ("patient", "4712", 1), ("patient", "4711", 2)] {
            assert_ne!(one, Pseudonym::new(other.0, other.1, other.2));
        }
        assert!(!one.to_string().contains("4711"));
    }

    #[test]
    fn shares_are_even() {
        let below = (0..4000).filter(|id| Pseudonym::new("patient", &id.to_string(), 3).share() < 0.25).count();
        // Four standard errors of a quarter of 4000.
        assert!(below.abs_diff(1000) < 110, "{below}");
    }
}
