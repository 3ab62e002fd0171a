//! An endpoint's turn: what is ready for it is sent, several at once, those of one connection one after the other. What
//! became of it is noted at the end, all or nothing: a process that dies before leaves it to be sent again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use url::Url;

use super::schedule::{self, MAX_CONCURRENCY, PROBE_AFTER};
use super::send::Outcome;
use crate::clock::Millis;
use crate::state::Service;
use crate::store::{
    ClaimedWebhook, Delivery, DisabledReason, Health, MAX_HOLDING_ATTEMPTS, NewAttempt, Next, StoreError,
};

/// For how long a turn begins new attempts.
const TURN: Duration = Duration::from_secs(2);

/// For how long nobody else sends to the endpoint: longer than the last attempt of a turn and the note of it can take.
pub(super) const LEASE: Duration = Duration::from_secs(20);

/// Events of one turn.
const BATCH: usize = 32;

/// From here on, an endpoint took long.
const SLOW: Duration = Duration::from_secs(1);

/// A turn under way.
struct Turn<'a> {
    service: &'a Service,
    webhook: &'a ClaimedWebhook,
    begun: Instant,
    state: Mutex<State>,
}

/// How the endpoint does.
struct State {
    failures: i64,
    failing_since: Option<Millis>,
    retry_after: Option<Duration>,
    has_succeeded: bool,
    has_failed: bool,
    is_suspect: bool,
    disabled: Option<DisabledReason>,
}

/// Sends what is ready for an endpoint: a part of it, or one event where it has failed so often that it is only probed, and
/// then more by and by. `false` where nothing was ready.
///
/// # Errors
///
/// When the database fails.
pub(super) async fn run(service: &Service, webhook: &ClaimedWebhook) -> Result<bool, StoreError> {
    let was_failing = webhook.failures >= PROBE_AFTER;
    let concurrency = if was_failing { 1 } else { webhook.concurrency };
    let limit = if concurrency < MAX_CONCURRENCY { concurrency } else { BATCH };
    let ready = service.store.ready_deliveries(webhook, limit).await?;
    if ready.is_empty() {
        service.store.end_turn(webhook).await?;
        return Ok(false);
    }
    let turn = Turn {
        service,
        webhook,
        begun: Instant::now(),
        state: Mutex::new(State {
            failures: webhook.failures,
            failing_since: webhook.failing_since,
            retry_after: None,
            has_succeeded: false,
            has_failed: false,
            is_suspect: false,
            disabled: None,
        }),
    };
    let results: Vec<_> = stream::iter(chains(ready))
        .map(|chain| turn.send_chain(chain))
        .buffer_unordered(concurrency)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    let health = turn.health(was_failing, concurrency);
    service.store.finish_turn(webhook, &results, &health).await?;

    let (id, tenant, failures) = (&webhook.id, &webhook.tenant, health.failures);
    if let Some(reason) = health.disabled {
        tracing::warn!(webhook = id, tenant, reason = reason.as_str(), "a webhook endpoint is switched off");
    } else if !was_failing && failures >= PROBE_AFTER {
        tracing::warn!(webhook = id, tenant, failures, "a webhook endpoint fails");
    } else if health.has_recovered {
        tracing::info!(webhook = id, tenant, "a webhook endpoint works again");
    }
    Ok(true)
}

/// What goes to one address of one connection, in order. What is of no connection has no order.
fn chains(ready: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let (mut chains, mut by_connection) = (Vec::new(), BTreeMap::<_, Vec<Delivery>>::new());
    for delivery in ready {
        match delivery.connection_id.clone() {
            Some(id) => by_connection.entry((id, delivery.link_url.clone())).or_default().push(delivery),
            None => chains.push(vec![delivery]),
        }
    }
    chains.extend(by_connection.into_values());
    for chain in &mut chains {
        chain.sort_by_key(|delivery| delivery.position);
    }
    // Those that came first are sent first.
    chains.sort_by_key(|chain| chain.first().map(|delivery| delivery.position));
    chains
}

