//! The operator's configuration: a TOML file, and environment variables over it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::oauth::{OAuthClient, secret, secrets};
use crate::store::EventPayload;
use crate::vault::{DEFAULT_KEY, KeySource, is_key_id};

/// Everything that can be configured, with defaults for one machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen at; port 0 takes a free one.
    pub listen: String,
    /// Address and port that Prometheus asks, or a port of loopback alone. Without it, nobody can.
    #[serde(deserialize_with = "metrics_address")]
    pub metrics_listen: Option<String>,
    /// How customers' browsers and providers reach the service; the address that it listens at unless told.
    pub public_url: Option<Url>,
    /// `sqlite://` with a path, or `postgres://`, perhaps with a password.
    #[serde(deserialize_with = "secret")]
    pub database_url: SecretString,
    /// Holds the default root key; made at the first start.
    pub key_file: PathBuf,
    /// A program and its arguments that prints the default root key, instead of the file.
    pub key_command: Option<Vec<String>>,
    /// The default root key itself, 32 bytes in base64, instead of both. Only from the environment.
    #[serde(skip)]
    pub encryption_key: Option<SecretString>,
    /// Further root keys, by id.
    pub root_keys: BTreeMap<String, RootKeyConfig>,
    /// Calls a minute.
    pub budgets: BudgetConfig,
    /// Who may speak MCP, beside this machine and the public address.
    pub mcp: McpConfig,
    /// Lets provider calls use plain HTTP and reach addresses inside the network. For development only.
    pub allow_private_networks: bool,
    /// Certificate authorities, in PEM, that provider calls trust beside the public ones.
    pub provider_ca_file: Option<PathBuf>,
    /// Further app files, which replace built-in apps with the same id.
    pub catalogue_dir: Option<PathBuf>,
    /// Maximum duration of a long poll, in seconds; 0 means that every response is given at once.
    pub max_long_poll: u64,
    /// Where traces are sent.
    pub traces: TraceConfig,
    /// When the audit of vending is written.
    pub audit: AuditMode,
    /// What tenants hear of changes.
    pub events: EventConfig,
    /// Refresh tokens that would die unused are refreshed in time, but not of connections that nobody used for so many days;
    /// 0 means that none are.
    pub keep_alive_unused_days: u32,
    /// How long the listener still accepts connections after SIGTERM, in seconds.
    pub drain: u64,
    /// How long requests may take to finish once the listener is closed, in seconds.
    pub shutdown_grace: u64,
    /// Connections, headers and long polls.
    pub limits: LimitConfig,
    /// Reverse proxies in front of the service, each of which adds to `X-Forwarded-For`; 0 means that nobody's word is taken
    /// for where a request comes from.
    pub trusted_proxies: u32,
    /// Who sends the service's mail.
    pub smtp: SmtpConfig,
    /// The dashboard.
    pub dashboard: DashboardConfig,
    /// The operator's OAuth clients by app id.
    pub apps: BTreeMap<String, OAuthClient>,
}

/// Where traces are sent; nowhere without an endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceConfig {
    /// The address of a collector that takes OTLP over HTTP in JSON, such as `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: Option<Url>,
    /// Headers that the collector wants, such as a key.
    #[serde(deserialize_with = "secrets")]
    pub headers: BTreeMap<String, SecretString>,
    /// Which part of the requests is traced whose caller does not say, from 0 to 1.
    pub sample: f64,
}

/// Where a further root key comes from: one of the three.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RootKeyConfig {
    /// Holds it; never made.
    pub key_file: Option<PathBuf>,
    /// A program and its arguments that prints it.
    pub key_command: Option<Vec<String>>,
    /// The key itself. Only from the environment.
    #[serde(skip)]
    pub key: Option<SecretString>,
}

/// Who sends the service's mail: links to sign in, and what owners of a tenant are told. Without a host, nobody does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpConfig {
    /// Name of the server.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Name to sign in there with.
    pub username: Option<String>,
    /// Password to sign in there with.
    #[serde(deserialize_with = "optional_secret")]
    pub password: Option<SecretString>,
    /// The sender, such as `Connect <connect@example.com>`.
    pub from: Option<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// After `STARTTLS`, which the server must offer.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all; only to this machine.
    None,
}

/// The dashboard.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DashboardConfig {
    /// Whether anybody with an email may sign in and make a tenant.
    pub self_service: bool,
}

/// When the audit of vending is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditMode {
    /// Once a second, for all calls together. A process that is killed loses what it collected since.
    #[default]
    Batched,
    /// By each call, before its response is sent.
    Sync,
}

