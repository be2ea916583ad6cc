//! Draws the middle frame of every loop of a simulated study into one PNG, to be looked at, and prints the time per
//! frame.
//!
//! `cargo run --release -p phantom --example study_sheet -- sheet.png [seed] [width] [randomized] [scatterers]`

use std::io::BufWriter;
use std::time::Instant;

use domain::RgbImage;
use phantom::{Canvas, ImageFormation, LoopSpec, StudyOptions, simulate_loop, study_specs};

const COLUMNS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("study.png", String::as_str);
    let width: u32 = arguments.get(2).map_or(Ok(480), |text| text.parse())?;
    let options = StudyOptions {
        seed: arguments.get(1).map_or(Ok(1), |text| text.parse())?,
        size: (width, width * 3 / 4),
        domain_randomization: arguments.iter().any(|text| text == "randomized"),
        image_formation: match arguments.iter().any(|text| text == "scatterers") {
            true => ImageFormation::PointScatterers,
            false => ImageFormation::Convolution,
        },
        ..StudyOptions::default()
    };
    let specs = study_specs(&options, 0);
    let rows = (specs.len() as u32).div_ceil(COLUMNS);
    let mut sheet = Canvas::black(options.size.0 * COLUMNS, options.size.1 * rows);
    for (index, spec) in (0..).zip(&specs) {
        let image = middle_frame(spec);
        let (left, top) = (index % COLUMNS * options.size.0, index / COLUMNS * options.size.1);
        sheet.paste(&image, left, top);
    }
    let mut encoder = png::Encoder::new(BufWriter::new(std::fs::File::create(path)?), sheet.width(), sheet.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(sheet.image().pixels())?;
    Ok(())
}

fn middle_frame(spec: &LoopSpec) -> RgbImage {
    let begin = Instant::now();
    let simulated = simulate_loop(spec);
    let set_up_ms = begin.elapsed().as_secs_f64() * 1000.0;
    let begin = Instant::now();
    let image = simulated.frame(spec.frames / 2);
    let frame_ms = begin.elapsed().as_secs_f64() * 1000.0;
    println!("{:?} {:?}: set up {set_up_ms:.1} ms, frame {frame_ms:.1} ms", spec.subject, spec.mode);
    image
}
