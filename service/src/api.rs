//! What tenants' backends call, and the public endpoints that their front ends call with a request token.

mod apps;
mod confirm;
mod connections;
mod create_link;
mod health;
mod idempotency;
mod import;
mod keys;
mod labels;
mod long_poll;
mod public;
mod request_link;
mod token;
mod usages;
mod verify;

pub(crate) use connections::wait_until_not_pending;
pub(crate) use create_link::is_connectable;
pub use health::Readiness;
pub(crate) use health::is_ready;
pub(crate) use long_poll::{LongPoll, PREFERENCE_APPLIED};
pub use long_poll::{LongPolls, look_for_changes};
pub(crate) use request_link::new_link;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::auth::request_token;
use crate::auth::tenant_key::guarded;
use crate::budget::Group;
use crate::state::AppState;
use crate::store::Capability;

/// The endpoints under the contract's prefix.
pub fn routes(app: &AppState) -> Router<AppState> {
    let apps = |endpoint| guarded(app, Capability::Apps, Group::Default, endpoint);
    let connections = |endpoint| guarded(app, Capability::Connections, Group::Default, endpoint);
    let deletion = |endpoint| guarded(app, Capability::Delete, Group::Default, endpoint);
    let import = |endpoint| guarded(app, Capability::Import, Group::Default, endpoint);
    let admin = |endpoint| guarded(app, Capability::Admin, Group::Default, endpoint);
    let public_get = |endpoint| request_token::gated(app, endpoint).options(request_token::preflight_get);
    let public_post = |endpoint| request_token::gated(app, endpoint).options(request_token::preflight_post);

    Router::new()
        .route("/apps", apps(get(apps::list)))
        .route("/apps/{app_id}", apps(get(apps::read)))
        .route("/connections/request-link", connections(post(request_link::create)))
        .route("/connections/import", import(post(import::import)))
        .route("/connections", connections(get(connections::list)))
        .route(
            "/connections/{connection_id}",
            connections(get(connections::read).patch(connections::update))
                .merge(deletion(delete(connections::remove))),
        )
        .route("/connections/{connection_id}/token", post(token::vend))
        .route("/connections/{connection_id}/confirm", connections(post(confirm::confirm)))
        .route("/connections/{connection_id}/verify", connections(post(verify::verify)))
        .route(
            "/connections/{connection_id}/usages/{usage_id}",
            connections(put(usages::add).delete(usages::remove)),
        )
        .route("/keys", admin(get(keys::list)))
        .route("/keys/rotate", admin(post(keys::rotate)))
        .route("/keys/promote", admin(post(keys::promote)))
        .route("/connections/{connection_id}/status", public_get(get(public::status)))
        .route("/connections/{connection_id}/auth-options", public_get(get(public::auth_options)))
        .route("/connections/{connection_id}/submit", public_post(post(public::submit)))
}

/// The addresses outside the contract's prefix.
pub fn probes() -> Router<AppState> {
    Router::new().route("/livez", get(health::live)).route("/readyz", get(health::ready))
}
