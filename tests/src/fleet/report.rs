//! The figures, as a table to read and as JSON for the page, and the promises that were broken.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::figures::{Figures, Latency};
use super::plan::Plan;
use crate::Error;
use crate::nginx::Nginx;
use crate::workload::Journal;

/// Losses that are listed; of more, the number is told.
const LISTED_LOSSES: usize = 10;
/// A refresh waits so long for the lease of a process that was killed; nothing else takes as long.
const MAX_CALL_TIME: Duration = Duration::from_secs(20);
/// The parts whose processor time is measured, in this order. The callers' is that of the provider, too.
const PARTS: [&str; 4] = ["service", "postgresql", "nginx", "callers"];

/// The figures and the broken promises.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The day on which it began.
    date: String,
    in_flight: usize,
    cores: usize,
    steady: Vec<Steady>,
    disturbed: Vec<Disturbed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Acknowledged>,
    broken: Vec<String>,
}

/// What was measured while nothing happened.
#[derive(Debug, Serialize)]
pub(super) struct Steady {
    processes: usize,
    tenants: u32,
    seconds: f64,
    calls_per_second: f64,
    /// Milliseconds.
    latency: BTreeMap<&'static str, Latency>,
    failures: BTreeMap<String, u64>,
    /// Callers that were told to come again.
    deferred: u64,
    /// Microseconds a call.
    processor_time: BTreeMap<&'static str, f64>,
    /// Refreshes a second that the provider saw.
    refreshes_per_second: f64,
    /// Bytes a call that PostgreSQL wrote into its write-ahead log.
    wal_bytes: f64,
    /// Memory of the largest process.
    resident_kib: u64,
    /// Bytes a call by which the database grew.
    grown_bytes: f64,
}

/// What callers saw of a disturbance.
#[derive(Debug, Serialize)]
struct Disturbed {
    what: String,
    seconds: f64,
    calls_per_second: f64,
    latency: BTreeMap<&'static str, Latency>,
    failures: BTreeMap<String, u64>,
    deferred: u64,
}

/// What was acknowledged, and how much of it is lost.
#[derive(Debug, Serialize)]
struct Acknowledged {
    links: usize,
    tokens: usize,
    rotated_tokens: usize,
    lost: usize,
}

impl Steady {
    #[expect(clippy::too_many_arguments, reason = "figures of one moment, each from elsewhere")]
    pub(super) fn new(
        (processes, tenants): (usize, u32),
        figures: &Figures,
        took: Duration,
        used: [Duration; PARTS.len()],
        refreshes: usize,
        wal_bytes: u64,
        resident_kib: u64,
        grown_bytes: u64,
    ) -> Steady {
        let latency = figures.latencies();
        let (calls, seconds) = (latency["all"].calls as f64, took.as_secs_f64());
        let per_call = |used: Duration| used.as_secs_f64() * 1e6 / calls;
        Steady {
            processes,
            tenants,
            seconds,
            calls_per_second: calls / seconds,
            latency,
            failures: figures.failures(),
            deferred: figures.calls_deferred(),
            processor_time: PARTS.into_iter().zip(used.map(per_call)).collect(),
            refreshes_per_second: refreshes as f64 / seconds,
            wal_bytes: wal_bytes as f64 / calls,
            resident_kib,
            grown_bytes: grown_bytes as f64 / calls,
        }
    }
}

impl Report {
    pub(super) fn new(plan: &Plan) -> Report {
        Report {
            date: time::OffsetDateTime::now_utc().date().to_string(),
            in_flight: plan.in_flight,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            steady: Vec::new(),
            disturbed: Vec::new(),
            acknowledged: None,
            broken: Vec::new(),
        }
    }

    /// Whether every promise was kept.
    pub fn all_kept(&self) -> bool {
        self.broken.is_empty()
    }

    /// The promises that were broken.
    pub fn broken_promises(&self) -> &[String] {
        &self.broken
    }

    /// Adds what was measured while nothing happened: nobody may notice a failure.
    pub(super) fn add_steady(&mut self, steady: Steady) {
        let name = format!("{} tenants, {} processes", steady.tenants, steady.processes);
        self.expect_no_failure(&name, &steady.failures, steady.deferred);
        for (kind, latency) in &steady.latency {
            if latency.calls == 0 {
                self.broken.push(format!("{name}: no {kind}: too little load to mean anything"));
            }
        }
        // Most calls that are to refresh do.
        let refreshes = steady.refreshes_per_second * steady.seconds;
        let asked = steady.latency.get("vend with refresh").map_or(0, |latency| latency.calls);
        if refreshes * 2.0 < asked as f64 {
            self.broken.push(format!("{name}: {refreshes} refreshes, though {asked} calls were to refresh"));
        }
        self.steady.push(steady);
    }

    /// Adds what callers saw while processes were killed. Nobody may notice, since nginx repeats all that this load
    /// calls; but where the process that it is repeated at is killed, too, it is repeated no more.
    pub(super) fn add_kills(&mut self, plan: &Plan, kills: usize, figures: &Figures, took: Duration) {
        let what = format!("{kills} times kill -9");
        if kills == 0 {
            self.broken.push("no process was killed".to_owned());
        }
        if plan.kill_interval > MAX_CALL_TIME {
            self.expect_no_failure(&what, &figures.failures(), figures.calls_deferred());
        }
        self.add_disturbed(what, figures, took);
    }

