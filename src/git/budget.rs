//! A share of the memory for those who need much of it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What large objects may take together, in bytes. One that needs more waits
/// until it is alone.
const BYTES: u64 = 256 << 20;

/// Hands out shares, and lets those wait who come when too much is taken.
#[derive(Clone, Default)]
pub(crate) struct Budget(Arc<(Mutex<u64>, Condvar)>);

/// A share; it is given back when the last copy is dropped.
#[derive(Clone)]
pub(crate) struct Share(#[expect(dead_code, reason = "it is held, not read")] Arc<Held>);

struct Held {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    /// Waits for a share. Whoever holds one must not ask for another.
    pub(crate) fn take(&self, bytes: u64) -> Share {
        let (taken, news) = &*self.0;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && *taken + bytes > BYTES {
            taken = news.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Share(Arc::new(Held { budget: self.clone(), bytes }))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (taken, news) = &*self.budget.0;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other() {
        let budget = Budget::default();
        let first = budget.take(BYTES * 3);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| budget.take(1));
            assert!(!second.is_finished());
            drop(first);
            drop(second.join());
        });
        assert_eq!(*budget.0.0.lock().unwrap(), 0);
    }
}
