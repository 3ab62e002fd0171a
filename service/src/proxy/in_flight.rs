//! How many calls through the proxy are under way: one customer's or tenant's calls must not take all that a process can
//! do, nor get the customer throttled at the provider.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::LimitConfig;
use crate::in_flight::{InFlight, InFlightCounts};

/// Bytes of request bodies that a process keeps at once, so that the requests can be repeated.
const MAX_KEPT: usize = 64 * 1024 * 1024;

/// The calls under way, and how many there may be. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProxiedCalls {
    max_per_tenant: usize,
    max_per_connection: usize,
    places: Arc<Semaphore>,
    by_tenant: InFlightCounts,
    by_connection: InFlightCounts,
    kept: Arc<Semaphore>,
}

/// One call, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct ProxiedCall {
    _place: OwnedSemaphorePermit,
    _of_tenant: InFlight,
    _of_connection: InFlight,
}

impl ProxiedCalls {
    /// Counts for a process that accepts so many connections. A call takes one, and one to the provider: three quarters stay
    /// free for everything else.
    pub fn new(limits: &LimitConfig, max_connections: usize) -> Self {
        let max = limits.max_proxied_calls.min((max_connections / 4).max(1));
        Self {
            max_per_tenant: limits.max_proxied_calls_per_tenant,
            max_per_connection: limits.max_proxied_calls_per_connection,
            places: Arc::new(Semaphore::new(max)),
            by_tenant: InFlightCounts::default(),
            by_connection: InFlightCounts::default(),
            kept: Arc::new(Semaphore::new(MAX_KEPT)),
        }
    }

    /// Counts one more call, unless there are as many as may be: in all, of the tenant, or of the connection.
    pub(crate) fn enter(&self, tenant: &str, connection: &str) -> Option<ProxiedCall> {
        Some(ProxiedCall {
            _place: self.places.clone().try_acquire_owned().ok()?,
            _of_tenant: self.by_tenant.enter(tenant, self.max_per_tenant)?,
            _of_connection: self.by_connection.enter(connection, self.max_per_connection)?,
        })
    }

    /// Room for so many bytes of a body; `None` where as many are kept as may be.
    pub(super) fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        self.kept.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
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
        let is_empty = calls.by_tenant.is_empty() && calls.by_connection.is_empty();
        assert!(calls.places.available_permits() == 4 && is_empty, "nothing is kept of what has ended");
    }
}
