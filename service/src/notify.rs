//! Who waits for a connection to change, or for a tenant's next event, within this process.
//!
//! A change in this process wakes its waiters at once. What another process changed, and links that expired, are found
//! by one look a second for all waiters together, see [`Store::look_for_changes`](crate::store::Store::look_for_changes).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::store::LinkProgress;

/// All waiters of a process.
#[derive(Debug, Default)]
pub struct Changes(Mutex<Waiters>);

/// Who waits for a tenant's next event.
#[derive(Debug, Default)]
pub struct Feeds {
    /// By tenant, in the place of a connection.
    waiters: Arc<Changes>,
    /// The last position of each awaited feed, as of the latest look.
    seen: Mutex<HashMap<String, i64>>,
}

/// By connection id, then by a number of their own.
type Key = (String, u64);

#[derive(Debug, Default)]
struct Waiters {
    last: u64,
    by_key: BTreeMap<Key, Entry>,
}

#[derive(Debug)]
struct Entry {
    link: Option<(String, LinkProgress)>,
    wake: Arc<Notify>,
}

/// One waiter, registered until it is dropped.
#[derive(Debug)]
pub struct Waiter {
    changes: Arc<Changes>,
    key: Key,
    wake: Arc<Notify>,
}

/// A connection whose latest link is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLink {
    /// The link's id.
    pub link_id: String,
    /// Whether the connection works meanwhile, so that nobody needs to wait for it.
    pub is_active: bool,
    /// How far it has come.
    pub progress: LinkProgress,
}

impl Changes {
    /// Registers a waiter for a connection or, where `link` is given, for that link of it to come further than this.
    pub fn register(self: &Arc<Self>, connection_id: &str, link: Option<(&str, LinkProgress)>) -> Waiter {
        let wake = Arc::new(Notify::new());
        let mut waiters = self.lock();
        waiters.last += 1;
        let key = (connection_id.to_owned(), waiters.last);
        let link = link.map(|(id, progress)| (id.to_owned(), progress));
        let entry = Entry { link, wake: wake.clone() };
        waiters.by_key.insert(key.clone(), entry);
        Waiter { changes: self.clone(), key, wake }
    }

    /// Wakes all who wait for this connection or a link of it. To be called after the change is committed.
    pub fn tell(&self, connection_id: &str) {
        for entry in self.lock().of(connection_id) {
            entry.wake.notify_one();
        }
    }

    /// The connections that are waited for.
    pub fn awaited(&self) -> Vec<String> {
        let waiters = self.lock();
        let ids: BTreeSet<_> = waiters.by_key.keys().map(|(id, _)| id).collect();
        ids.into_iter().cloned().collect()
    }

    /// Wakes those whose wait for one of these connections is over, given all of them that have a pending link.
    pub fn wake_finished(&self, connection_ids: &[String], pending: &HashMap<String, PendingLink>) {
        let waiters = self.lock();
        for id in connection_ids {
            let pending = pending.get(id);
            for entry in waiters.of(id) {
                let waits_on = pending.is_some_and(|pending| match &entry.link {
                    Some((id, progress)) => *id == pending.link_id && *progress == pending.progress,
                    None => !pending.is_active,
                });
                if !waits_on {
                    entry.wake.notify_one();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeds {
    /// Registers a waiter for a tenant's next event.
    pub fn register(&self, tenant: &str) -> Waiter {
        self.waiters.register(tenant, None)
    }

    /// Wakes all who wait for an event of this tenant. To be called after the event is committed.
    pub fn tell(&self, tenant: &str) {
        self.waiters.tell(tenant);
    }

    /// The tenants whose events are waited for.
    pub fn awaited(&self) -> Vec<String> {
        self.waiters.awaited()
    }

    /// Wakes those whose feed has another last position than at the look before. Who began to wait since then is woken once
    /// for nothing.
    pub fn wake_advanced(&self, last: HashMap<String, i64>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (tenant, position) in &last {
            if seen.get(tenant) != Some(position) {
                self.tell(tenant);
            }
        }
        *seen = last;
    }
}

impl Waiters {
    fn of(&self, connection_id: &str) -> impl Iterator<Item = &Entry> {
        let key = |number| (connection_id.to_owned(), number);
        self.by_key.range(key(0)..=key(u64::MAX)).map(|(_, entry)| entry)
    }
}

impl Waiter {
    /// Completes at the next change, or at once where there was one since the waiter was registered or last woken.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.changes.lock().by_key.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::store::{LinkError, Phase};

    fn is_woken(waiter: &Waiter) -> bool {
        waiter.woken().now_or_never().is_some()
    }

    #[test]
    fn a_change_before_the_wait_is_not_missed() {
        let changes = Arc::new(Changes::default());
        let waiter = changes.register("conn_1", None);
        let other = changes.register("conn_2", None);
        changes.tell("conn_1");
        assert!(is_woken(&waiter) && !is_woken(&waiter) && !is_woken(&other));
        drop(waiter);
        assert_eq!(changes.awaited(), ["conn_2"]);
    }

    #[test]
    fn a_look_wakes_those_whose_feed_has_advanced() {
        let feeds = Feeds::default();
        let (one, other) = (feeds.register("ten_1"), feeds.register("ten_2"));
        let look = |positions: [i64; 2]| {
            let tenants = ["ten_1".to_owned(), "ten_2".to_owned()];
            feeds.wake_advanced(tenants.into_iter().zip(positions).collect());
            (is_woken(&one), is_woken(&other))
        };
        assert_eq!(look([3, 0]), (true, true), "it is not known since when they wait");
        assert_eq!(look([3, 0]), (false, false));
        assert_eq!(look([3, 1]), (false, true));
        feeds.tell("ten_1");
        assert!(is_woken(&one) && !is_woken(&other));
    }

    #[test]
    fn a_look_wakes_those_whose_link_is_not_pending() {
        let changes = Arc::new(Changes::default());
        let form = LinkProgress { phase: Phase::Form, last_error: None };
        let (connection, link) = (changes.register("a", None), changes.register("a", Some(("l1", form))));
        let ids = changes.awaited();
        assert_eq!(ids, ["a"]);
        let look = |pending: Option<(&str, bool, LinkProgress)>| {
            let pending = pending.map(|(link_id, is_active, progress)| {
                let link_id = link_id.to_owned();
                ("a".to_owned(), PendingLink { link_id, is_active, progress })
            });
            changes.wake_finished(&ids, &pending.into_iter().collect());
            (is_woken(&connection), is_woken(&link))
        };
        assert_eq!(look(Some(("l1", false, form))), (false, false));
        assert_eq!(look(Some(("l1", true, form))), (true, false));
        assert_eq!(look(Some(("l2", false, form))), (false, true), "another link replaced it");
        let gone_on = LinkProgress { phase: Phase::AtProvider, ..form };
        assert_eq!(look(Some(("l1", false, gone_on))), (false, true), "the customer has come further");
        let failed = LinkProgress { last_error: Some(LinkError::ProviderRefused), ..form };
        assert_eq!(look(Some(("l1", false, failed))), (false, true));
        assert_eq!(look(None), (true, true));
    }
}
