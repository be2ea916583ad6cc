//! Draws twelve frames of one loop, evenly spaced over its first beat, into one PNG, to look at motion, valves and
//! flow.
//!
//! `cargo run --release -p phantom --example film_strip -- film.png VIEW [seed] [width] [color]`

use std::io::BufWriter;

use phantom::{Canvas, LoopMode, LoopSpec, View, simulate_loop};

const COLUMNS: u32 = 4;
const FRAMES: u32 = 12;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("film.png", String::as_str);
    let name = arguments.get(1).map_or("Apical-4ch", String::as_str);
    let view = View::ALL.into_iter().find(|view| view.name() == name).ok_or("no such view")?;
    let seed: u64 = arguments.get(2).map_or(Ok(0), |text| text.parse())?;
    let width: u32 = arguments.get(3).map_or(Ok(400), |text| text.parse())?;
    let mut spec = match seed {
        0 => LoopSpec::plain(view, 7),
        _ => LoopSpec::random_of_view(view, seed),
    };
    spec.size = (width, width * 3 / 4);
    if arguments.get(4).is_some_and(|mode| mode == "colour") {
        spec.mode = LoopMode::Color;
    }
    let beat_s = 60.0 / spec.heart_rate_bpm;
    let simulated = simulate_loop(&spec);
    let mut sheet = Canvas::black(spec.size.0 * COLUMNS, spec.size.1 * FRAMES.div_ceil(COLUMNS));
    for index in 0..FRAMES {
        let time_s = spec.first_r_s + beat_s * f64::from(index) / f64::from(FRAMES);
        let image = simulated.frame((time_s * 1000.0 / spec.frame_time_ms) as u32);
        sheet.paste(&image, index % COLUMNS * spec.size.0, index / COLUMNS * spec.size.1);
    }
    let mut encoder = png::Encoder::new(BufWriter::new(std::fs::File::create(path)?), sheet.width(), sheet.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(sheet.image().pixels())?;
    Ok(())
}
