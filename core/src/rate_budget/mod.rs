//! The tenant's budget of requests, and how many of them waits may send: foreground calls come first.
//!
//! Every call that counts against the budget reports here (`call.rs`); only waits ask (`wait/`), since a foreground call
//! is never delayed.
//!
//! The service tells its budget by `RateLimit` headers and by 429; until then the configured one holds. Other
//! processes may use the same key, so the share that waits take is found as TCP finds its share of a line:
//! it grows by a little each window and shrinks by a factor when the budget turns out to be used up (additive
//! increase, multiplicative decrease; D.-M. Chiu and R. Jain, 1989), which ends in equal shares.

mod pace;
mod rate_limit;

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use pace::Pace;
use rate_limit::{Policy, RateLimit, Remainder};

/// The part of the budget that waits never touch, however little foreground calls use.
const MIN_RESERVE: f64 = 0.1;
/// The part of the budget that waits may always use, however much foreground calls use.
const MIN_SHARE: f64 = 0.2;
/// What is kept for foreground calls, as a multiple of their use in the last window.
const HEADROOM: f64 = 1.25;
/// What a window that was not used up adds to the waits' rate, as a part of the limit.
const INCREASE: f64 = 0.1;
/// What a window that was used up leaves of the waits' rate.
const DECREASE: f64 = 0.7;
/// How much of a window's share may be saved up, so that a new wait is polled at once.
const BURST: f64 = 0.1;
/// However large the budget, waits send no more polls than this at once: those that follow each other share a few
/// connections to the service, where a thousand at once would open one each.
const MAX_BURST: u32 = 32;
/// What counts as at once: about as long as a response takes.
const BURST_WINDOW: Duration = Duration::from_millis(10);

/// The tenant's budget for everything but tokens.
#[derive(Debug)]
pub(crate) struct RateBudget {
    /// Requests per window.
    limit: f64,
    window: Duration,
    /// Requests per window that waits allow themselves.
    rate: f64,
    /// Requests that waits have saved up, as of `counted_at`.
    saved: f64,
    counted_at: Instant,
    /// Keeps what was saved up from being sent all at once.
    burst: Pace,
    /// What the service said is left of the current window, and when that ends.
    server_limit: Option<ServerLimit>,
    /// Nothing is sent before this, because the service said so.
    blocked_until: Option<Instant>,
    /// When foreground calls were sent, within the last window.
    foreground: VecDeque<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct ServerLimit {
    left: f64,
    /// How much of that others with the same key took between the last two answers, and may have taken since.
    others: f64,
    reset_at: Instant,
    /// Whether waits met the end of the budget in this window.
    used_up: bool,
    /// Whether the window's end is only what follows from the one before. A service may begin a window with its first
    /// request, so that each ends a little later than a minute after the last.
    is_guess: bool,
}

impl RateBudget {
    pub(crate) fn new(requests_per_minute: u32, now: Instant) -> Self {
        let limit = f64::from(requests_per_minute.max(1));
        let rate = limit * (1.0 - MIN_RESERVE);
        Self {
            limit,
            window: Duration::from_secs(60),
            rate,
            // The first poll is always sent at once.
            saved: (limit * BURST).max(1.0),
            counted_at: now,
            burst: Pace::new(MAX_BURST, BURST_WINDOW, now),
            server_limit: None,
            blocked_until: None,
            foreground: VecDeque::new(),
        }
    }

    /// A call that is not a wait's was sent.
    pub(crate) fn foreground_sent(&mut self, now: Instant) {
        self.foreground.push_back(now);
        // More than the whole budget would change nothing.
        if self.foreground.len() as f64 > self.limit {
            self.foreground.pop_front();
        }
        self.forget_old(now);
    }

    /// A response arrived that counted against the budget.
    pub(crate) fn observe(&mut self, headers: &HeaderMap, now: Instant) {
        let headers = RateLimit::read(headers);
        if let Some(Policy { limit, window }) = headers.policy
            && (limit, window) != (self.limit, self.window)
        {
            self.rate *= limit / self.limit;
            (self.limit, self.window) = (limit, window);
        }
        let Some(Remainder { left, reset_in }) = headers.remainder else {
            return;
        };
        // No window ends later than one that begins now.
        let reset_at = now + reset_in.min(self.window);
        match &mut self.server_limit {
            Some(server_limit) if server_limit.is_guess => {
                (server_limit.left, server_limit.reset_at, server_limit.is_guess) = (left, reset_at, false);
            }
            // Whole seconds make the end of one window wander by one.
            Some(server_limit) if reset_at <= server_limit.reset_at + Duration::from_secs(2) => {
                server_limit.others = (server_limit.left - left).max(0.0);
                server_limit.left = left;
            }
            _ => self.begin_window(left, reset_at, false),
        }
    }

