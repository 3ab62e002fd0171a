//! Rate budgets: so many calls in a fixed minute.
//!
//! Those of tenants hold for all processes together where these share a PostgreSQL database. Each process takes calls of
//! them in lots of at most a twentieth, by one statement a lot, and counts what it uses in memory. So there are never more
//! than the budget, and up to one lot for each process may go unused. Otherwise, and for links, a process counts alone.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use url::Url;

use crate::config::BudgetConfig;
use crate::error::ApiError;
use crate::metrics::GroupLabels;
use crate::store::{Caller, Lot, Store, StoreError, TenantBudgets};

const WINDOW: Duration = Duration::from_secs(60);

/// Windows of the past are dropped once there are this many, and again whenever that number has doubled.
const PRUNE_FROM: usize = 1024;

/// A lot is this part of a budget at most.
const LOTS: u32 = 20;

/// Maximum number of calls in a lot: a process that ends takes the rest of its lot with it.
const MAX_LOT: u32 = 1000;

/// Lots that can be taken at once, each of another budget.
const LOT_LOCKS: usize = 64;

/// What a call is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Everything that has no group of its own; per tenant.
    Default,
    /// Vending; per tenant.
    Token,
    /// The feed of events; per tenant.
    Events,
    /// Calls through the proxy; per tenant.
    Proxy,
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
    /// Where other processes take lots too.
    shared: Option<Store>,
    /// The caller that takes a lot of a budget holds its lock; others then find what is left of that lot, or when it failed.
    lot_locks: Vec<tokio::sync::Mutex<Option<Instant>>>,
}

