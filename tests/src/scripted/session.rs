//! One runner playing one scenario: what it may still ask for, and the journal of what it did.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::fill;
use super::http::Request;
use super::scenario::{Exchange, Moment, Reply, Scenario};

/// The word that every secret has in it, so that it can be looked for without knowing the session.
pub const CANARY: &str = "CANARY";

/// Time for the client to read what was sent, before a moment counts as reached.
const SETTLE: Duration = Duration::from_millis(40);

/// How far an answer has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Arrived,
    Headers,
    Body,
    Answered,
}

/// One request in the journal.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which of the scenario's exchanges it was taken for; none for one too many.
    pub exchange: Option<usize>,
    pub request: Request,
    /// The target below the session's prefix.
    pub target: String,
    pub proxied: bool,
    pub tls: bool,
    /// Which connection it came on, by number.
    pub connection: u64,
    pub arrived: Instant,
    pub phase: Phase,
    pub answered: Option<Instant>,
    /// Bytes of the body that were written.
    pub sent: u64,
    /// The client closed the connection before it had the whole answer.
    pub gone: bool,
    /// What was to happen after the response has happened.
    pub settled: bool,
    pub after_verdict: bool,
}

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub connection: u64,
    pub tls: bool,
    pub proxied: bool,
}

/// An exchange and the step that it belongs to.
#[derive(Debug, Clone)]
pub struct Planned {
    pub step: usize,
    pub exchange: Exchange,
}

