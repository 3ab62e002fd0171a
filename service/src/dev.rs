//! `connect-service dev`: the whole platform on one machine, to develop and to test against.
//!
//! It is the service as it runs in production, with another configuration: the addresses of every OAuth app lead to a
//! provider of its own, at a second port. That port has the control API, too. Both listen on loopback alone, no real
//! provider is ever called, and neither database nor keys work with `serve`.
//!
//! ```text
//! product, browser ──▶ service ──▶ provider.rs  plays every OAuth app; remembers in ledger.rs; fails as presets.rs says
//!                          └────────▶ api.rs       plays the APIs behind them, for products as well; CRMs in crm.rs
//! ctl, tests, page ──▶ control.rs ──▶ provider.rs, the store; advance.rs moves the clock
//!                          └────────▶ customer.rs  plays a customer and their browser
//! ```

mod advance;
mod api;
pub mod command;
mod control;
pub mod crm;
mod customer;
mod ledger;
pub mod presets;
mod provider;
mod redeliver;
mod seed;

use std::convert::Infallible;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use axum::{Json, Router};
use clap::Args;
use http::StatusCode;
use http::header::HOST;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt;
use url::Url;

use self::control::Control;
use self::ledger::{Ledger, Place};
use self::presets::Cut;
use self::provider::Provider;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids;
use crate::server;
use crate::state::{AppState, Service, SetupError, open_store};
use crate::store::{Capability, Mode, Store};

/// The file of a folder that tells about the instance in it.
const STATE_FILE: &str = "dev.json";

/// The account of the tenant.
const OWNER: &str = "owner@example.com";

const LOOPBACK: &str = "127.0.0.1";

/// Longer than any command takes: playing a customer includes a call of the service to the provider.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(60);

/// How to start.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Keep everything in this folder. Default: a temporary one, deleted at the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Listen at this port. Default: that of the last time in this folder, else a free one.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Let the provider consent at once, without its page.
    #[arg(long)]
    pub auto: bool,
    /// Begin with some customers and their connections, in several states.
    #[arg(long)]
    pub seed: bool,
    /// End when standard input is closed: with whatever started it, however that ended.
    #[arg(long)]
    pub watch_stdin: bool,
}

/// A running instance.
pub struct Dev {
    service: AppState,
    provider: Arc<Provider>,
    serving: JoinHandle<()>,
    tenant_key: String,
    control_url: String,
    sign_in_link: String,
    folder: Folder,
}