/// One budget.
#[derive(Debug, Clone, Copy)]
struct Budget<'a> {
    group: Group,
    holder: &'a str,
    /// Calls a window.
    limit: u32,
    /// Whether other processes count against it, too.
    is_shared: bool,
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
    /// Of a shared budget: what this process may use, in all of its lots.
    granted: u32,
    /// What others took, as far as it is known.
    others: u32,
    /// Whether there was nothing left to take.
    is_used_up: bool,
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
    /// Budgets with these limits, all unused. Those of tenants are shared with the other processes of `shared`.
    pub fn new(limits: &BudgetConfig, shared: Option<Store>) -> Self {
        let refusals = Family::<GroupLabels, Counter>::default();
        for group in Group::ALL {
            // Shown from the start: what appears with its first refusal seems never to have grown.
            drop(refusals.get_or_create(&GroupLabels { group: group.as_str() }));
        }
        let windows = Windows { by_holder: HashMap::new(), prune_at: PRUNE_FROM };
        Self {
            limits: limits.clone(),
            windows: Mutex::new(windows),
            refusals,
            shared,
            lot_locks: (0..LOT_LOCKS).map(|_| tokio::sync::Mutex::default()).collect(),
        }
    }

    /// How often there was one call too many, as it goes on.
    pub(crate) fn refusals(&self) -> Family<GroupLabels, Counter> {
        self.refusals.clone()
    }

    /// Counts one call of a tenant.
    pub async fn take(&self, group: Group, caller: &Caller) -> Standing {
        self.take_of(self.of_tenant(group, caller)).await
    }

    /// How a tenant's budget stands, with nothing counted.
    pub fn look(&self, group: Group, caller: &Caller) -> Standing {
        let budget = self.of_tenant(group, caller);
        let now = Instant::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.of(budget, now).standing(budget, now, true)
    }

    /// How all budgets of a tenant stand that count its calls, over all processes, with nothing counted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn of_caller(&self, caller: &Caller) -> Result<Vec<Standing>, StoreError> {
        let mut standings = Vec::new();
        for group in Group::OF_TENANTS {
            let standing = self.look(group, caller);
            let Some(store) = &self.shared else {
                standings.push(standing);
                continue;
            };
            let budget = self.of_tenant(group, caller);
            let lot = store.look_at_lot(&budget.lot_holder(), budget.limit).await?;
            // Nobody has taken anything, or so long ago that its window is over: nothing is used yet.
            let Some(lot) = lot else {
                standings.push(standing);
                continue;
            };
            self.add(budget, lot, Instant::now());
            standings.push(self.look(group, caller));
        }
        Ok(standings)
    }

    /// Counts one call with a link.
    pub fn take_of_link(&self, link: &str) -> Standing {
        let budget = self.of_link(link);
        let now = Instant::now();
        self.count(budget, now).unwrap_or_else(|| self.refuse(budget, now))
    }

    /// How a link's budget stands, with nothing counted.
    pub fn look_of_link(&self, link: &str) -> Standing {
        let (budget, now) = (self.of_link(link), Instant::now());
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.of(budget, now).standing(budget, now, true)
    }

    /// Counts a call of the service's own to this address, for a tenant. One customer's mistakes must not get the others'
    /// calls to a provider throttled. Where there were too many, gives the seconds until one is allowed again.
    pub async fn take_verification(&self, tenant: &str, url: &Url) -> Option<u64> {
        let holder = format!("{tenant} {}", url.host_str().unwrap_or_default());
        let limit = self.limit(Group::Verification, TenantBudgets::default());
        let is_shared = self.shared.is_some();
        let budget = Budget { group: Group::Verification, holder: &holder, limit, is_shared };
        self.take_of(budget).await.refused_for()
    }

    fn of_tenant<'a>(&self, group: Group, caller: &'a Caller) -> Budget<'a> {
        let limit = self.limit(group, caller.budgets);
        Budget { group, holder: &caller.tenant, limit, is_shared: self.shared.is_some() }
    }

    /// A link is mostly watched from one process, and asks often: sharing its budget would cost more than it saves.
    fn of_link<'a>(&self, link: &'a str) -> Budget<'a> {
        let limit = self.limit(Group::Status, TenantBudgets::default());
        Budget { group: Group::Status, holder: link, limit, is_shared: false }
    }

    /// Lets so much time pass: windows end so much earlier.
    pub fn advance(&self, by: Duration) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.by_holder.values_mut() {
            // A clock that began later than that has no such time: then now is early enough.
            window.end = window.end.checked_sub(by).unwrap_or_else(Instant::now);
        }
    }

    fn limit(&self, group: Group, own: TenantBudgets) -> u32 {
        match group {
            Group::Default => own.default.unwrap_or(self.limits.default),
            Group::Token => own.token.unwrap_or(self.limits.token),
            Group::Events => own.events.unwrap_or(self.limits.events),
            Group::Proxy => own.proxy.unwrap_or(self.limits.proxy),
            Group::Status => self.limits.status,
            Group::Verification => self.limits.verification,
        }
    }

    async fn take_of(&self, budget: Budget<'_>) -> Standing {
        if let Some(standing) = self.count(budget, Instant::now()) {
            return standing;
        }
        match &self.shared {
            // On the heap, since it is rare: what calls this keeps its room for as long as a long poll takes.
            Some(store) => Box::pin(self.take_from_lot(store, budget)).await,
            None => self.refuse(budget, Instant::now()),
        }
    }

    /// Counts a call where the process has to take a lot first.
    async fn take_from_lot(&self, store: &Store, budget: Budget<'_>) -> Standing {
        let arrived = Instant::now();
        let mut failed_at = self.lot_locks[budget.lot_lock()].lock().await;
        // Somebody may have taken a lot meanwhile.
        let now = Instant::now();
        if let Some(standing) = self.count(budget, now) {
            return standing;
        }
        if self.is_used_up(budget, now) {
            return self.refuse(budget, now);
        }
        // Those who waited for an attempt that failed do not wait for another one.
        if failed_at.is_some_and(|failed_at| failed_at >= arrived) {
            return self.uncounted(budget, now);
        }
        let holder = budget.lot_holder();
        let size = (budget.limit / LOTS).clamp(1, MAX_LOT);
        match store.take_lot(&holder, budget.limit, size, WINDOW).await {
            Ok(lot) => self.add(budget, lot, now).unwrap_or_else(|| self.refuse(budget, now)),
            Err(error) => {
                tracing::warn!(%error, "a budget cannot be counted");
                *failed_at = Some(Instant::now());
                self.uncounted(budget, now)
            }
        }
    }

    /// Lets a call be made that cannot be counted: without the database it fails by itself.
    fn uncounted(&self, budget: Budget<'_>, now: Instant) -> Standing {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.of(budget, now).standing(budget, now, true)
    }

    /// Counts a call, if this process may count it without taking a lot.
    fn count(&self, budget: Budget<'_>, now: Instant) -> Option<Standing> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.of(budget, now);
        let may_use = if budget.is_shared { window.granted } else { budget.limit };
        (window.used < may_use).then(|| {
            window.used += 1;
            window.standing(budget, now, true)
        })
    }

    fn is_used_up(&self, budget: Budget<'_>, now: Instant) -> bool {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).of(budget, now).is_used_up
    }

    fn refuse(&self, budget: Budget<'_>, now: Instant) -> Standing {
        self.refusals.get_or_create(&GroupLabels { group: budget.group.as_str() }).inc();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.of(budget, now).standing(budget, now, false)
    }

    /// Adds a lot that was asked for at this time, and counts the call that it was asked for, which is of the lot's window
    /// even if that has ended meanwhile. The window ended no earlier than that much later.
    fn add(&self, budget: Budget<'_>, lot: Lot, asked_at: Instant) -> Option<Standing> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.of(budget, asked_at);
        window.end = asked_at + lot.ends_in;
        window.granted += lot.calls;
        window.others = lot.taken.saturating_sub(window.granted);
        window.is_used_up = lot.taken >= budget.limit && lot.calls == 0;
        (lot.calls > 0).then(|| {
            window.used += 1;
            window.standing(budget, asked_at, true)
        })
    }
}