/// What tenants hear of changes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventConfig {
    /// Whether events name the customer, or hold ids alone.
    pub payload: EventPayload,
}

/// How many calls a minute are allowed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetConfig {
    /// To the token endpoint, per tenant.
    pub token: u32,
    /// To everything else, per tenant.
    pub default: u32,
    /// To the feed of events, per tenant.
    pub events: u32,
    /// To the public endpoints, per link.
    pub status: u32,
    /// Of the service's own to check credentials, per tenant and host. With 0, they are taken unchecked.
    pub verification: u32,
    /// Through the proxy to providers, per tenant.
    pub proxy: u32,
}

/// What clients may use of one process.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitConfig {
    /// Open connections. Default: half of the files that the process may open, at most 20,000.
    pub max_connections: Option<usize>,
    /// Seconds for a request's header to arrive whole.
    pub header_timeout: u64,
    /// Seconds for which a connection may stay open between two requests.
    pub idle_timeout: u64,
    /// Seconds for a client to take a response whole.
    pub write_timeout: u64,
    /// Size of a request's header, in bytes.
    pub max_header_size: usize,
    /// Long polls at once, in all; never more than half of the connections.
    pub max_long_polls: usize,
    /// Long polls at once, per tenant; those of its links count.
    pub max_long_polls_per_tenant: usize,
    /// Long polls of the public status at once, per link.
    pub max_long_polls_per_link: usize,
    /// Calls through the proxy at once, in all; never more than a quarter of the connections.
    pub max_proxied_calls: usize,
    /// Calls through the proxy at once, per tenant.
    pub max_proxied_calls_per_tenant: usize,
    /// Calls through the proxy at once, per connection.
    pub max_proxied_calls_per_connection: usize,
}

/// Where MCP requests may come from. Names only: none of them is let in without a key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpConfig {
    /// Further names that clients may reach the service by, each perhaps with a port.
    pub allowed_hosts: Vec<String>,
    /// Further origins whose web pages may speak MCP, such as `https://agents.example.com`.
    pub allowed_origins: Vec<String>,
}

/// Why the configuration cannot be used. Repeats no value, since any might be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: line {line}: {message}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value is not what it should be.
    #[error("{name} is wrong: {problem}")]
    Value {
        /// The setting or environment variable.
        name: String,
        /// What it should be.
        problem: &'static str,
    },
    /// An environment variable is named like a setting, and there is no such setting.
    #[error("{name} is no setting; the closest one is {closest}")]
    Unknown {
        /// The variable.
        name: String,
        /// The variable with the most similar name.
        closest: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            metrics_listen: None,
            public_url: None,
            database_url: "sqlite://connect.db".into(),
            key_file: "connect.key".into(),
            key_command: None,
            encryption_key: None,
            root_keys: BTreeMap::new(),
            budgets: BudgetConfig::default(),
            mcp: McpConfig::default(),
            allow_private_networks: false,
            provider_ca_file: None,
            catalogue_dir: None,
            max_long_poll: 60,
            traces: TraceConfig::default(),
            audit: AuditMode::default(),
            events: EventConfig::default(),
            keep_alive_unused_days: 180,
            drain: 5,
            shutdown_grace: 10,
            limits: LimitConfig::default(),
            trusted_proxies: 0,
            smtp: SmtpConfig::default(),
            dashboard: DashboardConfig::default(),
            apps: BTreeMap::new(),
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { endpoint: None, headers: BTreeMap::new(), sample: 1.0 }
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { token: 600, default: 120, events: 600, status: 120, verification: 60, proxy: 600 }
    }
}

impl Default for SmtpConfig {
    fn default() -> Self {
        Self { host: None, port: 587, tls: SmtpTls::default(), username: None, password: None, from: None }
    }
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            max_connections: None,
            header_timeout: 15,
            idle_timeout: 90,
            write_timeout: 60,
            max_header_size: 16 * 1024,
            max_long_polls: 10_000,
            max_long_polls_per_tenant: 2000,
            max_long_polls_per_link: 5,
            max_proxied_calls: 5000,
            max_proxied_calls_per_tenant: 1000,
            max_proxied_calls_per_connection: 100,
        }
    }
}

/// Smallest `max_header_size`; the buffer that a request is read into has this size anyway.
const MIN_HEADER_SIZE: usize = 8192;

/// What every variable of the service begins with.
pub(crate) const PREFIX: &str = "CONNECT_";

