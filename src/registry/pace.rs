//! Whose turn it is: requests to one host follow each other at a distance, and
//! wait longer when the host says so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row after which a host is left alone.
const PATIENCE: u32 = 4;

/// The turns of all hosts.
#[derive(Debug, Default)]
pub(super) struct Turns {
    hosts: Mutex<HashMap<String, Turn>>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Not before.
    next: Instant,
    /// Requests in a row that got no answer.
    failures: u32,
    /// True if the host wants a longer rest than anybody waits for.
    resting: bool,
    /// Since when it has been busy or broken.
    busy: Option<Instant>,
}

impl Turns {
    /// When the next request to `host` may leave; the one after it follows at
    /// `distance`.
    ///
    /// # Errors
    /// Why the host is left alone.
    pub(super) fn take(
        &self,
        host: &str,
        distance: Duration,
        patience: Duration,
    ) -> Result<Instant, String> {
        self.with(host, |turn| {
            if turn.busy.is_some_and(|since| since.elapsed() >= patience) {
                return Err(format!("{host} stays busy or out of order, and is left alone"));
            }
            if turn.resting {
                return Err(format!("{host} is busy, and wants to be asked much later"));
            }
            if turn.failures >= PATIENCE {
                return Err(format!("{host} did not answer several times in a row"));
            }
            let now = Instant::now();
            let at = turn.next.max(now);
            // A pace that no clock can hold is that of one request.
            turn.next = at.checked_add(distance).unwrap_or(now + FAR);
            Ok(at)
        })
    }

    /// The host is left alone from now on.
    pub(super) fn rest(&self, host: &str) {
        self.with(host, |turn| turn.resting = true);
    }

    /// The host wants to be left alone for so long.
    pub(super) fn hold(&self, host: &str, delay: Duration) {
        self.with(host, |turn| turn.next = turn.next.max(Instant::now() + delay));
    }

    /// The host answered, or did not.
    pub(super) fn answered(&self, host: &str, answered: bool) {
        self.with(host, |turn| match answered {
            true => (turn.failures, turn.busy) = (0, None),
            false => turn.failures += 1,
        });
    }

    /// The host was asked again and again, and is busy or out of order still.
    pub(super) fn busy(&self, host: &str) {
        self.with(host, |turn| _ = turn.busy.get_or_insert_with(Instant::now));
    }

    fn with<T>(&self, host: &str, act: impl FnOnce(&mut Turn) -> T) -> T {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Turn { next: Instant::now(), failures: 0, resting: false, busy: None };
        act(hosts.entry(host.to_owned()).or_insert(fresh))
    }
}

/// Longest that a host is waited for at once.
const LONGEST: Duration = Duration::from_secs(60);

/// As good as never.
const FAR: Duration = Duration::from_secs(365 * 86_400);

/// How long to wait before the attempt that follows the `n`-th (from 0): what
/// the host says, but never less than an own back-off that doubles. npm's
/// registry was seen to say `retry-after: 0` and to refuse again. `None` if the
/// host wants more time than anybody waits for; dates and nonsense say nothing.
pub(super) fn back_off(n: u32, said: Option<&str>, first: Duration) -> Option<Duration> {
    let own = first.saturating_mul(1 << n.min(10)).min(LONGEST);
    let said =
        said.and_then(|text| text.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    (said <= LONGEST).then(|| own.max(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(60);

    #[test]
    fn turns_follow_at_a_distance() {
        let turns = Turns::default();
        let distance = Duration::from_secs(5);
        let first = turns.take("a", distance, PATIENT).unwrap();
        assert_eq!(turns.take("a", distance, PATIENT).unwrap(), first + distance);
        assert!(turns.take("b", distance, PATIENT).unwrap() < first + distance);
        turns.hold("a", Duration::from_secs(100));
        assert!(turns.take("a", distance, PATIENT).unwrap() > first + Duration::from_secs(90));
    }

    #[test]
    fn a_host_that_never_answers_is_left_alone() {
        let turns = Turns::default();
        for _ in 0..PATIENCE {
            assert!(turns.take("a", Duration::ZERO, PATIENT).is_ok());
            turns.answered("a", false);
        }
        assert!(turns.take("a", Duration::ZERO, PATIENT).is_err());
        assert!(turns.take("b", Duration::ZERO, PATIENT).is_ok());
        turns.busy("b");
        assert!(turns.take("b", Duration::ZERO, PATIENT).is_ok());
        assert!(turns.take("b", Duration::ZERO, Duration::ZERO).is_err());
        turns.answered("b", true);
        assert!(turns.take("b", Duration::ZERO, Duration::ZERO).is_ok());
        turns.rest("b");
        assert!(turns.take("b", Duration::ZERO, PATIENT).is_err());
    }

    #[test]
    fn a_delay_of_zero_is_not_believed() {
        let first = Duration::from_secs(2);
        assert_eq!(back_off(0, Some("0"), first), Some(first));
        assert_eq!(back_off(1, None, first), Some(first * 2));
        assert_eq!(back_off(0, Some("30"), first), Some(Duration::from_secs(30)));
        assert_eq!(back_off(0, Some("99999"), first), None);
        assert_eq!(back_off(30, Some("x"), first), Some(LONGEST));
    }
}
