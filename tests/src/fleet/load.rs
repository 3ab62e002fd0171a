//! The callers: through nginx, each call followed by the next one.
//!
//! 88 % of the calls vend a token that is good and 2 % one that has expired, so that it is refreshed; together they are
//! the 90 % of vends. 5 % list connections and 5 % create links.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::figures::Figures;
use super::plan::Plan;
use super::tenants::{CUSTOMER, IMPORTED_APP, Tenant, Tenants};
use crate::nginx::Nginx;
use crate::workload::UnusedLink;
use crate::{Error, random};

/// nginx allows 50 requests a second and address. Each worker calls from so many addresses in turn.
const ADDRESSES_PER_WORKER: usize = 4;
const ADDRESSES_PER_NETWORK: usize = 250;
/// Longer than a refresh waits for the lease of a process that was killed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Vend,
    Refresh,
    List,
    Link,
}

/// How a call ended that did not do what it should.
enum Failure {
    /// The service is busy and asks to come again.
    Deferred,
    Other(String),
}

/// All callers.
pub(super) struct Load {
    tenants: Arc<Tenants>,
    base_url: String,
    clients: Vec<reqwest::Client>,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Vend => "vend",
            Kind::Refresh => "vend with refresh",
            Kind::List => "list",
            Kind::Link => "link",
        }
    }

    fn choose() -> Kind {
        match random::below(100) {
            0..2 => Kind::Refresh,
            2..7 => Kind::List,
            7..12 => Kind::Link,
            _ => Kind::Vend,
        }
    }
}

impl Load {
    /// The callers of a plan, none of which calls yet.
    pub(super) fn new(plan: &Plan, tenants: &Arc<Tenants>, nginx: &Nginx) -> Result<Load, Error> {
        let clients = (0..plan.in_flight * ADDRESSES_PER_WORKER).map(|number| {
            let network = u8::try_from(number / ADDRESSES_PER_NETWORK + 1)?;
            let host = u8::try_from(number % ADDRESSES_PER_NETWORK + 1)?;
            nginx.client(IpAddr::V4(Ipv4Addr::new(127, 0, network, host)))
        });
        let clients = clients.collect::<Result<_, _>>()?;
        Ok(Load { tenants: Arc::clone(tenants), base_url: nginx.base_url(), clients })
    }

    /// Lets all callers call until something has happened; returns what they saw, and how long that took.
    pub(super) async fn during(
        self: &Arc<Self>,
        event: impl Future<Output = Result<(), Error>>,
    ) -> Result<(Figures, Duration), Error> {
        let figures = Arc::new(Figures::default());
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        for clients in 0..self.clients.len() / ADDRESSES_PER_WORKER {
            let (load, figures, stopped) = (Arc::clone(self), Arc::clone(&figures), stopped.clone());
            workers.spawn(async move { load.work(clients, &figures, &stopped).await });
        }
        let started = Instant::now();
        let result = event.await;
        let took = started.elapsed();
        stop.send_replace(true);
        workers.join_all().await;
        result?;
        Ok((Arc::into_inner(figures).ok_or("a worker is left")?, took))
    }

    async fn work(&self, worker: usize, figures: &Figures, stopped: &watch::Receiver<bool>) {
        let first = worker * ADDRESSES_PER_WORKER;
        let clients = &self.clients[first..first + ADDRESSES_PER_WORKER];
        for client in clients.iter().cycle() {
            if *stopped.borrow() {
                return;
            }
            let kind = Kind::choose();
            let started = Instant::now();
            match self.call(kind, client).await {
                Ok(()) => figures.success(kind, started.elapsed()),
                Err(Failure::Deferred) => figures.deferred(),
                Err(Failure::Other(reason)) => figures.failure(kind, &reason),
            }
        }
    }

    async fn call(&self, kind: Kind, client: &reqwest::Client) -> Result<(), Failure> {
        let tenant = random::choose(&self.tenants.all);
        match kind {
            Kind::Vend => self.vend(client, tenant).await,
            Kind::Refresh => match self.tenants.take_expiring() {
                Some(expiring) => {
                    let tenant = &self.tenants.all[expiring.tenant];
                    let result = self.refresh(client, tenant, &expiring.connection).await;
                    self.tenants.put_back(expiring);
                    result
                }
                None => Err(Failure::Other("all connections that expire are being asked for".to_owned())),
            },
            Kind::List => self.list(client, tenant).await,
            Kind::Link => self.link(client, tenant).await,
        }
    }

    async fn vend(&self, client: &reqwest::Client, tenant: &Tenant) -> Result<(), Failure> {
        let token = self.token(client, tenant, &tenant.connection).await?;
        if token != tenant.token {
            return Err(Failure::Other("another connection's token".to_owned()));
        }
        Ok(())
    }

    async fn refresh(
        &self,
        client: &reqwest::Client,
        tenant: &Tenant,
        connection: &str,
    ) -> Result<(), Failure> {
        let token = self.token(client, tenant, connection).await?;
        tenant.workload.note_token(connection, &token).map_err(|error| Failure::Other(error.to_string()))
    }

    async fn token(
        &self,
        client: &reqwest::Client,
        tenant: &Tenant,
        connection: &str,
    ) -> Result<String, Failure> {
        let path = format!("/connections/{connection}/token");
        let data = data(self.request(client, tenant, Method::POST, &path)).await?;
        text(&data, "access_token")
    }

    async fn list(&self, client: &reqwest::Client, tenant: &Tenant) -> Result<(), Failure> {
        let data = data(self.request(client, tenant, Method::GET, "/connections")).await?;
        match data["total"].as_u64() {
            Some(1..) => Ok(()),
            _ => Err(Failure::Other("an empty list".to_owned())),
        }
    }

    async fn link(&self, client: &reqwest::Client, tenant: &Tenant) -> Result<(), Failure> {
        let request = self
            .request(client, tenant, Method::POST, "/connections/request-link")
            // As the SDKs do.
            .header("idempotency-key", random::text(32))
            .json(&json!({"app_id": IMPORTED_APP, "name": "Work", "expires_in": 86_400}));
        let data = data(request).await?;
        let link = UnusedLink {
            connection_id: text(&data, "connection_id")?,
            request_token: text(&data, "request_token")?,
            request_link: text(&data, "request_link")?,
        };
        tenant.workload.journal().links.push(link);
        Ok(())
    }

    fn request(
        &self,
        client: &reqwest::Client,
        tenant: &Tenant,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        client
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(&tenant.key)
            .header("x-user-email", CUSTOMER)
            .timeout(TIMEOUT)
    }
}

/// The data of the response.
async fn data(request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let no_response = |error: reqwest::Error| {
        Failure::Other(
            if error.is_timeout() { "no response in time" } else { "the connection broke" }.to_owned(),
        )
    };
    let response = request.send().await.map_err(no_response)?;
    let status = response.status().as_u16();
    let is_deferred = status == 503 && response.headers().contains_key("retry-after");
    let text = response.text().await.map_err(no_response)?;
    if is_deferred {
        return Err(Failure::Deferred);
    }
    let mut body: Value = serde_json::from_str(&text).unwrap_or_default();
    match status {
        200 => Ok(body["data"].take()),
        _ => Err(Failure::Other(format!("{status} {}", body["data"]["code"].as_str().unwrap_or_default()))),
    }
}

fn text(data: &Value, member: &str) -> Result<String, Failure> {
    data[member].as_str().map(str::to_owned).ok_or_else(|| Failure::Other(format!("no {member}")))
}
