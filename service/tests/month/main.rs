//! A month of simulated time: connections of many kinds are used, fail, and end. Each ends for its own reason or not at
//! all, its provider is left alone as it has to be, and the tables stop growing. The result is printed:
//! `cargo test --test month -- --nocapture`. There are 100 connections, or as many as `MONTH_CONNECTIONS` says.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod behaviour;
#[path = "../fixture_support/mod.rs"]
mod fixture_support;
mod provider;
mod report;
#[path = "../webhook_support/mod.rs"]
mod webhook_support;

use std::collections::BTreeMap;
use std::time::Duration;

use connect_service::clock::Millis;
use connect_service::config::Config;
use connect_service::oauth::OAuthClient;
use connect_service::store::{GrantOutcome, Tokens};
use connect_service::vending::keep_alive_once;
use connect_service::{announcements, revocation};
use fixture_support::{Platform, Visit, support, text};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use webhook_support::{Receiver, Reply, deliver, register};

use behaviour::{BEHAVIOURS, Behaviour, Calls, DAYS, TICKS};
use provider::{LIFETIME, Provider};
use report::{KindReport, Report};

const DAY: Millis = 24 * 60 * 60 * 1000;
const TICK: Duration = Duration::from_secs(24 * 60 * 60 / TICKS as u64);
/// After this, whoever waits because of others may ask.
const MINUTE: Duration = Duration::from_secs(61);
const LAST_TICK: u32 = DAYS * TICKS;
/// The afternoons after three and after four weeks: half a day away from all that expires.
const THIRD_WEEK: u32 = 21 * TICKS + 2;
const FOURTH_WEEK: u32 = 28 * TICKS + 2;
/// When an endpoint is added that refuses all events, so that some wait for it at the end.
const REFUSING: u32 = 27 * TICKS;

/// What is written each day, and has to go again: for as long as it is kept there is some of it. What is kept for less
/// than a day is there in between only.
const FILLED: [&str; 9] = [
    "admin_links",
    "answers",
    "connections",
    "events",
    "links",
    "oauth_clients",
    "vendings",
    "webhook_attempts",
    "webhook_deliveries",
];
/// Of these, what is kept for longer than four weeks: 30 days, or the audit of vending for 90.
const KEPT: [&str; 4] = ["events", "vendings", "webhook_attempts", "webhook_deliveries"];
/// What is kept for less than a quarter of a day, and so is not there in the afternoon.
const GONE: [&str; 3] = ["authorizations", "revocations", "unconfirmed"];
/// Every change that somebody made, for ever, and the endpoint that is added in the last week.
const MAY_GROW: [&str; 2] = ["audit", "webhooks"];

/// A connection, and what the backend got when it asked for its token: how often each status.
struct Connection {
    behaviour: &'static Behaviour,
    account: usize,
    id: String,
    customer: String,
    statuses: BTreeMap<u16, u32>,
}