/// Stand for options of the command line, such as `--config`.
const COMMAND_LINE_VARIABLES: [&str; 4] =
    ["CONNECT_CONFIG", "CONNECT_LOG_FORMAT", "CONNECT_COPY_FROM", "CONNECT_COPY_TO"];

/// Sets what a variable stands for; an error says what its value must be.
type Set = fn(&mut Config, String) -> Result<(), &'static str>;

/// The environment variables, beside those of the apps.
const VARIABLES: [(&str, Set); 45] = [
    ("CONNECT_LISTEN", |config, value| assign(&mut config.listen, Ok(value))),
    ("CONNECT_METRICS_LISTEN", |config, value| {
        assign(&mut config.metrics_listen, Ok(Some(on_loopback(value))))
    }),
    ("CONNECT_PUBLIC_URL", |config, value| {
        assign(&mut config.public_url, value.parse().map(Some).map_err(|_| "it must be an address"))
    }),
    ("CONNECT_DATABASE_URL", |config, value| assign(&mut config.database_url, Ok(value.into()))),
    ("CONNECT_KEY_FILE", |config, value| assign(&mut config.key_file, Ok(value.into()))),
    ("CONNECT_ENCRYPTION_KEY", |config, value| assign(&mut config.encryption_key, Ok(Some(value.into())))),
    ("CONNECT_BUDGETS_TOKEN", |config, value| assign(&mut config.budgets.token, number(&value))),
    ("CONNECT_BUDGETS_DEFAULT", |config, value| assign(&mut config.budgets.default, number(&value))),
    ("CONNECT_BUDGETS_EVENTS", |config, value| assign(&mut config.budgets.events, number(&value))),
    ("CONNECT_BUDGETS_STATUS", |config, value| assign(&mut config.budgets.status, number(&value))),
    ("CONNECT_BUDGETS_VERIFICATION", |config, value| {
        assign(&mut config.budgets.verification, number(&value))
    }),
    ("CONNECT_BUDGETS_PROXY", |config, value| assign(&mut config.budgets.proxy, number(&value))),
    ("CONNECT_MCP_ALLOWED_HOSTS", |config, value| assign(&mut config.mcp.allowed_hosts, Ok(list(&value)))),
    ("CONNECT_MCP_ALLOWED_ORIGINS", |config, value| {
        assign(&mut config.mcp.allowed_origins, Ok(list(&value)))
    }),
    ("CONNECT_ALLOW_PRIVATE_NETWORKS", |config, value| {
        assign(&mut config.allow_private_networks, value.parse().map_err(|_| "it must be true or false"))
    }),
    ("CONNECT_PROVIDER_CA_FILE", |config, value| {
        assign(&mut config.provider_ca_file, Ok(Some(value.into())))
    }),
    ("CONNECT_CATALOGUE_DIR", |config, value| assign(&mut config.catalogue_dir, Ok(Some(value.into())))),
    ("CONNECT_MAX_LONG_POLL", |config, value| assign(&mut config.max_long_poll, whole_seconds(&value))),
    ("CONNECT_TRACES_ENDPOINT", |config, value| {
        assign(&mut config.traces.endpoint, value.parse().map(Some).map_err(|_| "it must be an address"))
    }),
    ("CONNECT_TRACES_HEADERS", |config, value| assign(&mut config.traces.headers, header_list(&value))),
    ("CONNECT_TRACES_SAMPLE", |config, value| assign(&mut config.traces.sample, number(&value))),
    ("CONNECT_AUDIT", |config, value| {
        let mode = match &*value {
            "batched" => Ok(AuditMode::Batched),
            "sync" => Ok(AuditMode::Sync),
            _ => Err("it must be batched or sync"),
        };
        assign(&mut config.audit, mode)
    }),
    ("CONNECT_EVENTS_PAYLOAD", |config, value| {
        let payload = match &*value {
            "full" => Ok(EventPayload::Full),
            "ids" => Ok(EventPayload::Ids),
            _ => Err("it must be full or ids"),
        };
        assign(&mut config.events.payload, payload)
    }),
    ("CONNECT_KEEP_ALIVE_UNUSED_DAYS", |config, value| {
        assign(&mut config.keep_alive_unused_days, number(&value))
    }),
    ("CONNECT_DRAIN", |config, value| assign(&mut config.drain, whole_seconds(&value))),
    ("CONNECT_SHUTDOWN_GRACE", |config, value| assign(&mut config.shutdown_grace, whole_seconds(&value))),
    ("CONNECT_LIMITS_MAX_CONNECTIONS", |config, value| {
        assign(&mut config.limits.max_connections, number(&value).map(Some))
    }),
    ("CONNECT_LIMITS_HEADER_TIMEOUT", |config, value| {
        assign(&mut config.limits.header_timeout, whole_seconds(&value))
    }),
    ("CONNECT_LIMITS_IDLE_TIMEOUT", |config, value| {
        assign(&mut config.limits.idle_timeout, whole_seconds(&value))
    }),
    ("CONNECT_LIMITS_WRITE_TIMEOUT", |config, value| {
        assign(&mut config.limits.write_timeout, whole_seconds(&value))
    }),
    ("CONNECT_LIMITS_MAX_HEADER_SIZE", |config, value| {
        assign(&mut config.limits.max_header_size, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_LONG_POLLS", |config, value| {
        assign(&mut config.limits.max_long_polls, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_LONG_POLLS_PER_TENANT", |config, value| {
        assign(&mut config.limits.max_long_polls_per_tenant, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_LONG_POLLS_PER_LINK", |config, value| {
        assign(&mut config.limits.max_long_polls_per_link, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_PROXIED_CALLS", |config, value| {
        assign(&mut config.limits.max_proxied_calls, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_PROXIED_CALLS_PER_TENANT", |config, value| {
        assign(&mut config.limits.max_proxied_calls_per_tenant, number(&value))
    }),
    ("CONNECT_LIMITS_MAX_PROXIED_CALLS_PER_CONNECTION", |config, value| {
        assign(&mut config.limits.max_proxied_calls_per_connection, number(&value))
    }),
    ("CONNECT_TRUSTED_PROXIES", |config, value| assign(&mut config.trusted_proxies, number(&value))),
    ("CONNECT_SMTP_HOST", |config, value| assign(&mut config.smtp.host, Ok(Some(value)))),
    ("CONNECT_SMTP_PORT", |config, value| assign(&mut config.smtp.port, number(&value))),
    ("CONNECT_SMTP_TLS", |config, value| {
        let tls = match &*value {
            "starttls" => Ok(SmtpTls::Starttls),
            "implicit" => Ok(SmtpTls::Implicit),
            "none" => Ok(SmtpTls::None),
            _ => Err("it must be starttls, implicit or none"),
        };
        assign(&mut config.smtp.tls, tls)
    }),
    ("CONNECT_SMTP_USERNAME", |config, value| assign(&mut config.smtp.username, Ok(Some(value)))),
    ("CONNECT_SMTP_PASSWORD", |config, value| assign(&mut config.smtp.password, Ok(Some(value.into())))),
    ("CONNECT_SMTP_FROM", |config, value| assign(&mut config.smtp.from, Ok(Some(value)))),
    ("CONNECT_DASHBOARD_SELF_SERVICE", |config, value| {
        assign(&mut config.dashboard.self_service, value.parse().map_err(|_| "it must be true or false"))
    }),
];

/// What to suggest for a variable that is about an app.
const APP_VARIABLES: &str = "CONNECT_APP_<APP>_CLIENT_ID or CONNECT_APP_<APP>_CLIENT_SECRET";

impl Config {
    /// Reads the file, if there is one, and the environment over it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a setting is unknown or wrong.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut config = match file {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        let mut clients = BTreeMap::new();
        for (name, value) in environment {
            config.set(&name, value, &mut clients)?;
        }
        for (app, client) in clients {
            config.set_client(&app, client)?;
        }
        config.check()?;
        Ok(config)
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        // The error's own text would show the line, which may hold a secret.
        toml::from_str(&text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
            message: without_values(error.message()),
        })
    }

    fn set(
        &mut self,
        name: &str,
        value: String,
        clients: &mut BTreeMap<String, Client>,
    ) -> Result<(), ConfigError> {
        let Some(setting) = name.strip_prefix(PREFIX) else {
            return Ok(());
        };
        if let Some((_, set)) = VARIABLES.iter().find(|(variable, _)| *variable == name) {
            return set(self, value).map_err(|problem| ConfigError::Value { name: name.to_owned(), problem });
        }
        if let Some(id) = setting.strip_prefix("ROOT_KEY_") {
            let root_key = RootKeyConfig { key: Some(value.into()), ..RootKeyConfig::default() };
            self.root_keys.insert(id_of(id), root_key);
            return Ok(());
        }
        let app = setting.strip_prefix("APP_");
        if let Some(app) = app.and_then(|rest| rest.strip_suffix("_CLIENT_ID")) {
            clients.entry(id_of(app)).or_default().id = Some(value);
        } else if let Some(app) = app.and_then(|rest| rest.strip_suffix("_CLIENT_SECRET")) {
            clients.entry(id_of(app)).or_default().secret = Some(value.into());
        } else if !COMMAND_LINE_VARIABLES.contains(&name) && !is_service_link(name, &value) {
            return Err(ConfigError::Unknown { name: name.to_owned(), closest: closest_variable(setting) });
        }
        Ok(())
    }

    fn set_client(&mut self, app: &str, client: Client) -> Result<(), ConfigError> {
        if let Some(configured) = self.apps.get_mut(app) {
            configured.client_id = client.id.unwrap_or_else(|| std::mem::take(&mut configured.client_id));
            if let Some(secret) = client.secret {
                configured.client_secret = secret;
            }
            return Ok(());
        }
        let (Some(client_id), Some(client_secret)) = (client.id, client.secret) else {
            return Err(ConfigError::Value {
                name: format!("apps.{app}"),
                problem: "it needs both a client id and a client secret",
            });
        };
        self.apps.insert(app.to_owned(), OAuthClient::new(client_id, client_secret));
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |name: &str, problem| Err(ConfigError::Value { name: name.to_owned(), problem });
        let web =
            |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
        if !self.public_url.as_ref().is_none_or(web) {
            return wrong("public_url", "it must be an http or https address without a query");
        }
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| self.database_url.expose_secret().starts_with(scheme))
        {
            return wrong("database_url", "it must begin with sqlite: or postgres:");
        }
        let BudgetConfig { token, default, events, status, verification: _, proxy } = self.budgets;
        if [token, default, events, status, proxy].contains(&0) {
            return wrong("budgets", "each but verification must be at least 1");
        }
        let limits = &self.limits;
        let timeouts = [limits.header_timeout, limits.idle_timeout, limits.write_timeout];
        if limits.max_connections == Some(0) || timeouts.contains(&0) {
            return wrong(
                "limits",
                "max_connections, header_timeout, idle_timeout and write_timeout must be at least 1",
            );
        }
        if limits.max_header_size < MIN_HEADER_SIZE {
            return wrong("limits.max_header_size", "it must be at least 8192");
        }
        if !self.traces.endpoint.as_ref().is_none_or(|url| web(url) && url.password().is_none()) {
            return wrong(
                "traces.endpoint",
                "it must be an http or https address without a query or password",
            );
        }
        if !(0.0..=1.0).contains(&self.traces.sample) {
            return wrong("traces.sample", "it must be from 0 to 1");
        }
        for (id, root_key) in &self.root_keys {
            let setting = format!("root_keys.{id}");
            if !is_key_id(id) || id == DEFAULT_KEY {
                return wrong(
                    &setting,
                    "an id has lower-case letters, digits and hyphens, and is not `default`",
                );
            }
            let RootKeyConfig { key_file, key_command, key } = root_key;
            if [key_file.is_some(), key_command.is_some(), key.is_some()].iter().filter(|is| **is).count()
                != 1
            {
                return wrong(&setting, "it needs either key_file or key_command");
            }
        }
        if let Some((name, problem)) = self.smtp.problem() {
            return wrong(name, problem);
        }
        for (app, client) in &self.apps {
            if client.client_id.is_empty() {
                return wrong(&format!("apps.{app}"), "it needs a client id");
            }
        }
        Ok(())
    }

    /// Whether the key file is to be made, since no root key is configured otherwise.
    pub fn makes_key_file(&self) -> bool {
        self.encryption_key.is_none()
            && self.key_command.is_none()
            && self.root_keys.is_empty()
            && !self.key_file.exists()
    }

    /// Where the root keys come from, by id. The default one is left out where its file is not there and others are.
    pub fn root_key_sources(&self) -> Vec<(String, KeySource)> {
        let default = match (&self.encryption_key, &self.key_command) {
            (Some(key), _) => Some(KeySource::Environment("CONNECT_ENCRYPTION_KEY".to_owned(), key.clone())),
            (None, Some(command)) => Some(KeySource::Command(command.clone())),
            (None, None) if self.root_keys.is_empty() || self.key_file.exists() => {
                Some(KeySource::File(self.key_file.clone()))
            }
            (None, None) => None,
        };
        let default = default.map(|source| (DEFAULT_KEY.to_owned(), source));
        let others = self.root_keys.iter().filter_map(|(id, root_key)| {
            let RootKeyConfig { key_file, key_command, key } = root_key;
            let variable = || format!("{PREFIX}ROOT_KEY_{}", id.to_ascii_uppercase().replace('-', "_"));
            let source = key.clone().map(|key| KeySource::Environment(variable(), key));
            let source = source.or_else(|| key_command.clone().map(KeySource::Command));
            Some((id.clone(), source.or_else(|| key_file.clone().map(KeySource::File))?))
        });
        default.into_iter().chain(others).collect()
    }

    /// How customers' browsers reach the service, without a slash at its end; for want of a configured address by the
    /// one that it listens at.
    pub fn public_url_or(&self, address: &str) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", reachable(address)),
        }
    }

    /// The same without a running service, where the configuration tells it.
    pub fn known_public_url(&self) -> Option<String> {
        let is_known = self.public_url.is_some() || !self.listen.ends_with(":0");
        is_known.then(|| self.public_url_or(&self.listen))
    }

    /// Maximum duration of a long poll.
    pub fn max_long_poll(&self) -> Duration {
        seconds(self.max_long_poll)
    }

    /// How long the listener still accepts connections after SIGTERM.
    pub fn drain(&self) -> Duration {
        seconds(self.drain)
    }

    /// How long requests may take to finish once the listener is closed.
    pub fn grace(&self) -> Duration {
        seconds(self.shutdown_grace)
    }
}

