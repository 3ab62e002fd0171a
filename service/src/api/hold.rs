//! Held answers: `Prefer: wait=N`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use tokio::time::{Instant, sleep_until};

use crate::state::AppState;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How often to look for what another process, or the clock, changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many answers are held at once for whoever has a link: some windows of a browser.
const MOST_PER_LINK: u32 = 5;

/// How many answers are being held, by link.
#[derive(Debug, Default)]
pub struct Held(Mutex<HashMap<String, u32>>);

/// Room for one more held answer; given back when dropped.
pub(super) struct Place<'a> {
    held: &'a Held,
    link: String,
}

impl Held {
    /// `None` where as many answers are held for this link as may be.
    pub(super) fn place(&self, link: &str) -> Option<Place<'_>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(link.to_owned()).or_default();
        if *count >= MOST_PER_LINK {
            return None;
        }
        *count += 1;
        Some(Place {
            held: self,
            link: link.to_owned(),
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut counts = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.link) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.link);
            }
        }
    }
}

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
