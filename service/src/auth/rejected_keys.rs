//! Keys that opened nothing, remembered for a minute: a client that goes on with one is told to slow down, and costs no
//! look into the database.
//!
//! Counted per presented key, hence nobody can lock out a right one: it is never among them, whoever else sends what.
//! Guessing is hopeless without any limit, since keys have 256 random bits. Addresses of callers are not looked at: behind
//! a proxy all are the proxy's.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ApiError;

const WINDOW: Duration = Duration::from_secs(60);

/// How often one wrong key is looked up in a window.
const MAX_ATTEMPTS: u32 = 60;

/// Minimum time between two purges: each looks at all keys, under a lock that every request takes.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);

/// How many wrong keys are remembered. Where there are more, the further ones are looked up each time.
const MAX_KEYS: usize = 10_000;

/// The keys of one kind that opened nothing lately, by their digests. What is right as another kind counts here, too, so
/// that each kind needs one of its own.
#[derive(Debug, Default)]
pub struct RejectedKeys(Mutex<Rejected>);

#[derive(Debug, Default)]
struct Rejected {
    attempts: HashMap<String, Attempts>,
    next_purge: Option<Instant>,
}

#[derive(Debug)]
struct Attempts {
    count: u32,
    until: Instant,
}

impl RejectedKeys {
    /// Whether this key may be looked up.
    ///
    /// # Errors
    ///
    /// [`ApiError::RateLimited`], where it opened nothing too often.
    pub fn check(&self, digest: &str) -> Result<(), ApiError> {
        self.check_at(digest, Instant::now())
    }

    /// Notes that this key opened nothing.
    pub fn note(&self, digest: &str) {
        self.note_at(digest, Instant::now());
    }

    fn check_at(&self, digest: &str, now: Instant) -> Result<(), ApiError> {
        match self.lock().attempts.get(digest) {
            Some(attempts) if attempts.count >= MAX_ATTEMPTS && attempts.until > now => {
                let left = attempts.until - now;
                let retry_after = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                Err(ApiError::RateLimited { retry_after })
            }
            _ => Ok(()),
        }
    }

    fn note_at(&self, digest: &str, now: Instant) {
        let mut rejected = self.lock();
        let Rejected { attempts, next_purge } = &mut *rejected;
        if let Some(known) = attempts.get_mut(digest).filter(|known| known.until > now) {
            known.count += 1;
            return;
        }
        if attempts.len() >= MAX_KEYS && next_purge.is_none_or(|at| at <= now) {
            attempts.retain(|_, known| known.until > now);
            *next_purge = Some(now + PURGE_INTERVAL);
        }
        if attempts.len() < MAX_KEYS {
            let until = now + WINDOW;
            attempts.insert(digest.to_owned(), Attempts { count: 1, until });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rejected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_is_looked_up_so_often_a_minute() {
        let (keys, start) = (RejectedKeys::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS {
            assert!(keys.check_at("wrong", start).is_ok());
            keys.note_at("wrong", start);
        }
        let last = start + WINDOW - Duration::from_millis(1);
        assert!(matches!(keys.check_at("wrong", last), Err(ApiError::RateLimited { retry_after: 1 })));
        assert!(keys.check_at("right", last).is_ok());
        assert!(keys.check_at("wrong", start + WINDOW).is_ok());
        keys.note_at("wrong", start + WINDOW);
        assert!(keys.check_at("wrong", start + WINDOW).is_ok());
    }

    #[test]
    fn a_flood_of_wrong_keys_fills_no_memory() {
        let (keys, start) = (RejectedKeys::default(), Instant::now());
        for n in 0..2 * MAX_KEYS {
            keys.note_at(&n.to_string(), start);
        }
        assert_eq!(keys.lock().attempts.len(), MAX_KEYS);
        keys.note_at("later", start + WINDOW);
        assert_eq!(keys.lock().attempts.len(), 1);
    }
}