    /// Adds what callers saw of something that nobody may notice.
    pub(super) fn add_undisturbed(&mut self, what: &str, figures: &Figures, took: Duration) {
        self.expect_no_failure(what, &figures.failures(), figures.calls_deferred());
        self.add_disturbed(what.to_owned(), figures, took);
    }

    fn add_disturbed(&mut self, what: String, figures: &Figures, took: Duration) {
        let (latency, seconds) = (figures.latencies(), took.as_secs_f64());
        self.disturbed.push(Disturbed {
            what,
            seconds,
            calls_per_second: latency["all"].calls as f64 / seconds,
            latency,
            failures: figures.failures(),
            deferred: figures.calls_deferred(),
        });
    }

    fn expect_no_failure(&mut self, name: &str, failures: &BTreeMap<String, u64>, deferred: u64) {
        let failures = failures.iter().map(|(failure, count)| format!("{name}: {count} times {failure}"));
        self.broken.extend(failures);
        // A debug build is slow enough to be busy, above all beside other tests.
        if deferred > 0 && !cfg!(debug_assertions) {
            self.broken.push(format!("{name}: {deferred} callers were told to come again"));
        }
    }

    /// Adds what was acknowledged, and what of it is lost.
    pub(super) fn add_losses(&mut self, journal: &Journal, losses: &[String]) {
        let acknowledged = Acknowledged {
            links: journal.links.len(),
            tokens: journal.tokens.len(),
            rotated_tokens: journal.rotated(),
            lost: losses.len(),
        };
        if acknowledged.links == 0 || acknowledged.rotated_tokens == 0 {
            self.broken.push("nothing was acknowledged: too little load to mean anything".to_owned());
        }
        self.broken.extend(losses.iter().take(LISTED_LOSSES).map(|loss| format!("lost: {loss}")));
        if losses.len() > LISTED_LOSSES {
            self.broken.push(format!("{} lost in all", losses.len()));
        }
        self.acknowledged = Some(acknowledged);
    }

    /// Adds what nginx says it could not do because of its own limits.
    pub(super) fn add_nginx(&mut self, nginx: &Nginx) -> Result<(), Error> {
        let errors = nginx.errors()?;
        let limited = errors.lines().filter(|line| line.contains("limiting ")).count();
        if limited > 0 {
            self.broken.push(format!("nginx limited {limited} calls: these figures are of its limits"));
        }
        Ok(())
    }

    pub(super) fn broken(&mut self, broken: String) {
        self.broken.push(broken);
    }
}

/// Tables in Markdown, then the broken promises.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} calls at once, {} cores for all of it", self.in_flight, self.cores)?;
        writeln!(
            f,
            "\n| tenants | processes | calls/s | p50 ms | p99 ms | p99.9 ms | failed | {} µs a call |",
            PARTS.join(" / ")
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for steady in &self.steady {
            let Latency { p50, p99, p999, .. } = steady.latency["all"];
            let time = PARTS.map(|part| format!("{:.0}", steady.processor_time[part])).join(" / ");
            let failed: u64 = steady.failures.values().sum::<u64>() + steady.deferred;
            let Steady { tenants, processes, calls_per_second, .. } = steady;
            writeln!(
                f,
                "| {tenants} | {processes} | {calls_per_second:.0} | {p50:.1} | {p99:.1} | {p999:.1} | {failed} | {time} |"
            )?;
        }
        writeln!(f, "\n| call | calls | p50 ms | p99 ms | p99.9 ms | most ms |\n|---|---|---|---|---|---|")?;
        if let Some(steady) = self.steady.last() {
            for (kind, Latency { calls, p50, p99, p999, max }) in &steady.latency {
                writeln!(f, "| {kind} | {calls} | {p50:.1} | {p99:.1} | {p999:.1} | {max:.1} |")?;
            }
        }
        writeln!(
            f,
            "\n| meanwhile | s | calls/s | p99 ms | most ms | failed | told to come again |\n|---|---|---|---|---|---|---|"
        )?;
        for disturbed in &self.disturbed {
            let Latency { p99, max, .. } = disturbed.latency["all"];
            let Disturbed { what, seconds, calls_per_second, failures, deferred, .. } = disturbed;
            let failed = match failures.len() {
                0 => "0".to_owned(),
                _ => failures
                    .iter()
                    .map(|(what, count)| format!("{what}: {count}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            writeln!(
                f,
                "| {what} | {seconds:.0} | {calls_per_second:.0} | {p99:.1} | {max:.1} | {failed} | {deferred} |"
            )?;
        }
        if let Some(Acknowledged { links, tokens, rotated_tokens, lost }) = &self.acknowledged {
            writeln!(
                f,
                "\nAcknowledged: {links} links, {tokens} tokens, of which {rotated_tokens} were refreshed. Lost: {lost}."
            )?;
        }
        writeln!(f)?;
        for broken in &self.broken {
            writeln!(f, "BROKEN: {broken}")?;
        }
        if self.all_kept() {
            writeln!(f, "Every promise was kept.")?;
        }
        Ok(())
    }
}
