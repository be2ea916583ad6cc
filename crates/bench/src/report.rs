use serde::Serialize;

use crate::lower_bound::{LowerBound, Machine, ModelCost};
use crate::measurement::LoopMeasurement;

/// A short and a long loop compared, beside what the machine could do at most.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// Rounds that the medians are over.
    pub rounds: u32,
    /// The short loop.
    pub short: LoopMeasurement,
    /// The long loop.
    pub long: LoopMeasurement,
    /// The least time of the short loop's stages.
    pub floor: LowerBound,
    /// The machine's peak speed.
    pub machine: Machine,
    /// The model's work.
    pub model: ModelCost,
    /// Long over short, without the model, whose share is the same by design.
    pub time_ratio_without_model: f64,
    /// Long over short.
    pub memory_ratio: Option<f64>,
}

impl BenchReport {
    /// Compares the measurements of two loops that differ in their length alone.
    pub fn new(
        pipeline: String,
        rounds: u32,
        (short, long): (LoopMeasurement, LoopMeasurement),
        (machine, model): (Machine, ModelCost),
    ) -> Self {
        Self {
            pipeline,
            rounds,
            floor: LowerBound::new(&machine, &model, &short.cost()),
            machine,
            model,
            time_ratio_without_model: long.without_model_ms() / short.without_model_ms(),
            memory_ratio: long.peak_megabytes.zip(short.peak_megabytes).map(|(long, short)| long / short),
            short,
            long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::StageTimings;

    #[test]
    fn ratios_are_long_over_short_without_the_model() {
        let measurement = |stage_ms: f64, peak_megabytes| LoopMeasurement {
            frames: 30,
            frames_decoded: 12,
            frames_used: 12,
            frame_bytes: 1_000,
            ms: StageTimings {
                open: stage_ms,
                ecg: 0.0,
                decode: stage_ms,
                prepare: 1.0,
                encode: 500.0,
                head: 20.0,
                total: 600.0,
            },
            loops_per_second: 1.0,
            frames_per_second: 12.0,
            opening_ms: 5.0,
            peak_megabytes,
        };
        let machine = Machine { multiply_adds_per_second: None, copied_bytes_per_second: 1e6 };
        let model = ModelCost { multiply_adds_of_a_frame: None, head_bytes: 0, side_pixels: 0 };
        let loops = (measurement(1.0, Some(100.0)), measurement(4.0, Some(110.0)));
        let report = BenchReport::new("test".to_owned(), 3, loops, (machine, model));
        assert_eq!(report.time_ratio_without_model, 3.0);
        assert!((report.memory_ratio.unwrap() - 1.1).abs() < 1e-12);
        assert_eq!((report.floor.decode_ms, report.floor.encode_ms), (12.0, None));
        let unknown = (measurement(1.0, None), measurement(4.0, Some(110.0)));
        assert_eq!(BenchReport::new("test".to_owned(), 3, unknown, (machine, model)).memory_ratio, None);
    }
}