impl Dev {
    /// Starts everything. Of the configuration, what is about addresses, the database, keys and OAuth clients is
    /// replaced.
    ///
    /// # Errors
    ///
    /// When the folder is in use or belongs to `serve`, the port is taken, or the configuration is unusable.
    pub async fn start(mut config: Config, options: &Options) -> Result<Self, SetupError> {
        let folder = Folder::open(options.dir.as_deref())?;
        let mut ledger = Ledger::open(folder.path.join(STATE_FILE))?;
        let last = ledger.saved.place.take();
        let listener = listen(options.port, last.as_ref().map(|last| last.port)).await?;
        let dev_listener = listen(0, last.as_ref().map(|last| last.control_port)).await?;
        let place = Place {
            port: listener.local_addr()?.port(),
            control_port: dev_listener.local_addr()?.port(),
            control_token: last.map_or_else(ids::secret, |last| last.control_token),
        };
        let token = place.control_token.clone();
        ledger.saved.place = Some(place);
        let address = listener.local_addr()?.to_string();
        let dev_address = dev_listener.local_addr()?.to_string();
        let dev_url = format!("http://{dev_address}");

        let mut catalogue = Catalogue::load(config.catalogue_dir.as_deref())?;
        catalogue.add("demo.toml", include_str!("dev/demo.toml"))?;
        let clock = Clock::default();
        clock.advance(Duration::from_millis(ledger.saved.ahead.try_into().unwrap_or_default()));
        let service_url = format!("http://{address}");
        let provider = Provider::new(&catalogue, &dev_url, &service_url, options.auto, clock.clone(), ledger);

        catalogue.redirect_calls(&format!("{dev_url}{}", api::PREFIX));

        config.listen.clone_from(&address);
        config.public_url = None;
        config.database_url = sqlite_url(&folder.path.join("connect.db"))?.into();
        config.key_file = folder.path.join("connect.key");
        config.encryption_key = None;
        config.key_command = None;
        config.root_keys.clear();
        // For the provider on loopback. What customers enter is checked as ever.
        config.allow_private_networks = true;
        config.drain = 0;
        config.apps = provider.oauth_clients();
        let store = open_store(&config, Mode::Test, clock.clone()).await?;
        let control_url = format!("{dev_url}/control/{token}");
        let tenant_key = tenant_key(&store, &provider, &control_url).await?;
        let api = api::routes(&dev_url, catalogue.clone(), provider.clone());
        let service = Service::with_catalogue(config, catalogue, store, clock, &address)?;

        let control = Arc::new(Control {
            service: service.clone(),
            provider: provider.clone(),
            presets: presets::load()?,
            http: http_client()?,
            token,
        });
        let router = provider::routes(provider.clone())
            .merge(control::routes(control.clone()))
            .merge(api)
            .layer(middleware::from_fn_with_state(dev_address, only_own_host));
        tokio::spawn(serve(dev_listener, router));
        let serving = tokio::spawn(server::serve(service.clone(), listener));
        if options.seed {
            seed::seed(&control, &tenant_key).await?;
        }
        let sign_in_link = control::sign_in_link(&service, OWNER).await?;
        Ok(Self { service, provider, serving, tenant_key, control_url, sign_in_link, folder })
    }

    /// The service, to end it by.
    pub fn service(&self) -> &AppState {
        &self.service
    }

    /// What a shell needs to use the instance. The only place where its secrets are shown.
    pub fn exports(&self) -> String {
        let end = match self.folder.is_temporary {
            true => "Ctrl-C ends it and deletes everything.".to_owned(),
            false => format!("Ctrl-C ends it; everything is kept in {}.", self.folder.path.display()),
        };
        format!(
            "export PC_TENANT_KEY={}\nexport PC_BASE_URL={}\nexport PC_DEV_URL={}\n\
             # The dashboard: {} (works once, within 10 minutes; \
             `connect-service dev ctl sign-in {OWNER}` makes another)\n\
             # Ready. PC_DEV_URL is the control page, and what `connect-service dev ctl` needs. The key can do \
             everything; `connect-service dev ctl key --capabilities apps,connections,token` makes one that cannot. {end}",
            self.tenant_key,
            self.service.base_url(),
            self.control_url,
            self.sign_in_link
        )
    }

    /// Waits until the service has ended, and deletes what is temporary.
    ///
    /// # Errors
    ///
    /// When the service panicked.
    pub async fn ended(self) -> Result<(), SetupError> {
        self.serving.await?;
        let mut ledger = self.provider.ledger();
        ledger.saved.control_url = None;
        ledger.save()?;
        Ok(())
    }
}

/// Listens at the port that is asked for, else at the one of the last time if it is free, else at any.
async fn listen(asked: u16, last: Option<u16>) -> std::io::Result<TcpListener> {
    if asked == 0
        && let Some(last) = last
        && let Ok(listener) = TcpListener::bind((LOOPBACK, last)).await
    {
        return Ok(listener);
    }
    TcpListener::bind((LOOPBACK, asked)).await
}

/// The tenant's key: of the folder, or of a new tenant. Notes it and the control address there.
async fn tenant_key(store: &Store, provider: &Provider, control_url: &str) -> Result<String, SetupError> {
    let kept = provider.ledger().saved.tenant_key.clone();
    let key = match kept {
        Some(key) => key,
        None => {
            let tenant = match store.tenants().await?.into_iter().next() {
                Some(tenant) => tenant.id,
                None => store.create_tenant("Example", Some(OWNER)).await?,
            };
            let key = store.create_key(&tenant, &Capability::ALL).await?;
            key.ok_or("the tenant is gone")?
        }
    };
    let mut ledger = provider.ledger();
    ledger.saved.tenant_key = Some(key.clone());
    ledger.saved.control_url = Some(control_url.to_owned());
    ledger.save()?;
    Ok(key)
}

