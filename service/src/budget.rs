//! Rate budgets: so many calls in a fixed minute, counted in memory per process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use url::Url;

use crate::config::BudgetConfig;
use crate::error::ApiError;
use crate::metrics::GroupLabels;

const WINDOW: Duration = Duration::from_secs(60);

/// Windows of the past are dropped once there are this many, and again whenever that number has doubled.
const PRUNE_FROM: usize = 1024;

/// What a call is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Everything that has no group of its own; per tenant.
    Default,
    /// Vending; per tenant.
    Token,
    /// The public endpoints and the hosted page; per link.
    Status,
    /// The service's own calls that check a credential; per tenant and host.
    Verification,
}

/// All budgets.
#[derive(Debug)]
pub struct Budgets {
    limits: BudgetConfig,
    windows: Mutex<Windows>,
    refusals: Family<GroupLabels, Counter>,
}

#[derive(Debug)]
struct Windows {
    by_holder: HashMap<(Group, String), Window>,
    prune_at: usize,
}

#[derive(Debug)]
struct Window {
    end: Instant,
    used: u32,
}

/// How a budget stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    group: Group,
    limit: u32,
    /// Calls left.
    left: u32,
    /// Seconds until the window ends, rounded up.
    resets_in: u64,
    allowed: bool,
}

impl Budgets {
    /// Budgets with these limits, all unused.
    pub fn new(limits: &BudgetConfig) -> Self {
        let refusals = Family::<GroupLabels, Counter>::default();
        for group in [Group::Default, Group::Token, Group::Status, Group::Verification] {
            // Shown from the start: what appears with its first refusal seems never to have grown.
            drop(refusals.get_or_create(&GroupLabels { group: group.as_str() }));
        }
        let windows = Windows { by_holder: HashMap::new(), prune_at: PRUNE_FROM };
        Self { limits: limits.clone(), windows: Mutex::new(windows), refusals }
    }

    /// How often there was one call too many, as it goes on.
    pub(crate) fn refusals(&self) -> Family<GroupLabels, Counter> {
        self.refusals.clone()
    }

    /// Counts a call of the service's own to this address, for a tenant. One customer's mistakes must not get the others'
    /// calls to a provider throttled. Where there were too many, gives the seconds until one is allowed again.
    pub fn take_verification(&self, tenant: &str, url: &Url) -> Option<u64> {
        let holder = format!("{tenant} {}", url.host_str().unwrap_or_default());
        self.take(Group::Verification, &holder).refused_for()
    }

    /// Counts one call of a tenant, or of whoever has a link.
    pub fn take(&self, group: Group, holder: &str) -> Standing {
        self.count(group, holder, 1, Instant::now())
    }

    /// How a budget stands, with nothing counted.
    pub fn look(&self, group: Group, holder: &str) -> Standing {
        self.count(group, holder, 0, Instant::now())
    }

    fn count(&self, group: Group, holder: &str, calls: u32, now: Instant) -> Standing {
        let limit = match group {
            Group::Default => self.limits.default,
            Group::Token => self.limits.token,
            Group::Status => self.limits.status,
            Group::Verification => self.limits.verification,
        };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.of(group, holder, now);
        let allowed = calls <= limit - window.used;
        if allowed {
            window.used += calls;
        } else {
            self.refusals.get_or_create(&GroupLabels { group: group.as_str() }).inc();
        }
        let remaining = window.end.saturating_duration_since(now);
        let resets_in = remaining.as_secs() + u64::from(remaining.subsec_nanos() > 0);
        Standing { group, limit, left: limit - window.used, resets_in, allowed }
    }
}

impl Windows {
    fn of(&mut self, group: Group, holder: &str, now: Instant) -> &mut Window {
        if self.by_holder.len() >= self.prune_at {
            self.by_holder.retain(|_, window| window.end > now);
            self.prune_at = PRUNE_FROM.max(2 * self.by_holder.len());
        }
        let window = self
            .by_holder
            .entry((group, holder.to_owned()))
            .or_insert_with(|| Window { end: now + WINDOW, used: 0 });
        if window.end <= now {
            *window = Window { end: now + WINDOW, used: 0 };
        }
        window
    }
}

impl Group {
    fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Token => "token",
            Self::Status => "status",
            Self::Verification => "verification",
        }
    }
}

impl Standing {
    /// The error, where the call is one too many.
    ///
    /// # Errors
    ///
    /// [`ApiError::RateLimited`].
    pub fn check(self) -> Result<(), ApiError> {
        match self.refused_for() {
            None => Ok(()),
            Some(retry_after) => Err(ApiError::RateLimited { retry_after }),
        }
    }

    /// For how many seconds no call is allowed, where the call is one too many.
    pub fn refused_for(self) -> Option<u64> {
        (!self.allowed).then_some(self.resets_in)
    }

    /// Tells the caller, by the fields of draft-ietf-httpapi-ratelimit-headers.
    pub fn tell(self, headers: &mut HeaderMap) {
        let name = self.group.as_str();
        let mut set = |header, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(header, value);
            }
        };
        set("ratelimit-policy", format!("\"{name}\";q={};w={}", self.limit, WINDOW.as_secs()));
        set("ratelimit", format!("\"{name}\";r={};t={}", self.left, self.resets_in));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        Budgets::new(&BudgetConfig { token: 3, default: 2, status: 1, verification: 60 })
    }

    #[test]
    fn a_window_ends_after_a_minute() {
        let (budgets, start) = (budgets(), Instant::now());
        let take = |after| budgets.count(Group::Default, "t", 1, start + Duration::from_millis(after));
        assert_eq!(take(0).left, 1);
        assert_eq!(take(1).left, 0);
        assert!(take(2).check().is_err());
        // The last moment still counts as a second: nobody is told to come back after 0.
        let last = take(59_999);
        assert!(matches!(last.check(), Err(ApiError::RateLimited { retry_after: 1 })));
        assert!(take(60_000).check().is_ok());
    }

    #[test]
    fn groups_and_holders_are_counted_apart() {
        let (budgets, now) = (budgets(), Instant::now());
        assert!(budgets.count(Group::Status, "a", 1, now).check().is_ok());
        assert!(budgets.count(Group::Status, "a", 1, now).check().is_err());
        assert!(budgets.count(Group::Status, "b", 1, now).check().is_ok());
        assert!(budgets.count(Group::Token, "a", 1, now).check().is_ok());
    }

    #[test]
    fn an_apis_host_is_asked_sixty_times_a_minute() {
        let (budgets, start) = (budgets(), Instant::now());
        let take = |after| budgets.count(Group::Verification, "t host", 1, start + after).check();
        for _ in 0..60 {
            assert!(take(Duration::ZERO).is_ok());
        }
        assert!(take(WINDOW - Duration::from_millis(1)).is_err());
        assert!(take(WINDOW).is_ok());
    }

    #[test]
    fn windows_of_the_past_are_forgotten() {
        let (budgets, start) = (budgets(), Instant::now());
        for n in 0..PRUNE_FROM {
            budgets.count(Group::Status, &n.to_string(), 1, start);
        }
        budgets.count(Group::Status, "new", 1, start + WINDOW);
        assert_eq!(budgets.windows.lock().unwrap().by_holder.len(), 1);
    }

    #[test]
    fn the_headers_are_those_of_the_draft() {
        let mut headers = HeaderMap::new();
        budgets().take(Group::Token, "t").tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"token\";q=3;w=60");
        assert_eq!(headers["ratelimit"], "\"token\";r=2;t=60");
    }
}
