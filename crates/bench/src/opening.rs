use std::time::Instant;

use nn::DeviceChoice;
use serde::{Deserialize, Serialize};
use zoo::{Model, Registry};

use crate::{BenchError, median, peak_megabytes};

/// The memory in megabytes that a process may need beside its weights.
const ASIDE_MEGABYTES: f64 = 100.0;
/// The memory that weights may need, as a multiple of their size.
const MAX_TIMES_WEIGHTS: f64 = 1.3;

/// The cost of opening one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The model's name.
    pub model: String,
    /// Size of the weights as f32 numbers.
    pub weights_megabytes: f64,
    /// The time from the file to a model that is ready.
    pub open_ms: f64,
    /// Peak resident memory of the process.
    pub peak_megabytes: Option<f64>,
}

impl Opening {
    /// Opens the model `name` in this process.
    ///
    /// # Errors
    /// If there is no such model or its weights cannot be read.
    pub fn measure(registry: &Registry, name: &str) -> Result<Self, BenchError> {
        let started = Instant::now();
        let model = registry.read_model(name, &DeviceChoice::Cpu.open().map_err(zoo::ZooError::from)?)?;
        let open_ms = started.elapsed().as_secs_f64() * 1000.0;
        let peak_megabytes = peak_megabytes();
        drop(model);
        // Counted only now: it reads the model once more.
        let tensors = Model::tensors(registry.card(name)?)?;
        let elements: usize = tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        let weights_megabytes = elements as f64 * 4.0 / f64::from(1 << 20);
        Ok(Self { model: name.to_owned(), weights_megabytes, open_ms, peak_megabytes })
    }

    /// Joins the openings of one model by several processes: the median time and the largest memory; `None` without any.
    pub fn joined(openings: &[Self]) -> Option<Self> {
        let peaks = openings.iter().filter_map(|opening| opening.peak_megabytes);
        Some(Self {
            open_ms: median(openings.iter().map(|opening| opening.open_ms).collect())?,
            peak_megabytes: peaks.max_by(f64::total_cmp),
            ..openings.first()?.clone()
        })
    }

    /// Returns the memory in megabytes that opening the model may take.
    pub fn allowed_megabytes(&self) -> f64 {
        MAX_TIMES_WEIGHTS * self.weights_megabytes + ASIDE_MEGABYTES
    }

    /// Returns true where the process stayed within [`Opening::allowed_megabytes`]; false where its memory is not known.
    pub fn is_within_allowed(&self) -> bool {
        self.peak_megabytes.is_some_and(|peak| peak <= self.allowed_megabytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_time_and_the_largest_memory_count() {
        let opening = |open_ms, peak_megabytes| Opening {
            model: "m".to_owned(),
            weights_megabytes: 10.0,
            open_ms,
            peak_megabytes,
        };
        let openings = [opening(9.0, Some(112.0)), opening(1.0, None), opening(2.0, Some(114.0))];
        let joined = Opening::joined(&openings).unwrap();
        assert_eq!((joined.open_ms, joined.peak_megabytes, joined.allowed_megabytes()), (2.0, Some(114.0), 113.0));
        assert!(!joined.is_within_allowed() && openings[0].is_within_allowed() && !openings[1].is_within_allowed());
        assert_eq!(Opening::joined(&[]), None);
    }
}
