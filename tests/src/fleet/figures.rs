//! What the callers of one phase saw: how long each kind of call took, and what failed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::load::Kind;

/// The calls of one phase.
#[derive(Debug, Default)]
pub(super) struct Figures(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    took: BTreeMap<Kind, Vec<Duration>>,
    /// Callers that were told to come again (503 with `Retry-After`), which the SDKs do by themselves.
    deferred: u64,
    failures: BTreeMap<String, u64>,
}

/// How long calls took, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Latency {
    pub(super) calls: usize,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Figures {
    /// Notes a call that did what it should.
    pub(super) fn success(&self, kind: Kind, took: Duration) {
        self.lock().took.entry(kind).or_default().push(took);
    }

    /// Notes a caller that was told to come again.
    pub(super) fn deferred(&self) {
        self.lock().deferred += 1;
    }

    /// Notes a call that failed.
    pub(super) fn failure(&self, kind: Kind, reason: &str) {
        *self.lock().failures.entry(format!("{}: {reason}", kind.name())).or_default() += 1;
    }

    /// The latency of each kind of call, and of all.
    pub(super) fn latencies(&self) -> BTreeMap<&'static str, Latency> {
        let inner = self.lock();
        let kinds = inner.took.iter().map(|(kind, took)| (kind.name(), Latency::of(took.clone())));
        let all = ("all", Latency::of(inner.took.values().flatten().copied().collect()));
        kinds.chain([all]).collect()
    }

    pub(super) fn calls_deferred(&self) -> u64 {
        self.lock().deferred
    }

    /// How often what failed.
    pub(super) fn failures(&self) -> BTreeMap<String, u64> {
        self.lock().failures.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latency {
    fn of(mut took: Vec<Duration>) -> Latency {
        took.sort_unstable();
        let at = |per_mille: usize| {
            let took = took.get(took.len() * per_mille / 1000).or(took.last());
            took.copied().unwrap_or_default().as_secs_f64() * 1000.0
        };
        Latency { calls: took.len(), p50: at(500), p99: at(990), p999: at(999), max: at(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_calls() {
        let latency = Latency::of((0..1000).rev().map(Duration::from_millis).collect());
        let Latency { calls, p50, p99, p999, max } = latency;
        assert_eq!((calls, p50, p99, p999, max), (1000, 500.0, 990.0, 999.0, 999.0));
        assert_eq!(Latency::of(Vec::new()).max, 0.0);
    }
}
