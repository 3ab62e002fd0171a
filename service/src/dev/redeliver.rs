//! Events to webhook endpoints once more, and out of order: what a receiver must be able to take, on demand.

use serde_json::{Value, json};

use super::control::ControlError;
use crate::state::Service;
use crate::store::Event;
use crate::webhooks::send_event;

/// More than a command has time for.
const MAX_COUNT: u32 = 100;

/// Sends the latest `count` events of each tenant to its endpoints that are on, or to one alone.
pub(super) async fn redeliver(
    service: &Service,
    count: u32,
    shuffle: bool,
    webhook_id: Option<&str>,
) -> Result<Value, ControlError> {
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(ControlError::wrong(format!("count must be between 1 and {MAX_COUNT}")));
    }
    let (store, mut sent, mut found) = (&service.store, Vec::new(), false);
    for tenant in store.tenants().await? {
        let mut events = store.latest_events(&tenant.id, count).await?;
        if shuffle {
            put_out_of_order(&mut events);
        }
        for webhook in store.webhooks(&tenant.id).await? {
            if webhook_id.map_or(webhook.disabled.is_some(), |id| id != webhook.id) {
                continue;
            }
            let Some((webhook, secrets)) = store.webhook_with_secrets(&tenant.id, &webhook.id).await? else {
                continue;
            };
            found = true;
            for event in events.iter().filter(|event| webhook.wants(&event.event_type)) {
                let (client, now) = (&service.webhooks, service.clock.now());
                let endpoint = (&webhook, &secrets);
                let attempt = send_event(store, client, &tenant.id, endpoint, event, now).await?;
                sent.push(json!({
                    "webhook_id": webhook.id,
                    "event_id": event.id,
                    "type": event.event_type,
                    "status": attempt.status,
                    "error": attempt.error,
                }));
            }
        }
    }
    match found {
        true => Ok(json!({ "sent": sent })),
        false => Err(ControlError::wrong("There is no such webhook endpoint; POST /webhooks makes one")),
    }
}

/// By chance, and never in their order.
fn put_out_of_order(events: &mut [Event]) {
    let first = events.first().map(|event| event.id.clone());
    events.sort_by_cached_key(|_| getrandom::u32().unwrap_or_default());
    if events.first().map(|event| &event.id) == first.as_ref() {
        events.reverse();
    }
}