    /// The service refused a request because the budget is used up.
    pub(crate) fn refused(&mut self, retry_after: Option<Duration>, now: Instant) {
        self.count(now);
        let until = now + retry_after.unwrap_or(Duration::from_secs(1)).min(self.window);
        // Several refusals of one window are one event.
        if self.blocked_until.is_none_or(|blocked| blocked <= now) {
            self.slow_down();
        }
        self.blocked_until = Some(self.blocked_until.map_or(until, |blocked| blocked.max(until)));
        self.saved = 0.0;
    }

    /// A wait's poll was sent.
    pub(crate) fn spend(&mut self, now: Instant) {
        self.count(now);
        self.saved -= 1.0;
        self.burst.count(now);
        if let Some(server_limit) = &mut self.server_limit {
            server_limit.left -= 1.0;
        }
    }

    /// When a wait that is due may send its poll; not later than `now` means at once.
    pub(crate) fn next_slot(&mut self, now: Instant) -> Instant {
        self.count(now);
        let meets_end = self.blocked(now).is_none() && self.used_up(now).is_some();
        if let Some(server_limit) = &mut self.server_limit {
            server_limit.used_up |= meets_end;
        }
        self.next_affordable(now).max(self.burst.next(now))
    }

    /// Whether waits have used up what they may use by now.
    pub(crate) fn is_short(&mut self, now: Instant) -> bool {
        self.count(now);
        self.next_affordable(now) > now
    }

    fn next_affordable(&self, now: Instant) -> Instant {
        if let Some(until) = self.blocked(now).or_else(|| self.used_up(now)) {
            return until;
        }
        if self.saved >= 1.0 {
            return now;
        }
        now + self.interval().mul_f64(1.0 - self.saved)
    }

    /// Until when nothing is sent, because the service said so.
    fn blocked(&self, now: Instant) -> Option<Instant> {
        self.blocked_until.filter(|until| *until > now)
    }

    /// When the window ends, if foreground calls may still need all that is left of it.
    fn used_up(&self, now: Instant) -> Option<Instant> {
        let server_limit = self.server_limit?;
        let time_left = server_limit.reset_at.saturating_duration_since(now);
        let part_left = time_left.as_secs_f64() / self.window.as_secs_f64();
        let kept = (self.reserve() * part_left.min(1.0)).ceil();
        (server_limit.left - server_limit.others - 1.0 < kept).then_some(server_limit.reset_at)
    }

    /// The time from one poll to the next when there is always one to send.
    pub(crate) fn interval(&self) -> Duration {
        self.window.div_f64(self.share())
    }

    /// Requests per window that waits may send now.
    fn share(&self) -> f64 {
        self.rate.min(self.limit - self.reserve()).max(1.0)
    }

    /// Requests per window that are kept for foreground calls; grows with their recent use.
    fn reserve(&self) -> f64 {
        let recent = self.foreground.len() as f64 * HEADROOM;
        recent.clamp(self.limit * MIN_RESERVE, self.limit * (1.0 - MIN_SHARE))
    }

    /// Brings what is saved up to date.
    fn count(&mut self, now: Instant) {
        self.forget_old(now);
        if let Some(server_limit) = self.server_limit.filter(|limit| limit.reset_at <= now) {
            self.begin_window(self.limit, server_limit.reset_at + self.window, true);
        }
        let windows =
            now.saturating_duration_since(self.counted_at).as_secs_f64() / self.window.as_secs_f64();
        if self.server_limit.is_none() {
            // A service that tells nothing of its windows.
            self.speed_up(windows);
        }
        let most = (self.share() * BURST).max(1.0);
        self.saved = (self.saved + windows * self.share()).min(most);
        self.counted_at = now;
    }

    fn begin_window(&mut self, left: f64, reset_at: Instant, is_guess: bool) {
        match self.server_limit {
            Some(server_limit) if server_limit.used_up => self.slow_down(),
            Some(_) => self.speed_up(1.0),
            None => {}
        }
        self.server_limit = Some(ServerLimit { left, others: 0.0, reset_at, used_up: false, is_guess });
    }

    fn slow_down(&mut self) {
        self.rate = (self.rate * DECREASE).max(1.0);
    }

