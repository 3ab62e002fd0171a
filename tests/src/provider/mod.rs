//! A small OAuth provider with an API behind it, for the demo and the end-to-end tests.
//!
//! It is strict where real providers are strict: PKCE is required, a code works once, the redirect address must be
//! the same in both steps, refresh tokens rotate, and a used refresh token that comes back ends the whole grant.
//! It can also be told to misbehave ([`Mode`]), and it counts what it saw ([`Provider::counts`]).

mod answers;
mod endpoints;
mod grants;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use answers::Mode;
pub use grants::{Counts, Refresh, Reuse};

use grants::Ledger;

/// How a [`Provider`] is to behave from the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The client id that it knows.
    pub client_id: String,
    /// The secret of that client.
    pub client_secret: String,
    /// How long an access token lives; told to the client in whole seconds.
    pub lifetime: Duration,
    /// What happens when a used refresh token comes back.
    pub reuse: Reuse,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            client_id: "local-client".into(),
            client_secret: "local-client-secret-3f9ad1".into(),
            lifetime: Duration::from_secs(3600),
            reuse: Reuse::EndsGrant,
        }
    }
}

/// A running provider on a free port of the loopback address; it ends when this is dropped.
#[derive(Debug)]
pub struct Provider {
    url: String,
    options: Options,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

/// What the endpoints and the handle share.
#[derive(Debug)]
struct Shared {
    options: Options,
    ledger: Mutex<Ledger>,
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// Starts a provider.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(options: Options) -> io::Result<Provider> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let ledger = Mutex::new(Ledger::new(&options));
        let shared = Arc::new(Shared { options: options.clone(), ledger });
        let router = endpoints::router(shared.clone());
        let server = tokio::spawn(async move {
            // Only an I/O error of the listener ends this; the next request then shows it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Provider { url, options, shared, server })
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where a customer is sent to consent.
    pub fn authorization_url(&self) -> String {
        format!("{}/authorize", self.url)
    }

    /// Where codes and refresh tokens are exchanged.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.url)
    }

    /// The API that takes the access tokens.
    pub fn api_url(&self) -> String {
        format!("{}/api/me", self.url)
    }

    /// What it was started with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets how long access tokens live that are issued from now on.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.shared.ledger().lifetime = lifetime;
    }

    /// Sets how the token endpoint answers from now on.
    pub fn set_mode(&self, mode: Mode) {
        self.shared.ledger().mode = mode;
    }

    /// Ends every grant, as an account's security page would: no token of theirs works any more.
    pub fn revoke_all(&self) {
        self.shared.ledger().revoke_all();
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.shared.ledger().counts
    }

    /// Every refresh that was asked for, in order.
    pub fn refreshes(&self) -> Vec<Refresh> {
        self.refreshes_after(0)
    }

    /// Every refresh that was asked for after the first `seen`, in order.
    pub fn refreshes_after(&self, seen: usize) -> Vec<Refresh> {
        self.shared.ledger().refreshes[seen..].to_vec()
    }

    /// The number of refreshes that were asked for.
    pub fn refreshes_seen(&self) -> usize {
        self.shared.ledger().refreshes.len()
    }

    /// The grant and generation of an access token that it issued: 0 came from the code, 1 from the first refresh.
    pub fn generation(&self, access_token: &str) -> Option<(u64, u32)> {
        self.shared.ledger().generation(access_token)
    }

    /// Everything secret that ever went through it: codes, PKCE verifiers, tokens, the client's secret.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.ledger().secrets.clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}
