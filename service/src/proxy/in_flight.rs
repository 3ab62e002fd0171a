//! How many calls through the proxy are under way: one customer's or tenant's calls must not take all that a process can
//! do, nor get the customer throttled at the provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::LimitConfig;

/// Bytes of request bodies that a process keeps at once, so that the requests can be repeated.
const MAX_KEPT: usize = 64 * 1024 * 1024;

/// The calls under way, and how many there may be. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProxiedCalls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max: usize,
    max_per_tenant: usize,
    max_per_connection: usize,
    counts: Mutex<Counts>,
    kept: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_tenant: HashMap<String, usize>,
    by_connection: HashMap<String, usize>,
}

/// One call, counted until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    calls: ProxiedCalls,
    tenant: String,
    connection: String,
}

impl ProxiedCalls {
    /// Counts for a process that accepts so many connections. A call takes one, and one to the provider: three quarters stay
    /// free for everything else.
    pub fn new(limits: &LimitConfig, max_connections: usize) -> Self {
        Self(Arc::new(Shared {
            max: limits.max_proxied_calls.min((max_connections / 4).max(1)),
            max_per_tenant: limits.max_proxied_calls_per_tenant,
            max_per_connection: limits.max_proxied_calls_per_connection,
            counts: Mutex::default(),
            kept: Arc::new(Semaphore::new(MAX_KEPT)),
        }))
    }

    /// Counts one more call, unless there are as many as may be: in all, of the tenant, or of the connection.
    pub(super) fn enter(&self, tenant: &str, connection: &str) -> Option<InFlight> {
        let Shared { max, max_per_tenant, max_per_connection, .. } = *self.0;
        let mut counts = self.lock();
        let count = |counts: &HashMap<String, usize>, key| counts.get(key).copied().unwrap_or_default();
        let fits = counts.all < max
            && count(&counts.by_tenant, tenant) < max_per_tenant
            && count(&counts.by_connection, connection) < max_per_connection;
        if !fits {
            return None;
        }
        counts.all += 1;
        *counts.by_tenant.entry(tenant.to_owned()).or_default() += 1;
        *counts.by_connection.entry(connection.to_owned()).or_default() += 1;
        drop(counts);
        Some(InFlight { calls: self.clone(), tenant: tenant.to_owned(), connection: connection.to_owned() })
    }

    /// Room for so many bytes of a body; `None` where as many are kept as may be.
    pub(super) fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        self.0.kept.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut counts = self.calls.lock();
        counts.all -= 1;
        decrement(&mut counts.by_tenant, &self.tenant);
        decrement(&mut counts.by_connection, &self.connection);
    }
}

fn decrement(counts: &mut HashMap<String, usize>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_bounded_in_all_per_tenant_and_connection() {
        let limits = LimitConfig {
            max_proxied_calls: 10,
            max_proxied_calls_per_tenant: 3,
            max_proxied_calls_per_connection: 2,
            ..LimitConfig::default()
        };
        let calls = ProxiedCalls::new(&limits, 16);
        let both = [calls.enter("t", "a"), calls.enter("t", "a")];
        assert!(both.iter().all(Option::is_some));
        assert!(calls.enter("t", "a").is_none(), "of this connection");
        let third = calls.enter("t", "b");
        assert!(third.is_some());
        assert!(calls.enter("t", "c").is_none(), "of this tenant");
        let fourth = calls.enter("u", "d");
        assert!(fourth.is_some());
        assert!(calls.enter("v", "e").is_none(), "a quarter of the connections");
        drop(both);
        assert!(calls.enter("t", "a").is_some());
        drop((third, fourth));
        let counts = calls.lock();
        let is_empty = counts.by_tenant.is_empty() && counts.by_connection.is_empty();
        assert!(counts.all == 0 && is_empty, "nothing is kept of what has ended");
    }
}