    fn speed_up(&mut self, windows: f64) {
        let most = self.limit * (1.0 - MIN_RESERVE);
        self.rate = (self.rate + windows * self.limit * INCREASE).min(most);
    }

    fn forget_old(&mut self, now: Instant) {
        while self.foreground.front().is_some_and(|sent| now.saturating_duration_since(*sent) > self.window) {
            self.foreground.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn headers(policy: &str, state: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-policy", policy.parse().unwrap());
        headers.insert("ratelimit", state.parse().unwrap());
        headers
    }

    /// RateLimitBucket whatever may be spent within a time, and says how much that was.
    fn drain(budget: &mut RateBudget, from: Instant, time: Duration) -> u32 {
        let (mut now, mut spent) = (from, 0);
        loop {
            now = budget.next_slot(now).max(now);
            if now >= from + time {
                return spent;
            }
            budget.spend(now);
            spent += 1;
        }
    }

    #[test]
    fn a_large_budget_is_not_spent_all_at_once() {
        let start = Instant::now();
        let mut budget = RateBudget::new(1_000_000, start);
        for burst in 0..3 {
            let now = start + BURST_WINDOW * burst;
            for _ in 0..MAX_BURST {
                assert_eq!(budget.next_slot(now), now);
                budget.spend(now);
            }
            assert_eq!(budget.next_slot(now), now + BURST_WINDOW);
        }
    }

    #[test]
    fn waits_take_nine_tenths_when_nobody_else_calls() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        // The first window may also use what is saved up.
        assert!((108..=120).contains(&drain(&mut budget, now, 60 * SECOND)));
        assert!((107..=109).contains(&drain(&mut budget, now + 60 * SECOND, 60 * SECOND)));
    }

    #[test]
    fn absurd_numbers_are_survived() {
        let most = u64::MAX;
        for left in [0, 5, most] {
            let now = Instant::now();
            let mut budget = RateBudget::new(120, now);
            let headers = headers(&format!("\"default\";q=1;w={most}"), &format!("\"default\";r={left};t=0"));
            budget.observe(&headers, now);
            budget.refused(Some(Duration::from_secs(most)), now);
            for hours in 0..100 {
                let now = now + hours * 3600 * SECOND;
                budget.observe(&headers, now);
                let slot = budget.next_slot(now);
                budget.spend(slot.max(now));
                assert!(budget.interval().checked_mul(u32::MAX).is_some());
            }
        }
    }

    #[test]
    fn foreground_calls_take_from_the_waits() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        for _ in 0..64 {
            budget.foreground_sent(now);
        }
        // 64 calls keep 80 requests, which leaves 40.
        assert_eq!(budget.share(), 40.0);
        for _ in 0..1000 {
            budget.foreground_sent(now);
        }
        assert!((budget.share() - 24.0).abs() < 1e-9);
        budget.count(now + 61 * SECOND);
        assert_eq!(budget.share(), 108.0);
    }

