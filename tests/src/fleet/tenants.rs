//! The tenants of one database, and what they have before the load begins.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::installation::Database;
use super::plan::Plan;
use crate::Error;
use crate::browser::plain_http;
use crate::provider::Provider;
use crate::service_process::Home;
use crate::workload::{Workload, customer};

/// The app of imported tokens, which live for as long as the load does.
pub(super) const IMPORTED_APP: &str = "imported";
/// The customer of each tenant.
pub(super) const CUSTOMER: &str = "alice@example.com";
const CAPABILITIES: &str = "apps,connections,token,import";
/// How many tenants have connections whose token expires.
const TENANTS_WITH_EXPIRING: usize = 20;
/// Calls at once while connections are made.
const CONCURRENT_CALLS: usize = 16;
const CONCURRENT_COMMANDS: usize = 4;
/// Keys that are inserted by one statement, and the digits in which they differ.
const PAGE: usize = 1000;
const DIGITS: usize = 8;

/// One tenant with one customer.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) key: String,
    pub(super) workload: Workload,
    /// A connection whose token is good, and the token.
    pub(super) connection: String,
    pub(super) token: String,
}

/// A connection whose token has expired when it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Expiring {
    pub(super) tenant: usize,
    pub(super) connection: String,
}

/// All tenants.
#[derive(Debug)]
pub(super) struct Tenants {
    pub(super) all: Vec<Tenant>,
    /// The one that was asked for longest ago comes first. One whose token is being asked for is not here.
    expiring: Mutex<VecDeque<Expiring>>,
}

/// The catalogue file of [`IMPORTED_APP`].
pub(super) fn imported_app(provider: &Provider) -> String {
    format!(
        "id = \"{IMPORTED_APP}\"\nname = \"Imported\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"main\"\n\
         type = \"o_auth\"\ntitle = \"Connect\"\n[auth.oauth]\nauthorization_url = \"{}\"\ntoken_url = \"{}\"\n",
        provider.authorization_url(),
        provider.token_url()
    )
}

impl Tenants {
    /// Makes `count` tenants, each with a connection, and those connections whose token expires.
    pub(super) async fn new(
        plan: &Plan,
        count: u32,
        home: &Home,
        database: &Database<'_>,
        provider: &Arc<Provider>,
    ) -> Result<Tenants, Error> {
        let service = home.start().await?;
        let keys = keys(count, home, database).await?;
        let http = plain_http().build()?;
        let base_url = service.base_url();
        let all: Vec<Tenant> = stream::iter(keys.into_iter().enumerate())
            .map(|(number, key)| import(&http, &base_url, number, key, provider))
            .buffered(CONCURRENT_CALLS)
            .try_collect()
            .await?;
        let with_expiring = all.len().min(TENANTS_WITH_EXPIRING);
        let mut expiring: Vec<Expiring> = stream::iter(all[..with_expiring].iter().enumerate())
            .map(|(tenant, made)| {
                let share = plan.expiring as usize / with_expiring + 1;
                connect(&base_url, tenant, made, share)
            })
            .buffer_unordered(CONCURRENT_CALLS)
            .try_concat()
            .await?;
        expiring.truncate(plan.expiring as usize);
        service.ask_to_end()?;
        service.ended().await?;
        Ok(Tenants { all, expiring: Mutex::new(expiring.into()) })
    }

    /// Takes the connection whose token was asked for longest ago.
    pub(super) fn take_expiring(&self) -> Option<Expiring> {
        self.expiring.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn put_back(&self, expiring: Expiring) {
        self.expiring.lock().unwrap_or_else(PoisonError::into_inner).push_back(expiring);
    }
}

/// The keys of new tenants. The command line makes the tenants and one key; the rows of the other keys are made of its
/// own, since twice as many commands would take minutes.
async fn keys(count: u32, home: &Home, database: &Database<'_>) -> Result<Vec<String>, Error> {
    let names: Vec<_> = (0..count).map(|number| format!("Tenant {number}")).collect();
    let tenants: Vec<String> = stream::iter(&names)
        .map(async |name| home.run(&["tenant", "create", name]).await)
        .buffered(CONCURRENT_COMMANDS)
        .try_collect()
        .await?;
    let (first, others) = tenants.split_first().ok_or("no tenants")?;
    let key = home.key(first, CAPABILITIES).await?;
    let stem = &key[..key.len() - DIGITS];
    let mut keys = vec![key.clone()];
    for (page, tenants) in others.chunks(PAGE).enumerate() {
        let mut rows = Vec::new();
        for (number, tenant) in tenants.iter().enumerate() {
            let number = format!("{:0DIGITS$}", page * PAGE + number);
            keys.push(format!("{stem}{number}"));
            rows.push(format!("('{tenant}', '{number}')"));
        }
        let insert = format!(
            "INSERT INTO keys SELECT (jsonb_populate_record(k, jsonb_build_object( \
             'id', 'key_' || n, 'family', 'key_' || n, 'tenant_id', tenant, \
             'digest', encode(sha256(('{stem}' || n)::bytea), 'hex')))).* \
             FROM keys k, (VALUES {}) AS new (tenant, n) WHERE k.tenant_id = '{first}'",
            rows.join(", ")
        );
        database.query(&insert).await?;
    }
    Ok(keys)
}

/// A tenant of this key with an imported token.
async fn import(
    http: &reqwest::Client,
    base_url: &str,
    number: usize,
    key: String,
    provider: &Arc<Provider>,
) -> Result<Tenant, Error> {
    let token = format!("imported-{number}");
    let body = json!({"app_id": IMPORTED_APP, "name": "Work", "access_token": token, "expires_in": 86_400});
    let response = http
        .post(format!("{base_url}/connections/import"))
        .bearer_auth(&key)
        .header("x-user-email", CUSTOMER)
        .json(&body)
        .send()
        .await?;
    let text = response.text().await?;
    let response: Value = serde_json::from_str(&text)?;
    let connection = response["data"]["id"].as_str();
    let connection = connection.ok_or_else(|| format!("an import failed: {text}"))?.to_owned();
    Ok(Tenant { key, workload: Workload::new(Arc::clone(provider)), connection, token })
}

/// Sends a customer of the tenant so often through the hosted page.
async fn connect(
    base_url: &str,
    number: usize,
    tenant: &Tenant,
    count: usize,
) -> Result<Vec<Expiring>, Error> {
    let customer = customer(base_url, &tenant.key, 0)?;
    for _ in 0..count {
        tenant.workload.connect(&customer).await?;
    }
    let connections = std::mem::take(&mut *tenant.workload.idle());
    Ok(connections.into_iter().map(|connection| Expiring { tenant: number, connection }).collect())
}
