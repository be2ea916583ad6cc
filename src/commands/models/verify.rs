//! `echolabel models verify`: our layers against the original frameworks.

use std::path::Path;

use parity::Check;
use zoo::ModelCard;

use super::super::{Failure, Outcome};
use crate::output;

/// Compares what the model `card` is made of; the largest deviation comes last.
pub fn model(card: &ModelCard) -> Outcome {
    let checks = parity::verify_parts(&card.architecture()?)?;
    let passed = print(&checks)?;
    let share = |check: &Check| if check.tolerance > 0.0 { check.deviation / check.tolerance } else { check.deviation };
    let largest = checks.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    if let Some(largest) = largest {
        output::line(format_args!(
            "{}: largest deviation {:.1e} of {:.0e} allowed, in {} of {}",
            card.name, largest.deviation, largest.tolerance, largest.output, largest.model
        ))?;
    }
    if passed { Ok(()) } else { Err(Failure::SomeInputs) }
}

/// Compares with the reference file `path`, or every one in that folder; a file that cannot be read fails, the others go on.
pub fn files(path: &Path) -> Outcome {
    let files = if path.is_dir() { parity::reference_files(path)? } else { vec![path.to_owned()] };
    if files.is_empty() {
        return Err(Failure::Error(anyhow::anyhow!("{} holds no reference file", path.display())));
    }
    let mut passed = true;
    for file in files {
        match parity::verify(&file) {
            Ok(checks) => passed &= print(&checks)?,
            Err(error) => {
                passed = false;
                output::line(format_args!("FAILED {}: {:#}", file.display(), anyhow::Error::new(error)))?;
            }
        }
    }
    if passed { Ok(()) } else { Err(Failure::SomeInputs) }
}

/// One line an output, with its deviation and tolerance; whether all passed.
fn print(checks: &[Check]) -> Result<bool, Failure> {
    for check in checks {
        let verdict = if check.passes() { "ok    " } else { "FAILED" };
        output::line(format_args!(
            "{verdict} {:<32} {:<24} largest deviation {:.1e}, tolerance {:.0e}",
            check.model, check.output, check.deviation, check.tolerance
        ))?;
    }
    Ok(checks.iter().all(Check::passes))
}
