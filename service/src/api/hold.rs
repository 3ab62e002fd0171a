//! Held answers: `Prefer: wait=N`.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use tokio::time::{Instant, sleep_until};

use crate::state::AppState;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How often to look for what another process, or the clock, changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long one answer may still be held. To be used so that no change is missed:
///
/// ```text
/// loop {
///     let change = app.store.change(id); // subscribed before looking
///     let found = …;
///     if found.status != Status::Pending || !hold.until(change).await {
///         break found;
///     }
/// }
/// ```
pub(super) struct Hold<'a> {
    app: &'a AppState,
    deadline: Instant,
}

impl<'a> Hold<'a> {
    /// Holds for so long, or not at all.
    pub(super) fn new(app: &'a AppState, wait: Option<Duration>) -> Self {
        Self {
            app,
            deadline: Instant::now() + wait.unwrap_or_default(),
        }
    }

    /// Waits for the change, or for a while; then it is time to look again. `false`, at once, where the time is over
    /// or the service ends.
    pub(super) async fn until(&self, change: impl Future<Output = ()>) -> bool {
        let now = Instant::now();
        if now >= self.deadline || self.app.ending.is_cancelled() {
            return false;
        }
        tokio::select! {
            () = change => {}
            () = sleep_until(self.deadline.min(now + LOOK_AGAIN)) => {}
            () = self.app.ending.cancelled() => {}
        }
        true
    }
}

/// Says so, where the answer was held or would have been.
pub(super) fn applied(wait: Option<Duration>, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if wait.is_some() {
        response
            .headers_mut()
            .insert(PREFERENCE_APPLIED, HeaderValue::from_static("wait"));
    }
    response
}
