//! Source of the daemon's time.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// Tells the time; every rule about waiting asks it.
pub trait Clock: Send + Sync {
    /// Returns the time of the wall clock, for what is recorded. Somebody may set that clock at any moment.
    fn now(&self) -> Timestamp;

    /// Returns the time at which the clock was made plus the time that has passed since. It never jumps, so every wait is
    /// measured by it; after the wall clock was set the two differ.
    fn steady(&self) -> Timestamp;
}

/// The computer's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Timestamp,
    since_start: Instant,
}

impl SystemClock {
    /// Returns a clock whose steady time is that of the wall clock now.
    pub fn new() -> Self {
        Self { start: Timestamp::now(), since_start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Timestamp {
        self.start.saturating_add(self.since_start.elapsed()).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still until told otherwise: for tests and simulations.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Times>);

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    steady: Timestamp,
}

impl VirtualClock {
    /// Stands at `start`.
    pub const fn at(start: Timestamp) -> Self {
        Self(Mutex::new(Times { wall: start, steady: start }))
    }

    /// Moves on: this much time has passed.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|times| {
            times.wall = times.wall.saturating_add(by).unwrap_or(times.wall);
            times.steady = times.steady.saturating_add(by).unwrap_or(times.steady);
        });
    }

    /// Sets the wall clock forward or back, while no time passes.
    pub fn set_wall(&self, by: SignedDuration) {
        self.change(|times| times.wall = times.wall.saturating_add(by).unwrap_or(times.wall));
    }

    fn change(&self, how: impl FnOnce(&mut Times)) {
        how(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn times(&self) -> Times {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.times().wall
    }

    fn steady(&self) -> Timestamp {
        self.times().steady
    }
}
