//! A product at work, and the journal of what the service acknowledged to it.
//!
//! Tests that disturb the service run this meanwhile. Afterwards they compare the journal with what the service still
//! knows: nothing that was acknowledged may be missing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use pabbly_connect::{Client, ConnectionStatus, Customer, ExposeSecret as _, RequestLink};

use crate::browser::{Browser, plain_http};
use crate::provider::{Provider, Refresh};
use crate::{Error, random};

/// The OAuth app whose provider the local one stands in for.
const APP: &str = "gmail";
/// How long links live: until any test ends. An expired link would look like a lost one.
const LINK_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Comparisons that run at once.
const CONCURRENT_CHECKS: usize = 16;

/// A link that nobody uses.
#[derive(Debug, Clone)]
pub struct UnusedLink {
    /// The connection that it would make.
    pub connection_id: String,
    /// The token of its public status.
    pub request_token: String,
    /// The address of its page.
    pub request_link: String,
}

/// What the service acknowledged.
#[derive(Debug, Default)]
pub struct Journal {
    /// Links that nobody uses.
    pub links: Vec<UnusedLink>,
    /// Connections that became active.
    pub connections: Vec<String>,
    /// The latest token of each connection that a caller received.
    pub tokens: HashMap<String, Rotation>,
}

/// A token that reached its caller.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The provider's number of the grant.
    pub grant: u64,
    /// How often the grant was refreshed: 0 is the token that came with the code.
    pub generation: u32,
    /// How many refreshes the provider had seen by then.
    pub seen: usize,
}

/// What a product does for one customer. Its parts may run side by side.
#[derive(Debug)]
pub struct Workload {
    provider: Arc<Provider>,
    journal: Mutex<Journal>,
    /// Connections whose token nobody is asking for.
    idle: Mutex<Vec<String>>,
}

impl Workload {
    /// A workload with an empty journal, for an installation whose Gmail is this provider.
    pub fn new(provider: Arc<Provider>) -> Workload {
        Workload { provider, journal: Mutex::default(), idle: Mutex::default() }
    }

    /// The journal so far.
    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    /// The connections whose token nobody is asking for.
    pub fn idle(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.idle)
    }

    /// Takes one of the idle connections at random.
    pub fn take_idle(&self) -> Option<String> {
        let mut idle = self.idle();
        let chosen = usize::try_from(random::below(idle.len() as u64)).ok()?;
        (!idle.is_empty()).then(|| idle.swap_remove(chosen))
    }

    /// Creates a link that nobody uses.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_link(&self, customer: &Customer) -> Result<(), Error> {
        let link = new_link(customer).await?;
        self.journal().links.push(link.into());
        Ok(())
    }

    /// Creates a link and sends the customer through it, until the connection is active and idle.
    ///
    /// # Errors
    /// When a call or a page fails.
    pub async fn connect(&self, customer: &Customer) -> Result<(), Error> {
        let link = new_link(customer).await?;
        let browser = Browser::new()?;
        let hosted = browser.open(&link.request_link).await?;
        let consent = browser.press(&hosted, "Continue", &[]).await?;
        let page = browser.press(&consent, "Allow", &[]).await?;
        if page.status != 200 {
            return Err(format!("approved, then a page with status {}", page.status).into());
        }
        let connection = customer.get_connection(&link.connection_id).await?;
        if connection.status != ConnectionStatus::Active {
            return Err(format!("approved, yet {:?}", connection.status).into());
        }
        self.journal().connections.push(connection.id.clone());
        self.idle().push(connection.id);
        Ok(())
    }

    /// Asks for the token of a connection that was taken from the idle ones. It is not put back.
    ///
    /// # Errors
    /// When the call fails, or the token is none of the provider's.
    pub async fn get_token(&self, customer: &Customer, id: &str) -> Result<(), Error> {
        let token = customer.get_token(id).await?;
        let token = token.access_token.ok_or("no access token")?;
        self.note_token(id, token.expose_secret())
    }

    /// Notes the token that a caller received for a connection.
    ///
    /// # Errors
    /// When the token is none of the provider's.
    pub fn note_token(&self, id: &str, token: &str) -> Result<(), Error> {
        let seen = self.provider.refreshes_seen();
        let (grant, generation) = self.provider.generation(token).ok_or("nobody issued this token")?;
        let rotation = Rotation { grant, generation, seen };
        self.journal().tokens.insert(id.to_owned(), rotation);
        Ok(())
    }
}

/// A customer of a client that tries a 503 again so often.
///
/// # Errors
/// When the key or the base URL is none.
pub fn customer(url: &str, key: &str, retries: u32) -> Result<Customer, Error> {
    let client = Client::builder().api_key(key).base_url(url).max_retries(retries);
    Ok(client.build()?.customer("alice@example.com")?)
}

