//! A fleet: several processes over one PostgreSQL database behind nginx, as `deploy/` has it, without containers.
//!
//! `load` calls through nginx all the time. Meanwhile nothing happens and the figures are measured, for each number of
//! processes and tenants that the `plan` has; all of them are restarted one after the other, as an upgrade
//! does; the root key is rotated; and processes are killed. `report` says what must hold.

mod figures;
mod installation;
mod load;
mod plan;
mod report;
mod root_key;
mod tenants;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::postgres::{Durability, Postgres};
use crate::provider::{Options, Provider, Reuse};
use crate::workload::{Journal, customer};
use crate::{Error, processor_time};
use installation::{Installation, Processes};
use load::Load;
use report::Steady;

pub use plan::Plan;
pub use report::Report;

/// How long the provider's access tokens live: less than the time between two calls for the same one.
const TOKEN_LIFETIME: Duration = Duration::from_secs(1);

/// Runs the plan and reports. What it does is printed by `progress`.
///
/// # Errors
/// When something cannot be set up, ended or started again. What the service does wrong is in the report.
pub async fn run(plan: &Plan, progress: impl Fn(&str)) -> Result<Report, Error> {
    let provider = Arc::new(
        Provider::start(Options {
            lifetime: TOKEN_LIFETIME,
            // A refresh whose response got lost with a killed process is nobody's fault.
            reuse: Reuse::UntilSuccessorUsed,
            ..Options::default()
        })
        .await?,
    );
    let postgres = Postgres::start(Durability::Durable).await?;
    let mut report = Report::new(plan);
    for (number, tenants) in plan.tenants.iter().enumerate() {
        progress(&format!("{tenants} tenants are made"));
        let mut installation = Installation::new(plan, *tenants, &postgres, &provider).await?;
        for (measured, count) in plan.processes.iter().enumerate() {
            progress(&format!("{tenants} tenants, {count} processes: {} s", plan.steady.as_secs()));
            let mut processes = installation.start(*count).await?;
            let load = Arc::new(Load::new(plan, &installation.tenants, &processes.nginx)?);
            report.add_steady(steady(plan, &installation, &processes, &load, *tenants).await?);
            if number == 0 && measured + 1 == plan.processes.len() {
                disturb(plan, &mut installation, &mut processes, &load, &mut report, &progress).await?;
            }
            report.add_nginx(&processes.nginx)?;
            processes.end().await?;
        }
    }
    Ok(report)
}

/// Measures while nothing happens.
async fn steady(
    plan: &Plan,
    installation: &Installation<'_>,
    processes: &Processes,
    load: &Arc<Load>,
    tenants: u32,
) -> Result<Steady, Error> {
    load.during(wait(plan.warm_up)).await?;
    let postgres = installation.database.server.id().ok_or("PostgreSQL has ended by itself")?;
    let now = || {
        Ok::<_, Error>([
            processes.processor_time()?,
            processor_time::of_tree(postgres)?,
            processor_time::of_tree(processes.nginx.id())?,
            processor_time::own()?,
        ])
    };
    let count = async |what: &str| {
        let bytes = installation.database.query(&format!("SELECT {what}")).await?;
        Ok::<u64, Error>(bytes.parse()?)
    };
    let (written, size) = ("pg_current_wal_lsn() - '0/0'", "pg_database_size(current_database())");
    let refreshes = installation.provider.refreshes_seen();
    let (wal, bytes, before) = (count(written).await?, count(size).await?, now()?);
    let (figures, took) = load.during(wait(plan.steady)).await?;
    let after = now()?;
    let (wal, bytes) = (count(written).await? - wal, count(size).await?.saturating_sub(bytes));
    let used = std::array::from_fn(|part| after[part].saturating_sub(before[part]));
    Ok(Steady::new(
        (processes.count(), tenants),
        &figures,
        took,
        used,
        installation.provider.refreshes_seen() - refreshes,
        wal,
        processes.resident_kib()?,
        bytes,
    ))
}

/// Upgrades processes, rotates the root key and kills processes, and compares what was acknowledged with what is there.
async fn disturb(
    plan: &Plan,
    installation: &mut Installation<'_>,
    processes: &mut Processes,
    load: &Arc<Load>,
    report: &mut Report,
    progress: &impl Fn(&str),
) -> Result<(), Error> {
    progress("all processes are upgraded, one after the other");
    installation.upgrade()?;
    let upgrading = upgrade(plan, installation, processes);
    let (figures, took) = load.during(upgrading).await?;
    report.add_undisturbed("rolling upgrade", &figures, took);

    if plan.rotates_root_key {
        progress("the root key is rotated");
        match root_key::rotate(plan, installation, processes, load).await? {
            Some((figures, took)) => report.add_undisturbed("root-key rotate", &figures, took),
            None => report.broken("root-key rotate: not there".to_owned()),
        }
    }

    // The last of all: whoever asks for a token that a killed process was refreshing waits for its lease.
    if !plan.kills.is_zero() {
        let (interval, length) = (plan.kill_interval.as_secs(), plan.kills.as_secs());
        progress(&format!("a process is killed every {interval} s: {length} s"));
        let mut kills = 0;
        let killing = kill_in_turn(plan, installation, processes, &mut kills);
        let (figures, took) = load.during(killing).await?;
        report.add_kills(plan, kills, &figures, took);
    }

    progress("what was acknowledged is compared with what is there");
    let base_url = processes.base_url();
    let (mut all, mut losses) = (Journal::default(), Vec::new());
    for tenant in &installation.tenants.all {
        let journal = std::mem::take(&mut *tenant.workload.journal());
        let customer = customer(&base_url, &tenant.key, 6)?;
        losses.extend(journal.losses(&customer, &base_url, &installation.provider).await?);
        all.extend(&journal);
    }
    report.add_losses(&all, &losses);
    Ok(())
}

/// Kills one process after the other (`kill -9`), and starts each again at once.
async fn kill_in_turn(
    plan: &Plan,
    installation: &Installation<'_>,
    processes: &mut Processes,
    kills: &mut usize,
) -> Result<(), Error> {
    let start = Instant::now();
    let mut next = plan.kill_interval;
    while next <= plan.kills {
        sleep_until(start + next).await;
        processes.kill(&installation.home, *kills % processes.count()).await?;
        *kills += 1;
        next += plan.kill_interval;
    }
    wait(plan.around).await
}

/// Restarts one process after the other, as an upgrade does, beside a while in which the old and the new version serve.
async fn upgrade(
    plan: &Plan,
    installation: &Installation<'_>,
    processes: &mut Processes,
) -> Result<(), Error> {
    wait(plan.around).await?;
    for number in 0..processes.count() {
        processes.restart(&installation.home, number).await?;
        wait(plan.around).await?;
    }
    Ok(())
}

async fn wait(time: Duration) -> Result<(), Error> {
    sleep(time).await;
    Ok(())
}