impl Budget<'_> {
    /// What lots of it are counted under.
    fn lot_holder(&self) -> String {
        format!("{} {}", self.group.as_str(), self.holder)
    }

    fn lot_lock(&self) -> usize {
        let mut hasher = DefaultHasher::new();
        (self.group, self.holder).hash(&mut hasher);
        usize::try_from(hasher.finish() % LOT_LOCKS as u64).unwrap_or_default()
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { end: now + WINDOW, used: 0, granted: 0, others: 0, is_used_up: false }
    }

    fn standing(&self, budget: Budget<'_>, now: Instant, allowed: bool) -> Standing {
        let remaining = self.end.saturating_duration_since(now);
        let resets_in = remaining.as_secs() + u64::from(remaining.subsec_nanos() > 0);
        let left =
            if allowed { budget.limit.saturating_sub(self.others).saturating_sub(self.used) } else { 0 };
        Standing { group: budget.group, limit: budget.limit, left, resets_in: resets_in.max(1), allowed }
    }
}

impl Windows {
    fn of(&mut self, budget: Budget<'_>, now: Instant) -> &mut Window {
        if self.by_holder.len() >= self.prune_at {
            self.by_holder.retain(|_, window| window.end > now);
            self.prune_at = PRUNE_FROM.max(2 * self.by_holder.len());
        }
        let key = (budget.group, budget.holder.to_owned());
        let window = self.by_holder.entry(key).or_insert_with(|| Window::new(now));
        if window.end <= now {
            *window = Window::new(now);
        }
        window
    }
}

impl Group {
    const ALL: [Self; 6] =
        [Self::Default, Self::Token, Self::Events, Self::Proxy, Self::Status, Self::Verification];

    /// Those that count a tenant's calls.
    const OF_TENANTS: [Self; 4] = [Self::Default, Self::Token, Self::Events, Self::Proxy];

    fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Token => "token",
            Self::Events => "events",
            Self::Proxy => "proxy",
            Self::Status => "status",
            Self::Verification => "verification",
        }
    }
}

