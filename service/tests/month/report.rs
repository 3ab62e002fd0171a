//! What became of the connections, as tables.

use std::collections::BTreeMap;
use std::fmt;

use crate::behaviour::DAYS;

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) kinds: Vec<KindReport>,
    /// How many rows each table had then.
    pub(crate) third_week: BTreeMap<String, u64>,
    pub(crate) fourth_week: BTreeMap<String, u64>,
}

/// How the connections of one kind fared.
#[derive(Default)]
pub(crate) struct KindReport {
    name: &'static str,
    connections: u32,
    /// How many ended, by reason.
    ended: BTreeMap<String, u32>,
    /// At the provider.
    requests: u32,
    /// On one day, for one connection.
    most_requests: u32,
    /// Of the backend's calls.
    statuses: BTreeMap<u16, u32>,
    /// What should not have been.
    pub(crate) wrong: Vec<String>,
}

impl KindReport {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Counts a connection: why it ended, the provider's requests by day, and the backend's calls by status.
    pub(crate) fn add(
        &mut self,
        reason: Option<String>,
        requests: &BTreeMap<u32, u32>,
        statuses: &BTreeMap<u16, u32>,
    ) {
        self.connections += 1;
        if let Some(reason) = reason {
            *self.ended.entry(reason).or_default() += 1;
        }
        self.requests += requests.values().sum::<u32>();
        self.most_requests = self.most_requests.max(requests.values().copied().max().unwrap_or_default());
        for (status, calls) in statuses {
            *self.statuses.entry(*status).or_default() += calls;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| kind | connections | ended | requests per connection and day | most | calls by status |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for kind in &self.kinds {
            let mean = f64::from(kind.requests) / f64::from(kind.connections.max(1) * DAYS);
            let (name, connections, most) = (kind.name, kind.connections, kind.most_requests);
            let (ended, statuses) = (list(&kind.ended), list(&kind.statuses));
            writeln!(f, "| {name} | {connections} | {ended} | {mean:.2} | {most} | {statuses} |")?;
        }
        let (connections, requests) =
            self.kinds.iter().fold((0, 0), |(c, r), kind| (c + kind.connections, r + kind.requests));
        writeln!(f, "\n{connections} connections, {requests} requests at the provider\n")?;
        writeln!(f, "| table | rows after three weeks | after four |\n|---|---|---|")?;
        for (table, rows) in &self.third_week {
            writeln!(f, "| {table} | {rows} | {} |", self.fourth_week[table])?;
        }
        Ok(())
    }
}

fn list<K: fmt::Display>(counts: &BTreeMap<K, u32>) -> String {
    let counts: Vec<_> = counts.iter().map(|(key, count)| format!("{key}: {count}")).collect();
    counts.join(", ")
}
