//! `GET /livez` and `GET /readyz`, for supervisors and load balancers.

use std::time::Duration;

use axum::extract::State;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::state::AppState;

/// How long a check counts for all who ask. Anybody may ask, and each check takes SQLite's only writer.
const CHECK_LIFETIME: Duration = Duration::from_secs(1);

/// The last check of the database. Those who ask meanwhile wait for the same one.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// The last result while it counts, else that of `check`.
    async fn get(&self, check: impl Future<Output = bool>) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, is_ready)) = *last
            && at.elapsed() < CHECK_LIFETIME
        {
            return is_ready;
        }
        let is_ready = check.await;
        *last = Some((Instant::now(), is_ready));
        is_ready
    }
}

/// Whether the process works at all. Asks nothing of the database: a restart would not bring that back.
pub(super) async fn live() -> Success<()> {
    Success::new(())
}

/// Whether the service can do its work, and wants more of it: not once it was asked to end.
pub(super) async fn ready(State(app): State<AppState>) -> Result<Success<()>, ApiError> {
    if is_ready(&app).await { Ok(Success::new(())) } else { Err(ApiError::ServiceUnavailable) }
}

/// Whether `GET /readyz` is a 200 now.
pub(crate) async fn is_ready(app: &AppState) -> bool {
    let check = async {
        let checked = app.store.ready().await;
        if let Err(error) = &checked {
            tracing::warn!(%error, "not ready");
        }
        checked.is_ok()
    };
    !app.ending.is_cancelled() && app.readiness.get(check).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_who_ask_within_a_second_share_one_check() {
        let (readiness, checks) = (Readiness::default(), AtomicU32::new(0));
        let ask = || {
            readiness.get(async {
                let number = checks.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(500)).await;
                number == 0
            })
        };
        assert_eq!(join_all([ask(), ask(), ask()]).await, [true; 3]);
        assert!(ask().await);
        assert_eq!(checks.load(Ordering::Relaxed), 1);
        advance(CHECK_LIFETIME).await;
        assert_eq!(join_all([ask(), ask(), ask()]).await, [false; 3]);
        assert_eq!(checks.load(Ordering::Relaxed), 2);
    }
}
