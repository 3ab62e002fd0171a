//! `connect-service doctor`: whether a configuration can work here, before anything is served or changed.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use url::Url;

use crate::catalogue::{App, Catalogue, Inputs};
use crate::clock::{CLOCK_TOLERANCE, Clock, Millis, millis};
use crate::config::Config;
use crate::oauth::{Endpoint, ProviderClient};
use crate::server;
use crate::state::check_apps;
use crate::store::{Inspection, inspect};
use crate::vault::KeyRing;

/// Fewer files than this are too few for clients, the database and providers.
const FEW_CONNECTIONS: usize = 1000;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// The service runs, but not for everybody or not for long.
    Warning,
    /// The service does not start, or cannot do its work.
    Failed,
}

/// One check. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, and what to do about it.
    pub detail: String,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

fn ok(name: &str, detail: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict: Verdict::Ok, detail: detail.into() }
}

fn warning(name: &str, detail: impl Into<String>) -> Check {
    Check { verdict: Verdict::Warning, ..ok(name, detail) }
}

fn failed(name: &str, detail: impl Into<String>) -> Check {
    Check { verdict: Verdict::Failed, ..ok(name, detail) }
}

/// Looks at everything that the service needs. Makes no file, changes no database, and sends no secret anywhere.
pub async fn examine(config: &Config) -> Vec<Check> {
    let clock = Clock::default();
    let mut checks = vec![public_url(config), connections(config)];
    let (keys, ring) = root_keys(config).await;
    checks.extend(keys);
    let url = config.database_url.expose_secret();
    match inspect(url, ring.as_ref(), &clock).await {
        Ok(inspection) => checks.extend(database(config, &inspection)),
        Err(error) => checks.push(failed("database", error.to_string())),
    }
    let catalogue = match Catalogue::load(config.catalogue_dir.as_deref()) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            checks.push(failed("catalogue", error.to_string()));
            return checks;
        }
    };
    checks.push(apps(config, &catalogue));
    match ProviderClient::new(config.allow_private_networks, config.provider_ca_file.as_deref()) {
        Ok(client) => checks.extend(providers(config, &catalogue, &client, &clock).await),
        Err(error) => checks.push(failed("providers", error.to_string())),
    }
    checks
}

fn public_url(config: &Config) -> Check {
    const NAME: &str = "public_url";
    let is_loopback = |host: &str| host == "localhost" || host.starts_with("127.") || host == "[::1]";
    match &config.public_url {
        None => warning(NAME, "not set: only browsers of this machine reach the hosted page"),
        Some(url) if url.scheme() == "https" => ok(NAME, url.as_str()),
        Some(url) if url.host_str().is_some_and(is_loopback) => {
            warning(NAME, format!("{url} is this machine: no customer reaches it"))
        }
        Some(url) => warning(NAME, format!("{url} is not https: credentials cross the network in the clear")),
    }
}

/// As the service will have it: it raises its own limit of open files first.
fn connections(config: &Config) -> Check {
    server::raise_file_limit();
    let connections = server::max_connections(&config.limits);
    let detail = format!("{connections} connections of clients at once");
    if connections < FEW_CONNECTIONS && config.limits.max_connections.is_none() {
        return warning(
            "limits",
            format!("{detail}: raise the limit of open files (LimitNOFILE=, ulimit -Hn)"),
        );
    }
    ok("limits", detail)
}

/// The root keys, by id, and all of them together if each is there. None is made.
async fn root_keys(config: &Config) -> (Vec<Check>, Option<KeyRing>) {
    if config.makes_key_file() {
        let detail = format!("{} does not exist; it is made at the first start", config.key_file.display());
        return (vec![warning("root key default", detail)], None);
    }
    let sources = config.root_key_sources();
    let mut checks = Vec::new();
    for (id, source) in &sources {
        let name = format!("root key {id}");
        checks.push(match KeyRing::load([(id.clone(), source.clone())], false).await {
            Ok(_) => ok(&name, source.origin(id)),
            Err(error) => failed(&name, error.to_string()),
        });
    }
    // Asked again as a whole: a command is cheap, and a ring with a key left out would be told as one that misses it.
    let is_whole = checks.iter().all(|check| check.verdict == Verdict::Ok);
    let ring = if is_whole { KeyRing::load(sources, false).await.ok() } else { None };
    (checks, ring)
}

