//! Loops to measure on: seeded, so that everybody measures the same bytes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use phantom::{LoopIdentity, LoopMode, LoopSpec, PixelEncoding, View};

use super::super::Outcome;
use crate::{output, progress};

/// Seed of the loops; each adds its number.
const SEED: u64 = 20_000;
/// Frames, columns and rows of every loop.
const FRAMES: u32 = 60;
const SIZE: (u32, u32) = (800, 600);

/// Writes `count` gray JPEG loops into `folder`, as `loop000.dcm` and so on.
///
/// Views come in turns. All else is drawn at random as in simulated studies, so that some loops have their ECG in the
/// header, some only in the pixels, and a few have none.
pub fn write(folder: &Path, count: u32) -> Outcome {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let bar = progress::bar(u64::from(count), "simulating");
    let next = AtomicU32::new(0);
    let write_some = || -> anyhow::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            phantom::write_loop(&spec(number), &LoopIdentity::new(SEED, number), &path(folder, number))?;
            bar.inc(1);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads).map(|_| scope.spawn(write_some)).collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    bar.finish_and_clear();
    output::line(folder.display())
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
    fn the_loops_have_every_way_of_an_ecg() {
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
