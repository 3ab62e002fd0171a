//! One installation of the service under load: its processes, its tenants, and the figures about it.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use super::figures::Figures;
use super::plan::TOKEN_BUDGET;
use super::tenants::Tenant;
use crate::Error;
use crate::provider::Provider;
use crate::service_process::{AppSettings, Home, Service, Settings};

/// Ordinary tenants of each installation.
const TENANTS: usize = 3;

/// One installation.
pub(super) struct Installation {
    pub(super) name: &'static str,
    pub(super) home: Home,
    /// The process that nobody kills.
    pub(super) steady: Service,
    pub(super) tenants: Vec<Arc<Tenant>>,
    pub(super) figures: Arc<Figures>,
    /// Resident memory of the steady process after each round, in KiB.
    pub(super) memory: Vec<u64>,
    urls: Vec<String>,
}

impl Installation {
    /// Two processes on PostgreSQL; the second one returned is the one to kill. Nobody reads the log of the first.
    pub(super) async fn on_postgres(
        database_url: String,
        provider: &Arc<Provider>,
    ) -> Result<(Installation, Service), Error> {
        let home = Home::new(&Settings {
            database_url: Some(database_url),
            // All long polls are one tenant's, half of them in each process.
            environment: vec![
                ("CONNECT_LIMITS_MAX_CONNECTIONS", "15000".to_owned()),
                ("CONNECT_LIMITS_MAX_LONG_POLLS_PER_TENANT", "7500".to_owned()),
            ],
            ..settings(provider)
        })?;
        let killed = home.start().await?;
        let steady = home.start_another_with_stalled_log().await?;
        let urls = vec![steady.base_url(), killed.base_url()];
        let installation = Installation::new("PostgreSQL", home, steady, urls, provider).await?;
        Ok((installation, killed))
    }

    /// One process on SQLite.
    pub(super) async fn on_sqlite(provider: &Arc<Provider>) -> Result<Installation, Error> {
        let home = Home::new(&Settings {
            // A write beyond the limit of file sizes is to fail, as on a full disk, and not to end the process.
            launcher: vec!["env".to_owned(), "--ignore-signal=XFSZ".to_owned()],
            ..settings(provider)
        })?;
        let steady = home.start().await?;
        let urls = vec![steady.base_url()];
        Installation::new("SQLite", home, steady, urls, provider).await
    }

    async fn new(
        name: &'static str,
        home: Home,
        steady: Service,
        urls: Vec<String>,
        provider: &Arc<Provider>,
    ) -> Result<Installation, Error> {
        let figures = Arc::default();
        let mut tenants = Vec::new();
        for number in 1..=TENANTS {
            let key = home.tenant_key(&format!("Tenant {number}")).await?;
            let tenant = Tenant::new(&urls, &key, provider.clone(), Arc::clone(&figures))?;
            tenants.push(Arc::new(tenant));
        }
        Ok(Installation { name, home, steady, tenants, figures, memory: Vec::new(), urls })
    }

    /// The base URLs of the API, one per process.
    pub(super) fn urls(&self) -> &[String] {
        &self.urls
    }

    pub(super) fn spawn_tenants(&self, load: &mut JoinSet<()>, end: Instant) {
        for tenant in &self.tenants {
            tenant.spawn(load, end);
        }
    }

    /// Notes how much memory the steady process has now.
    pub(super) fn note_memory(&mut self) -> Result<(), Error> {
        self.memory.push(self.steady.resident_kib()?);
        Ok(())
    }
}

fn settings(provider: &Provider) -> Settings {
    Settings {
        token_budget: TOKEN_BUDGET,
        apps: vec![AppSettings::local("gmail", provider)],
        ..Settings::default()
    }
}

/// Host and port of a URL.
pub(super) fn address(url: &str) -> Result<String, Error> {
    let url = Url::parse(url)?;
    let (host, port) = (url.host_str(), url.port());
    let (host, port) = host.zip(port).ok_or("a URL with host and port")?;
    Ok(format!("{host}:{port}"))
}
