//! The body of a request, with deadlines.

use std::time::Duration;

use domain::ReceiveLimits;
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::NetError;

/// A body that comes.
pub(super) struct RequestBody {
    body: Incoming,
    idle: Duration,
    least_rate: u64,
    bytes: u64,
    /// Time that was spent on waiting for the sender; bringing objects to the disk is not its fault.
    waited: Duration,
    stopping: watch::Receiver<bool>,
}

impl RequestBody {
    pub fn new(body: Incoming, limits: &ReceiveLimits, stopping: watch::Receiver<bool>) -> Self {
        let (idle, least_rate) = (limits.idle, limits.least_rate);
        Self { body, idle, least_rate, bytes: 0, waited: Duration::ZERO, stopping }
    }

    /// Returns the next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, nothing comes or too slowly, the program ends.
    pub async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        let start = Instant::now();
        let deadline = start + self.idle;
        loop {
            let frame = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return Err(NetError::Stopping),
                frame = timeout_at(deadline, self.body.frame()) => frame.map_err(|_| NetError::Idle)?,
            };
            let Some(frame) = frame.transpose().map_err(broken)? else { return Ok(None) };
            // Trailers and empty frames carry nothing, so they are no progress either.
            let Some(bytes) = frame.into_data().ok().filter(|bytes| !bytes.is_empty()) else { continue };
            self.bytes += bytes.len() as u64;
            self.waited += start.elapsed();
            if self.waited > self.idle && self.bytes < self.least_rate.saturating_mul(self.waited.as_secs()) {
                return Err(NetError::TooSlow);
            }
            return Ok(Some(bytes));
        }
    }

    /// Throws away what comes within a time.
    pub async fn discard(mut self, time: Duration) {
        let _ = timeout(time, async { while let Ok(Some(_)) = self.next().await {} }).await;
    }
}

fn broken(error: hyper::Error) -> NetError {
    if error.is_incomplete_message() { NetError::Closed } else { NetError::Protocol(error.to_string()) }
}
