//! The fallback of a device that has no memory left: smaller batches, then the CPU.

use std::ops::Range;

use preprocess::PreparedClips;

use super::EngineAnswer;
use crate::LabelError;

/// One answer a request, in their order.
pub(super) type Answers = Vec<Result<EngineAnswer, LabelError>>;

/// A worker that answers requests.
pub(super) trait Answering {
    /// Answers every request; they share batches.
    fn answer(&mut self, requests: &[&PreparedClips]) -> Answers;
}

/// Runs `encode` on the pieces of 0..`count`, at most `batch_size` long, and gives what it made of each.
///
/// A piece that `ran_out` of memory is tried again in halves, and `batch_size` stays that small for the pieces to come. The
/// error of a piece of one, and any other error, is given back.
pub(super) fn in_pieces<T, E>(
    count: usize,
    batch_size: &mut usize,
    mut encode: impl FnMut(Range<usize>) -> Result<T, E>,
    ran_out: impl Fn(&E) -> bool,
) -> Result<Vec<T>, E> {
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < count {
        let end = count.min(first + (*batch_size).max(1));
        match encode(first..end) {
            Ok(piece) => {
                pieces.push(piece);
                first = end;
            }
            Err(error) if end - first > 1 && ran_out(&error) => {
                *batch_size = (end - first) / 2;
                tracing::warn!(batch_size = *batch_size, "the device ran out of memory, encoding fewer frames at once");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(pieces)
}

/// A worker, and the one that replaces it when its device has no memory even for one frame.
pub(super) struct OrElse<A, F> {
    pub(super) answering: A,
    /// Gone once it was used, and `None` from the start where there is nothing to fall back to.
    pub(super) on_cpu: Option<F>,
}

impl<A: Answering, F: FnOnce() -> Result<A, E>, E: std::fmt::Display> Answering for OrElse<A, F> {
    fn answer(&mut self, requests: &[&PreparedClips]) -> Answers {
        let answers = self.answering.answer(requests);
        if !answers.iter().any(|answer| answer.as_ref().is_err_and(LabelError::is_out_of_memory)) {
            return answers;
        }
        let Some(on_cpu) = self.on_cpu.take() else { return answers };
        match on_cpu() {
            Ok(answering) => {
                tracing::warn!("the device ran out of memory, running on the cpu until the program is started again");
                self.answering = answering;
                self.answering.answer(requests)
            }
            Err(error) => {
                tracing::error!(%error, "the device ran out of memory, and the model cannot be read for the cpu");
                answers
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that has memory for so many frames at once.
    fn device(room: usize, tried: &mut Vec<Range<usize>>) -> impl FnMut(Range<usize>) -> Result<usize, &'static str> {
        move |piece| {
            tried.push(piece.clone());
            if piece.len() > room { Err("full") } else { Ok(piece.len()) }
        }
    }

    fn full(error: &&'static str) -> bool {
        *error == "full"
    }

    #[test]
    fn pieces_are_halved_until_they_fit_and_stay_so() {
        let (mut tried, mut batch_size) = (Vec::new(), 16);
        assert_eq!(in_pieces(20, &mut batch_size, device(5, &mut tried), full), Ok(vec![4; 5]));
        assert_eq!((tried.len(), &tried[..3]), (7, &[0..16, 0..8, 0..4][..]));
        tried.clear();
        assert_eq!(in_pieces(6, &mut batch_size, device(5, &mut tried), full), Ok(vec![4, 2]));
        assert_eq!((batch_size, tried), (4, vec![0..4, 4..6]));
    }

    #[test]
    fn a_piece_shorter_than_the_batch_is_halved_itself() {
        let (mut tried, mut batch_size) = (Vec::new(), 16);
        assert_eq!(in_pieces(3, &mut batch_size, device(2, &mut tried), full), Ok(vec![1; 3]));
        assert_eq!(tried, [0..3, 0..1, 1..2, 2..3]);
    }

    #[test]
    fn one_frame_that_does_not_fit_and_other_errors_are_given_back() {
        let (mut tried, mut batch_size) = (Vec::new(), 4);
        assert_eq!(in_pieces(4, &mut batch_size, device(0, &mut tried), full), Err("full"));
        assert_eq!(tried, [0..4, 0..2, 0..1]);
        let broken = |_: Range<usize>| Err::<(), _>("broken");
        assert_eq!(in_pieces(4, &mut 4, broken, full), Err("broken"));
        assert_eq!(in_pieces(0, &mut 4, broken, full), Ok(vec![]));
    }

    /// Answers with its name, or with an error.
    struct Fake(Result<f64, fn() -> LabelError>);

    impl Answering for Fake {
        fn answer(&mut self, requests: &[&PreparedClips]) -> Answers {
            let answer = |encode_ms| EngineAnswer {
                outputs: Vec::new(),
                precision: domain::Precision::F32,
                encode_ms,
                head_ms: 0.0,
            };
            requests.iter().map(|_| self.0.map(answer).map_err(|error| error())).collect()
        }
    }

    fn ask(worker: &mut impl Answering) -> Vec<Result<f64, &'static str>> {
        let request = PreparedClips { frames: 0, size: 0, values: Vec::new(), clips: Vec::new() };
        let answers = worker.answer(&[&request, &request]);
        answers.into_iter().map(|answer| answer.map(|a| a.encode_ms).map_err(|e| e.kind())).collect()
    }

    const FULL: Fake = Fake(Err(|| LabelError::OutOfMemory(String::new())));

    #[test]
    fn the_cpu_takes_over_once_the_device_has_no_memory_and_keeps_the_work() {
        let mut worker = OrElse { answering: FULL, on_cpu: Some(|| Ok::<_, &str>(Fake(Ok(7.0)))) };
        assert_eq!(ask(&mut worker), [Ok(7.0), Ok(7.0)]);
        assert!(worker.on_cpu.is_none());
        assert_eq!(ask(&mut worker), [Ok(7.0), Ok(7.0)]);
    }

    #[test]
    fn without_a_cpu_to_fall_back_to_the_error_stays() {
        let mut worker = OrElse { answering: FULL, on_cpu: Some(|| Err("no weights")) };
        for _ in 0..2 {
            assert_eq!(ask(&mut worker), [Err("out_of_memory"), Err("out_of_memory")]);
        }
    }

    #[test]
    fn other_errors_are_no_reason_to_leave_the_device() {
        let broken = Fake(Err(|| LabelError::Model(String::new())));
        let mut worker = OrElse { answering: broken, on_cpu: Some(|| Ok::<_, &str>(Fake(Ok(7.0)))) };
        assert_eq!(ask(&mut worker), [Err("model"), Err("model")]);
        assert!(worker.on_cpu.is_some());
    }
}
