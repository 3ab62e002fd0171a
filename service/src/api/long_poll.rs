//! Long polls: `Prefer: wait=N`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use crate::config::LimitConfig;
use crate::error::ApiError;
use crate::notify::Waiter;
use crate::state::AppState;

/// Marks the response of a long poll (RFC 7240).
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How often to look for what another process, or the clock, changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Counts the long polls of a process, and knows how many there may be.
#[derive(Debug)]
pub struct LongPolls {
    max: usize,
    max_per_tenant: usize,
    max_per_link: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_tenant: HashMap<String, usize>,
    by_link: HashMap<String, usize>,
}

/// One long poll, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct LongPoll<'a> {
    app: &'a AppState,
    deadline: Instant,
    tenant: String,
    link: Option<String>,
}

impl LongPolls {
    /// Counts for a process that accepts so many connections. Half of them stay free for everything else.
    pub fn new(limits: &LimitConfig, max_connections: usize) -> Self {
        Self {
            max: limits.max_long_polls.min(max_connections / 2),
            max_per_tenant: limits.max_long_polls_per_tenant,
            max_per_link: limits.max_long_polls_per_link,
            counts: Mutex::default(),
        }
    }

    /// Number of them under way.
    pub(crate) fn count(&self) -> usize {
        self.lock().all
    }

    /// Maximum of them at once.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    fn take(&self, tenant: &str, link: Option<&str>) -> bool {
        let mut counts = self.lock();
        let count = |counts: &HashMap<String, usize>, key| counts.get(key).copied().unwrap_or_default();
        let fits = counts.all < self.max
            && count(&counts.by_tenant, tenant) < self.max_per_tenant
            && link.is_none_or(|link| count(&counts.by_link, link) < self.max_per_link);
        if fits {
            counts.all += 1;
            *counts.by_tenant.entry(tenant.to_owned()).or_default() += 1;
            if let Some(link) = link {
                *counts.by_link.entry(link.to_owned()).or_default() += 1;
            }
        }
        fits
    }

    fn give_back(&self, tenant: &str, link: Option<&str>) {
        let mut counts = self.lock();
        counts.all -= 1;
        decrement(&mut counts.by_tenant, tenant);
        if let Some(link) = link {
            decrement(&mut counts.by_link, link);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
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

impl<'a> LongPoll<'a> {
    /// Begins a long poll, if the client asks for one. `None` also where there are as many as may be, in all, of this
    /// tenant, or for this link of the public status: then the response is given at once.
    pub(crate) fn begin(
        app: &'a AppState,
        wait: Option<Duration>,
        tenant: &str,
        link: Option<&str>,
    ) -> Option<Self> {
        let wait = wait?;
        app.long_polls.take(tenant, link).then(|| Self {
            app,
            deadline: Instant::now() + wait,
            tenant: tenant.to_owned(),
            link: link.map(str::to_owned),
        })
    }

    /// Waits until there may be a change or the time is over. `false`, at once, where it was over before or the service
    /// ends: what was read last is the response then, since thousands that read again together would find no connection.
    async fn wait(&self, waiter: &Waiter) -> bool {
        let ending = &self.app.ending;
        if Instant::now() >= self.deadline || ending.is_cancelled() {
            return false;
        }
        tokio::select! {
            () = waiter.woken() => true,
            () = sleep_until(self.deadline) => true,
            () = ending.cancelled() => false,
        }
    }
}

impl Drop for LongPoll<'_> {
    fn drop(&mut self) {
        self.app.long_polls.give_back(&self.tenant, self.link.as_deref());
    }
}

/// Reads until there is something to tell, or the long poll is over: once at first, and again only when there may be a
/// change. Each read gets what the one before found. Without a long poll it reads once. The waiter must be of what is read.
pub(super) async fn wait_until<T, Read>(
    long_poll: Option<&LongPoll<'_>>,
    waiter: impl FnOnce() -> Waiter,
    is_news: impl Fn(&T) -> bool,
    read: impl Fn(Option<T>) -> Read,
) -> Result<T, ApiError>
where
    Read: Future<Output = Result<T, ApiError>>,
{
    // Each read is boxed, so that a poll that waits has no room for one.
    let Some(long_poll) = long_poll else {
        return Box::pin(read(None)).await;
    };
    // Registered before the first look, so that no change is missed.
    let waiter = waiter();
    let mut before = None;
    loop {
        let found = Box::pin(read(before)).await?;
        if is_news(&found) || !long_poll.wait(&waiter).await {
            return Ok(found);
        }
        before = Some(found);
    }
}

/// Says so, where the response is that of a long poll.
pub(super) fn applied(long_poll: Option<&LongPoll<'_>>, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    if long_poll.is_some() {
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("wait"));
    }
    response
}

/// Looks once a second, for all long polls together, for what other processes changed and for links that expired.
pub async fn look_for_changes(app: AppState) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = app.store.look_for_changes().await {
            tracing::warn!(%error, "cannot look for changes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_polls_are_bounded_in_all_per_tenant_and_per_link() {
        let limits = LimitConfig {
            max_long_polls: 10,
            max_long_polls_per_tenant: 3,
            max_long_polls_per_link: 2,
            ..LimitConfig::default()
        };
        let polls = LongPolls::new(&limits, 8);
        assert!(polls.take("a", Some("l")) && polls.take("a", Some("l")));
        assert!(!polls.take("a", Some("l")), "of this link");
        assert!(polls.take("a", None));
        assert!(!polls.take("a", None), "of this tenant");
        assert!(polls.take("b", None));
        assert!(!polls.take("c", None), "half of the connections");
        polls.give_back("a", Some("l"));
        assert!(polls.take("a", Some("l")));
        for (tenant, link) in [("a", Some("l")), ("a", Some("l")), ("a", None), ("b", None)] {
            polls.give_back(tenant, link);
        }
        let counts = polls.lock();
        assert!(counts.all == 0 && counts.by_tenant.is_empty() && counts.by_link.is_empty());
    }
}
