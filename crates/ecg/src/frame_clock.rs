//! The loop's own clock: which frame stands at which time.

use crate::EcgError;

/// The frame interval that stands in for an unknown one where a loop has a single frame, in milliseconds.
const SINGLE_FRAME_INTERVAL_MS: f64 = 1000.0 / 30.0;

/// The time of every frame in milliseconds after frame 0, always rising and never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameClock {
    times_ms: Vec<f64>,
}

impl FrameClock {
    /// Returns a clock from one time per frame, in milliseconds; the first need not be 0 and becomes the zero of the
    /// clock.
    ///
    /// # Errors
    /// [`EcgError::FrameCount`] without frames, [`EcgError::FrameTimes`] where times are not finite and rising.
    pub fn new(mut times_ms: Vec<f64>) -> Result<Self, EcgError> {
        let frame_count = times_ms.len();
        if frame_count == 0 || u32::try_from(frame_count).is_err() {
            return Err(EcgError::FrameCount { frame_count });
        }
        let first_ms = times_ms.first().copied().unwrap_or_default();
        let mut before_ms = f64::NEG_INFINITY;
        for (frame, time_ms) in times_ms.iter_mut().enumerate() {
            if !time_ms.is_finite() || *time_ms <= before_ms {
                return Err(EcgError::FrameTimes { frame, time_ms: *time_ms });
            }
            before_ms = *time_ms;
            *time_ms -= first_ms;
        }
        Ok(Self { times_ms })
    }

    /// Returns a clock of `frame_count` frames that are `frame_time_ms` milliseconds apart.
    ///
    /// # Errors
    /// [`EcgError::FrameCount`] without frames, [`EcgError::FrameTimes`] where the frame time is not positive.
    pub fn uniform(frame_count: u32, frame_time_ms: f64) -> Result<Self, EcgError> {
        if !frame_time_ms.is_finite() || frame_time_ms <= 0.0 {
            return Err(EcgError::FrameTimes { frame: 0, time_ms: frame_time_ms });
        }
        Self::new((0..frame_count).map(|frame| f64::from(frame) * frame_time_ms).collect())
    }

    /// Returns the number of frames, at least 1.
    #[must_use]
    pub fn frame_count(&self) -> u32 {
        u32::try_from(self.times_ms.len()).unwrap_or(u32::MAX)
    }

    /// Returns the time of every frame in milliseconds after frame 0.
    #[must_use]
    pub fn times_ms(&self) -> &[f64] {
        &self.times_ms
    }

    /// Mean time between two frames in milliseconds.
    #[must_use]
    pub fn mean_interval_ms(&self) -> f64 {
        match self.times_ms.as_slice() {
            [first, .., last] => (last - first) / (self.times_ms.len() - 1) as f64,
            _ => SINGLE_FRAME_INTERVAL_MS,
        }
    }

    /// Returns the duration of the loop in milliseconds, to the end of its last frame.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        self.mean_interval_ms() * self.times_ms.len() as f64
    }

    /// Returns the time of a (fractional) frame in milliseconds; outside the loop it goes on with the mean interval.
    #[must_use]
    pub fn time_of_frame_ms(&self, frame: f64) -> f64 {
        let last = self.times_ms.len() - 1;
        if frame <= 0.0 || last == 0 {
            return frame * self.mean_interval_ms();
        }
        if frame >= last as f64 {
            return self.times_ms[last] + (frame - last as f64) * self.mean_interval_ms();
        }
        let before = frame.floor() as usize;
        let (from_ms, to_ms) = (self.times_ms[before], self.times_ms[before + 1]);
        from_ms + (to_ms - from_ms) * (frame - before as f64)
    }

    /// Returns the fractional frame that stands at a time in milliseconds; outside the loop it goes on with the mean
    /// interval.
    #[must_use]
    pub fn frame_at_ms(&self, time_ms: f64) -> f64 {
        let last = self.times_ms.len() - 1;
        if time_ms <= 0.0 || last == 0 {
            return time_ms / self.mean_interval_ms();
        }
        if time_ms >= self.times_ms[last] {
            return last as f64 + (time_ms - self.times_ms[last]) / self.mean_interval_ms();
        }
        let after = self.times_ms.partition_point(|&at_ms| at_ms <= time_ms).clamp(1, last);
        let (from_ms, to_ms) = (self.times_ms[after - 1], self.times_ms[after]);
        (after - 1) as f64 + (time_ms - from_ms) / (to_ms - from_ms)
    }
}
