//! The server: every address, what holds for all of them, and a graceful end. How connections are served is in
//! `server/connections.rs`.

mod connections;
mod handled;
mod stream;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_util::task::TaskTracker;

pub use self::connections::{max_connections, raise_file_limit};
use crate::error::ApiError;
use crate::state::AppState;
use crate::{
    announcements, api, dashboard, hosted, log, mcp, metrics, revocation, traces, vending, webhooks,
};

/// Where the contract's addresses begin.
pub const PREFIX: &str = "/platform/v1";

/// What is larger is not read.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Whoever takes longer to send a body is not heard.
pub(crate) const TIME_TO_ARRIVE: Duration = Duration::from_secs(30);

const CLEAN_UP_EVERY: Duration = Duration::from_secs(60 * 60);

const DROP_UNCONFIRMED_EVERY: Duration = Duration::from_secs(60);

const WRITE_AUDIT_EVERY: Duration = Duration::from_secs(1);

/// All addresses of a service.
pub fn router(app: AppState) -> Router {
    Router::new()
        .merge(dashboard::routes(&app))
        .nest(PREFIX, api::routes(&app).merge(mcp::routes(&app)).merge(hosted_routes()))
        .layer(middleware::from_extractor::<connections::WithinLimit>())
        // Probes are answered whatever else is refused.
        .merge(api::probes())
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), log::observe))
        .with_state(app)
}

/// What customers' browsers visit.
fn hosted_routes() -> Router<AppState> {
    Router::new()
        .route("/connect/{link}", get(hosted::show).post(hosted::submit))
        .route("/admin/{link}", get(hosted::show_admin).post(hosted::submit_admin))
        .route("/authorize/{link}", get(hosted::authorize).post(hosted::authorize_from_form))
        .route("/oauth/callback/{app}", get(hosted::callback))
        .route("/oauth/result/{state}", get(hosted::result))
        .route("/logos/{digest}", get(api::logo))
}

/// Serves until [`Service::ending`](crate::state::Service::ending) is cancelled. Then the service is not ready any more,
/// long polls end, and each connection is closed after its next response, while the listener still accepts: whoever
/// sends requests here needs time to learn that it should not. After `drain`, or once
/// [`Service::closing`](crate::state::Service::closing) is cancelled, the listener and idle connections are closed, and
/// requests and refreshes finish, for as long as the configuration allows.
pub async fn serve(app: AppState, listener: TcpListener) {
    app.tasks.spawn(clean_up(app.clone()));
    app.tasks.spawn(drop_unconfirmed(app.clone()));
    app.tasks.spawn(api::look_for_changes(app.clone()));
    app.tasks.spawn(write_audit(app.clone()));
    app.tasks.spawn(vending::keep_alive(app.clone()));
    app.tasks.spawn(announcements::announce(app.clone()));
    app.tasks.spawn(revocation::revoke_until_the_end(app.clone()));
    app.tasks.spawn(webhooks::deliver_until_the_end(app.clone()));
    app.tasks.spawn(traces::export(app.clone()));
    let (router, connections) = (router(app.clone()), TaskTracker::new());
    tokio::select! {
        never = connections::accept(&app, &router, listener, &connections) => match never {},
        () = drained(&app) => app.closing.cancel(),
    }
    connections.close();
    if timeout(app.config.grace(), connections.wait()).await.is_err() {
        tracing::warn!("requests did not finish in time");
    }
    app.tasks.close();
    if timeout(app.config.grace(), app.tasks.wait()).await.is_err() {
        tracing::warn!("refreshes did not finish in time");
    }
    if let Err(error) = app.store.write_vendings().await {
        tracing::error!(%error, "the audit of the last token calls is lost");
    }
    app.store.close().await;
}

/// Serves what is counted, on an address of its own, until the service closes. It has the limits of [`serve`].
pub async fn serve_metrics(app: AppState, listener: TcpListener) {
    let (router, connections) = (metrics::router(app.clone()), TaskTracker::new());
    let accept = connections::accept(&app, &router, listener, &connections);
    app.closing.run_until_cancelled(accept).await;
}

async fn drained(app: &AppState) {
    app.ending.cancelled().await;
    tracing::info!(seconds = app.config.drain, "ending");
    tokio::select! {
        () = sleep(app.config.drain()) => {}
        () = app.closing.cancelled() => {}
    }
}

/// Erases grants that nobody confirmed, at most this much later than they could have been used.
async fn drop_unconfirmed(app: AppState) {
    let mut ticks = tokio::time::interval(DROP_UNCONFIRMED_EVERY);
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = app.store.drop_unconfirmed().await {
            tracing::warn!(%error, "unconfirmed grants are not erased yet");
        }
    }
}

/// Writes the audit of vending that calls leave behind, until the service ends; what comes after that is written last.
async fn write_audit(app: AppState) {
    let mut ticks = tokio::time::interval(WRITE_AUDIT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while app.closing.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = app.store.write_vendings().await {
            tracing::warn!(%error, "the audit of vending is not written yet");
        }
    }
}

/// Forgets now and then what nobody can ask for any more.
async fn clean_up(app: AppState) {
    let mut ticks = tokio::time::interval(CLEAN_UP_EVERY);
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = app.store.clean_up().await {
            tracing::warn!(%error, "cleaning up failed");
        }
    }
}
