//! Many waits against a budget, on a virtual clock: what the scheduler promises, without a network.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::poll_state::{PollState, Priority};
use crate::rate_budget::RateBudget;

const LIMIT: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(2);

/// A service with the guide's budget, counted in windows that begin with a request, as `connect-service` does.
struct Service {
    window_began: Instant,
    used: u32,
    requests: u32,
    refusals: u32,
}

impl Service {
    fn new(now: Instant) -> Self {
        Self { window_began: now, used: 0, requests: 0, refusals: 0 }
    }

    /// Counts a request; gives the response's headers, and whether it was refused.
    fn request(&mut self, now: Instant) -> (HeaderMap, bool) {
        if now >= self.window_began + WINDOW {
            self.window_began = now;
            self.used = 0;
        }
        self.requests += 1;
        let refused = self.used >= LIMIT;
        if refused {
            self.refusals += 1;
        } else {
            self.used += 1;
        }
        let reset = (self.window_began + WINDOW - now).as_secs_f64().ceil();
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-policy", r#""default";q=120;w=60"#.parse().unwrap());
        headers
            .insert("ratelimit", format!(r#""default";r={};t={reset}"#, LIMIT - self.used).parse().unwrap());
        (headers, refused)
    }
}

/// One process with its waits.
struct Process {
    budget: RateBudget,
    /// The waits that go on, each with when its customer is done.
    states: HashMap<u32, (PollState, Instant)>,
    run_queue: BTreeSet<(Priority, u32)>,
    /// When those are due that are not in the run queue yet.
    later: BTreeSet<(Instant, u32)>,
    polls: u32,
    /// From a customer's being done to its being noticed, in seconds.
    delays: Vec<f64>,
}

impl Process {
    fn new(done_at: impl IntoIterator<Item = Instant>, now: Instant) -> Self {
        let states = done_at.into_iter().map(|done_at| (PollState::new(now, INTERVAL), done_at));
        let states: HashMap<_, _> = (0..).zip(states).collect();
        Self {
            budget: RateBudget::new(LIMIT, now),
            run_queue: BTreeSet::new(),
            later: states.keys().map(|id| (now, *id)).collect(),
            states,
            polls: 0,
            delays: Vec::new(),
        }
    }

    /// Sends the polls that may be sent now, and says when to look again.
    fn run(&mut self, service: &mut Service, now: Instant) -> Instant {
        while self.later.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, id)) = self.later.pop_first()
        {
            let priority = self.states[&id].0.priority(now).unwrap();
            self.run_queue.insert((priority, id));
        }
        while !self.run_queue.is_empty()
            && self.budget.next_slot(now) <= now
            && let Some((_, id)) = self.run_queue.pop_first()
        {
            self.poll(id, service, now);
        }
        let due = (!self.run_queue.is_empty()).then(|| self.budget.next_slot(now));
        let later = self.later.first().map(|(at, _)| *at);
        due.into_iter().chain(later).min().unwrap_or(now + WINDOW)
    }

    fn poll(&mut self, id: u32, service: &mut Service, now: Instant) {
        self.budget.spend(now);
        self.polls += 1;
        let (headers, refused) = service.request(now);
        self.budget.observe(&headers, now);
        let (state, done_at) = self.states.get_mut(&id).unwrap();
        state.polled(now);
        self.later.insert((state.due_at(), id));
        if refused {
            self.budget.refused(Some(Duration::from_secs(1)), now);
        } else if *done_at <= now {
            self.delays.push((now - *done_at).as_secs_f64());
            self.later.remove(&(state.due_at(), id));
            self.states.remove(&id);
        }
    }
}

fn percentile(delays: &mut [f64], part: f64) -> f64 {
    delays.sort_by(f64::total_cmp);
    delays[((delays.len() - 1) as f64 * part) as usize]
}

/// Customers who are done at any moment of the next half hour.
fn customers(count: usize, start: Instant) -> Vec<Instant> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| start + WINDOW.mul_f64(30.0 * random.f64())).collect()
}

/// The best that a budget allows to a poller that knows nothing of when customers are done: not one request is
/// kept back, and the waits that go on take turns. Any other order polls some of them later than this one does.
fn best_delays(done_at: &[Instant], start: Instant, polls_a_minute: u32) -> Vec<f64> {
    let mut waiting: VecDeque<_> = done_at.iter().copied().collect();
    let (mut delays, mut now) = (Vec::new(), start);
    while let Some(done_at) = waiting.pop_front() {
        if done_at <= now {
            delays.push((now - done_at).as_secs_f64());
        } else {
            waiting.push_back(done_at);
        }
        now += WINDOW / polls_a_minute;
    }
    delays
}

#[test]
fn a_thousand_waits_are_noticed_nearly_as_soon_as_the_budget_allows() {
    let start = Instant::now();
    let done_at = customers(1000, start);
    let (mut service, mut process) = (Service::new(start), Process::new(done_at.iter().copied(), start));
    let calls_a_minute = 6;
    let (mut now, mut next_call) = (start, start);
    while !process.states.is_empty() {
        assert!(now < start + WINDOW * 60, "{} were never noticed", process.states.len());
        if next_call <= now {
            let (headers, refused) = service.request(now);
            assert!(!refused, "a foreground call met a 429");
            process.budget.foreground_sent(now);
            process.budget.observe(&headers, now);
            next_call = now + WINDOW / calls_a_minute;
        }
        now = process.run(&mut service, now).min(next_call).max(now + Duration::from_millis(1));
    }
    assert_eq!((service.refusals, process.delays.len()), (0, 1000));

    let mut best = best_delays(&done_at, start, LIMIT - calls_a_minute);
    for part in [0.5, 0.99] {
        let (best, delay) = (percentile(&mut best, part), percentile(&mut process.delays, part));
        println!("percentile {part}: {delay:.1} s, at best {best:.1} s");
        assert!(delay < best * 1.3, "percentile {part}: {delay:.1} s, at best {best:.1} s");
    }
}

#[test]
fn naive_timers_would_use_up_the_budget_with_the_fifth_wait() {
    let start = Instant::now();
    let mut service = Service::new(start);
    for poll in 0..30 {
        for _ in 0..5 {
            service.request(start + INTERVAL * poll);
        }
    }
    assert_eq!(service.refusals, 30);
}

#[test]
fn four_processes_with_one_key_share_evenly_and_hardly_meet_a_refusal() {
    let start = Instant::now();
    let mut service = Service::new(start);
    // They begin one after the other, when the first has already taken everything.
    let never = std::iter::repeat_n(start + WINDOW * 1000, 250);
    let mut processes: Vec<_> =
        (0..4).map(|n| (Process::new(never.clone(), start), start + WINDOW * n * 2)).collect();
    let mut now = start;
    while now < start + 120 * WINDOW {
        for (process, next) in &mut processes {
            if *next <= now {
                *next = process.run(&mut service, now).max(now + Duration::from_millis(1));
            }
        }
        now = processes.iter().map(|(_, next)| *next).min().unwrap();
        if now < start + 30 * WINDOW {
            processes.iter_mut().for_each(|(process, _)| process.polls = 0);
        }
    }
    let shares: Vec<_> = processes.iter().map(|(process, _)| process.polls).collect();
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(service.refusals * 1000 < service.requests, "{} of {}", service.refusals, service.requests);
    assert!(most <= &(least * 2), "{shares:?}");
}
