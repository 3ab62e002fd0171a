//! What the ordinary tenants of one installation saw: how fast tokens came, for how long none came, and what failed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pabbly_connect::Error as ConnectError;
use tokio::time::Instant;

use crate::Error;

/// The figures of one installation.
#[derive(Debug, Default)]
pub(super) struct Figures(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tokens: Vec<TokenCall>,
    faults: Vec<Fault>,
    failures: BTreeMap<String, u64>,
}

/// A token call that was answered 200.
#[derive(Debug, Clone, Copy)]
struct TokenCall {
    started: Instant,
    ended: Instant,
}

/// The longest time without a token during a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) length: Duration,
    /// Whether tokens came again after the fault, before the load ended.
    pub(super) recovered: bool,
}

/// Something that failed around the service.
#[derive(Debug, Clone, Copy)]
struct Fault {
    name: &'static str,
    began: Instant,
    over: Instant,
    /// When the load ended.
    end: Instant,
}

impl Figures {
    /// Notes a token call that was answered 200 just now.
    pub(super) fn token_call(&self, started: Instant) {
        let call = TokenCall { started, ended: Instant::now() };
        self.with(|inner| inner.tokens.push(call));
    }

    /// Notes a call, or a page of a customer, that failed.
    pub(super) fn failure(&self, error: &Error) {
        let name = match error.downcast_ref::<ConnectError>() {
            Some(error) => match error.status() {
                Some(status) => status.to_string(),
                None => error.kind().class().to_owned(),
            },
            None => "page".to_owned(),
        };
        self.with(|inner| *inner.failures.entry(name).or_default() += 1);
    }

    /// Lets something fail, and notes when. `end` is the end of the load.
    pub(super) async fn during<T>(
        &self,
        name: &'static str,
        end: Instant,
        fault: impl Future<Output = T>,
    ) -> T {
        let began = Instant::now();
        let result = fault.await;
        let over = Instant::now();
        let fault = Fault { name, began, over, end };
        self.with(|inner| inner.faults.push(fault));
        result
    }

    /// How often what failed.
    pub(super) fn failures(&self) -> BTreeMap<String, u64> {
        self.with(|inner| inner.failures.clone())
    }

    /// Token calls that were answered 200, and the 99th percentile of the time they took.
    pub(super) fn token_calls(&self) -> (usize, Duration) {
        let mut took: Vec<_> = self.with(|inner| {
            let calls = inner.tokens.iter();
            calls.map(|call| call.ended - call.started).collect()
        });
        took.sort();
        let percentile = took.get(took.len() * 99 / 100).copied();
        (took.len(), percentile.unwrap_or_default())
    }

    /// The outages of each kind of fault.
    pub(super) fn outages(&self) -> BTreeMap<&'static str, Vec<Outage>> {
        let (mut times, faults) = self.with(|inner| {
            let times: Vec<_> = inner.tokens.iter().map(|call| call.ended).collect();
            (times, inner.faults.clone())
        });
        times.sort();
        let mut outages: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fault in faults {
            outages.entry(fault.name).or_default().push(fault.outage(&times));
        }
        outages
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fault {
    /// The longest time without a token that overlaps this fault, given the moments at which tokens came, in order.
    fn outage(&self, tokens: &[Instant]) -> Outage {
        let before = tokens.partition_point(|token| *token < self.began);
        let after = tokens.partition_point(|token| *token <= self.over);
        let last_before = before.checked_sub(1).map_or(self.began, |index| tokens[index]);
        let first_after = tokens.get(after).filter(|token| **token < self.end);
        let during = tokens[before..after].iter().chain([first_after.unwrap_or(&self.end)]);
        let (mut last, mut length) = (last_before, Duration::ZERO);
        for token in during {
            length = length.max(*token - last);
            last = *token;
        }
        Outage { length, recovered: first_after.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_reaches_from_token_to_token() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let fault = Fault { name: "kill -9", began: at(10), over: at(20), end: at(60) };
        let outage = |tokens: &[u64]| {
            let tokens: Vec<_> = tokens.iter().map(|token| at(*token)).collect();
            let outage = fault.outage(&tokens);
            (outage.length.as_secs(), outage.recovered)
        };
        // What is before and after the fault does not count.
        assert_eq!(outage(&[1, 9, 12, 14, 19, 21, 59]), (5, true));
        // It began before the fault, or lasted longer.
        assert_eq!(outage(&[2, 12, 15, 18, 21]), (10, true));
        assert_eq!(outage(&[9, 12, 15, 33]), (18, true));
        // A token of the next round is none of this one.
        assert_eq!(outage(&[9, 12, 90]), (48, false));
        assert_eq!(outage(&[]), (50, false));
    }
}