impl From<RequestLink> for UnusedLink {
    fn from(link: RequestLink) -> UnusedLink {
        UnusedLink {
            connection_id: link.connection_id,
            request_token: link.request_token.expose_secret().to_owned(),
            request_link: link.request_link,
        }
    }
}

/// Creates a link that does not expire while a test runs.
///
/// # Errors
/// When the call fails.
pub async fn new_link(customer: &Customer) -> Result<RequestLink, pabbly_connect::Error> {
    customer.create_request_link(APP, "Work Gmail").expires_in(LINK_LIFETIME).await
}

impl Journal {
    /// Adds what another journal of the same customer has.
    pub fn extend(&mut self, other: &Journal) {
        self.links.extend(other.links.iter().cloned());
        self.connections.extend(other.connections.iter().cloned());
        self.tokens.extend(other.tokens.iter().map(|(id, rotation)| (id.clone(), *rotation)));
    }

    /// How many of the tokens were refreshed.
    pub fn rotated(&self) -> usize {
        self.tokens.values().filter(|token| token.generation > 0).count()
    }

    /// What the journal has and the service at this base URL does not, one line each.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn losses(
        &self,
        customer: &Customer,
        base_url: &str,
        provider: &Provider,
    ) -> Result<Vec<String>, Error> {
        let http = plain_http().build()?;
        let mut losses = Vec::new();
        let links = self.links.iter().map(async |link| {
            let checked = check_link(customer, &http, base_url, link).await;
            checked.err().map(|error| format!("link {}: {error}", link.connection_id))
        });
        losses.extend(run(links).await);
        let connections = self.connections.iter().map(async |id| {
            let checked = check_connection(customer, id).await;
            checked.err().map(|error| format!("connection {id}: {error}"))
        });
        losses.extend(run(connections).await);
        let tokens = self.tokens.iter().map(async |(id, rotation)| {
            let checked = check_rotation(customer, provider, id, *rotation).await;
            checked.err().map(|error| format!("token of {id}: {error}"))
        });
        losses.extend(run(tokens).await);
        Ok(losses)
    }
}

/// Runs the comparisons, some at once, and returns what is lost.
async fn run(checks: impl Iterator<Item = impl Future<Output = Option<String>>>) -> Vec<String> {
    let checks = stream::iter(checks).buffer_unordered(CONCURRENT_CHECKS);
    checks.filter_map(async |loss| loss).collect().await
}

/// A link that nobody used still opens, and its token still reads its status.
async fn check_link(
    customer: &Customer,
    http: &reqwest::Client,
    base_url: &str,
    link: &UnusedLink,
) -> Result<(), Error> {
    let id = &link.connection_id;
    let connection = customer.get_connection(id).await?;
    if connection.status != ConnectionStatus::Pending {
        return Err(format!("{:?}", connection.status).into());
    }
    let status = http
        .get(format!("{base_url}/connections/{id}/status"))
        .header("x-request-token", &link.request_token)
        .send()
        .await?
        .status()
        .as_u16();
    let page = Browser::new()?.open(&link.request_link).await?.status;
    if (status, page) != (200, 200) {
        return Err(format!("status {status}, page {page}").into());
    }
    Ok(())
}

async fn check_connection(customer: &Customer, id: &str) -> Result<(), Error> {
    let connection = customer.get_connection(id).await?;
    if connection.status != ConnectionStatus::Active {
        return Err(format!("{:?}", connection.status).into());
    }
    Ok(())
}

/// The service can still refresh, and since the acknowledgement it never came back with an older refresh token.
async fn check_rotation(
    customer: &Customer,
    provider: &Provider,
    id: &str,
    acknowledged: Rotation,
) -> Result<(), Error> {
    let token = customer.get_token(id).await?;
    let token = token.access_token.ok_or("no access token")?;
    let vended = provider.generation(token.expose_secret()).ok_or("a token nobody issued")?;
    if vended < (acknowledged.grant, acknowledged.generation) {
        return Err(format!(
            "generation {} was acknowledged, {} is vended",
            acknowledged.generation, vended.1
        )
        .into());
    }
    let older = |refresh: &&Refresh| {
        refresh.grant == acknowledged.grant && refresh.presented < acknowledged.generation
    };
    match provider.refreshes_after(acknowledged.seen).iter().find(older) {
        Some(Refresh { presented, .. }) => {
            Err(format!("generation {} was saved, {presented} came back", acknowledged.generation).into())
        }
        None => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