struct Month {
    platform: Platform,
    provider: Provider,
    /// Where events are sent; the second one refuses them.
    endpoints: [Receiver; 2],
    connections: Vec<Connection>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_fares_as_it_must() {
    let size = std::env::var("MONTH_CONNECTIONS").map_or(100, |size| size.parse().unwrap());
    let mut month = Month::begin(size).await;
    let mut report = Report::default();
    for tick in 1..=LAST_TICK {
        month.tick(tick).await;
        match tick {
            THIRD_WEEK => report.third_week = month.rows().await,
            FOURTH_WEEK => report.fourth_week = month.rows().await,
            _ => {}
        }
    }
    for behaviour in &BEHAVIOURS {
        report.kinds.push(month.fares(behaviour).await);
    }
    println!("{report}");

    let mut wrong = month.provider.complaints();
    wrong.extend(report.kinds.into_iter().flat_map(|kind| kind.wrong));
    for (table, rows) in &report.fourth_week {
        if !KEPT.contains(&table.as_ref())
            && !MAY_GROW.contains(&table.as_ref())
            && *rows != report.third_week[table]
        {
            wrong.push(format!("{table} has {rows} rows after four weeks"));
        }
    }
    for table in GONE {
        if report.fourth_week[table] != 0 {
            wrong.push(format!("{table} has {} rows of the morning", report.fourth_week[table]));
        }
    }
    for table in FILLED {
        if report.fourth_week[table] == 0 {
            wrong.push(format!("nothing is written into {table}, so nobody sees whether it is cleaned"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The clean-up itself tells of links that ran out meanwhile: those events go with a later one.
    for days in [90, 31] {
        month.platform.clock.advance(Duration::from_millis(days * DAY as u64));
        month.platform.app.store.clean_up().await.unwrap();
    }
    let rows = month.rows().await;
    assert!(KEPT.iter().all(|table| rows[*table] == 0), "{rows:?}");
}

impl Month {
    /// Connects all.
    async fn begin(size: usize) -> Self {
        assert_eq!(BEHAVIOURS.iter().map(|behaviour| behaviour.share).sum::<usize>(), 100);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = platform(&format!("http://{}", listener.local_addr().unwrap())).await;
        let provider = Provider::start(listener, platform.clock.clone());
        let endpoints = [Receiver::start().await, Receiver::start().await];
        endpoints[1].reply(Reply::status(500));
        register(&platform, json!({"url": endpoints[0].url("/events")})).await;
        let mut month = Self { platform, provider, endpoints, connections: Vec::new() };
        for behaviour in &BEHAVIOURS {
            for account in 0..(size * behaviour.share).div_ceil(100) {
                let connection = month.connect(behaviour, account).await;
                month.connections.push(connection);
            }
        }
        month
    }

    async fn connect(&self, behaviour: &'static Behaviour, account: usize) -> Connection {
        let customer = format!("{}-{account}@example.com", behaviour.name);
        let link = self.link(&customer, &json!({"app_id": behaviour.name, "name": "Work"})).await;
        let now = self.platform.clock.now();
        let refresh_token = behaviour.has_refresh_token.then(|| Provider::first_token(account));
        self.platform.grant_tokens(&link, behaviour.name, tokens(now, refresh_token)).await;
        let id = text(&link["connection_id"]);
        Connection { behaviour, account, id, customer, statuses: BTreeMap::new() }
    }

    /// Makes a link; gives the answer's `data`.
    async fn link(&self, customer: &str, body: &Value) -> Value {
        let call = self.platform.call("POST", "/connections/request-link").customer(customer);
        let key = connect_service::ids::random(16);
        call.header("idempotency-key", &key).json(body).await.data().clone()
    }

    /// Lives through the next quarter of a day.
    async fn tick(&mut self, tick: u32) {
        self.platform.clock.advance(TICK - MINUTE);
        self.provider.set_tick(tick);
        let app = &self.platform.app;
        keep_alive_once(app, Duration::ZERO).await.unwrap();
        app.store.clean_up().await.unwrap();
        app.store.drop_unconfirmed().await.unwrap();
        announcements::announce_once(app, true).await.unwrap();
        revocation::revoke_due(app).await.unwrap();
        if tick.is_multiple_of(TICKS) {
            self.make_links().await;
            self.make_what_is_over().await;
        }
        if tick == REFUSING {
            register(&self.platform, json!({"url": self.endpoints[1].url("/events")})).await;
        }
        deliver(&self.platform).await;
        self.use_connections(|calls| calls.are_at(tick)).await;
        self.platform.clock.advance(MINUTE);
        self.use_connections(|calls| calls == Calls::Insistently).await;
    }

    /// Links that nobody finishes: new ones, of which one is left at the provider, and one to connect again.
    async fn make_links(&self) {
        let used = &self.connections[0];
        for n in 0..=self.connections.len() / 100 {
            let body = json!({"app_id": used.behaviour.name, "name": "Work"});
            let link = self.link(&used.customer, &body).await;
            if n == 0 {
                Visit::open(&self.platform, &link).await.to_provider(&[]).await;
            }
        }
        self.link(&used.customer, &json!({"connection_id": used.id})).await;
    }

    /// What somebody makes and nobody needs: a grant that is not confirmed, a connection that is deleted, and the OAuth
    /// client of an organization.
    async fn make_what_is_over(&self) {
        let (platform, app) = (&self.platform, self.connections[0].behaviour.name);
        let now = platform.clock.now();
        let grant = || tokens(now, Some("over".to_owned()));
        let customer = "dave@example.com";
        let mut body = json!({"app_id": app, "name": "Over"});
        let link = self.link(customer, &body).await;
        platform.grant_tokens(&link, app, grant()).await;
        let path = format!("/connections/{}", text(&link["connection_id"]));
        platform.call("DELETE", &path).customer(customer).send().await.data();

        body["confirm"] = true.into();
        body["return_url"] = "https://product.example/connected".into();
        let link = platform.stored_link(&self.link(customer, &body).await).await;
        let held = platform.app.store.hold_grant(&link, &platform.grant_of(app, grant()), "code").await;
        assert_eq!(held.unwrap(), GrantOutcome::Stored);

        let client = format!("/organizations/north/apps/{app}/oauth-client");
        let body = json!({"client_id": "theirs", "client_secret": "secret"});
        platform.call("PUT", &client).json(&body).await.data();
        platform.call("DELETE", &client).send().await.data();
        let admin = platform.call("POST", "/organizations/north/admin-link").customer("ann@north.example");
        admin.json(&json!({"name": "North Ltd"})).await.data();
    }

    /// Asks for the tokens of all connections that are used now, one after the other: on a slow disk, SQLite refuses those
    /// that write at once.
    async fn use_connections(&mut self, are_used: impl Fn(Calls) -> bool) {
        let platform = &self.platform;
        for connection in self.connections.iter_mut().filter(|used| are_used(used.behaviour.calls)) {
            connection.ask(platform).await;
        }
        platform.app.store.write_vendings().await.unwrap();
    }

    /// How many rows each table has.
    async fn rows(&self) -> BTreeMap<String, u64> {
        let Platform { database, .. } = &self.platform;
        let tables = match database.file() {
            Some(_) => {
                "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            None => {
                "SELECT string_agg(table_name, ',') FROM information_schema.tables WHERE table_schema = 'public'"
            }
        };
        let database = database.connect().await;
        let mut rows = BTreeMap::new();
        for table in database.text(tables).await.split(',') {
            let count = database.text(&format!("SELECT COUNT(*) FROM {table}")).await;
            rows.insert(table.to_owned(), count.parse().unwrap());
        }
        rows
    }

    /// How all connections of a kind fared.
    async fn fares(&self, behaviour: &'static Behaviour) -> KindReport {
        let mut report = KindReport::new(behaviour.name);
        for connection in
            self.connections.iter().filter(|connection| connection.behaviour.name == behaviour.name)
        {
            let path = format!("/connections/{}", connection.id);
            let shown = self.platform.call("GET", &path).customer(&connection.customer).send().await;
            let reason = shown.data()["reconnection"]["reason"].as_str().map(str::to_owned);
            let requests = self.provider.requests(behaviour.name, connection.account);
            let expected = (behaviour.requests)(connection.account);
            let sum = requests.values().sum();
            if reason.as_deref() != behaviour.ends || !expected.contains(&sum) {
                let account = connection.account;
                report.wrong.push(format!(
                    "{} {account}: ended by {reason:?}, {sum} requests and not {expected:?}: {requests:?}",
                    behaviour.name
                ));
            }
            report.add(reason, &requests, &connection.statuses);
        }
        report
    }
}

impl Connection {
    async fn ask(&mut self, platform: &Platform) {
        let path = format!("/connections/{}/token", self.id);
        for _ in 0..if self.behaviour.calls == Calls::Insistently { 2 } else { 1 } {
            let answer = platform.call("POST", &path).customer(&self.customer).send().await;
            *self.statuses.entry(answer.status).or_default() += 1;
        }
    }
}

fn tokens(now: Millis, refresh_token: Option<String>) -> Tokens {
    Tokens {
        access_token: "access".into(),
        refresh_token: refresh_token.map(Into::into),
        token_type: "Bearer".into(),
        obtained_at: now,
        expires_at: Some(now + LIFETIME as Millis * 1000),
    }
}

/// A service with an app for each kind of connections.
async fn platform(provider: &str) -> Platform {
    let folder = support::folder();
    let mut config = Config { catalogue_dir: Some(folder.clone()), ..Config::default() };
    (config.budgets.token, config.budgets.default) = (u32::MAX, u32::MAX);
    for Behaviour { name, keys, keep_alive, .. } in &BEHAVIOURS {
        let file = format!(
            "id = \"{name}\"\nname = \"{name}\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"main\"\n\
             type = \"o_auth\"\ntitle = \"Connect\"\n[auth.oauth]\nauthorization_url = \"{provider}/authorize\"\n\
             token_url = \"{provider}/{name}/token\"\n{keys}\n[auth.revoke]\nurl = \"{provider}/revoke\"\n"
        );
        std::fs::write(folder.join(format!("{name}.toml")), file).unwrap();
        let client = OAuthClient {
            client_id: format!("client of {name}"),
            keep_alive: *keep_alive,
            ..fixture_support::Provider::registration()
        };
        config.apps.insert((*name).to_owned(), client);
    }
    let platform = Platform::with(config).await;
    std::fs::remove_dir_all(folder).unwrap();
    platform
}
