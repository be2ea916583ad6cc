//! The time and memory that labelling one loop takes.

use std::path::Path;
use std::time::Instant;

use domain::StageTimings;
use pipeline::{LoopLabel, Pipeline};
use serde::{Deserialize, Serialize};

use crate::lower_bound::LoopCost;
use crate::{BenchError, median, peak_megabytes};

/// The measurements of one loop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoopMeasurement {
    /// Frames in the loop.
    pub frames: u32,
    /// Frames decoded, those for the ECG included.
    pub frames_decoded: u32,
    /// Distinct frames that the model saw.
    pub frames_used: usize,
    /// Bytes of one decoded frame.
    pub frame_bytes: u64,
    /// Median milliseconds of each stage over the rounds.
    pub ms: StageTimings,
    /// Loops a second when several are labelled at once, as the daemon does.
    pub loops_per_second: f64,
    /// Frames that the model sees a second then.
    pub frames_per_second: f64,
    /// Reading weights and packing them, in milliseconds.
    pub opening_ms: f64,
    /// Peak resident memory of the process, in megabytes.
    pub peak_megabytes: Option<f64>,
}

impl LoopMeasurement {
    /// Labels the loop at `path` `rounds` times alone, then on `workers` threads at once.
    ///
    /// # Errors
    /// If the loop cannot be labelled, and for no rounds.
    pub fn measure(
        pipeline: &Pipeline,
        path: &Path,
        (rounds, workers): (u32, usize),
        opening_ms: f64,
    ) -> Result<Self, BenchError> {
        let labels = (0..rounds).map(|_| pipeline.label(path)).collect::<Result<Vec<LoopLabel>, _>>()?;
        let last = labels.last().ok_or(BenchError::NoRounds)?;
        let median_of = |stage: fn(&StageTimings) -> f64| {
            median(labels.iter().map(|label| stage(&label.prediction.timings)).collect()).unwrap_or_default()
        };
        let loops_per_second = loops_per_second(pipeline, path, (rounds, workers))?;
        Ok(Self {
            frame_bytes: u64::from(last.header.rows) * u64::from(last.header.columns) * 3,
            loops_per_second,
            frames_per_second: loops_per_second * f64::from(last.prediction.frames_used),
            opening_ms,
            frames: last.header.frames,
            frames_decoded: last.frames_decoded,
            frames_used: last.prediction.frames_used as usize,
            ms: StageTimings {
                open: median_of(|ms| ms.open),
                ecg: median_of(|ms| ms.ecg),
                decode: median_of(|ms| ms.decode),
                prepare: median_of(|ms| ms.prepare),
                encode: median_of(|ms| ms.encode),
                head: median_of(|ms| ms.head),
                total: median_of(|ms| ms.total),
            },
            peak_megabytes: peak_megabytes(),
        })
    }

    /// Returns the work that the loop needed.
    pub fn cost(&self) -> LoopCost {
        LoopCost {
            frames_decoded: self.frames_decoded,
            frame_bytes: self.frame_bytes,
            frames_used: self.frames_used as u64,
        }
    }

    /// Returns the milliseconds of everything but the model.
    pub fn without_model_ms(&self) -> f64 {
        self.ms.open + self.ms.ecg + self.ms.decode + self.ms.prepare
    }
}

/// Loops a second when each of `workers` threads labels the loop `rounds` times: one loop's frames are decoded while
/// others are encoded.
fn loops_per_second(pipeline: &Pipeline, path: &Path, (rounds, workers): (u32, usize)) -> Result<f64, BenchError> {
    let label_all = || (0..rounds).try_for_each(|_| pipeline.label(path).map(drop));
    let started = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(label_all)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(workers as f64 * f64::from(rounds) / started.elapsed().as_secs_f64())
}
