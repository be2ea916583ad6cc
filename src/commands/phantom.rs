//! `echolabel phantom`: simulated studies.

use super::Outcome;
use crate::cli::{ImageFormation, PhantomOptions};
use crate::output;

/// Image size and frames of `--small` studies: enough for a beat, quick to write.
const SMALL_SIZE: (u32, u32) = (320, 240);
const SMALL_FRAMES: (u32, u32) = (12, 24);

/// Writes the studies or stills and names their folders.
pub fn run(options: &PhantomOptions) -> Outcome {
    if let Some(stills) = options.stills {
        phantom::write_stills(stills, options.seed, &options.out)?;
        return output::line(options.out.display());
    }
    let mut studies =
        phantom::StudyOptions { studies: options.studies, seed: options.seed, ..phantom::StudyOptions::default() };
    studies.unsteadiness = options.unsteadiness;
    studies.sway = options.sway;
    studies.domain_randomization = options.domain_randomization;
    studies.image_formation = match options.image_formation {
        ImageFormation::Convolution => phantom::ImageFormation::Convolution,
        ImageFormation::PointScatterers => phantom::ImageFormation::PointScatterers,
    };
    if options.small {
        studies.size = SMALL_SIZE;
        studies.frames = Some(SMALL_FRAMES);
    }
    let is_occupied = std::fs::read_dir(&options.out).is_ok_and(|mut entries| entries.next().is_some());
    if is_occupied {
        return Err(anyhow::anyhow!("{} holds files already: choose another folder", options.out.display()).into());
    }
    let bar = crate::progress::bar(0, "simulating");
    for number in 0..options.studies {
        phantom::write_study(&studies, number, &options.out, &mut |done, total| {
            bar.set_length(u64::from(total) * u64::from(options.studies));
            bar.set_position(u64::from(number) * u64::from(total) + u64::from(done));
        })?;
        let folder = options.out.join(phantom::study_folder(number));
        bar.suspend(|| output::line(folder.display()))?;
    }
    bar.finish_and_clear();
    Ok(())
}
