//! The time that decoding one file may take in all.

use std::time::{Duration, Instant};

use crate::codec::decode_error::{DecodeError, DecoderFailure};

/// A frame of a scanner's screen takes a tenth of a second in the slowest codec.
const MAX_FRAME_TIME: Duration = Duration::from_secs(5);
/// A loop of long video takes a few seconds, since each frame needs those before it.
const MAX_LOOP_TIME: Duration = Duration::from_secs(12);

/// Time left to the decoders of one loop, and their failure if they had one: a loop costs no second decoder.
#[derive(Debug)]
pub(crate) struct DecodingBudget {
    left: Duration,
    failure: Option<DecoderFailure>,
}

impl DecodingBudget {
    /// Returns the budget of a loop that was not decoded yet.
    pub(crate) fn new() -> Self {
        Self { left: MAX_LOOP_TIME, failure: None }
    }

    /// Decodes one frame, which is told its time limit.
    pub(crate) fn frame<T>(
        &mut self,
        decode: impl FnOnce(Duration) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.spend(MAX_FRAME_TIME, decode)
    }

    /// Decodes a picture of a video, which may need all pictures before it.
    pub(crate) fn picture<T>(
        &mut self,
        decode: impl FnOnce(Duration) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.spend(MAX_LOOP_TIME, decode)
    }

    /// Returns the failure of a decoder, after which nothing is decoded.
    pub(crate) fn failure(&self) -> Option<&DecoderFailure> {
        self.failure.as_ref()
    }

    fn spend<T>(
        &mut self,
        limit: Duration,
        decode: impl FnOnce(Duration) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone().into());
        }
        let started = Instant::now();
        let outcome = decode(limit.min(self.left));
        self.left = self.left.saturating_sub(started.elapsed());
        if let Err(DecodeError::Decoder(failure)) = &outcome {
            self.failure = Some(failure.clone());
        } else if self.left.is_zero() {
            self.failure = Some(DecoderFailure::TooSlow { limit: MAX_LOOP_TIME });
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_of_a_decoder_is_the_last() {
        let crash = DecoderFailure::Crashed { how: "signal 11".to_owned() };
        let mut budget = DecodingBudget::new();
        assert!(budget.frame(|_| Err::<(), _>(DecodeError::Corrupt("cut".into()))).is_err());
        assert_eq!(budget.frame(|_| Ok(7)), Ok(7), "a damaged frame leaves the others");
        assert_eq!(budget.frame(|_| Err::<(), _>(crash.clone().into())), Err(crash.clone().into()));
        assert_eq!(budget.frame(|_| Ok(7)), Err(crash.into()), "no other decoder is spent on the loop");
    }

    #[test]
    fn a_loop_has_one_time_limit_for_all_its_frames() {
        let mut budget = DecodingBudget { left: Duration::from_millis(1), failure: None };
        let limits = budget.frame(|limit| {
            std::thread::sleep(limit);
            Ok(limit)
        });
        assert_eq!(limits, Ok(Duration::from_millis(1)));
        let refused = budget.frame(Ok).expect_err("no time is left");
        assert!(matches!(refused, DecodeError::Decoder(DecoderFailure::TooSlow { .. })), "{refused}");
    }
}
