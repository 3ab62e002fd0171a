//! How much is under way for each connection or tenant: one's calls must not take all that a process can do, nor get a
//! customer throttled at the provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is under way, by the id that it is for. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct InFlightCounts(Arc<Mutex<HashMap<String, usize>>>);

/// One of them, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    counts: InFlightCounts,
    id: String,
}

impl InFlightCounts {
    /// Counts one more, unless there are `max` already.
    pub(crate) fn enter(&self, id: &str, max: usize) -> Option<InFlight> {
        let mut counts = self.lock();
        let count = counts.get(id).copied().unwrap_or_default();
        if count >= max {
            return None;
        }
        counts.insert(id.to_owned(), count + 1);
        drop(counts);
        Some(InFlight { counts: self.clone(), id: id.to_owned() })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_its_own_number() {
        let calls = InFlightCounts::default();
        let both = [calls.enter("a", 2), calls.enter("a", 2)];
        assert!(both.iter().all(Option::is_some));
        assert!(calls.enter("a", 2).is_none());
        assert!(calls.enter("b", 2).is_some());
        drop(both);
        assert!(calls.enter("a", 2).is_some());
        assert!(calls.is_empty(), "nothing is kept of what has ended");
    }
}