impl SmtpConfig {
    /// The setting that makes mail impossible, and what it should be.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let host = self.host.as_deref()?;
        let is_this_machine = matches!(host, "localhost" | "127.0.0.1" | "::1");
        if self.tls == SmtpTls::None && !is_this_machine {
            return Some(("smtp.tls", "with none, smtp.host must be localhost, 127.0.0.1 or ::1"));
        }
        if self.username.is_some() != self.password.is_some() {
            return Some(("smtp", "it needs both username and password, or neither"));
        }
        match self.from.as_deref().map(str::parse::<lettre::message::Mailbox>) {
            Some(Ok(_)) => None,
            _ => Some((
                "smtp.from",
                "it must be an address, perhaps with a name: Connect <connect@example.com>",
            )),
        }
    }
}

impl LimitConfig {
    /// How long a request's header may take to arrive.
    pub fn header_timeout(&self) -> Duration {
        seconds(self.header_timeout)
    }

    /// How long a connection may stay open between two requests.
    pub fn idle_timeout(&self) -> Duration {
        seconds(self.idle_timeout)
    }

    /// How long a client may take to read a response.
    pub fn write_timeout(&self) -> Duration {
        seconds(self.write_timeout)
    }
}

/// At most a day: what is longer would be too long for the clock at some point.
fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(86_400))
}

