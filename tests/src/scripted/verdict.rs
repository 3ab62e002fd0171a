//! Judges a session: the requests it made, the outcomes that its runner reports, and what it printed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::matching::{Members, compare};
use super::requests;
use super::scenario::{ExpectedError, Step};
use super::session::{CANARY, Session, State};

/// What a runner reports when it has played its part.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// The error with which the client could not be made.
    pub refused: Option<Value>,
    /// One per step.
    pub outcomes: Vec<Outcome>,
    /// Every printed form of every object that the SDK handed out, and its logs.
    pub prints: Vec<Print>,
}

/// How a step ended: `value`, or `items` and perhaps an `error`, or an `error`, or `cancelled`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outcome {
    pub value: Value,
    pub items: Option<Vec<Value>>,
    pub error: Option<Value>,
    pub cancelled: bool,
    /// What `onPoll` was told: `{status, phase, nextInMs}` each.
    pub polls: Vec<Value>,
    /// How long the call took (milliseconds).
    pub ms: u64,
    /// Where several callers made the call at once: how it ended for the others.
    pub others: Vec<Outcome>,
}

/// One printed form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Print {
    /// What was printed: `client`, `log`, or a type's name such as `RequestLink`.
    pub of: String,
    /// How: `debug`, `string`, `json`, `message`, `pickle`, …
    pub form: String,
    pub text: String,
}

/// One line per difference between the scenario and what happened.
pub fn judge(session: &Session, state: &State, report: &Report) -> Vec<String> {
    let mut failures = requests::judge(session, state);
    match (&session.scenario.refused, &report.refused) {
        (Some(expected), Some(actual)) => error("client", expected, 0, None, actual, &mut failures),
        (Some(expected), None) => {
            failures.push(format!("client: should have been refused with {}", expected.class));
        }
        (None, Some(actual)) => failures.push(format!("client: could not be made: {actual}")),
        (None, None) => {}
    }
    let steps = &session.scenario.steps;
    if report.refused.is_none() && report.outcomes.len() != steps.len() {
        failures.push(format!("{} outcomes for {} steps", report.outcomes.len(), steps.len()));
    }
    for (i, (step, outcome)) in steps.iter().zip(&report.outcomes).enumerate() {
        let at = format!("step {} ({})", i + 1, step.call);
        let sent = state.seen.iter().filter(|seen| {
            seen.exchange.and_then(|i| session.plan.get(i)).is_some_and(|planned| planned.step == i)
        });
        let sent = sent.count();
        judge_step(&at, step, sent, outcome, &mut failures);
        let others = step.callers.unwrap_or(1) - 1;
        if outcome.others.len() != others {
            failures.push(format!("{at}: {} other callers, expected {others}", outcome.others.len()));
        }
        for (other, outcome) in outcome.others.iter().enumerate() {
            judge_step(&format!("{at}, caller {}", other + 2), step, sent, outcome, &mut failures);
        }
    }
    secrets(session, report, &mut failures);
    failures
}

fn judge_step(at: &str, step: &Step, sent: usize, outcome: &Outcome, failures: &mut Vec<String>) {
    if let Some(span) = step.lasts
        && (outcome.ms < span.min_ms || span.max_ms.is_some_and(|max| outcome.ms > max))
    {
        failures.push(format!("{at}: lasted {} ms, expected {span:?}", outcome.ms));
    }
    if step.expect.cancelled != outcome.cancelled {
        let wanted = if step.expect.cancelled { "should have been" } else { "must not have been" };
        failures.push(format!("{at}: {wanted} cancelled, ended with {outcome:?}"));
        return;
    }
    if let (Some(expected), Some(actual)) = (&step.expect.or_error, &outcome.error) {
        error(at, expected, sent, Some(step), actual, failures);
        return;
    }
    match (&step.expect.error, &outcome.error) {
        (Some(expected), Some(actual)) => error(at, expected, sent, Some(step), actual, failures),
        (Some(expected), None) => {
            failures.push(format!("{at}: expected {}, got the value {}", expected.class, outcome.value));
        }
        (None, Some(actual)) => failures.push(format!("{at}: failed with {actual}")),
        (None, None) => {}
    }
    if let Some(expected) = &step.expect.value
        && outcome.error.is_none()
    {
        compare(&format!("{at} value"), expected, &outcome.value, Members::Some, failures);
    }
    if let Some(expected) = &step.expect.items {
        let (expected, actual) = (json!(expected), json!(outcome.items));
        compare(&format!("{at} items"), &expected, &actual, Members::Some, failures);
    }
    if let Some(expected) = &step.expect.polls {
        let (expected, actual) = (json!(expected), json!(outcome.polls));
        compare(&format!("{at} polls"), &expected, &actual, Members::Some, failures);
    }
    if step.expect.nothing && !outcome.value.is_null() {
        failures.push(format!("{at}: expected nothing, got {}", outcome.value));
    }
}

