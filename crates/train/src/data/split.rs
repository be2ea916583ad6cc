use std::collections::{BTreeMap, BTreeSet};

use super::{Example, Split};
use crate::{Result, TrainError};

/// Refuses examples of which a patient stands on two sides of the split.
///
/// # Errors
/// A patient stands on two sides of the split; the error gives how many do.
pub fn check_patients(examples: &[Example]) -> Result<()> {
    let mut sides: BTreeMap<&str, BTreeSet<Split>> = BTreeMap::new();
    for example in examples {
        sides.entry(&example.patient).or_default().insert(example.split);
    }
    let mut leaking = sides.into_iter().filter(|(_, sides)| sides.len() > 1);
    let Some((patient, two)) = leaking.next() else { return Ok(()) };
    let mut names = two.into_iter().map(Split::name);
    Err(TrainError::LeakingSplit {
        patients: 1 + leaking.count(),
        example: patient.to_owned(),
        first: names.next().unwrap_or_default(),
        second: names.next().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(patient: &str, split: Split) -> Example {
        let text = |name: &str| format!("{name} of {patient}");
        Example {
            patient: patient.to_owned(),
            study: text("study"),
            source: text("loop"),
            class: Some(0),
            frames: 1,
            split,
        }
    }

    #[test]
    fn a_patient_on_two_sides_is_refused_by_name() {
        let fine = [example("a", Split::Train), example("a", Split::Train), example("b", Split::Test)];
        assert!(check_patients(&fine).is_ok());
        let leaking = [fine.as_slice(), &[example("b", Split::Validation)]].concat();
        let error = check_patients(&leaking).unwrap_err().to_string();
        assert!(error.contains("\"b\" in validation and test"), "{error}");
    }
}
