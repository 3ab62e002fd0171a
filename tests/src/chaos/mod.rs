//! Chaos: the service under load while everything around it fails, and whether it keeps its promises.
//!
//! Two processes on one PostgreSQL and one on SQLite serve the clients of ordinary `tenants`. Meanwhile thousands of
//! `slow_sockets` and `long_polls` are open, a `greedy` tenant asks for ten times its budget, nobody reads the
//! log of one process, and processes, PostgreSQL and the disk fail (`faults`). All this happens in two equal rounds
//! with a rest after each, so that the memory after them can be compared. `report` says what must hold.

mod faults;
mod figures;
mod gauge;
mod greedy;
mod installation;
mod long_polls;
mod plan;
mod report;
mod slow_sockets;
mod tenants;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::postgres::{Durability, Postgres, Shutdown};
use crate::provider::{Options, Provider, Reuse};
use crate::service_process::Service;
use greedy::Greedy;
use installation::Installation;
use long_polls::LongPolls;
use slow_sockets::SlowSockets;

pub use plan::Plan;
pub use report::Report;

/// Everything that runs.
struct Chaos {
    plan: Plan,
    provider: Arc<Provider>,
    postgres: Postgres,
    on_postgres: Installation,
    /// The process on PostgreSQL that is killed again and again; the other one has to live through both rounds.
    killed: Option<Service>,
    on_sqlite: Installation,
    greedy: Arc<Greedy>,
    long_polls: Arc<LongPolls>,
    slow_sockets: Arc<SlowSockets>,
}

/// Runs the plan and reports.
///
/// # Errors
/// When something cannot be set up, ended or started again. What the service does wrong is in the report.
pub async fn run(plan: Plan) -> Result<Report, Error> {
    plan.raise_open_files()?;
    let mut chaos = Chaos::start(plan).await?;
    for shutdown in [Shutdown::Fast, Shutdown::Immediate] {
        chaos.round(shutdown).await?;
        sleep(chaos.plan.rest).await;
        chaos.on_postgres.note_memory()?;
        chaos.on_sqlite.note_memory()?;
    }
    chaos.report().await
}

impl Chaos {
    async fn start(plan: Plan) -> Result<Chaos, Error> {
        let provider = Provider::start(Options {
            lifetime: plan::TOKEN_LIFETIME,
            // A refresh whose response got lost with a killed process is nobody's fault.
            reuse: Reuse::UntilSuccessorUsed,
            ..Options::default()
        });
        let provider = Arc::new(provider.await?);
        let postgres = Postgres::start(Durability::Durable).await?;
        let database_url = postgres.create_database().await?;
        let (on_postgres, killed) = Installation::on_postgres(database_url, &provider).await?;
        let on_sqlite = Installation::on_sqlite(&provider).await?;
        let urls = on_postgres.urls();
        let key = on_postgres.home.tenant_key("Greedy").await?;
        let greedy = Greedy::new(urls, &key, &provider).await?;
        let key = on_postgres.home.tenant_key("Crowd").await?;
        let long_polls = LongPolls::new(&plan, urls, &key).await?;
        let slow_sockets = SlowSockets::new(urls, plan.slow_sockets)?;
        Ok(Chaos {
            plan,
            provider,
            postgres,
            on_postgres,
            killed: Some(killed),
            on_sqlite,
            greedy: Arc::new(greedy),
            long_polls: Arc::new(long_polls),
            slow_sockets: Arc::new(slow_sockets),
        })
    }

    /// One round of load and faults. PostgreSQL is restarted once in it, in the given way.
    async fn round(&mut self, shutdown: Shutdown) -> Result<(), Error> {
        let end = Instant::now() + self.plan.round;
        let mut load = JoinSet::new();
        for installation in [&self.on_postgres, &self.on_sqlite] {
            installation.spawn_tenants(&mut load, end);
        }
        self.greedy.spawn(&mut load, end);
        self.long_polls.spawn(&mut load, end);
        self.slow_sockets.spawn(&mut load, end);
        tokio::try_join!(
            faults::kill_repeatedly(&self.on_postgres, &mut self.killed, end),
            faults::restart_postgres(&self.plan, &self.on_postgres, &mut self.postgres, shutdown, end),
            faults::fill_disk(&self.plan, &self.on_sqlite, end),
        )?;
        load.join_all().await;
        Ok(())
    }

    async fn report(self) -> Result<Report, Error> {
        let mut report = Report::new(&self.plan);
        for installation in [&self.on_postgres, &self.on_sqlite] {
            report.add(installation, &self.provider).await?;
        }
        report.add_crowd(&self.greedy, &self.long_polls, &self.slow_sockets);
        Ok(report)
    }
}
