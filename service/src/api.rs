//! What tenants' backends call, and the public endpoints that their front ends call with a request token.

mod apps;
mod body;
mod confirm;
mod connections;
mod gate;
mod header;
mod health;
mod keys;
mod long_poll;
mod path;
mod public;
mod query;
mod request_link;
mod token;
mod usages;
mod wanted_link;
mod web_address;

pub(crate) use connections::wait_until_not_pending;
pub use health::Readiness;
pub(crate) use long_poll::LongPoll;
pub use long_poll::{LongPolls, look_for_changes};
pub(crate) use path::is_id;
pub(crate) use request_link::new_link;
pub(crate) use wanted_link::is_connectable;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::access::guarded;
use crate::budget::Group;
use crate::state::AppState;
use crate::store::Capability;

/// The endpoints under the contract's prefix.
pub fn routes(app: &AppState) -> Router<AppState> {
    let apps = |endpoint| guarded(app, Capability::Apps, Group::Default, endpoint);
    let connections = |endpoint| guarded(app, Capability::Connections, Group::Default, endpoint);
    let deletion = |endpoint| guarded(app, Capability::Delete, Group::Default, endpoint);
    let admin = |endpoint| guarded(app, Capability::Admin, Group::Default, endpoint);
    let public_get = |endpoint| gate::gated(app, endpoint).options(gate::preflight_get);
    let public_post = |endpoint| gate::gated(app, endpoint).options(gate::preflight_post);

    Router::new()
        .route("/apps", apps(get(apps::list)))
        .route("/apps/{app_id}", apps(get(apps::read)))
        .route(
            "/connections/request-link",
            connections(post(request_link::create)),
        )
        .route("/connections", connections(get(connections::list)))
        .route(
            "/connections/{connection_id}",
            connections(get(connections::read)).merge(deletion(delete(connections::remove))),
        )
        .route("/connections/{connection_id}/token", post(token::vend))
        .route(
            "/connections/{connection_id}/confirm",
            connections(post(confirm::confirm)),
        )
        .route(
            "/connections/{connection_id}/usages/{usage_id}",
            connections(put(usages::add).delete(usages::remove)),
        )
        .route("/keys", admin(get(keys::list)))
        .route("/keys/rotate", admin(post(keys::rotate)))
        .route("/keys/promote", admin(post(keys::promote)))
        .route(
            "/connections/{connection_id}/status",
            public_get(get(public::status)),
        )
        .route(
            "/connections/{connection_id}/auth-options",
            public_get(get(public::auth_options)),
        )
        .route(
            "/connections/{connection_id}/submit",
            public_post(post(public::submit)),
        )
}

/// The addresses outside the contract's prefix.
pub fn probes() -> Router<AppState> {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
}
