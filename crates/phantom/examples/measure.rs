//! Measures what the simulation costs on one core: `cargo run --release -p phantom --example measure`, with
//! `RAYON_NUM_THREADS=1` for one core.

use std::time::Instant;

use phantom::{LoopIdentity, LoopSpec, PixelEncoding, View, simulate_loop, write_loop};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for size in [(400, 300), (800, 600)] {
        let mut times_ms = vec![];
        for view in View::ALL {
            let mut spec = LoopSpec::plain(view, 7);
            spec.size = size;
            let simulated = simulate_loop(&spec);
            for frame in 0..5 {
                let begin = Instant::now();
                std::hint::black_box(simulated.frame(frame * 7));
                times_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
        }
        times_ms.sort_by(f64::total_cmp);
        let (fastest, median) = (times_ms[0], times_ms[times_ms.len() / 2]);
        println!("{size:?}: fastest {fastest:.1} ms, median {median:.1} ms a frame");
    }
    let folder = tempfile::tempdir()?;
    let (begin, mut frames) = (Instant::now(), 0);
    for seed in 0..200 {
        let mut spec = LoopSpec::random(seed);
        spec.anatomy = false;
        spec.size = (400, 300);
        spec.encoding = PixelEncoding::JpegBaseline;
        frames += spec.frames;
        write_loop(&spec, &LoopIdentity::new(seed, 1), &folder.path().join(format!("{seed}.dcm")))?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("200 loops without moving anatomy, {frames} frames: {seconds:.1} s");
    Ok(())
}
