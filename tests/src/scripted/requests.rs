//! Compares the journal of a session with the exchanges that its scenario plans.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::matching::{Members, compare};
use super::scenario::Exchange;
use super::session::{Phase, Planned, Seen, Session, State};

/// The customer of all scenarios that are not about e-mails.
const EMAIL: &str = "alice@example.com";

/// One line per difference.
pub fn judge(session: &Session, state: &State) -> Vec<String> {
    let mut failures = Vec::new();
    for (i, seen) in state.seen.iter().enumerate() {
        let at = format!("request {} ({} {})", i + 1, seen.request.method, seen.target);
        let Some(planned) = seen.exchange.and_then(|i| session.plan.get(i)) else {
            failures.push(format!("{at}: must not have been sent"));
            continue;
        };
        let mut found = Vec::new();
        line(&planned.exchange, seen, &mut found);
        headers(session, planned, seen, &mut found);
        body(&planned.exchange, seen, &mut found);
        idempotency(session, state, i, &mut found);
        let before = i.checked_sub(1).and_then(|i| state.seen.get(i));
        spacing(planned, before, seen, &mut found);
        if let Some(most) = planned.exchange.sent_at_most
            && seen.sent > most
        {
            found
                .push(format!("{} bytes of the body were taken, at most {most} should have been", seen.sent));
        }
        if seen.phase != Phase::Answered && !seen.gone {
            found.push("the client still holds the connection of an answer that it gave up".to_owned());
        }
        failures.extend(found.into_iter().map(|failure| format!("{at}: {failure}")));
    }
    for (i, planned) in session.plan.iter().enumerate() {
        let came = state.seen.iter().filter(|seen| seen.exchange == Some(i)).count();
        let (min, max) = planned.exchange.times();
        if came < min {
            let request = &planned.exchange.request;
            failures.push(format!("`{request}` came {came} times, expected {min} to {max}"));
        }
    }
    let connections: BTreeSet<u64> = state.seen.iter().map(|seen| seen.connection).collect();
    if let Some(expected) = session.scenario.most_connections
        && connections.len() > expected
    {
        failures.push(format!("{} connections were made, expected {expected} at most", connections.len()));
    }
    if state.silent.iter().any(|open| *open) {
        failures.push("the client still holds a connection that it gave up making".to_owned());
    }
    failures
}

fn line(exchange: &Exchange, seen: &Seen, found: &mut Vec<String>) {
    let line = format!("{} {}", seen.request.method, seen.target);
    if line != exchange.request {
        found.push(format!("expected `{}`", exchange.request));
    }
    for (what, expected, actual) in
        [("through the proxy", exchange.proxied, seen.proxied), ("over TLS", exchange.tls, seen.tls)]
    {
        match (expected, actual) {
            (true, false) => found.push(format!("did not come {what}")),
            (false, true) => found.push(format!("came {what}")),
            _ => {}
        }
    }
}

