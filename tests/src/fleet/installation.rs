//! One installation: its database, its tenants, and any number of processes behind nginx.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::plan::Plan;
use super::tenants::{IMPORTED_APP, Tenants, imported_app};
use crate::browser::plain_http;
use crate::nginx::{FAIL_TIMEOUT, Nginx};
use crate::postgres::Postgres;
use crate::provider::Provider;
use crate::service_process::{AppSettings, Home, Service, Settings, binary, free_port};
use crate::{Error, processor_time};

/// Token calls and other calls a minute that all tenants have together, at most ten thousand and two thousand a second,
/// and what each has by default if that is more.
const TOKEN_BUDGET: u32 = 600_000;
const OTHER_BUDGET: u32 = 120_000;
const MIN_TOKEN_BUDGET: u32 = 600;
const MIN_OTHER_BUDGET: u32 = 120;

/// Time for a new process to become ready. Generous, since test machines are busy.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// One database of a server.
pub(super) struct Database<'a> {
    pub(super) server: &'a Postgres,
    name: String,
}

/// One installation. No process of it runs yet.
pub(super) struct Installation<'a> {
    pub(super) home: Home,
    pub(super) database: Database<'a>,
    pub(super) provider: Arc<Provider>,
    pub(super) tenants: Arc<Tenants>,
}

/// Its running processes, and nginx before them.
pub(super) struct Processes {
    pub(super) nginx: Nginx,
    ports: Vec<u16>,
    running: Vec<Service>,
}

impl Database<'_> {
    /// Runs SQL statements; returns the rows as text.
    pub(super) async fn query(&self, statements: &str) -> Result<String, Error> {
        self.server.query(&self.name, statements).await
    }
}

impl Installation<'_> {
    /// Makes so many tenants in a new database.
    pub(super) async fn new<'a>(
        plan: &Plan,
        tenants: u32,
        server: &'a Postgres,
        provider: &Arc<Provider>,
    ) -> Result<Installation<'a>, Error> {
        let url = server.create_database().await?;
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let database = Database { server, name };
        let home = Home::new(&Settings {
            token_budget: MIN_TOKEN_BUDGET.max(TOKEN_BUDGET / tenants),
            default_budget: MIN_OTHER_BUDGET.max(OTHER_BUDGET / tenants),
            database_url: Some(url),
            catalogue: vec![(IMPORTED_APP.to_owned(), imported_app(provider))],
            apps: vec![AppSettings::local("gmail", provider), AppSettings::local(IMPORTED_APP, provider)],
            environment: vec![("CONNECT_DRAIN", plan.drain.as_secs().to_string())],
            binary: plan.previous.clone(),
            ..Settings::default()
        })?;
        let tenants = Tenants::new(plan, tenants, &home, &database, provider).await?;
        Ok(Installation { home, database, provider: Arc::clone(provider), tenants: Arc::new(tenants) })
    }

    /// Starts so many processes behind nginx.
    pub(super) async fn start(&self, processes: u32) -> Result<Processes, Error> {
        let mut ports = vec![self.home.port()];
        for _ in 1..processes {
            ports.push(free_port()?);
        }
        let mut running = Vec::new();
        for port in &ports {
            running.push(self.home.start_at(*port).await?);
        }
        let addresses: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        Ok(Processes { nginx: Nginx::start(&addresses).await?, ports, running })
    }

    /// The configuration's binary becomes the one that is tested, where it was another.
    pub(super) fn upgrade(&mut self) -> Result<(), Error> {
        self.home.upgrade(binary()?);
        Ok(())
    }
}

impl Processes {
    /// The base address of the API of the first one, without nginx.
    pub(super) fn base_url(&self) -> String {
        self.running[0].base_url()
    }

    pub(super) fn count(&self) -> usize {
        self.ports.len()
    }

    /// Kills one (`kill -9`), and starts it again at once.
    pub(super) async fn kill(&mut self, home: &Home, number: usize) -> Result<(), Error> {
        self.running.remove(number).kill().await?;
        self.running.insert(number, home.start_at(self.ports[number]).await?);
        Ok(())
    }

    /// Ends one as a service manager does, starts it again, and waits until nginx has seen that it is there.
    pub(super) async fn restart(&mut self, home: &Home, number: usize) -> Result<(), Error> {
        let ending = self.running.remove(number);
        ending.ask_to_end()?;
        if !ending.ended().await?.success() {
            return Err("a process that was asked to end failed".into());
        }
        let started = home.start_at(self.ports[number]).await?;
        until_ready(&started).await?;
        self.running.insert(number, started);
        sleep(FAIL_TIMEOUT * 2).await;
        Ok(())
    }

    /// Ends all.
    pub(super) async fn end(self) -> Result<(), Error> {
        for process in self.running {
            process.ask_to_end()?;
            // Nobody calls any more.
            process.ask_to_end()?;
            process.ended().await?;
        }
        Ok(())
    }

    /// Processor time of all processes that run.
    pub(super) fn processor_time(&self) -> Result<Duration, Error> {
        let mut sum = Duration::ZERO;
        for process in &self.running {
            sum += processor_time::of_tree(process.id().ok_or("the service has ended by itself")?)?;
        }
        Ok(sum)
    }

    /// Memory of the largest, in KiB.
    pub(super) fn resident_kib(&self) -> Result<u64, Error> {
        let memory: Result<Vec<_>, _> = self.running.iter().map(Service::resident_kib).collect();
        Ok(memory?.into_iter().max().unwrap_or_default())
    }
}

async fn until_ready(service: &Service) -> Result<(), Error> {
    let http = plain_http().build()?;
    let deadline = Instant::now() + READY_TIMEOUT;
    while Instant::now() < deadline {
        let ready = http.get(format!("{}/readyz", service.url())).send().await;
        if ready.is_ok_and(|response| response.status() == 200) {
            return Ok(());
        }
        sleep(POLL_INTERVAL).await;
    }
    Err("a process does not become ready".into())
}