    #[test]
    fn what_the_service_tells_is_a_limit() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.observe(&headers(r#""default";q=120;w=60"#, r#""default";r=13;t=60"#), now);
        // 12 are kept for foreground calls, so one is left until the window ends.
        assert_eq!(budget.next_slot(now), now);
        budget.spend(now);
        assert_eq!(budget.next_slot(now), now + 60 * SECOND);
    }

    #[test]
    fn a_smaller_budget_is_learned_and_the_rate_shrinks_with_it() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.slow_down();
        let policy = r#""burst";q=1000;w=60, "default";q=30;w=30"#;
        budget.observe(&headers(policy, r#""default";r=30;t=30"#), now);
        assert!((budget.rate - 30.0 * 0.9 * 0.7).abs() < 1e-9);
        assert_eq!(budget.interval(), Duration::from_secs(30).div_f64(budget.rate));
    }

    #[test]
    fn a_window_that_is_used_up_slows_down_and_others_speed_up_again_to_the_full_rate() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        let policy = r#""default";q=120;w=60"#;
        budget.observe(&headers(policy, r#""default";r=12;t=60"#), now);
        assert_eq!(budget.next_slot(now), now + 60 * SECOND);
        budget.count(now + 60 * SECOND);
        assert!((budget.rate - 108.0 * 0.7).abs() < 1e-9);
        budget.count(now + 119 * SECOND);
        assert!((budget.rate - 108.0 * 0.7).abs() < 1e-9);
        budget.count(now + 120 * SECOND);
        assert!((budget.rate - (108.0 * 0.7 + 12.0)).abs() < 1e-9);
        for window in 3..10 {
            budget.count(now + window * 60 * SECOND);
        }
        assert_eq!(budget.rate, 108.0);
    }

    #[test]
    fn the_end_of_a_window_may_wander_by_a_second_and_a_later_end_is_a_new_window() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.slow_down();
        let slow = budget.rate;
        let policy = r#""default";q=120;w=60"#;
        budget.observe(&headers(policy, r#""default";r=100;t=59"#), now);
        budget.observe(&headers(policy, r#""default";r=99;t=60"#), now);
        assert_eq!(budget.rate, slow);
        budget.observe(&headers(policy, r#""default";r=120;t=60"#), now + 59 * SECOND);
        assert_eq!(budget.rate, slow + 12.0);
    }

    #[test]
    fn a_pause_saves_up_a_tenth_and_then_polls_are_evenly_spaced() {
        let start = Instant::now();
        let mut budget = RateBudget::new(120, start);
        let now = start + 3600 * SECOND;
        let mut at_once = 0;
        while budget.next_slot(now) == now {
            budget.spend(now);
            at_once += 1;
        }
        // A tenth of 108 is 10.8, so that after ten polls 0.8 of one is left.
        assert_eq!(at_once, 10);
        let slot = budget.next_slot(now) - now;
        assert!((slot.as_secs_f64() - 0.2 * 60.0 / 108.0).abs() < 1e-6, "{slot:?}");
    }

    #[test]
    fn what_is_remembered_of_foreground_calls_is_bounded_and_a_window_long() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        for _ in 0..1000 {
            budget.foreground_sent(now);
        }
        assert_eq!(budget.foreground.len(), 120);
        budget.forget_old(now + 60 * SECOND);
        assert_eq!(budget.foreground.len(), 120);
        budget.forget_old(now + 61 * SECOND);
        assert_eq!(budget.foreground.len(), 0);
    }

    #[test]
    fn a_refusal_blocks_for_as_long_as_it_says_and_counts_once() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.refused(Some(7 * SECOND), now);
        assert!((budget.rate - 108.0 * 0.7).abs() < 1e-9);
        budget.refused(Some(5 * SECOND), now + SECOND);
        assert_eq!(budget.next_slot(now + SECOND), now + 7 * SECOND);
        assert!(budget.rate >= 108.0 * 0.7);
        assert!(budget.next_slot(now + 8 * SECOND) <= now + 9 * SECOND);
    }

    #[test]
    fn a_service_that_tells_nothing_but_refusals_is_asked_more_often_again() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        for refusal in 0..14 {
            budget.refused(Some(SECOND), now + 2 * refusal * SECOND);
        }
        assert!(budget.rate < 2.0, "{}", budget.rate);
        budget.count(now + (26 + 60) * SECOND);
        assert!((13.0..14.0).contains(&budget.rate), "a tenth more each minute, {}", budget.rate);
        budget.count(now + 3600 * SECOND);
        assert_eq!(budget.rate, 108.0);
    }

    #[test]
    fn no_window_is_believed_to_end_later_than_one_that_begins_now() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.observe(&headers(r#""default";q=120;w=60"#, r#""default";r=0;t=86400"#), now);
        assert_eq!(budget.next_slot(now), now + 60 * SECOND);
    }

    #[test]
    fn what_others_took_since_the_last_answer_may_be_taken_once_more() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        let is_left = |left: u32, spent: u32, budget: &mut RateBudget| {
            (0..spent).for_each(|_| budget.spend(now));
            let state = format!(r#""default";r={left};t=60"#);
            budget.observe(&headers(r#""default";q=120;w=60"#, &state), now);
            budget.used_up(now).is_none()
        };
        // 12 are kept for foreground calls.
        assert!(is_left(40, 0, &mut budget));
        assert!(is_left(35, 5, &mut budget), "what waits spend is no other's");
        assert!(!is_left(23, 1, &mut budget), "11 more would leave 12, and the poll itself is one");
        assert!(is_left(23, 0, &mut budget), "nobody took any");
        assert!(is_left(18, 0, &mut budget), "5 more and the poll would leave 12");
    }

    #[test]
    fn asking_whether_the_budget_is_short_changes_nothing() {
        let now = Instant::now();
        let mut budget = RateBudget::new(120, now);
        budget.observe(&headers(r#""default";q=120;w=60"#, r#""default";r=12;t=60"#), now);
        assert!(budget.is_short(now));
        budget.count(now + 60 * SECOND);
        assert_eq!(budget.rate, 108.0);
    }
}
