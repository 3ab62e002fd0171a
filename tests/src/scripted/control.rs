//! What runners ask the server for. The whole protocol is in `tests/README.md`.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::Request;
use super::server::Server;
use super::session::{Phase, Session};
use super::verdict::{self, Report};

/// How long a verdict listens for requests that must not come, unless the scenario says otherwise.
const QUIET: Duration = Duration::from_millis(30);
const QUIET_AFTER_CANCEL: Duration = Duration::from_millis(400);
/// How long a client may take to close a connection that it gave up.
const HANG_UP: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Begin {
    id: String,
    language: String,
}

#[derive(Deserialize)]
struct Finish {
    language: String,
    ran: Vec<String>,
}

/// Status and JSON for a request of a runner.
pub async fn respond(server: &Server, request: &Request) -> (u16, Value) {
    match route(server, request).await {
        Ok(answer) => (200, answer),
        Err(problem) => (400, json!({ "error": problem })),
    }
}

async fn route(server: &Server, request: &Request) -> Result<Value, String> {
    let (path, query) = request.target.split_once('?').unwrap_or((request.target.as_str(), ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["scenarios"]) => {
            let language = query.strip_prefix("language=").ok_or("?language= is missing")?;
            Ok(scenarios(server, language))
        }
        ("POST", ["sessions"]) => {
            let Begin { id, language } = parse(&request.body)?;
            Ok(server.begin(&id, &language).await?.task())
        }
        ("GET", ["sessions", number, "moment"]) => {
            let step = query.strip_prefix("step=").and_then(|step| step.parse().ok());
            let step = step.ok_or("?step= is missing")?;
            find(server, number)?.moment(step).await?;
            Ok(json!({}))
        }
        ("GET", ["sessions", number, "settled"]) => {
            find(server, number)?.settled().await?;
            Ok(json!({}))
        }
        ("POST", ["sessions", number, "verdict"]) => {
            let session = find(server, number)?;
            let failures = judge(&session, &parse(&request.body)?).await;
            let mut judged = server.judged.lock().unwrap_or_else(PoisonError::into_inner);
            judged.entry(session.language.clone()).or_default().insert(session.scenario.id.clone());
            Ok(json!({ "failures": failures }))
        }
        ("POST", ["finish"]) => Ok(finish(server, &parse(&request.body)?)),
        _ => Err(format!("there is no {} {path}", request.method)),
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

fn find(server: &Server, number: &str) -> Result<std::sync::Arc<Session>, String> {
    let session = number.parse().ok().and_then(|number| server.session(number));
    session.ok_or_else(|| format!("there is no session {number}"))
}

fn scenarios(server: &Server, language: &str) -> Value {
    let all = server.index.scenarios.iter().map(|scenario| {
        let id = &scenario.parsed.id;
        json!({ "id": id, "skip": server.index.skip(id, language), "alone": !scenario.parsed.env.is_empty() })
    });
    all.collect()
}

/// Listens a while for what must not come, gives the client time to hang up, then compares.
async fn judge(session: &Session, report: &Report) -> Vec<String> {
    let cancelled = session.scenario.steps.iter().any(|step| step.cancel.is_some());
    let usual = if cancelled { QUIET_AFTER_CANCEL } else { QUIET };
    tokio::time::sleep(session.scenario.quiet_ms.map_or(usual, Duration::from_millis)).await;
    let until = Instant::now() + HANG_UP;
    let pending = || {
        let state = session.state();
        let held = state.seen.iter().any(|seen| seen.phase != Phase::Answered && !seen.gone);
        held || state.silent.iter().any(|open| *open)
    };
    while pending() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut state = session.state();
    state.verdict_given = true;
    verdict::judge(session, &state, report)
}

/// The end of a run: it is complete only when every scenario of the index was judged, or skipped for a reason.
fn finish(server: &Server, finish: &Finish) -> Value {
    let mut failures = Vec::new();
    let judged = server.judged.lock().unwrap_or_else(PoisonError::into_inner);
    let judged = judged.get(&finish.language).cloned().unwrap_or_default();
    let (mut ran, mut skipped) = (0, 0);
    for scenario in &server.index.scenarios {
        let id = &scenario.parsed.id;
        let skip = server.index.skip(id, &finish.language).is_some();
        match (finish.ran.contains(id), skip, judged.contains(id)) {
            (true, false, true) => ran += 1,
            (false, true, _) => skipped += 1,
            (true, true, _) => failures.push(format!("{id}: ran although the index skips it")),
            (true, false, false) => failures.push(format!("{id}: ran but was not judged")),
            (false, false, _) => failures.push(format!("{id}: did not run")),
        }
    }
    for id in finish.ran.iter().filter(|id| server.index.find(id).is_none()) {
        failures.push(format!("{id}: is not in the index"));
    }
    for session in server.sessions().iter().filter(|session| session.language == finish.language) {
        for seen in session.state().seen.iter().filter(|seen| seen.after_verdict) {
            failures.push(format!("{}: {} came after the end", session.scenario.id, seen.target));
        }
    }
    let all = server.index.scenarios.len();
    let mut text = format!("{}: {ran} of {all} scenarios", finish.language);
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped (see the index)"));
    }
    json!({ "failures": failures, "text": text })
}
