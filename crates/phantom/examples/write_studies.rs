//! Writes simulated studies: `cargo run --release -p phantom --example write_studies -- OUT [studies] [seed] [width]`.

use std::path::PathBuf;

use phantom::{StudyOptions, write_study};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = PathBuf::from(arguments.first().map_or("phantom-studies", String::as_str));
    let number = |index: usize, default: u64| arguments.get(index).map_or(Ok(default), |text| text.parse::<u64>());
    let width = number(3, 800)? as u32;
    let options = StudyOptions {
        studies: number(1, 1)? as u32,
        seed: number(2, 1)?,
        size: (width, width * 3 / 4),
        ..StudyOptions::default()
    };
    for study in 0..options.studies {
        let truth = write_study(&options, study, &out, &mut |done, total| eprint!("\r{done}/{total}"))?;
        eprintln!("\r{}: {} loops", truth.study_instance_uid, truth.loops.len());
    }
    Ok(())
}
