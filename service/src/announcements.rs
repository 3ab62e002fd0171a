//! Events that time alone causes are looked for here, until the service ends: a link that ran out unused, and a grant that
//! ends soon. Several processes may look at once, see `store/expiry.rs`.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::clock::millis;
use crate::state::{AppState, Service};
use crate::store::{Due, EndingGrants, StoreError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often to look for links that ran out, and tokens that end.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often to look for refresh tokens that die unused, which looks at all grants of some apps.
const SCAN_EVERY: Duration = Duration::from_secs(60 * 60);

/// Looks now and then, until the service ends.
pub async fn announce(app: AppState) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut scan_at = Instant::now();
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        let is_scan = Instant::now() >= scan_at;
        if is_scan {
            scan_at = Instant::now() + SCAN_EVERY;
        }
        if let Err(error) = announce_once(&app, is_scan).await {
            tracing::warn!(%error, "events of what expired are not written yet");
        }
    }
}

/// Writes the events that are due; those of refresh tokens only with a `scan`.
///
/// # Errors
///
/// When the database fails.
pub async fn announce_once(app: &Service, scan: bool) -> Result<(), StoreError> {
    app.store.announce(Due::ExpiredLinks).await?;
    app.store.announce(Due::EndingTokens).await?;
    if scan {
        for grants in app.ending_grants() {
            app.store.announce(Due::EndingGrants(&grants)).await?;
        }
    }
    Ok(())
}

impl Service {
    fn ending_grants(&self) -> Vec<EndingGrants<'_>> {
        let apps = self.config.apps.keys().filter_map(|id| self.catalogue.get(id));
        let options = apps.flat_map(|app| app.auth_options.iter().map(move |option| (app, option)));
        let ending = options.filter_map(|(app, option)| {
            let days = option.oauth.as_ref()?.refresh_idle_days?;
            Some(EndingGrants {
                app_id: &app.id,
                auth_option_key: &option.key,
                idle: millis(DAY.saturating_mul(days)),
            })
        });
        ending.collect()
    }
}
