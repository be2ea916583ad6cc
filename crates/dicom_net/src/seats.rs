//! Counting of associations that are open at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AeTitle, ReceiveLimits};

/// The associations that are open, in all and of each peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    of_peer: HashMap<AeTitle, usize>,
}

/// The place of one association; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    peer: AeTitle,
}

impl Seats {
    /// Takes a place, if there is one.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn take(&self, peer: &AeTitle, limits: &ReceiveLimits) -> Result<Seat, &'static str> {
        let mut taken = self.lock();
        let of_peer = taken.of_peer.get(peer).copied().unwrap_or(0);
        if taken.total >= limits.max_associations {
            return Err("receive.max_associations are open");
        }
        if of_peer >= limits.max_associations_per_peer {
            return Err("receive.max_associations_per_peer of this peer are open");
        }
        taken.total += 1;
        taken.of_peer.insert(peer.clone(), of_peer + 1);
        Ok(Seat { seats: self.clone(), peer: peer.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // The counts are whole after every statement, also where a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.total -= 1;
        if let Some(of_peer) = taken.of_peer.get_mut(&self.peer) {
            *of_peer -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seats_are_limited_in_all_and_a_peer() {
        let limits = ReceiveLimits {
            max_pdu: 0,
            max_object: 0,
            max_associations: 3,
            max_associations_per_peer: 2,
            idle: Duration::ZERO,
            least_rate: 0,
            keep_free: 0,
        };
        let (seats, one, other) = (Seats::default(), "ONE".parse().unwrap(), "OTHER".parse().unwrap());
        let mut held = vec![seats.take(&one, &limits).unwrap(), seats.take(&one, &limits).unwrap()];
        assert!(seats.take(&one, &limits).is_err());
        held.push(seats.take(&other, &limits).unwrap());
        assert!(seats.take(&other, &limits).is_err());
        held.clear();
        assert!(seats.take(&one, &limits).is_ok());
    }
}
