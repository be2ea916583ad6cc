//! Simulated loops to measure on: seeded, so that everybody measures the same bytes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use phantom::{EcgCarriers, LoopIdentity, LoopMode, LoopSpec, PhantomError, PixelEncoding, View};

/// Seed of the loops; each adds its number.
const SEED: u64 = 20_000;
/// Frames, columns and rows of every loop.
const FRAMES: u32 = 60;
const SIZE: (u32, u32) = (800, 600);

/// Writes `count` gray JPEG loops into `folder`, as `loop000.dcm` and so on; `on_written` is called after each.
///
/// Views come in turns. All else is drawn at random as in simulated studies, so that some loops have their ECG in the
/// header, some only in the pixels, and a few have none.
///
/// # Errors
/// If a file cannot be written.
pub fn write_loops(folder: &Path, count: u32, on_written: &(impl Fn() + Sync)) -> Result<(), PhantomError> {
    let next = AtomicU32::new(0);
    let write_some = || -> Result<(), PhantomError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            phantom::write_loop(&spec(number), &LoopIdentity::new(SEED, number), &path(folder, number))?;
            on_written();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads).map(|_| scope.spawn(write_some)).collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Writes one loop of `frames` frames, whose clips are the same however long it is.
///
/// # Errors
/// If the file cannot be written.
pub fn write_loop_of(frames: u32, path: &Path) -> Result<(), PhantomError> {
    // Beats come from the header, so that loops of every length have the same plan: two clips of six frames.
    let spec = LoopSpec {
        frames,
        carriers: EcgCarriers { r_wave_time_vector: true, ..Default::default() },
        anatomy: false,
        heart_rate_bpm: 180.0,
        first_r_s: 0.02,
        frame_time_ms: 33.3,
        ..LoopSpec::plain(View::Apical4, 1)
    };
    phantom::write_loop(&spec, &LoopIdentity::new(1, frames), path).map(drop)
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("loop{number:03}.dcm"))
}

fn spec(number: u32) -> LoopSpec {
    let view = View::ALL[number as usize % View::ALL.len()];
    LoopSpec {
        encoding: PixelEncoding::JpegBaseline,
        mode: LoopMode::TwoD,
        frames: FRAMES,
        size: SIZE,
        ..LoopSpec::random_of_view(view, SEED + u64::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_carry_their_ecg_in_every_way() {
        let specs: Vec<LoopSpec> = (0..100).map(spec).collect();
        let carried = |spec: &&LoopSpec| {
            let carriers = &spec.carriers;
            carriers.waveform || carriers.r_wave_time_vector || carriers.curve
        };
        let in_header = specs.iter().filter(carried).count();
        let only_drawn = specs.iter().filter(|spec| !carried(spec) && spec.trace.is_some()).count();
        assert!(in_header >= 30 && only_drawn >= 25 && in_header + only_drawn < 100, "{in_header} {only_drawn}");
        assert!(specs.iter().all(|spec| spec.check().is_ok()));
    }
}
