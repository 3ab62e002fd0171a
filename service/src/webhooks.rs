//! Webhooks: a tenant's events, sent to the endpoints that it has registered, signed as Standard Webhooks 1.0 has it.
//!
//! ```text
//! store/events.rs ──▶ store/deliveries.rs (queued in the transaction of the event)
//!                          │ claimed under a lease, by any process
//!                     turn.rs ──▶ send.rs ──▶ the endpoint        signature.rs, schedule.rs
//! ```
//!
//! Each event is sent at least once; one that a crash cut off is sent again, with the same `webhook-id`. An endpoint has its
//! turn, a bounded number of attempts in bounded time, and then the others have theirs. Those that failed or took long last
//! time never take all room at once. Nothing here may hold up the change that an event tells of.

mod schedule;
mod send;
pub mod signature;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::sleep;

pub use self::send::{WEBHOOK_URL, WebhookClient};
pub(crate) use self::turn::origin;
use crate::clock::Millis;
use crate::ids;
use crate::in_flight::InFlightCounts;
use crate::state::{AppState, Service};
use crate::store::{
    ClaimedWebhook, Event, NewAttempt, Next, SigningSecrets, Store, StoreError, Webhook, WebhookAttempt,
};

/// The type of the event that [`send_test`] sends. It is in no feed.
pub const TEST_TYPE: &str = "webhook.test";

/// Endpoints that one process sends to at the same time.
const MAX_TURNS: usize = 64;

/// How many of them may be such that failed or took long.
const MAX_SUSPECT_TURNS: usize = 32;

/// The same for the endpoints of one tenant.
const MAX_TENANT_TURNS: usize = 8;
const MAX_TENANT_SUSPECT_TURNS: usize = 4;

/// The turns under way.
struct Turns {
    room: Arc<Semaphore>,
    suspects: Arc<Semaphore>,
    of_tenants: InFlightCounts,
    suspects_of_tenants: InFlightCounts,
}

/// Between two looks for what other processes queued, and for what is to be tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks are at least so far apart, however much is queued.
const MIN_PAUSE: Duration = Duration::from_millis(20);

/// Sends what is queued until the service ends.
pub(crate) async fn deliver_until_the_end(app: AppState) {
    let turns = Turns {
        room: Arc::new(Semaphore::new(MAX_TURNS)),
        suspects: Arc::new(Semaphore::new(MAX_SUSPECT_TURNS)),
        of_tenants: InFlightCounts::default(),
        suspects_of_tenants: InFlightCounts::default(),
    };
    while !app.ending.is_cancelled() {
        if let Err(error) = begin_turns(&app, &turns).await {
            tracing::warn!(%error, "webhooks are not sent yet");
        }
        let queued_or_time = async {
            tokio::select! {
                () = app.store.delivery_queued() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            sleep(MIN_PAUSE).await;
        };
        app.ending.run_until_cancelled(queued_or_time).await;
    }
}

/// Gives endpoints a turn for which something is ready, as far as there is room.
async fn begin_turns(app: &AppState, turns: &Turns) -> Result<(), StoreError> {
    let Turns { room, suspects, of_tenants, suspects_of_tenants } = turns;
    for take_suspects in [false, true] {
        let free = match take_suspects {
            true => room.available_permits().min(suspects.available_permits()),
            false => room.available_permits(),
        };
        // By tenant, until the endpoints are known.
        let mut counted: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let has_room = |tenant: &str| {
            let suspect = take_suspects.then(|| suspects_of_tenants.enter(tenant, MAX_TENANT_SUSPECT_TURNS));
            let own = of_tenants.enter(tenant, MAX_TENANT_TURNS);
            let has_room = own.is_some() && !matches!(suspect, Some(None));
            if has_room {
                counted.entry(tenant.to_owned()).or_default().push((own, suspect));
            }
            has_room
        };
        for webhook in app.store.claim_webhooks(free, take_suspects, turn::LEASE, has_room).await? {
            let permits = [Some(room), Some(suspects).filter(|_| take_suspects)]
                .into_iter()
                .flatten()
                .map(|semaphore| semaphore.clone().try_acquire_owned().ok())
                .collect::<Vec<_>>();
            let counted = counted.get_mut(&webhook.tenant).and_then(Vec::pop);
            let service = app.clone();
            app.tasks.spawn(async move {
                let is_over = take_turn(&service, &webhook).await;
                drop((permits, counted));
                // There may be more.
                if !is_over {
                    service.store.wake_delivery();
                }
            });
        }
    }
    Ok(())
}

/// Whether nothing was ready, or the turn failed.
async fn take_turn(service: &Service, webhook: &ClaimedWebhook) -> bool {
    match turn::run(service, webhook).await {
        Ok(has_sent) => !has_sent,
        Err(error) => {
            tracing::warn!(%error, webhook = webhook.id, "a turn of a webhook endpoint failed");
            true
        }
    }
}

/// Sends what is ready, and returns when nothing is any more.
///
/// # Errors
///
/// When the database fails.
pub async fn deliver_ready(service: &Service) -> Result<(), StoreError> {
    loop {
        let claimed = service.store.claim_webhooks(MAX_TURNS, true, turn::LEASE, |_| true).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        let turns = claimed.iter().map(|webhook| turn::run(service, webhook));
        join_all(turns).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
}

/// Sends an event that tells nothing to one endpoint, at once, even if that is switched off. It is not repeated.
///
/// # Errors
///
/// When the database fails.
pub async fn send_test(
    store: &Store,
    client: &WebhookClient,
    tenant: &str,
    (webhook, secrets): (&Webhook, &SigningSecrets),
    now: Millis,
) -> Result<WebhookAttempt, StoreError> {
    let id = ids::prefixed("evt_");
    let event = serde_json::json!({
        "id": id,
        "type": TEST_TYPE,
        "timestamp": crate::clock::rfc3339(now),
        "cursor": "",
        "data": {},
    });
    send_now(store, client, tenant, (webhook, secrets), (&id, TEST_TYPE, event.to_string()), now).await
}

/// Sends an event to one endpoint, at once and once.
///
/// # Errors
///
/// When the database fails.
pub async fn send_event(
    store: &Store,
    client: &WebhookClient,
    tenant: &str,
    (webhook, secrets): (&Webhook, &SigningSecrets),
    event: &Event,
    now: Millis,
) -> Result<WebhookAttempt, StoreError> {
    let body = serde_json::to_string(event).map_err(|_| StoreError::Unreadable("payload"))?;
    send_now(store, client, tenant, (webhook, secrets), (&event.id, &event.event_type, body), now).await
}

async fn send_now(
    store: &Store,
    client: &WebhookClient,
    tenant: &str,
    (webhook, secrets): (&Webhook, &SigningSecrets),
    (id, event_type, body): (&str, &str, String),
    now: Millis,
) -> Result<WebhookAttempt, StoreError> {
    let outcome = client.send(&webhook.url, id, body, secrets.at(now)).await;
    let attempt = NewAttempt {
        event_id: id.to_owned(),
        event_type: event_type.to_owned(),
        url: webhook.url.clone(),
        number: 1,
        at: now,
        duration: outcome.duration,
        status: outcome.status,
        error: outcome.error,
        response: outcome.response,
        next: if outcome.error.is_none() { Next::Received } else { Next::GivenUp },
    };
    store.note_attempt(tenant, &webhook.id, &attempt).await
}