/// An address, or a port, which is one of loopback.
fn on_loopback(address: String) -> String {
    if address.parse::<u16>().is_ok() { format!("127.0.0.1:{address}") } else { address }
}

fn metrics_address<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(Some(on_loopback(String::deserialize(value)?)))
}

fn optional_secret<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Some(String::deserialize(value)?.into()))
}

fn assign<T>(setting: &mut T, value: Result<T, &'static str>) -> Result<(), &'static str> {
    *setting = value?;
    Ok(())
}

fn number<T: FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| "it must be a whole number")
}

fn whole_seconds(value: &str) -> Result<u64, &'static str> {
    number::<u32>(value).map(u64::from)
}

/// The variable whose name is most like one that there is not; both without their beginning, which all share.
fn closest_variable(setting: &str) -> &'static str {
    if setting.starts_with("APP") {
        return APP_VARIABLES;
    }
    let names = VARIABLES.iter().map(|(name, _)| *name).chain(COMMAND_LINE_VARIABLES);
    let likeness = |name: &&str| strsim::sorensen_dice(&name[PREFIX.len()..], setting);
    names.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).unwrap_or(COMMAND_LINE_VARIABLES[0])
}

/// Whether an orchestrator made this variable: Kubernetes gives each container some for each service of its namespace
/// (`enableServiceLinks`), and Docker for each link. Those of a service called `connect`, `connect-service` or
/// `connect-db` begin like settings. Their values have forms of their own, which `CONNECT_LISTEN_PORT=8080` has not.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_address = |value: &str| value.parse::<IpAddr>().is_ok();
    let is_port = |value: &str| value.parse::<u16>().is_ok();
    let is_protocol = |value: &str| matches!(value, "tcp" | "udp" | "sctp");
    // tcp://10.0.0.1:80
    let is_endpoint = |value: &str| {
        let parts = value.split_once("://");
        parts.is_some_and(|(protocol, socket)| is_protocol(protocol) && socket.parse::<SocketAddr>().is_ok())
    };
    // …_PORT_80_TCP
    let is_named_port = |name: &str| {
        let mut words = name.rsplit('_');
        let protocol = words.next().is_some_and(|word| is_protocol(&word.to_ascii_lowercase()));
        protocol && words.next().is_some_and(is_port) && words.next() == Some("PORT")
    };
    let is_member = |end: &str, fits: &dyn Fn(&str) -> bool| {
        name.strip_suffix(end).is_some_and(is_named_port) && fits(value)
    };
    let service_port =
        name.rsplit_once("_SERVICE_PORT").map(|(_, rest)| rest.is_empty() || rest.starts_with('_'));
    (name.ends_with("_SERVICE_HOST") && is_address(value))
        || (service_port == Some(true) && is_port(value))
        || (name.ends_with("_PORT") && is_endpoint(value))
        || is_member("", &is_endpoint)
        || is_member("_PROTO", &is_protocol)
        || is_member("_PORT", &is_port)
        || is_member("_ADDR", &is_address)
}