/// What the scenario asks for, and where it says nothing, what holds for every request.
fn headers(session: &Session, planned: &Planned, seen: &Seen, found: &mut Vec<String>) {
    let key = session.scenario.client.get("apiKey").and_then(Value::as_str);
    let key = key.or_else(|| session.scenario.env.get("PC_TENANT_KEY").map(String::as_str));
    let path = seen.target.split('?').next().unwrap_or_default();
    let public = ["/status", "/auth-options", "/submit"].iter().any(|end| path.ends_with(end));
    let customers = seen.target.starts_with("/connections") || seen.target.contains("/v1/connections");
    let agent = format!("pabbly-connect-{}/", session.language);
    let step = session.scenario.steps.get(planned.step);
    let waits = step.is_some_and(|step| ["waitForConnection", "events"].contains(&step.call.as_str()));
    // What goes to a provider has no headers but those that the caller gives.
    let proxied = step.is_some_and(|step| step.call == "proxy");
    let json_body = !seen.request.body.is_empty() && !proxied;
    let usual = [
        (
            "authorization",
            if public { Value::Null } else { json!(format!("Bearer {}", key.unwrap_or_default())) },
        ),
        ("x-user-email", if customers && !public { json!(EMAIL) } else { Value::Null }),
        ("x-request-token", if public { json!(session.canaries.get("request_token")) } else { Value::Null }),
        ("accept", json!(if proxied { "*/*" } else { "application/json" })),
        ("user-agent", json!({ "$prefix": agent })),
        ("content-type", if json_body { json!("application/json") } else { Value::Null }),
        ("cookie", Value::Null),
        ("referer", Value::Null),
        ("prefer", if waits { json!({ "$hold": true }) } else { Value::Null }),
    ];
    let asked =
        planned.exchange.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let asked: Vec<(String, Value)> = asked.collect();
    let usual = usual.into_iter().map(|(name, value)| (name.to_owned(), value));
    let usual = usual.filter(|(name, _)| !asked.iter().any(|(n, _)| n == name));
    for (name, expected) in asked.iter().cloned().chain(usual) {
        match seen.request.all(&name).as_slice() {
            [] => compare(&name, &expected, &Value::Null, Members::All, found),
            [one] => compare(&name, &expected, &json!(one), Members::All, found),
            many => found.push(format!("{name}: came {} times", many.len())),
        }
    }
}

fn body(exchange: &Exchange, seen: &Seen, found: &mut Vec<String>) {
    let text = String::from_utf8_lossy(&seen.request.body);
    match &exchange.body {
        None if text.is_empty() => {}
        None => found.push(format!("must have no body, has {text}")),
        Some(expected) => match serde_json::from_str(&text) {
            Ok(actual) => compare("body", expected, &actual, Members::All, found),
            Err(_) => found.push(format!("body: expected {expected}, got {text}")),
        },
    }
}

/// A POST carries one key over all its attempts, and every other POST another one.
fn idempotency(session: &Session, state: &State, i: usize, found: &mut Vec<String>) {
    let Some(seen) = state.seen.get(i) else { return };
    let key = seen.request.header("idempotency-key");
    let planned = seen.exchange.and_then(|i| session.plan.get(i));
    let step_of = planned.and_then(|planned| session.scenario.steps.get(planned.step));
    if step_of.is_some_and(|step| step.call == "proxy") {
        return; // It would be the provider's.
    }
    if seen.request.method != "POST" {
        if key.is_some() {
            found.push("idempotency-key: only a POST has one".to_owned());
        }
        return;
    }
    let Some(key) = key else {
        found.push("idempotency-key: is missing".to_owned());
        return;
    };
    if planned.is_some_and(|planned| planned.exchange.headers.contains_key("idempotency-key")) {
        return; // The caller's own, which the scenario names.
    }
    if !(16..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        found.push(format!("idempotency-key: `{key}` is not 16 to 255 visible ASCII characters"));
    }
    let step = |seen: &Seen| seen.exchange.and_then(|i| session.plan.get(i)).map(|planned| planned.step);
    for (j, other) in state.seen.iter().enumerate().take(i) {
        let same_call = step(other) == step(seen);
        let same_key = other.request.header("idempotency-key") == Some(key);
        if same_call && !same_key {
            found.push(format!("idempotency-key: differs from that of attempt {}", j + 1));
        }
        if !same_call && same_key {
            found.push(format!("idempotency-key: is that of another call, request {}", j + 1));
        }
    }
}

fn spacing(planned: &Planned, before: Option<&Seen>, seen: &Seen, found: &mut Vec<String>) {
    let Some(gap) = planned.exchange.gap else { return };
    let Some(end) = before.and_then(|before| before.answered) else {
        found.push("gap: there is no answer before it".to_owned());
        return;
    };
    let gap_ms = seen.arrived.saturating_duration_since(end).as_millis() as u64;
    if gap_ms < gap.min_ms || gap.max_ms.is_some_and(|max| gap_ms > max) {
        let most = gap.max_ms.map_or_else(|| "any".to_owned(), |max| max.to_string());
        found.push(format!("came {gap_ms} ms after the answer before, expected {} to {most}", gap.min_ms));
    }
}
