//! `echolabel phantom`: simulated studies.

use super::Outcome;
use crate::cli::PhantomOptions;
use crate::output;

/// Writes the studies and names their folders.
pub fn run(options: &PhantomOptions) -> Outcome {
    let studies = phantom::StudyOptions { small: options.small, ..phantom::StudyOptions::new(options.studies, options.seed) };
    let bar = crate::progress::bar(0, "simulating");
    for number in 0..options.studies {
        let truth = phantom::write_study(&studies, number, &options.out, &mut |done, total| {
            bar.set_length(total as u64 * u64::from(options.studies));
            bar.set_position((u64::from(number) * total as u64) + done as u64);
        })?;
        bar.suspend(|| output::line(options.out.join(&truth.study_instance_uid).display()))?;
    }
    bar.finish_and_clear();
    Ok(())
}
