//! What every request handler can reach.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{LongPolls, Readiness};
use crate::auth::rejected_keys::RejectedKeys;
use crate::budget::Budgets;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard;
use crate::in_flight::InFlightCounts;
use crate::mail::Mailer;
use crate::metrics::{Metrics, Sources};
use crate::oauth::ProviderClient;
use crate::proxy::ProxiedCalls;
use crate::server;
use crate::store::{Mode, Store};
use crate::traces::Traces;
use crate::vault::KeyRing;
use crate::vending::Refreshes;
use crate::webhooks::WebhookClient;

/// Handed to every handler.
pub type AppState = Arc<Service>;

/// One running service.
#[derive(Debug)]
pub struct Service {
    /// As the operator wrote it.
    pub config: Config,
    /// How customers' browsers reach the service; without a slash at its end.
    pub public_url: String,
    /// What is remembered.
    pub store: Store,
    /// The apps.
    pub catalogue: Catalogue,
    /// Calls the providers.
    pub providers: ProviderClient,
    /// Sends events to tenants' endpoints.
    pub webhooks: WebhookClient,
    /// Sends mail.
    pub mailer: Mailer,
    /// Who may still call how often.
    pub budgets: Budgets,
    /// The tenant keys that opened nothing lately.
    pub rejected_keys: RejectedKeys,
    /// The tokens of MCP URLs that opened nothing lately.
    pub rejected_mcp_tokens: RejectedKeys,
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// The long polls under way.
    pub long_polls: LongPolls,
    /// The calls through the proxy under way.
    pub proxied_calls: ProxiedCalls,
    /// The redeliveries by time under way, by tenant.
    pub redeliveries: InFlightCounts,
    /// The tests of webhook endpoints under way, by tenant.
    pub webhook_tests: InFlightCounts,
    /// The last check of the database for `/readyz`.
    pub readiness: Readiness,
    /// The refreshes under way.
    pub refreshes: Refreshes,
    /// Where spans go.
    pub(crate) traces: Traces,
    /// What is counted, for Prometheus.
    pub metrics: Metrics,
    /// The time.
    pub clock: Clock,
    /// Work that must be finished before the process ends, even if nobody waits for its answer.
    pub tasks: TaskTracker,
    /// Cancelled when the service is asked to end.
    pub ending: CancellationToken,
    /// Cancelled when the listener closes; earlier than after `drain` if cancelled from outside.
    pub closing: CancellationToken,
}

/// Why a service cannot be set up. Tells the operator what to do about it.
pub type SetupError = Box<dyn std::error::Error + Send + Sync>;

/// Opens the configured database with the configured root keys; the key file is made if neither is there.
///
/// # Errors
///
/// When one of them cannot be used, or the database is of the other mode.
pub async fn open_store(config: &Config, mode: Mode, clock: Clock) -> Result<Store, SetupError> {
    let url = config.database_url.expose_secret();
    // A new key would open nothing of a database that was made with another.
    let makes_key = config.makes_key_file();
    if makes_key && Store::has_root_key(url).await? {
        return Err(format!(
            "the key file {} is missing, and the database was made with it: give it back",
            config.key_file.display()
        )
        .into());
    }
    let ring = KeyRing::load(config.root_key_sources(), makes_key).await?;
    let store = Store::open_in(mode, url, ring, clock).await?;
    Ok(store.with_event_payload(config.events.payload))
}

/// Whether the configured clients fit the catalogue.
///
/// # Errors
///
/// When there is no such app, an address is unusable, or a parameter is missing.
pub fn check_apps(config: &Config, catalogue: &Catalogue) -> Result<(), SetupError> {
    if let Some(unknown) = config.apps.keys().find(|id| catalogue.get(id).is_none()) {
        return Err(format!("apps.{unknown}: the catalogue has no such app").into());
    }
    for (id, client) in &config.apps {
        let (authorize, token) = (client.authorization_url.as_deref(), client.token_url.as_deref());
        let revoke = client.revocation_url.as_deref();
        let app = catalogue.get(id);
        if let Some(problem) = app.and_then(|app| app.problem_of_addresses(authorize, token, revoke)) {
            return Err(format!("apps.{id}: {problem}").into());
        }
        let needed = app.iter().flat_map(|app| app.app_params());
        if let Some(missing) = needed.into_iter().find(|name| !client.params.contains_key(*name)) {
            return Err(format!("apps.{id}: the app needs params.{missing}").into());
        }
    }
    Ok(())
}

impl Service {
    /// Puts a service together. `address` is where it listens, for want of a configured `public_url`.
    ///
    /// # Errors
    ///
    /// When the catalogue, TLS or an address of a client is unusable, or a client is configured for an app that there is
    /// not.
    pub fn new(config: Config, store: Store, clock: Clock, address: &str) -> Result<AppState, SetupError> {
        let catalogue = Catalogue::load(config.catalogue_dir.as_deref())?;
        Self::with_catalogue(config, catalogue, store, clock, address)
    }

    /// Puts a service together like [`new`](Self::new), with another catalogue than the configured one.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn with_catalogue(
        config: Config,
        catalogue: Catalogue,
        store: Store,
        clock: Clock,
        address: &str,
    ) -> Result<AppState, SetupError> {
        let public_url = config.public_url_or(address);
        check_apps(&config, &catalogue)?;
        let max_connections = server::max_connections(&config.limits);
        let providers =
            ProviderClient::new(config.allow_private_networks, config.provider_ca_file.as_deref())?;
        let budgets = Budgets::new(&config.budgets, store.shares_budgets().then(|| store.clone()));
        let long_polls = LongPolls::new(&config.limits, max_connections);
        let metrics = Metrics::new(Sources {
            apps: config.apps.keys().map(String::as_str).collect(),
            budget_refusals: budgets.refusals(),
            provider_calls: providers.durations(),
            max_long_polls: long_polls.max(),
            max_connections,
        });
        Ok(Arc::new(Self {
            public_url,
            store,
            catalogue,
            providers,
            webhooks: WebhookClient::new(config.allow_private_networks, config.provider_ca_file.as_deref())?,
            mailer: Mailer::new(&config.smtp)?,
            budgets,
            rejected_keys: RejectedKeys::default(),
            rejected_mcp_tokens: RejectedKeys::default(),
            max_connections,
            long_polls,
            proxied_calls: ProxiedCalls::new(&config.limits, max_connections),
            redeliveries: InFlightCounts::default(),
            webhook_tests: InFlightCounts::default(),
            readiness: Readiness::default(),
            refreshes: Refreshes::default(),
            traces: Traces::new(&config.traces)?,
            metrics,
            clock,
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            closing: CancellationToken::new(),
            config,
        }))
    }

    /// The base of every address under the contract: `{public_url}/platform/v1`.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.public_url, server::PREFIX)
    }

    /// The base of every address of the dashboard.
    pub fn dashboard_url(&self) -> String {
        format!("{}{}", self.public_url, dashboard::PREFIX)
    }

    /// Where an app's provider sends customers back to. Each app has an address of its own, so that no provider can
    /// pass on a code that another gave out (mix-up; RFC 9700, section 4.4).
    pub fn redirect_uri(&self, app_id: &str) -> String {
        format!("{}/oauth/callback/{app_id}", self.base_url())
    }

    /// Where the logo of this digest is.
    pub fn logo_url(&self, digest: &str) -> String {
        format!("{}/logos/{digest}", self.base_url())
    }

    /// Whether browsers reach the service by HTTPS, which decides what cookies may be called.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https:")
    }
}