impl Turn<'_> {
    /// Sends one after the other, as long as the turn lasts and none has to be waited for.
    async fn send_chain(&self, chain: Vec<Delivery>) -> Vec<(Delivery, NewAttempt)> {
        let mut results = Vec::with_capacity(chain.len());
        for delivery in chain {
            if self.is_over() {
                break;
            }
            let attempt = self.send(&delivery).await;
            let waits = matches!(attempt.next, Next::RetryAt(_)) && attempt.number <= MAX_HOLDING_ATTEMPTS;
            results.push((delivery, attempt));
            if waits {
                break;
            }
        }
        results
    }

    fn is_over(&self) -> bool {
        let state = self.state();
        let gets_no_more =
            state.disabled.is_some() || state.retry_after.is_some() || state.failures >= PROBE_AFTER;
        // A probe is one attempt, which is not kept from being made by the failures before it.
        let is_probe = self.webhook.failures >= PROBE_AFTER && state.failures == self.webhook.failures;
        (gets_no_more && !is_probe) || self.begun.elapsed() >= TURN || self.service.ending.is_cancelled()
    }

    async fn send(&self, delivery: &Delivery) -> NewAttempt {
        let Self { service, webhook, .. } = self;
        let (at, number) = (service.clock.now(), delivery.attempts + 1);
        let url = delivery.link_url.as_ref().unwrap_or(&webhook.url);
        let outcome = match serde_json::to_string(&delivery.event) {
            Ok(body) if has_same_origin(url, &webhook.url) => {
                let secrets = webhook.secrets.at(at);
                service.webhooks.send(url, &delivery.event.id, body, secrets).await
            }
            // The endpoint has moved since the link was made.
            _ => Outcome {
                status: None,
                error: Some("address"),
                response: None,
                retry_after: None,
                duration: Duration::ZERO,
            },
        };
        self.note(delivery, &outcome);
        let gone =
            delivery.link_url.is_some() && (outcome.status == Some(410) || outcome.error == Some("address"));
        let next = match outcome.error {
            None => Next::Received,
            Some(_) if gone => Next::GivenUp,
            Some(_) => {
                let (first, now) = (delivery.tried_at.unwrap_or(at), service.clock.now());
                schedule::next_attempt(number, first, outcome.retry_after, now)
                    .map_or(Next::GivenUp, Next::RetryAt)
            }
        };
        if next == Next::GivenUp {
            let (id, event) = (&webhook.id, &delivery.event.id);
            tracing::warn!(webhook = id, event, attempts = number, "an event is not sent again");
        }
        NewAttempt {
            event_id: delivery.event.id.clone(),
            event_type: delivery.event.event_type.clone(),
            url: url.clone(),
            number,
            at,
            duration: outcome.duration,
            status: outcome.status,
            error: outcome.error,
            response: outcome.response,
            next,
        }
    }

    /// What an attempt says of the endpoint. What a link's own address does says nothing.
    fn note(&self, delivery: &Delivery, outcome: &Outcome) {
        if delivery.link_url.is_some() {
            return;
        }
        let now = self.service.clock.now();
        let mut state = self.state();
        state.is_suspect |= outcome.error.is_some() || outcome.duration >= SLOW;
        if outcome.error.is_none() {
            state.failures = 0;
            state.failing_since = None;
            state.has_succeeded = true;
            return;
        }
        state.has_failed = true;
        state.failures = state.failures.saturating_add(1);
        state.retry_after = state.retry_after.max(outcome.retry_after);
        let since = *state.failing_since.get_or_insert(now);
        if outcome.status == Some(410) {
            state.disabled = Some(DisabledReason::Gone);
        } else if schedule::is_given_up(since, now) {
            state.disabled = Some(DisabledReason::Failing);
        }
    }

    fn health(&self, was_failing: bool, concurrency: usize) -> Health {
        let state = self.state();
        let now = self.service.clock.now();
        Health {
            failures: state.failures,
            failing_since: state.failing_since,
            paused_until: schedule::pause_until(state.failures, state.retry_after, now),
            concurrency: match state.failures {
                PROBE_AFTER.. => 1,
                _ => schedule::next_concurrency(concurrency, state.has_failed, state.has_succeeded),
            },
            is_suspect: state.is_suspect,
            has_recovered: was_failing && state.has_succeeded,
            disabled: state.disabled,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scheme, host and port of an address; none where it has no host.
pub(crate) fn origin(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

fn has_same_origin(one: &str, other: &str) -> bool {
    origin(one).zip(origin(other)).is_some_and(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let own = "https://hooks.example.com/events";
        for url in ["https://hooks.example.com", "https://HOOKS.example.com:443/other?x=1"] {
            assert!(has_same_origin(url, own), "{url}");
        }
        for url in [
            "http://hooks.example.com/",
            "https://hooks.example.com:8443/",
            "https://hooks.example.com.evil.example/",
            "https://evil.example/hooks.example.com",
            "https://hooks.example.com@evil.example/",
            "data:text/plain,a",
            "",
        ] {
            assert!(!has_same_origin(url, own), "{url}");
        }
        assert!(!has_same_origin("data:a", "data:a"), "an opaque origin is like no other");
    }
}
