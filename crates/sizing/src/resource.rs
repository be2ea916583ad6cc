//! Servers of one kind, which serve in order of arrival.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Nanoseconds of simulated time.
pub(crate) type Nanoseconds = u64;

/// Servers of one kind.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Times at which each server is free.
    free_at: BinaryHeap<Reverse<Nanoseconds>>,
    busy: Nanoseconds,
}

impl Resource {
    /// Returns idle servers, at least one.
    pub(crate) fn new(servers: u32) -> Self {
        Self { free_at: (0..servers.max(1)).map(|_| Reverse(0)).collect(), busy: 0 }
    }

    /// Serves who comes at `arrival` and returns the time of the end. Calls must be in order of arrival.
    pub(crate) fn serve(&mut self, arrival: Nanoseconds, service: Nanoseconds) -> Nanoseconds {
        let Reverse(free_at) = self.free_at.pop().unwrap_or(Reverse(0));
        let end = free_at.max(arrival).saturating_add(service);
        self.free_at.push(Reverse(end));
        self.busy = self.busy.saturating_add(service);
        end
    }

    /// Returns the share of the time until `end` for which the servers were busy.
    pub(crate) fn busy_share(&self, end: Nanoseconds) -> f64 {
        self.busy as f64 / (self.free_at.len() as f64 * end.max(1) as f64)
    }
}