/// An error is the same in every language: what the scenario does not give must be null.
fn error(
    at: &str,
    expected: &ExpectedError,
    sent: usize,
    step: Option<&Step>,
    actual: &Value,
    failures: &mut Vec<String>,
) {
    let mut wanted = json!({
        "class": expected.class,
        "code": expected.code,
        "status": expected.status,
        "retryAfter": expected.retry_after,
        "connection": expected.connection,
        "fields": expected.fields,
        "oldestCursor": expected.oldest_cursor,
    });
    let plain = step.is_none_or(|step| !step.iterate && step.call != "waitForConnection");
    if let Some(attempts) = &expected.attempts {
        wanted["attempts"] = attempts.clone();
    } else if plain {
        wanted["attempts"] = json!(sent);
    }
    wanted["message"] = expected.message.clone().unwrap_or(json!({ "$not": "" }));
    // A successful answer is never kept, since it may hold a credential.
    let successful = expected.status.as_u64().is_some_and(|status| status < 300);
    wanted["response"] = match (&expected.response, &expected.status) {
        (Some(response), _) => response.clone(),
        (None, _) if successful => Value::Null,
        (None, Value::Null) => Value::Null,
        (None, status) => json!({ "status": status }),
    };
    compare(&format!("{at} error"), &wanted, actual, Members::Some, failures);
    let headers = actual.pointer("/response/headers").and_then(Value::as_object);
    for name in headers.into_iter().flat_map(|headers| headers.keys()) {
        if ["set-cookie", "authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str()) {
            failures.push(format!("{at} error.response.headers: has {name}"));
        }
    }
}

/// Secrets are in the values that were asked for, and nowhere else.
fn secrets(session: &Session, report: &Report, failures: &mut Vec<String>) {
    let printed = |of: &str| report.prints.iter().any(|print| print.of == of);
    if report.refused.is_none() && !printed("client") {
        failures.push("prints: the client was not printed".to_owned());
    }
    let handed_out = report.outcomes.iter().filter(|o| !o.value.is_null() || o.error.is_some()).count();
    let prints = report.prints.iter().filter(|print| print.of != "client" && print.of != "log").count();
    if prints < handed_out {
        failures.push(format!("prints: {prints} for {handed_out} objects that were handed out"));
    }
    let errors = report.outcomes.iter().filter_map(|o| o.error.as_ref()).chain(&report.refused);
    let errors = errors.map(|error| ("error", "fields", error.to_string()));
    let prints = report.prints.iter().map(|p| (p.of.as_str(), p.form.as_str(), p.text.clone()));
    for (of, form, text) in errors.chain(prints) {
        // A link is made to be handed on: its JSON form, and no other, is whole.
        let whole = ["RequestLink", "AdminLink"].contains(&of) && form == "json";
        for (name, secret) in &session.canaries {
            if text.contains(secret.as_str()) && !(whole && *name == "request_token") {
                failures.push(format!("the {form} form of {of} shows the {name}"));
            }
        }
        for never in session.scenario.never.iter().filter(|never| text.contains(never.as_str())) {
            failures.push(format!("the {form} form of {of} shows `{never}`"));
        }
        if of == "log" && text.contains(CANARY) {
            failures.push("the log shows a secret".to_owned());
        }
    }
}