fn database(config: &Config, found: &Inspection) -> Vec<Check> {
    const NAME: &str = "database";
    let Inspection { location, is_there, pending, key_problem, has_direct_values, clock_ahead } = found;
    let mut checks = Vec::new();
    checks.push(match (is_there, key_problem) {
        (false, _) => ok(NAME, format!("{location} is empty; tables are made at the first start")),
        (true, Some(problem)) => failed(NAME, problem),
        (true, None) if config.makes_key_file() => {
            failed(NAME, "it was made with a root key, and the key file is missing: give it back")
        }
        (true, None) if !pending.is_empty() => {
            warning(NAME, format!("{location}: steps that the next start takes: {}", pending.len()))
        }
        (true, None) if *has_direct_values => warning(
            NAME,
            format!("{location}: values of an earlier version have no data key yet: run root-key rotate"),
        ),
        (true, None) => ok(NAME, format!("{location}, up to date")),
    });
    if let Some(ahead) = clock_ahead {
        checks.push(clock_check("clock", "the database's server", *ahead));
    }
    checks
}

fn clock_check(name: &str, other: &str, ahead: Millis) -> Check {
    let detail = format!("{other} is {:.1} s ahead of this machine", ahead as f64 / 1000.0);
    if ahead.abs() < CLOCK_TOLERANCE / 2 { ok(name, detail) } else { failed(name, detail) }
}

fn apps(config: &Config, catalogue: &Catalogue) -> Check {
    const NAME: &str = "apps";
    if let Err(error) = check_apps(config, catalogue) {
        return failed(NAME, error.to_string());
    }
    let missing = catalogue.search("").into_iter().filter(|app| needs_client(app));
    let missing = missing.filter(|app| !config.apps.contains_key(&app.id)).count();
    let configured = config.apps.len();
    ok(NAME, format!("{} in the catalogue, {configured} OAuth clients, {missing} missing", catalogue.len()))
}

/// Whether the app can be connected only with a client of the operator's.
pub fn needs_client(app: &App) -> bool {
    app.auth_options.iter().all(|option| option.oauth.is_some())
}

/// Whether each provider with a configured client can be reached, and what time it is there.
async fn providers(
    config: &Config,
    catalogue: &Catalogue,
    client: &ProviderClient,
    clock: &Clock,
) -> Vec<Check> {
    let probes = config.apps.iter().filter_map(|(id, registration)| {
        let app = catalogue.get(id)?;
        let option = app.auth_options.iter().find(|option| option.oauth.is_some())?;
        let endpoint = Endpoint::new(option, registration, &Inputs::new());
        Some(async move {
            let name = format!("provider of {id}");
            // Its address is made of what the customer enters.
            let Ok(endpoint) = endpoint else {
                return vec![ok(&name, "not asked: each customer has another address")];
            };
            provider(&name, endpoint.token_url(), client, clock).await
        })
    });
    join_all(probes).await.into_iter().flatten().collect()
}

async fn provider(name: &str, url: &Url, client: &ProviderClient, clock: &Clock) -> Vec<Check> {
    let host = url.host_str().unwrap_or_default();
    let date = match client.probe(url).await {
        Ok(date) => date,
        Err(cause) => return vec![failed(name, format!("{host} cannot be reached: {cause}"))],
    };
    let reached = ok(name, format!("{host} responds"));
    // Signed requests and lifetimes of tokens need the right time.
    let clock = date.map(|date| clock_check(&format!("clock, by {host}"), host, ahead(date, clock)));
    [reached].into_iter().chain(clock.filter(|check| check.verdict != Verdict::Ok)).collect()
}

fn ahead(date: SystemTime, clock: &Clock) -> Millis {
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    millis(since_epoch) - clock.now()
}
