//! What came out of it: one table of figures, and the promises that were broken.

use std::fmt;
use std::sync::atomic::Ordering;

use super::figures::Outage;
use super::greedy::Greedy;
use super::installation::Installation;
use super::long_polls::LongPolls;
use super::plan::Plan;
use super::slow_sockets::SlowSockets;
use crate::Error;
use crate::provider::Provider;
use crate::workload::Journal;

/// How much more memory there may be after the second round of a full run than after the first, in per cent.
const MAX_GROWTH: u64 = 10;
/// What an ordinary tenant may be told, beside what it asked for: to come back, since a database or a provider is away.
/// A process that was killed gives no response.
const EXPECTED_FAILURES: [&str; 3] = ["503", "NetworkError", "page"];
/// Losses that are listed; of more, the number is told.
const LISTED_LOSSES: usize = 10;

/// The figures and the broken promises.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    broken: Vec<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// By the name of the column.
    values: Vec<(&'static str, String)>,
}

impl Report {
    pub(super) fn new(plan: &Plan) -> Report {
        Report { plan: plan.clone(), columns: Vec::new(), rows: Vec::new(), broken: Vec::new() }
    }

    /// Whether every promise was kept.
    pub fn all_kept(&self) -> bool {
        self.broken.is_empty()
    }

    /// Adds an installation, after comparing what it acknowledged with what it knows.
    pub(super) async fn add(
        &mut self,
        installation: &Installation,
        provider: &Provider,
    ) -> Result<(), Error> {
        self.columns.push(installation.name);
        match installation.tenants[0].patient.list_connections().await {
            Ok(_) => self.add_acknowledged(installation, provider).await?,
            Err(error) => {
                self.broken.push(format!("{}: does not respond any more: {error}", installation.name))
            }
        }
        self.add_calls(installation);
        self.add_outages(installation);
        self.add_memory(installation);
        Ok(())
    }

    async fn add_acknowledged(
        &mut self,
        installation: &Installation,
        provider: &Provider,
    ) -> Result<(), Error> {
        let name = installation.name;
        let base_url = installation.steady.base_url();
        let (mut all, mut losses) = (Journal::default(), Vec::new());
        for tenant in &installation.tenants {
            let journal = std::mem::take(&mut *tenant.workload.journal());
            losses.extend(journal.losses(&tenant.patient, &base_url, provider).await?);
            all.extend(&journal);
        }
        for (what, count) in [
            ("links acknowledged", all.links.len()),
            ("connections acknowledged", all.connections.len()),
            ("connections with a rotated token acknowledged", all.rotated()),
        ] {
            self.set(what, name, count);
            self.promise(count > 0, || format!("{name}: no {what}: too little load to mean anything"));
        }
        self.set("of these lost", name, losses.len());
        for loss in losses.iter().take(LISTED_LOSSES) {
            self.broken.push(format!("{name}: lost: {loss}"));
        }
        self.promise(losses.len() <= LISTED_LOSSES, || format!("{name}: {} lost in all", losses.len()));
        Ok(())
    }

    fn add_calls(&mut self, installation: &Installation) {
        let name = installation.name;
        let (count, percentile) = installation.figures.token_calls();
        self.set("token calls answered 200", name, count);
        self.set("their 99th percentile, ms", name, percentile.as_millis());
        let failures = installation.figures.failures();
        let listed = failures.iter().map(|(failure, count)| format!("{failure}: {count}"));
        self.set("calls of ordinary tenants that failed", name, or_none(listed.collect()));
        for failure in failures.keys() {
            self.promise(EXPECTED_FAILURES.contains(&failure.as_str()), || {
                format!("{name}: ordinary tenants got {failure}")
            });
        }
    }

    fn add_outages(&mut self, installation: &Installation) {
        let name = installation.name;
        for (fault, outages) in installation.figures.outages() {
            let listed = outages.iter().map(|outage| format!("{:.1}", outage.length.as_secs_f64()));
            self.set(&format!("seconds without a token, {fault}"), name, or_none(listed.collect()));
            let recovered = |outage: &Outage| outage.recovered;
            self.promise(outages.iter().all(recovered), || {
                format!("{name}: no token until the round ended: {fault}")
            });
        }
    }

    fn add_memory(&mut self, installation: &Installation) {
        let name = installation.name;
        let mib: Vec<_> = installation.memory.iter().map(|kib| (kib / 1024).to_string()).collect();
        self.set("memory after each round, MiB", name, mib.join(", "));
        if let [first, second] = installation.memory[..] {
            let ratio = second as f64 / first as f64;
            self.set("second in proportion to the first", name, format!("{ratio:.2}"));
            // A process that is still growing to the size that the load needs says nothing.
            let grown = second * 100 > first * (100 + MAX_GROWTH);
            self.promise(!grown || !self.plan.is_full(), || {
                format!("{name}: the memory grew from {first} to {second} KiB")
            });
        }
    }

    /// Adds those who only burden the service, which is the one on PostgreSQL.
    pub(super) fn add_crowd(&mut self, greedy: &Greedy, long_polls: &LongPolls, slow_sockets: &SlowSockets) {
        let name = self.columns[0];
        for (what, expected, gauge) in [
            ("long polls at once", self.plan.long_polls, &long_polls.open),
            ("slow sockets at once", self.plan.slow_sockets, &slow_sockets.open),
        ] {
            let peak = gauge.peak();
            self.set(what, name, peak);
            self.promise(peak * 10 >= expected as usize * 9, || {
                format!("{name}: {peak} {what}, though there should be {expected}")
            });
        }
        for (what, count) in [
            ("long polls answered 200", &long_polls.answered),
            ("long polls answered otherwise", &long_polls.refused),
            ("slow sockets closed by the service", &slow_sockets.closed),
            ("token calls of the tenant over its budget, answered 200", &greedy.allowed),
            ("the same, answered 429", &greedy.limited),
        ] {
            self.set(what, name, count.load(Ordering::Relaxed));
        }
        let (allowed, most) = (greedy.allowed.load(Ordering::Relaxed), self.plan.max_allowed());
        self.promise(allowed <= most, || {
            format!(
                "{name}: the tenant over its budget got {allowed} tokens, and {most} at most were allowed"
            )
        });
    }

    fn set(&mut self, name: &str, column: &'static str, value: impl ToString) {
        let value = (column, value.to_string());
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.values.push(value),
            None => self.rows.push(Row { name: name.to_owned(), values: vec![value] }),
        }
    }

    fn promise(&mut self, kept: bool, complaint: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(complaint());
        }
    }
}

fn or_none(listed: Vec<String>) -> String {
    if listed.is_empty() { "none".to_owned() } else { listed.join(", ") }
}

/// The table in Markdown, then the broken promises.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} s | {} |", self.plan.length.as_secs(), self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "---|".repeat(self.columns.len()))?;
        for row in &self.rows {
            write!(f, "| {} |", row.name)?;
            for column in &self.columns {
                let value = row.values.iter().find(|(name, _)| name == column);
                write!(f, " {} |", value.map_or("", |(_, value)| value))?;
            }
            writeln!(f)?;
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
