//! Times the preparation of one 800 x 600 frame for some cards: `cargo run --release -p preprocess --example prepare_frame`.

use std::time::Instant;

use domain::RgbView;
use preprocess::prepare;
use zoo::weights::fill;
use zoo::{Color, Crop, Preparation, Resize};

const RUNS: u32 = 200;

fn main() -> preprocess::Result<()> {
    let (width, height) = (800, 600);
    let pixels: Vec<u8> =
        fill("example", "frame", height * width * 3, 127.5, 127.5).into_iter().map(|value| value as u8).collect();
    let frames = [RgbView::new(width as u32, height as u32, &pixels)?];
    for (size, color, resize) in [
        (288, Color::Gray, Resize::Pillow),
        (288, Color::Rgb, Resize::Pillow),
        (224, Color::Rgb, Resize::Tensorflow),
        (224, Color::Rgb, Resize::Torchvision),
        (224, Color::Rgb, Resize::Opencv),
    ] {
        let card = Preparation {
            size,
            color,
            crop: Crop::None,
            resize,
            mask_static: false,
            mask_noise_levels: 0,
            mask_surroundings: false,
            normalize: None,
        };
        let mut least_ms = f64::INFINITY;
        for _ in 0..RUNS {
            let started = Instant::now();
            std::hint::black_box(prepare(&frames, &[vec![0]], None, &card)?);
            least_ms = least_ms.min(started.elapsed().as_secs_f64() * 1000.0);
        }
        println!("{size} {color:?} {resize:?}: {least_ms:.3} ms a frame (the least of {RUNS})");
    }
    Ok(())
}
