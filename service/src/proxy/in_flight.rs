//! How many calls through the proxy a connection has under way: one customer's calls must not take all that a process can
//! do, nor get the customer throttled at the provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls under way, by connection. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ProxiedCalls(Arc<Mutex<HashMap<String, usize>>>);

/// One call, counted until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    calls: ProxiedCalls,
    connection: String,
}

impl ProxiedCalls {
    /// Counts one more call, unless there are `max` already.
    pub(super) fn enter(&self, connection: &str, max: usize) -> Option<InFlight> {
        let mut counts = self.lock();
        let count = counts.get(connection).copied().unwrap_or_default();
        if count >= max {
            return None;
        }
        counts.insert(connection.to_owned(), count + 1);
        drop(counts);
        Some(InFlight { calls: self.clone(), connection: connection.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut counts = self.calls.lock();
        if let Some(count) = counts.get_mut(&self.connection) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_its_own_number_of_calls() {
        let calls = ProxiedCalls::default();
        let both = [calls.enter("a", 2), calls.enter("a", 2)];
        assert!(both.iter().all(Option::is_some));
        assert!(calls.enter("a", 2).is_none());
        assert!(calls.enter("b", 2).is_some());
        drop(both);
        assert!(calls.enter("a", 2).is_some());
        assert!(calls.lock().is_empty(), "nothing is kept of what has ended");
    }
}
