//! A provider that rotates refresh tokens, knows each account's past, and notes every request that comes too early.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use connect_service::clock::{Clock, Millis};
use serde_json::json;
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::DAY;
use crate::behaviour::{BEHAVIOURS, Behaviour, IDLE_DAYS, Reply, TICKS};

/// For how many seconds an access token lives.
pub(crate) const LIFETIME: u64 = 3600;
/// Nobody needs another one earlier.
const MIN_USE: Millis = 3_000_000;
/// The shortest pause after so many failures in a row is half of the longest one, which doubles up to this.
const MAX_PAUSE: Millis = 300_000;

#[derive(Clone)]
pub(crate) struct Provider {
    clock: Clock,
    state: Arc<Mutex<Month>>,
}

struct Month {
    start: Millis,
    tick: u32,
    accounts: HashMap<(String, usize), Account>,
    complaints: Vec<String>,
}

/// What is known of an account of an app.
#[derive(Default)]
struct Account {
    /// Of its refresh token.
    generation: u32,
    used_at: Option<Millis>,
    failures: u32,
    not_before: Millis,
    /// By day.
    requests: BTreeMap<u32, u32>,
}

impl Provider {
    /// Serves by the time of this clock.
    pub(crate) fn start(listener: TcpListener, clock: Clock) -> Self {
        let month = Month { start: clock.now(), tick: 0, accounts: HashMap::new(), complaints: Vec::new() };
        let provider = Self { clock, state: Arc::new(Mutex::new(month)) };
        let router = Router::new()
            .route("/{app}/token", post(token))
            .route("/revoke", post(async || StatusCode::OK))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// The refresh token that an account begins with.
    pub(crate) fn first_token(account: usize) -> String {
        refresh_token(account, 0)
    }

    pub(crate) fn set_tick(&self, tick: u32) {
        self.state().tick = tick;
    }

    /// The requests for an account, by day.
    pub(crate) fn requests(&self, app: &str, account: usize) -> BTreeMap<u32, u32> {
        let state = self.state();
        let account = state.accounts.get(&(app.to_owned(), account));
        account.map(|account| account.requests.clone()).unwrap_or_default()
    }

    /// Requests that should not have come.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    fn state(&self) -> MutexGuard<'_, Month> {
        self.state.lock().unwrap()
    }
}

fn refresh_token(account: usize, generation: u32) -> String {
    format!("refresh-{account}-{generation}")
}

async fn token(State(provider): State<Provider>, Path(app): Path<String>, body: String) -> Response {
    let form: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut parts = form["refresh_token"].split('-').skip(1);
    let account: usize = parts.next().unwrap().parse().unwrap();
    let generation: u32 = parts.next().unwrap().parse().unwrap();
    let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == app).unwrap();
    let now = provider.clock.now();
    match provider.state().reply(behaviour, account, generation, now) {
        Reply::Tokens => Json(json!({
            "access_token": format!("access-{account}-{generation}"),
            "refresh_token": refresh_token(account, generation + 1),
            "expires_in": LIFETIME,
        }))
        .into_response(),
        Reply::Throttled(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Reply::Ended(status, body) | Reply::Failure(status, body) => {
            let content_type = if body.starts_with('<') { "text/html" } else { "application/json" };
            (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, content_type)], body).into_response()
        }
    }
}

impl Month {
    fn reply(&mut self, behaviour: &Behaviour, number: usize, generation: u32, now: Millis) -> Reply {
        let Self { start, tick, accounts, complaints } = self;
        let name = behaviour.name;
        let account = accounts.entry((name.to_owned(), number)).or_default();
        *account.requests.entry(*tick / TICKS).or_default() += 1;
        if now < account.not_before {
            complaints.push(format!("{name} {number} at tick {tick}: {} ms early", account.not_before - now));
        }
        let idle_since = account.used_at.unwrap_or(*start);
        let is_dead = !behaviour.keys.is_empty() && now - idle_since > Millis::from(IDLE_DAYS) * DAY;
        let is_spent = generation != account.generation;
        if is_spent {
            complaints.push(format!("{name} {number} at tick {tick}: a spent refresh token"));
        }
        let reply = match is_dead || is_spent {
            true => Reply::Ended(400, r#"{"error":"invalid_grant"}"#),
            false => (behaviour.reply)(number, *tick),
        };
        account.failures = if let Reply::Tokens = reply { 0 } else { account.failures + 1 };
        account.not_before = match reply {
            Reply::Tokens => now + MIN_USE,
            Reply::Ended(..) => Millis::MAX,
            Reply::Failure(..) => now + MAX_PAUSE.min(1000 << (account.failures - 1).min(10)) / 2,
            Reply::Throttled(seconds) => now + seconds as Millis * 1000,
        };
        if let Reply::Tokens = reply {
            account.generation += 1;
            account.used_at = Some(now);
        }
        reply
    }
}