impl Standing {
    /// What is counted, calls a window, seconds of a window, calls that are left, and seconds until the window ends.
    pub fn parts(self) -> (&'static str, u32, u64, u32, u64) {
        (self.group.as_str(), self.limit, WINDOW.as_secs(), self.left, self.resets_in)
    }

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
        let config = BudgetConfig { token: 3, default: 2, status: 1, ..BudgetConfig::default() };
        Budgets::new(&config, None)
    }

    fn budget(group: Group, holder: &str, limit: u32) -> Budget<'_> {
        Budget { group, holder, limit, is_shared: false }
    }

    fn caller(budgets: TenantBudgets) -> Caller {
        Caller { tenant: "t".into(), key: "k".into(), capabilities: Vec::new(), budgets }
    }

    fn taken(budgets: &Budgets, budget: Budget<'_>, now: Instant) -> Standing {
        budgets.count(budget, now).unwrap_or_else(|| budgets.refuse(budget, now))
    }

    #[test]
    fn a_window_ends_after_a_minute() {
        let (budgets, start) = (budgets(), Instant::now());
        let take =
            |after| taken(&budgets, budget(Group::Default, "t", 2), start + Duration::from_millis(after));
        assert_eq!(take(0).left, 1);
        assert_eq!(take(1).left, 0);
        assert!(take(2).check().is_err());
        // The last moment still counts as a second: nobody is told to come back after 0.
        let last = take(59_999);
        assert!(matches!(last.check(), Err(ApiError::RateLimited { retry_after: 1 })));
        assert!(take(60_000).check().is_ok());
    }

    #[test]
    fn time_that_is_advanced_ends_windows() {
        for (advance, is_over) in
            [(Duration::from_secs(59), false), (WINDOW, true), (Duration::from_secs(1 << 40), true)]
        {
            let (budgets, start) = (budgets(), Instant::now());
            assert!(taken(&budgets, budget(Group::Status, "a", 1), start).check().is_ok());
            budgets.advance(advance);
            let next = start + Duration::from_millis(500);
            assert_eq!(
                taken(&budgets, budget(Group::Status, "a", 1), next).check().is_ok(),
                is_over,
                "{advance:?}"
            );
        }
    }

    /// On a busy machine the response of the database takes longer than the window does that it tells of.
    #[test]
    fn a_lot_has_its_call_though_its_window_has_ended() {
        let (budgets, now) = (budgets(), Instant::now());
        let budget = Budget { is_shared: true, ..budget(Group::Token, "t", 100) };
        let lot = |calls| Lot { calls, taken: 100, ends_in: Duration::ZERO };
        assert_eq!(budgets.add(budget, lot(0), now), None);
        assert!(budgets.add(budget, lot(5), now).unwrap().check().is_ok());
        // What is left of it is of no use in the next window.
        assert_eq!(budgets.count(budget, Instant::now()), None);
    }

    #[test]
    fn groups_and_holders_are_counted_apart() {
        let (budgets, now) = (budgets(), Instant::now());
        let take = |group, holder| taken(&budgets, budget(group, holder, 1), now).check();
        assert!(take(Group::Status, "a").is_ok());
        assert!(take(Group::Status, "a").is_err());
        assert!(take(Group::Status, "b").is_ok());
        assert!(take(Group::Token, "a").is_ok());
    }

    #[tokio::test]
    async fn an_apis_host_is_asked_sixty_times_a_minute() {
        let budgets = budgets();
        let url = Url::parse("https://api.example.com/me").unwrap();
        for _ in 0..60 {
            assert_eq!(budgets.take_verification("t", &url).await, None);
        }
        assert!(budgets.take_verification("t", &url).await.is_some());
        let other = Url::parse("https://other.example.com/me").unwrap();
        assert_eq!(budgets.take_verification("t", &other).await, None);
    }

    #[test]
    fn windows_of_the_past_are_forgotten() {
        let (budgets, start) = (budgets(), Instant::now());
        for n in 0..PRUNE_FROM {
            taken(&budgets, budget(Group::Status, &n.to_string(), 1), start);
        }
        taken(&budgets, budget(Group::Status, "new", 1), start + WINDOW);
        assert_eq!(budgets.windows.lock().unwrap().by_holder.len(), 1);
    }

    #[tokio::test]
    async fn the_headers_are_those_of_the_draft() {
        let mut headers = HeaderMap::new();
        budgets().take(Group::Token, &caller(Default::default())).await.tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"token\";q=3;w=60");
        assert_eq!(headers["ratelimit"], "\"token\";r=2;t=60");
    }

    #[tokio::test]
    async fn a_tenant_may_have_a_budget_of_its_own() {
        let budgets = budgets();
        let own = caller(TenantBudgets { token: Some(5), ..TenantBudgets::default() });
        let mut headers = HeaderMap::new();
        for _ in 0..5 {
            let standing = budgets.take(Group::Token, &own).await;
            assert!(standing.check().is_ok());
            standing.tell(&mut headers);
        }
        assert_eq!(headers["ratelimit-policy"], "\"token\";q=5;w=60");
        assert!(budgets.take(Group::Token, &own).await.check().is_err());
        assert_eq!(budgets.look(Group::Default, &own).left, 2);
    }
}