/// What the environment says about one app.
#[derive(Default)]
struct Client {
    id: Option<String>,
    secret: Option<SecretString>,
}

/// What is said of a value of the wrong kind, without the value: it might be a secret that lacks its quotation marks.
fn without_values(message: &str) -> String {
    let is_about_a_value = ["invalid type", "invalid value", "invalid length", "unknown variant"]
        .iter()
        .any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if is_about_a_value => format!("wrong value, expected {expected}"),
        _ if is_about_a_value => "wrong value".to_owned(),
        // Addresses quote what they could not read at the end.
        _ => message.split(": \"").next().unwrap_or_default().to_owned(),
    }
}

/// Who listens at all addresses of a machine can be reached there at the loopback one.
fn reachable(address: &str) -> String {
    match address.parse::<SocketAddr>() {
        Ok(SocketAddr::V4(v4)) if v4.ip().is_unspecified() => format!("127.0.0.1:{}", v4.port()),
        Ok(SocketAddr::V6(v6)) if v6.ip().is_unspecified() => format!("[::1]:{}", v6.port()),
        _ => address.to_owned(),
    }
}

/// Values with commas between them.
fn list(value: &str) -> Vec<String> {
    let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
    values.map(str::to_owned).collect()
}

/// `name=value,name=value`.
fn header_list(value: &str) -> Result<BTreeMap<String, SecretString>, &'static str> {
    let pairs = list(value).into_iter().map(|pair| {
        let (name, value) = pair.split_once('=').ok_or("it must look like name=value,name=value")?;
        Ok((name.trim().to_owned(), SecretString::from(value.trim())))
    });
    pairs.collect()
}