/// The address of the instance that runs in a folder, for `ctl`.
///
/// # Errors
///
/// When none does.
pub fn control_url_of(dir: &Path) -> Result<String, SetupError> {
    let path = dir.join(STATE_FILE);
    let none = || format!("no `connect-service dev` runs in {}", dir.display());
    if !path.exists() {
        return Err(none().into());
    }
    let url = Ledger::open(path)?.saved.control_url;
    Ok(url.ok_or_else(none)?)
}

/// Sends a command to the instance at `control_url`; gives its result as JSON.
///
/// # Errors
///
/// When there is none, or it did not carry the command out.
pub async fn control(control_url: &str, command: &command::Command) -> Result<serde_json::Value, SetupError> {
    let url: Url = control_url.parse().map_err(|_| "the control address is no address")?;
    let request = http_client()?
        .post(url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_string(command)?);
    // The address is a secret, and stands in the errors' own text.
    let response = request.send().await.map_err(|error| match error.is_connect() {
        true => SetupError::from("nothing listens there: does `connect-service dev` still run?"),
        false => error.without_url().into(),
    })?;
    let is_success = response.status().is_success();
    let body = response.bytes().await.map_err(|error| error.without_url())?;
    let result: serde_json::Value =
        serde_json::from_slice(&body).map_err(|_| "what runs there is no `connect-service dev`")?;
    if is_success {
        return Ok(result);
    }
    let message = result["error"].as_str().unwrap_or("the command failed");
    Err(message.to_owned().into())
}

/// For loopback: without TLS, proxies and redirects.
fn http_client() -> Result<reqwest::Client, SetupError> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CONTROL_TIMEOUT)
        .no_proxy();
    Ok(client.build()?)
}

/// Serves the provider and the control API for as long as the process lives.
async fn serve(mut listener: TcpListener, router: Router) {
    loop {
        let (stream, _) = Listener::accept(&mut listener).await;
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(router.clone(), request));
            let mut http = http1::Builder::new();
            // What fails is the connection, sometimes on purpose: there is nobody to be told.
            let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An error closes the connection without a response.
async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<Response, std::io::Error> {
    let response: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
    match response {
        Ok(response) if response.extensions().get::<Cut>().is_some() => {
            Err(std::io::Error::other("closed on purpose"))
        }
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

/// A web page must not reach this under a name of its own (DNS rebinding).
async fn only_own_host(State(address): State<String>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let by_name = address.replace("127.0.0.1", "localhost");
    if host.is_some_and(|host| host == address || host == by_name) {
        return next.run(request).await;
    }
    let body = Json(json!({"error": "The Host is not this machine"}));
    (StatusCode::FORBIDDEN, body).into_response()
}

/// Characters that mean something else in an address are escaped.
fn sqlite_url(path: &Path) -> Result<String, SetupError> {
    let path = path.to_str().ok_or("the folder's name is not UTF-8")?;
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{path}"))
}

/// Where one instance, and no other at the same time, keeps everything.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
    _lock: File,
}

impl Folder {
    fn open(dir: Option<&Path>) -> Result<Self, SetupError> {
        let path = match dir {
            Some(dir) => dir.to_owned(),
            None => std::env::temp_dir().join(format!("connect-dev-{}", ids::random(16))),
        };
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(dir.is_some());
        builder.create(&path).map_err(|error| failed(&error))?;
        let path = path.canonicalize().map_err(|error| failed(&error))?;
        let lock = File::open(&path).map_err(|error| failed(&error))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| failed(&"another `connect-service dev` runs in this folder"))?;
        Ok(Self { path, is_temporary: dir.is_none(), _lock: lock })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "the temporary folder is left behind");
        }
    }
}
