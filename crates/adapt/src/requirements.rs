//! Requirements of an adaptation: enough loops and patients, and vectors that fit.

use std::collections::BTreeSet;

use crate::{
    AdaptError, LabelledLoop, LinearHead, MIN_LOOPS_PER_VIEW, MIN_PATIENTS, MIN_PATIENTS_PER_VIEW, Result, ViewShortage,
};

/// Checks the loops from which a layer for `views` should be learned, with vectors for the layer `own`.
pub(crate) fn check(loops: &[LabelledLoop], views: &[String], own: &LinearHead) -> Result<()> {
    check_vectors(loops, own)?;
    check_counts(loops, views)
}

fn check_vectors(loops: &[LabelledLoop], own: &LinearHead) -> Result<()> {
    let width = own.weight.first().map_or(0, Vec::len);
    for one in loops {
        let fault = |problem| Err(AdaptError::Vector { loop_name: one.loop_name.clone(), problem });
        if one.samples.is_empty() {
            return fault("it has no vector");
        }
        if one.samples.iter().any(|sample| sample.vector.len() != width) {
            return fault("its vectors have another length than the model's");
        }
        if one.samples.iter().flat_map(|sample| &sample.vector).any(|value| !value.is_finite()) {
            return fault("its vectors hold numbers that are not finite");
        }
    }
    Ok(())
}

fn check_counts(loops: &[LabelledLoop], views: &[String]) -> Result<()> {
    let patients: BTreeSet<&str> = loops.iter().map(|one| one.patient.as_str()).collect();
    if patients.len() < MIN_PATIENTS {
        return Err(AdaptError::TooFewPatients(patients.len()));
    }
    let shortages: Vec<ViewShortage> = views
        .iter()
        .enumerate()
        .map(|(class, view)| {
            let of_view = loops.iter().filter(|one| one.class == Some(class));
            let patients: BTreeSet<&str> = of_view.clone().map(|one| one.patient.as_str()).collect();
            ViewShortage { view: view.clone(), loops: of_view.count(), patients: patients.len() }
        })
        .filter(|view| view.loops < MIN_LOOPS_PER_VIEW || view.patients < MIN_PATIENTS_PER_VIEW)
        .collect();
    if shortages.is_empty() { Ok(()) } else { Err(AdaptError::TooFewLoops(shortages)) }
}
