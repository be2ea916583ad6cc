//! Draws eleven views at end-diastole, end-systole and early filling into one PNG, to be looked at.
//!
//! `cargo run --release -p phantom --example contact_sheet -- sheet.png [seed] [width] [VIEW...]`; seed 0 is the plain
//! patient, any other seed draws everything at random.

use std::io::BufWriter;

use phantom::{Canvas, LoopSpec, View, simulate_loop};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("sheet.png", String::as_str);
    let seed: u64 = arguments.get(1).map_or(Ok(0), |text| text.parse())?;
    let width: u32 = arguments.get(2).map_or(Ok(480), |text| text.parse())?;
    let wanted = arguments.get(3..).unwrap_or_default();
    let views: Vec<View> = View::ALL
        .into_iter()
        .filter(|view| wanted.is_empty() || wanted.iter().any(|name| name == view.name()))
        .collect();
    let (cell_width, cell_height) = (width, width * 3 / 4);
    let triples_per_row = if views.len() > 2 { 2 } else { 1 };
    let rows = views.len().div_ceil(triples_per_row) as u32;
    let mut sheet = Canvas::black(cell_width * 3 * triples_per_row as u32, cell_height * rows);
    for (index, view) in views.into_iter().enumerate() {
        let mut spec = match seed {
            0 => LoopSpec::plain(view, 7),
            _ => LoopSpec::random_of_view(view, seed + index as u64),
        };
        spec.size = (cell_width, cell_height);
        let simulated = simulate_loop(&spec);
        let phases = simulated.phases();
        let nearest = |frames: &[f64]| frames.first().map_or(0, |frame| frame.round() as u32);
        let (column, row) = (index % triples_per_row, index / triples_per_row);
        for (moment, frame) in [&phases.end_diastole, &phases.end_systole, &phases.early_filling]
            .map(|frames| nearest(frames))
            .into_iter()
            .enumerate()
        {
            let mut image = Canvas::from(simulated.frame(frame));
            image.text(8, cell_height as i32 / 2, 1, [120, 160, 255], view.name());
            sheet.paste(image.image(), (3 * column + moment) as u32 * cell_width, row as u32 * cell_height);
        }
    }
    let mut encoder = png::Encoder::new(BufWriter::new(std::fs::File::create(path)?), sheet.width(), sheet.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(sheet.image().pixels())?;
    Ok(())
}
