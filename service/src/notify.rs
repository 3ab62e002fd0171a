//! Wakes whoever waits for a connection to change, within this process.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Enough that few waits share one, few enough to be nothing.
const SLOTS: usize = 256;

/// One wake-up per slot of connection ids. A waiter can be woken by another connection's change, so it looks for
/// itself what happened; in return nothing has to be registered or cleaned up.
#[derive(Debug)]
pub struct Changes {
    slots: Vec<Notify>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Notify::new()).collect(),
        }
    }
}

impl Changes {
    /// Completes at the next change after this call, which need not have been polled by then.
    pub fn next(&self, connection_id: &str) -> Notified<'_> {
        self.slot(connection_id).notified()
    }

    /// Tells that a connection changed, after the change is committed.
    pub fn tell(&self, connection_id: &str) {
        self.slot(connection_id).notify_waiters();
    }

    fn slot(&self, connection_id: &str) -> &Notify {
        let mut hasher = DefaultHasher::new();
        connection_id.hash(&mut hasher);
        // The remainder is always a slot.
        &self.slots[usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_between_subscribing_and_waiting_is_not_missed() {
        let changes = Changes::default();
        let change = changes.next("conn_1");
        changes.tell("conn_1");
        change.await;
    }
}