/// `GOOGLE_SHEETS` stands for `google-sheets`.
fn id_of(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operators' page shows every setting with its default; only the app is an addition.
    #[test]
    fn the_operators_page_is_right() {
        let page = include_str!("../../docs/operators.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        let mut config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.apps.len(), 1);
        config.check().unwrap();

        config.apps.clear();
        assert_eq!(config.public_url.take().unwrap().as_str(), "http://127.0.0.1:8080/");
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
        assert_eq!(config.database_url.expose_secret(), Config::default().database_url.expose_secret());
        for optional in [
            "metrics_listen",
            "endpoint",
            "headers",
            "key_command",
            "catalogue_dir",
            "max_connections",
            "provider_ca_file",
            "scopes",
            "allowed_scopes",
            "authorization_url",
            "token_url",
            "revocation_url",
            "params",
            "sandbox",
            "keep_alive",
            "host",
            "username",
            "password",
            "from",
        ] {
            assert!(text.contains(&format!("# {optional} = ")), "{optional}");
        }
    }

    #[test]
    fn unknown_variables_are_refused_with_the_closest() {
        for (name, value, closest) in [
            ("CONNECT_LISTN", "canary", "CONNECT_LISTEN"),
            ("CONNECT_LISTEN_PORT", "8080", "CONNECT_LISTEN"),
            ("CONNECT_SERVICE_LISTEN", "canary", "CONNECT_LISTEN"),
            ("CONNECT_BUDGET_TOKEN", "canary", "CONNECT_BUDGETS_TOKEN"),
            ("CONNECT_DATABASE", "canary", "CONNECT_DATABASE_URL"),
            ("CONNECT_LONG_POLL", "canary", "CONNECT_MAX_LONG_POLL"),
            ("CONNECT_CONFIG_FILE", "canary", "CONNECT_CONFIG"),
            ("CONNECT_APP_GMAIL_CLIENTID", "canary", "CONNECT_APP_<APP>_CLIENT_ID"),
            ("CONNECT_APPS_GMAIL_CLIENT_SECRET", "canary", "CONNECT_APP_<APP>_CLIENT_SECRET"),
            ("CONNECT_", "canary", "CONNECT_"),
        ] {
            let error = Config::load(None, [(name.to_owned(), value.to_owned())]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is no setting")), "{error}");
            assert!(error.contains(closest) && !error.contains(value), "{error}");
        }
        for name in ["CONNECT_CONFIG", "CONNECTION", "connect_listn"] {
            assert!(Config::load(None, [(name.to_owned(), "x".to_owned())]).is_ok(), "{name}");
        }
    }

    /// What Kubernetes sets for services called `connect`, `connect-service` and `connect-listen`, and nothing else.
    #[test]
    fn variables_that_orchestrators_make_are_ignored() {
        for name in ["CONNECT", "CONNECT_SERVICE", "CONNECT_LISTEN"] {
            for (end, value) in [
                ("_SERVICE_HOST", "10.0.0.1"),
                ("_SERVICE_HOST", "fd00::1"),
                ("_SERVICE_PORT", "80"),
                ("_SERVICE_PORT_HTTP", "80"),
                ("_PORT", "tcp://10.0.0.1:80"),
                ("_PORT_80_TCP", "tcp://[fd00::1]:80"),
                ("_PORT_53_UDP", "udp://10.0.0.1:53"),
                ("_PORT_80_TCP_PROTO", "tcp"),
                ("_PORT_80_TCP_PORT", "80"),
                ("_PORT_80_TCP_ADDR", "10.0.0.1"),
            ] {
                let name = format!("{name}{end}");
                for (value, ignored) in
                    [(value, true), ("https://10.0.0.1:80", false), ("x", false), ("", false)]
                {
                    let loaded = Config::load(None, [(name.clone(), value.to_owned())]);
                    assert_eq!(loaded.is_ok(), ignored, "{name}={value}");
                }
            }
        }
    }

    /// Each name of the table is one that the operators' page tells.
    #[test]
    fn the_operators_page_tells_every_variable() {
        let page = include_str!("../../docs/operators.md");
        for (name, _) in VARIABLES {
            assert!(name.starts_with(PREFIX) && page.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn no_value_of_the_file_stands_in_an_error() {
        let folder = std::env::temp_dir().join(format!("config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("connect.toml");
        for (line, expected) in [
            ("[apps.gmail]\nclient_secret = 123456789", "expected a string"),
            ("[apps.gmail]\nclient_secret = 1234567.89", "expected a string"),
            ("[apps.gmail]\nclient_secret = [123456789]", "expected a string"),
            ("[apps.gmail]\nscopes = \"123456789\"", "expected a sequence"),
            ("database_url = 123456789", "expected a string"),
            ("max_long_poll = \"123456789\"", "expected u64"),
            ("public_url = \"123456789\"", "relative URL without a base"),
            ("[budgets]\ntoken = 123456789123456789", "expected u32"),
            ("client_secret = 123456789", "unknown field `client_secret`"),
        ] {
            std::fs::write(&path, line).unwrap();
            let error = Config::load(Some(&path), []).unwrap_err().to_string();
            let line_at = line.matches('\n').count() + 1;
            assert!(!error.contains("1234567") && error.contains(expected), "{line}: {error}");
            assert!(error.contains(&format!("line {line_at}")), "{line}: {error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_public_address_can_be_reached() {
        let config = |listen: &str| Config { listen: listen.into(), ..Config::default() };
        for (listen, public_url) in [
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("0.0.0.0:8080", Some("http://127.0.0.1:8080")),
            ("[::]:8080", Some("http://[::1]:8080")),
            ("localhost:80", Some("http://localhost:80")),
            ("127.0.0.1:0", None),
            ("0.0.0.0:0", None),
        ] {
            let known = config(listen).known_public_url();
            assert_eq!(known.as_deref(), public_url, "{listen}");
        }
        let public_url = "https://connect.example.com/".parse().ok();
        let behind_a_proxy = Config { public_url, ..config("127.0.0.1:0") };
        assert_eq!(behind_a_proxy.known_public_url().unwrap(), "https://connect.example.com");
    }

    #[test]
    fn a_client_needs_both_halves() {
        let variable = |name: &str| (name.to_owned(), "x".to_owned());
        let load = |names: &[&str]| Config::load(None, names.iter().map(|name| variable(name)));
        let (id, secret) = ("CONNECT_APP_GMAIL_CLIENT_ID", "CONNECT_APP_GMAIL_CLIENT_SECRET");
        assert!(load(&[id, secret]).is_ok());
        assert!(load(&[id]).is_err());
        assert!(load(&[secret]).is_err());
    }
}
