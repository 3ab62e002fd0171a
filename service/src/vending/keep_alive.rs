//! Keep-alive: a refresh token that dies unused is refreshed in time, for a connection that somebody still uses.
//!
//! How long one lives unused is in the catalogue (`refresh_idle_days`). It is refreshed at about three quarters of that,
//! one at a time in each process, as by a token call: under the lease, and with the same pauses after a failure.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::refresh::{self, Cause};
use crate::clock::{Millis, millis};
use crate::state::{AppState, Service};
use crate::store::{IdleFilter, IdleGrant, StoreError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often to look for grants that are due.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// Time between two refreshes.
const PACE: Duration = Duration::from_secs(1);

/// An option of an app whose refresh tokens die unused.
struct DyingGrants {
    app_id: String,
    auth_option_key: String,
    idle: Millis,
}

/// Keeps grants alive until the service ends.
pub async fn keep_alive(app: AppState) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        // Each refresh is a task of its own, which goes on when this is cancelled.
        match app.ending.run_until_cancelled(keep_alive_once(&app, PACE)).await {
            Some(Err(error)) => tracing::warn!(%error, "grants are not kept alive now"),
            Some(Ok(0)) | None => {}
            Some(Ok(refreshed)) => tracing::info!(refreshed, "grants were kept alive"),
        }
    }
}

/// Refreshes the grants that are due now, one after the other with this much time between them. Gives the number of
/// those that succeeded.
///
/// # Errors
///
/// When the database fails.
pub async fn keep_alive_once(app: &AppState, pace: Duration) -> Result<u64, StoreError> {
    let mut refreshed = 0;
    for dying in app.dying_grants() {
        let mut after = String::new();
        loop {
            let now = app.clock.now();
            let filter = IdleFilter {
                app_id: &dying.app_id,
                auth_option_key: &dying.auth_option_key,
                obtained_before: now - dying.idle / 10 * 7,
                used_after: now - millis(DAY.saturating_mul(app.config.keep_alive_unused_days)),
            };
            let found = app.store.idle_grants(&filter, &after).await?;
            let Some(last) = found.last() else { break };
            after = last.connection_id.clone();
            for grant in found.iter().filter(|grant| grant.is_due(dying.idle, now)) {
                let cause = Cause::Idle { obtained_at: grant.obtained_at };
                let outcome = refresh::start(app, &grant.owner, &grant.connection_id, cause).await;
                refreshed += u64::from(outcome.is_ok());
                sleep(pace).await;
            }
        }
    }
    Ok(refreshed)
}

impl Service {
    fn dying_grants(&self) -> Vec<DyingGrants> {
        // Of apps that the operator has no client for, tenants may have one.
        let is_kept = |id: &str| self.config.apps.get(id).is_none_or(|client| client.keep_alive);
        let apps = self.catalogue.search("").into_iter().filter(|app| is_kept(&app.id));
        let options = apps.flat_map(|app| app.auth_options.iter().map(move |option| (app, option)));
        let dying = options.filter_map(|(app, option)| {
            let days = option.oauth.as_ref()?.refresh_idle_days?;
            Some(DyingGrants {
                app_id: app.id.clone(),
                auth_option_key: option.key.clone(),
                idle: millis(DAY.saturating_mul(days)),
            })
        });
        if self.config.keep_alive_unused_days == 0 { Vec::new() } else { dying.collect() }
    }
}

impl IdleGrant {
    /// Whether it is time to refresh it: between seven and eight tenths of the time for which it lives unused, so that those
    /// which were granted on one day are not refreshed on one day.
    fn is_due(&self, idle: Millis, now: Millis) -> bool {
        let spread = Millis::from(Sha256::digest(&self.connection_id)[0]);
        now >= self.obtained_at + idle / 10 * 7 + idle / 10 * spread / 256
    }
}
