//! Vending: a credential that works now, refreshed if it must be.
//!
//! This file is the way of one token call. One refresh, alone among all processes, is in `refresh.rs`; when a token is due
//! in `lifetime.rs`; how long a provider is left alone after a failure in `pause.rs`, and what a 429 means for others in
//! `throttle.rs`; how a backend names a token that was rejected in `rejected.rs`; what
//! is refreshed although nobody asks in `keep_alive.rs`.

mod keep_alive;
mod lifetime;
mod pause;
mod refresh;
mod rejected;
mod throttle;

pub use keep_alive::{keep_alive, keep_alive_once};
pub use refresh::Refreshes;
pub use rejected::TokenDigest;

use std::time::Duration;

use crate::clock::{Millis, millis};
use crate::error::ApiError;
use crate::state::AppState;
use crate::store::{Credential, Lifetime, Owner, Status, VendableConnection, Vended};
use pause::{Forced, Permission};
use refresh::{Cause, RefreshError};

/// What this customer's connection holds, in a state that works now. `found` is what was read of it.
///
/// A token that is good for a while yet is vended at once, and its refresh goes on beside. While the provider is left alone
/// after a failure, one that is still valid is vended all the same.
///
/// The token that is `rejected`, if it is still the current one, is refreshed, or else checked at the provider. It is not
/// vended while that fails.
///
/// # Errors
///
/// Those of the token endpoint.
pub async fn vend(
    app: &AppState,
    owner: &Owner,
    connection_id: &str,
    found: Option<VendableConnection>,
    rejected: Option<&TokenDigest>,
) -> Result<Vended, ApiError> {
    let found = found.ok_or(ApiError::ConnectionDeleted)?;
    usable(found.broken, found.status)?;
    let credential = found.credential.ok_or(ApiError::ConnectionDeleted)?;
    let as_it_is = async |credential| Ok(app.store.unseal(owner, connection_id, credential).await?);
    let (lifetime, now) = (credential.lifetime(), app.clock.now());
    let margin = margin(app, &credential.app_id, &credential.auth_option_key);
    let is_due = lifetime.is_some_and(|lifetime| lifetime.is_due(now, margin));
    let rejected = match rejected {
        Some(rejected) if !credential.is_unfetched() => {
            let current = app.store.unseal(owner, connection_id, credential.clone()).await?;
            (TokenDigest::of(&current.content) == *rejected).then_some(rejected)
        }
        _ => None,
    };
    if !is_due && rejected.is_none() {
        return as_it_is(credential).await;
    }
    let start = || {
        let cause = rejected.map_or(Cause::Due, |digest| Cause::Rejected(digest.clone()));
        refresh::start(app, owner, connection_id, cause)
    };
    let forced = (!is_due).then(|| Forced::of(lifetime));
    let outcome = match credential.history.permission(forced, now) {
        Permission::NotForced => return as_it_is(credential).await,
        Permission::Later(pause) => Err(RefreshError::unavailable(pause)),
        Permission::Now => match app.refreshes.pause(connection_id, now) {
            Some(pause) => Err(RefreshError::unavailable(pause)),
            None if rejected.is_none() && lifetime.is_some_and(|lifetime| lifetime.has_enough_left(now)) => {
                drop(start());
                return as_it_is(credential).await;
            }
            None => start().await,
        },
    };
    match outcome {
        Ok(()) => {
            let refreshed = read(app, owner, connection_id).await?;
            // Its OAuth client was removed meanwhile.
            if refreshed.broken {
                return Err(ApiError::NeedsReconnection);
            }
            works(refreshed.grant.lifetime(), app.clock.now())
                .then(|| refreshed.grant.into())
                .ok_or(ApiError::UpstreamUnavailable { retry_after: 1 })
        }
        // The old token is good enough while the provider, its configuration or the database is not.
        Err(
            RefreshError::Unavailable { .. }
            | RefreshError::DatabaseUnavailable
            | RefreshError::NotConfigured,
        ) if rejected.is_none() && works(lifetime, app.clock.now()) => as_it_is(credential).await,
        Err(error) => Err(error.into()),
    }
}

fn usable(broken: bool, status: Status) -> Result<(), ApiError> {
    if broken {
        return Err(ApiError::NeedsReconnection);
    }
    if status != Status::Active {
        return Err(ApiError::ConnectionNotActive(status.as_str()));
    }
    Ok(())
}

async fn read(app: &AppState, owner: &Owner, connection_id: &str) -> Result<Credential, ApiError> {
    app.store.credential(owner, connection_id).await?.ok_or(ApiError::ConnectionDeleted)
}

/// How long before its expiry a token is refreshed, where the catalogue tells.
fn margin(app: &AppState, app_id: &str, auth_option_key: &str) -> Option<Millis> {
    let option = app.catalogue.get(app_id)?.auth_option(auth_option_key)?;
    let seconds = option.oauth.as_ref()?.refresh_margin?;
    Some(millis(Duration::from_secs(seconds)))
}

fn works(lifetime: Option<Lifetime>, now: Millis) -> bool {
    lifetime.is_none_or(|lifetime| lifetime.is_valid(now))
}
