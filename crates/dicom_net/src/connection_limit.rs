//! Limits of the associations that are open at once, in all and of each peer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AeTitle, ReceiveLimits};

/// The associations that are open, in all and of each peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionLimit(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    total: usize,
    of_peer: HashMap<AeTitle, usize>,
}

/// The permit of one association; dropped, another may have it.
#[derive(Debug)]
pub(crate) struct Permit {
    limit: ConnectionLimit,
    peer: AeTitle,
}

impl ConnectionLimit {
    /// Returns a permit, if one is left.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn acquire(&self, peer: &AeTitle, limits: &ReceiveLimits) -> Result<Permit, &'static str> {
        let mut open = self.lock();
        let of_peer = open.of_peer.get(peer).copied().unwrap_or(0);
        if open.total >= limits.max_associations {
            return Err("receive.max_associations are open");
        }
        if of_peer >= limits.max_associations_per_peer {
            return Err("receive.max_associations_per_peer of this peer are open");
        }
        open.total += 1;
        open.of_peer.insert(peer.clone(), of_peer + 1);
        Ok(Permit { limit: self.clone(), peer: peer.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // The counts are whole after every statement, also where a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limit.lock();
        open.total -= 1;
        if let Some(of_peer) = open.of_peer.get_mut(&self.peer) {
            *of_peer -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn associations_are_limited_in_all_and_a_peer() {
        let limits = ReceiveLimits {
            max_pdu: 0,
            max_object: 0,
            max_associations: 3,
            max_associations_per_peer: 2,
            idle: Duration::ZERO,
            least_rate: 0,
            keep_free: 0,
        };
        let (limit, one, other) = (ConnectionLimit::default(), "ONE".parse().unwrap(), "OTHER".parse().unwrap());
        let mut held = vec![limit.acquire(&one, &limits).unwrap(), limit.acquire(&one, &limits).unwrap()];
        assert!(limit.acquire(&one, &limits).is_err());
        held.push(limit.acquire(&other, &limits).unwrap());
        assert!(limit.acquire(&other, &limits).is_err());
        held.clear();
        assert!(limit.acquire(&one, &limits).is_ok());
    }
}