pub struct Session {
    pub id: u64,
    pub language: String,
    pub scenario: Scenario,
    pub plan: Vec<Planned>,
    /// Secret name to its value in this session.
    pub canaries: BTreeMap<&'static str, String>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
pub struct State {
    pub seen: Vec<Seen>,
    /// Connections to the listener that accepts and says nothing: open since, closed since.
    pub silent: Vec<bool>,
    pub verdict_given: bool,
    cursor: usize,
    count: usize,
}

/// What every session has in common.
pub struct Common {
    pub address: SocketAddr,
    pub tls_address: SocketAddr,
    pub ca_pem: String,
    /// The same in a file `authority.pem` of a directory of its own.
    pub ca_directory: TempDir,
    /// A port that is taken and not listened on.
    pub refused: SocketAddr,
}

impl Session {
    /// Fills in the scenario. `silent` is the address of a listener of this session's own.
    ///
    /// # Errors
    /// A text where the scenario is wrong.
    pub fn new(
        id: u64,
        scenario: &Value,
        language: &str,
        common: &Common,
        silent: Option<SocketAddr>,
    ) -> Result<Self, String> {
        let canary = |kind: &str| format!("{CANARY}{kind}{id:06}x");
        let canaries = BTreeMap::from([
            ("key", format!("pk_live_{:x<43}", canary("key"))),
            ("new_key", format!("pk_live_{:x<43}", canary("newkey"))),
            ("token", format!("ya29.{}", canary("token"))),
            ("field", canary("field")),
            ("field2", canary("second")),
            ("request_token", format!("rt_{}", canary("request"))),
            ("cookie", canary("cookie")),
        ]);
        let origin = format!("http://{}", common.address);
        let find = |name: &str| -> Option<Value> {
            if let Some(secret) = canaries.get(name) {
                return Some(json!(secret));
            }
            Some(match name {
                "base" => json!(format!("{origin}/s/{id}")),
                "origin" => json!(origin),
                "prefix" => json!(format!("/s/{id}")),
                "port" => json!(common.address.port()),
                "tls_base" => json!(format!("https://localhost:{}/s/{id}", common.tls_address.port())),
                "tls_by_address" => json!(format!("https://{}/s/{id}", common.tls_address)),
                "ca" => json!(common.ca_pem),
                "ca_directory" => json!(common.ca_directory.path()),
                "refused" => json!(common.refused.to_string()),
                "silent" => json!(silent?.to_string()),
                "language" => json!(language),
                _ => return repeated(name).or_else(|| moment_in_time(name)),
            })
        };
        let filled = fill::fill(scenario, &find);
        let rest = filled.to_string();
        if let Some((_, unknown)) = rest.split_once("{{") {
            return Err(format!("unknown placeholder {{{{{}", &unknown[..unknown.len().min(20)]));
        }
        let mut scenario: Scenario = serde_json::from_value(filled).map_err(|e| e.to_string())?;
        for (name, usual) in [("apiKey", "key"), ("baseUrl", "base")] {
            scenario.client.entry(name).or_insert_with(|| find(usual).unwrap_or_default());
        }
        // Null says that something is not given; `$null` is the language's own.
        scenario.client.retain(|_, value| !value.is_null());
        for step in &mut scenario.steps {
            step.with.retain(|_, value| !value.is_null());
            step.options.retain(|_, value| !value.is_null());
            for value in step.with.values_mut().filter(|value| **value == json!({ "$null": true })) {
                *value = Value::Null;
            }
        }
        let plan = scenario
            .steps
            .iter()
            .enumerate()
            .flat_map(|(step, s)| s.exchanges.iter().cloned().map(move |exchange| Planned { step, exchange }))
            .collect();
        Ok(Self {
            id,
            language: language.to_owned(),
            scenario,
            plan,
            canaries,
            state: Mutex::default(),
            changed: watch::Sender::new(()),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the runner is told to do.
    pub fn task(&self) -> Value {
        let steps = self.scenario.steps.iter().map(|step| {
            let cancel = step.cancel.as_ref().map(|cancel| match cancel.when {
                Moment::BeforeStart => "before_start",
                _ => "at_moment",
            });
            json!({
                "call": step.call,
                "with": step.with,
                "options": step.options,
                "iterate": step.iterate,
                "take": step.take,
                "callers": step.callers.unwrap_or(1),
                "cancel": cancel,
                "pause": step.pause,
                "rekey": step.rekey.as_ref().map(|rekey| &rekey.api_key),
            })
        });
        json!({
            "session": self.id,
            "client": self.scenario.client,
            "env": self.scenario.env,
            "steps": steps.collect::<Vec<_>>(),
        })
    }

    /// Enters a request and says what it gets; none where nothing is scripted for it.
    pub fn arrive(&self, request: Request, target: String, by: &Way) -> (usize, Option<Reply>) {
        let mut state = self.state();
        let exchange = state.next(&self.plan, &format!("{} {target}", request.method));
        let reply = exchange.and_then(|i| self.plan.get(i)).map(|planned| planned.exchange.reply.clone());
        let verdict_given = state.verdict_given;
        state.seen.push(Seen {
            exchange,
            request,
            target,
            proxied: by.proxied,
            tls: by.tls,
            connection: by.connection,
            arrived: Instant::now(),
            phase: Phase::Arrived,
            answered: None,
            sent: 0,
            gone: false,
            settled: reply.as_ref().is_none_or(|reply| reply.then.is_none()),
            after_verdict: verdict_given,
        });
        let seen = state.seen.len() - 1;
        drop(state);
        self.changed.send_replace(());
        (seen, reply)
    }

    /// Notes how far the answer to a request has gone.
    pub fn note(&self, seen: usize, change: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.state().seen.get_mut(seen) {
            change(seen);
        }
        self.changed.send_replace(());
    }

    /// Answers when the moment has come at which the caller takes `step` back, or exchanges the key.
    pub async fn moment(&self, step: usize) -> Result<(), String> {
        let of_step = self.scenario.steps.get(step);
        let cancel = of_step.and_then(|step| step.cancel.as_ref().map(|cancel| (cancel.when, cancel.of)));
        let rekey = of_step.and_then(|step| step.rekey.as_ref().map(|rekey| (rekey.when, rekey.of)));
        let (when, of) = cancel.or(rekey).ok_or_else(|| format!("step {step} has no such moment"))?;
        let exchanges: Vec<usize> =
            (0..self.plan.len()).filter(|i| self.plan.get(*i).is_some_and(|p| p.step == step)).collect();
        let wanted = match of {
            Some(of) => exchanges.get(of - 1),
            None => exchanges.last(),
        };
        let mut changed = self.changed.subscribe();
        while !self.state().reached(when, wanted.copied()) {
            changed.changed().await.map_err(|e| e.to_string())?;
        }
        tokio::time::sleep(SETTLE).await;
        Ok(())
    }

    /// Answers when the server has done everything that it does unasked after the responses so far.
    pub async fn settled(&self) -> Result<(), String> {
        let mut changed = self.changed.subscribe();
        while !self.state().seen.iter().all(|seen| seen.settled || seen.gone) {
            changed.changed().await.map_err(|e| e.to_string())?;
        }
        tokio::time::sleep(SETTLE).await;
        Ok(())
    }

    /// Accepts connections and says nothing, for as long as the client holds on to them.
    pub async fn keep_silent(&self, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            self.state().silent.push(true);
            self.changed.send_replace(());
            // The greeting of TLS is read and left unanswered.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            if let Some(open) = self.state().silent.last_mut() {
                *open = false;
            }
        }
    }
}

impl State {
    /// The exchange that the next request belongs to.
    fn next(&mut self, plan: &[Planned], request: &str) -> Option<usize> {
        let exchange = &plan.get(self.cursor)?.exchange;
        let (least, most) = exchange.times();
        let is_last = self.cursor + 1 == plan.len();
        let is_another = self.count >= least && exchange.request != request && !is_last;
        if self.count == most || is_another {
            self.cursor += 1;
            self.count = 0;
            return self.next(plan, request);
        }
        self.count += 1;
        Some(self.cursor)
    }

    fn reached(&self, moment: Moment, exchange: Option<usize>) -> bool {
        let phase = match moment {
            Moment::BeforeStart => return true,
            Moment::Connect => return !self.silent.is_empty(),
            Moment::Request => Phase::Arrived,
            Moment::Headers => Phase::Headers,
            Moment::Body => Phase::Body,
            Moment::Backoff | Moment::Wait => Phase::Answered,
        };
        self.seen.iter().any(|seen| seen.exchange == exchange && seen.phase >= phase)
    }
}

/// `x*3`: xxx.
fn repeated(name: &str) -> Option<Value> {
    let (unit, times) = name.split_once('*')?;
    Some(Value::String(unit.repeat(times.parse().ok()?)))
}

/// `date+60`: an HTTP date in sixty seconds; `time-60`: RFC 3339, a minute ago.
fn moment_in_time(name: &str) -> Option<Value> {
    let (kind, sign) = (name.get(..4)?, name.get(4..)?);
    let seconds: i64 = sign.parse().ok()?;
    let at = OffsetDateTime::from(SystemTime::now()).replace_nanosecond(0).ok()?;
    let at = at.checked_add(time::Duration::seconds(seconds))?;
    let text = match kind {
        "date" => at.format(&Rfc2822).ok()?.replace("+0000", "GMT"),
        "time" => at.format(&Rfc3339).ok()?,
        _ => return None,
    };
    Some(Value::String(text))
}
