//! What tenants' backends call, and the public endpoints that their front ends call with a request token.

mod admin_links;
mod app_settings;
mod apps;
mod budgets;
mod confirm;
mod connections;
mod create_link;
mod erasure;
mod events;
mod health;
mod idempotency;
mod import;
mod keys;
mod labels;
mod long_poll;
mod oauth_clients;
mod public;
mod request_link;
mod sdk_config;
mod tenant;
mod token;
mod usages;
mod verify;
mod webhook_attempts;
mod webhooks;

pub(crate) use connections::wait_until_not_pending;
pub use health::Readiness;
pub(crate) use health::is_ready;
pub(crate) use long_poll::{LongPoll, PREFERENCE_APPLIED};
pub use long_poll::{LongPolls, look_for_changes};
pub(crate) use request_link::new_link;
pub use sdk_config::logo;

use axum::Router;
use axum::routing::{any, delete, get, post, put};

use crate::auth::request_token;
use crate::auth::tenant_key::guarded;
use crate::budget::Group;
use crate::state::AppState;
use crate::store::Capability;
use crate::{contacts, proxy};

/// The endpoints under the contract's prefix.
pub fn routes(app: &AppState) -> Router<AppState> {
    let apps = |endpoint| guarded(app, Capability::Apps, Group::Default, endpoint);
    let connections = |endpoint| guarded(app, Capability::Connections, Group::Default, endpoint);
    let deletion = |endpoint| guarded(app, Capability::Delete, Group::Default, endpoint);
    let import = |endpoint| guarded(app, Capability::Import, Group::Default, endpoint);
    let admin = |endpoint| guarded(app, Capability::Admin, Group::Default, endpoint);
    let proxied = |endpoint| guarded(app, Capability::Proxy, Group::Proxy, endpoint);
    let events = |endpoint| guarded(app, Capability::Events, Group::Events, endpoint);
    let public_get = |endpoint| request_token::gated(app, endpoint).options(request_token::preflight_get);
    let public_post = |endpoint| request_token::gated(app, endpoint).options(request_token::preflight_post);

    Router::new()
        .route("/apps", apps(get(apps::list)))
        .route("/apps/{app_id}", apps(get(apps::read)))
        .route("/apps/{app_id}/settings", admin(get(app_settings::read).put(app_settings::set)))
        .route(
            "/apps/{app_id}/oauth-client",
            admin(put(oauth_clients::set).get(oauth_clients::read).delete(oauth_clients::remove)),
        )
        .route(
            "/organizations/{organization_id}/apps/{app_id}/oauth-client",
            admin(put(oauth_clients::set).get(oauth_clients::read).delete(oauth_clients::remove)),
        )
        .route("/organizations/{organization_id}/admin-link", admin(post(admin_links::create)))
        .route("/organizations/{organization_id}/apps/{app_id}", deletion(delete(erasure::organization_app)))
        .route("/customers", deletion(delete(erasure::customer)))
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
        .route("/events", events(get(events::list)))
        .route("/contacts", proxied(get(contacts::list)))
        .route("/connections/{connection_id}/proxy", any(proxy::call))
        .route("/connections/{connection_id}/proxy/", any(proxy::call))
        .route("/connections/{connection_id}/proxy/{*path}", any(proxy::call))
        .route("/budgets", admin(get(budgets::list)))
        .route("/keys", admin(get(keys::list)))
        .route("/keys/rotate", admin(post(keys::rotate)))
        .route("/keys/promote", admin(post(keys::promote)))
        .route("/tenant/keys", admin(post(tenant::create_key)))
        .route("/tenant/keys/{key_id}", admin(delete(tenant::revoke_key)))
        .route(
            "/tenant/keys/{key_id}/mcp-url",
            admin(post(tenant::mint_mcp_url).delete(tenant::revoke_mcp_url)),
        )
        .route("/tenant/members", admin(get(tenant::members)))
        .route("/tenant/connections", admin(get(tenant::connections)))
        .route("/tenant/connections/{connection_id}", admin(get(tenant::connection)))
        .route("/tenant/sdk-config", admin(get(sdk_config::read).put(sdk_config::set)))
        .route("/tenant/sdk-config/logo", admin(sdk_config::logo_endpoints()))
        .route("/webhooks", admin(get(webhooks::list).post(webhooks::create)))
        .route(
            "/webhooks/{webhook_id}",
            admin(get(webhooks::read).patch(webhooks::update).delete(webhooks::remove)),
        )
        .route("/webhooks/{webhook_id}/rotate-secret", admin(post(webhooks::rotate_secret)))
        .route("/webhooks/{webhook_id}/test", admin(post(webhook_attempts::test)))
        .route("/webhooks/{webhook_id}/attempts", admin(get(webhook_attempts::list)))
        .route("/webhooks/{webhook_id}/redeliver", admin(post(webhook_attempts::redeliver)))
        .route("/connections/{connection_id}/status", public_get(get(public::status)))
        .route("/connections/{connection_id}/auth-options", public_get(get(public::auth_options)))
        .route("/connections/{connection_id}/submit", public_post(post(public::submit)))
}

/// The addresses outside the contract's prefix.
pub fn probes() -> Router<AppState> {
    Router::new().route("/livez", get(health::live)).route("/readyz", get(health::ready))
}
