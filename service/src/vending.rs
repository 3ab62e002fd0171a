//! Vending: a credential that works now, refreshed if it must be.
//!
//! A refresh token can often be used once. So one refresh runs at a time per connection: within a process all who need
//! it wait for the same one, and among processes a lease in the database decides. It runs as a task of its own, since
//! a caller who goes away must not take the new refresh token along, and what it got is saved before anybody sees it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use crate::catalogue::{App, AuthOption, Documents};
use crate::clock::{CLOCK_TOLERANCE, Millis};
use crate::error::ApiError;
use crate::oauth::{self, Endpoint, ProviderError};
use crate::state::AppState;
use crate::store::{
    Credential, Details, Grant, Lease, Lifetime, Owner, ReconnectionReason, Status, StoreError, Tokens,
    VendableConnection, Vended,
};

/// Twice as long as a call to a provider can take. A process that dies keeps others waiting for so long.
const LEASE: Duration = Duration::from_secs(20);
/// How often to look whether another process has finished.
const LEASE_POLL: Duration = Duration::from_millis(50);
/// How long to wait for another process: longer than it can keep the lease, and less than a caller waits for us.
const LEASE_PATIENCE: Duration = Duration::from_secs(25);
/// For a token that is fetched with what the customer entered.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two attempts to save what a provider granted.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);
/// A token is refreshed this long before it expires, but not before nine tenths of its life, unless the catalogue tells
/// another margin.
const MARGIN: Millis = 60_000;
/// How long a token is thought to live where neither the provider nor the catalogue tells.
const UNKNOWN_LIFETIME: Millis = 60 * 60 * 1000;
/// What a caller is told to wait where the provider says nothing.
const RETRY_AFTER: u64 = 1;

/// The refreshes under way in this process, by connection.
#[derive(Default)]
pub struct Refreshes {
    running: Mutex<HashMap<String, Running>>,
}

type Running = Shared<BoxFuture<'static, Result<(), RefreshError>>>;

/// Why there is no fresh token. All who wait for one refresh get the same.
#[derive(Debug, Clone)]
enum RefreshError {
    NeedsReconnection,
    NotConfigured,
    Unavailable { retry_after: u64 },
    DatabaseUnavailable,
    Deleted,
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

/// What this customer's connection holds, in a state that works now. `found` is what was read of it.
///
/// # Errors
///
/// Those of the token endpoint.
pub async fn vend(
    app: &AppState,
    owner: &Owner,
    connection_id: &str,
    found: Option<VendableConnection>,
) -> Result<Vended, ApiError> {
    let found = found.ok_or(ApiError::ConnectionDeleted)?;
    usable(found.broken, found.status)?;
    let credential = found.credential.ok_or(ApiError::ConnectionDeleted)?;
    let lifetime = credential.lifetime();
    let margin = margin(app, &credential.app_id, &credential.auth_option_key);
    let is_due = lifetime.is_some_and(|lifetime| lifetime.is_due(app.clock.now(), margin));
    if !is_due {
        return Ok(app.store.unseal(owner, connection_id, credential)?);
    }
    match refresh(app, owner, connection_id).await {
        Ok(()) => {
            let refreshed = read(app, owner, connection_id).await?;
            works(refreshed.lifetime(), app.clock.now())
                .then(|| refreshed.grant.into())
                .ok_or(ApiError::UpstreamUnavailable { retry_after: RETRY_AFTER })
        }
        // The old token is good enough while the provider, its configuration or the database is not.
        Err(
            RefreshError::Unavailable { .. }
            | RefreshError::DatabaseUnavailable
            | RefreshError::NotConfigured,
        ) if works(lifetime, app.clock.now()) => Ok(app.store.unseal(owner, connection_id, credential)?),
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
    Some(i64::try_from(seconds).ok()?.saturating_mul(1000))
}

fn works(lifetime: Option<Lifetime>, now: Millis) -> bool {
    lifetime.is_none_or(|lifetime| lifetime.is_valid(now))
}

/// Joins the refresh of this connection, or begins it.
async fn refresh(app: &AppState, owner: &Owner, connection_id: &str) -> Result<(), RefreshError> {
    let running = {
        let mut running = app.refreshes.running();
        let begin = || {
            let task =
                Refresh { app: app.clone(), owner: owner.clone(), connection_id: connection_id.to_owned() };
            let task = app.tasks.spawn(task.run());
            let joined = task.map(|result| match result {
                Ok(result) => result,
                Err(panic) => Err(RefreshError::Internal(Arc::new(panic))),
            });
            joined.boxed().shared()
        };
        running.entry(connection_id.to_owned()).or_insert_with(begin).clone()
    };
    running.await
}

struct Refresh {
    app: AppState,
    owner: Owner,
    connection_id: String,
}

/// What the provider granted for the credential of this version.
struct Fresh {
    version: i64,
    tokens: Tokens,
    /// What is known beside them, where that has changed.
    details: Option<Details>,
}

impl Refresh {
    async fn run(self) -> Result<(), RefreshError> {
        let Some(lease) = self.lease().await? else {
            return Ok(());
        };
        let fresh = match self.with_lease(&lease).await {
            Ok(Some(fresh)) => fresh,
            Ok(None) => return Ok(()),
            Err(error) => {
                if let Err(error) = self.app.store.release(&lease).await {
                    tracing::warn!(%error, "a lease ends by itself only");
                }
                return Err(error);
            }
        };
        match self.save(&fresh).await {
            Ok(()) => Ok(()),
            // This refresh goes on: until its tokens are saved, those who ask next get the same error.
            Err(error) => {
                tracing::error!(%error, "refreshed tokens are not saved yet");
                self.app.tasks.clone().spawn(self.save_until_done(fresh));
                Err(RefreshError::DatabaseUnavailable)
            }
        }
    }

    /// Waits for the lease; `None` if somebody else refreshed meanwhile.
    async fn lease(&self) -> Result<Option<Lease>, RefreshError> {
        let until = Instant::now() + LEASE_PATIENCE;
        loop {
            if let Some(lease) = self.app.store.lease(&self.connection_id, LEASE).await? {
                return Ok(Some(lease));
            }
            let credential = self.credential().await?;
            if !credential.lifetime().is_some_and(|lifetime| self.is_due(&credential, lifetime)) {
                return Ok(None);
            }
            if Instant::now() >= until {
                return Err(RefreshError::Unavailable { retry_after: RETRY_AFTER });
            }
            sleep(LEASE_POLL).await;
        }
    }

    /// The tokens that the provider granted; `None`, with the lease released, where there is nothing to save.
    async fn with_lease(&self, lease: &Lease) -> Result<Option<Fresh>, RefreshError> {
        // Only what is read under the lease is sure to be the latest refresh token.
        let credential = self.credential().await?;
        let now = self.app.clock.now();
        let lifetime = credential.lifetime().filter(|lifetime| self.is_due(&credential, *lifetime));
        let Some(lifetime) = lifetime else {
            self.app.store.release(lease).await?;
            return Ok(None);
        };
        let refresh_token = credential.grant.tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_ref());
        if !lifetime.is_refreshable && lifetime.is_valid(now) {
            self.app.store.release(lease).await?;
            return Ok(None);
        }
        if !lifetime.is_refreshable {
            return self.broken(&credential, ReconnectionReason::NoRefreshToken).await.map(|()| None);
        }
        let Some(mut granted) = self.new_tokens(&credential.grant).await? else {
            return self.broken(&credential, ReconnectionReason::GrantRefused).await.map(|()| None);
        };
        Ok(Some(Fresh {
            version: credential.version,
            details: self.details(&credential.grant, &mut granted),
            tokens: Tokens::granted(granted, now, refresh_token),
        }))
    }

    fn is_due(&self, credential: &Credential, lifetime: Lifetime) -> bool {
        let margin = margin(&self.app, &credential.grant.app_id, &credential.grant.auth_option_key);
        lifetime.is_due(self.app.clock.now(), margin)
    }

    async fn credential(&self) -> Result<Credential, RefreshError> {
        let credential = self.app.store.credential(&self.owner, &self.connection_id).await?;
        credential.ok_or(RefreshError::Deleted)
    }

    /// What the provider gives for the refresh token, or for what the customer entered; `None` where it honours that no
    /// more.
    async fn new_tokens(&self, grant: &Grant) -> Result<Option<oauth::Tokens>, RefreshError> {
        let app = self.app.catalogue.get(&grant.app_id).ok_or(RefreshError::NotConfigured)?;
        let option = app.auth_option(&grant.auth_option_key).ok_or(RefreshError::NotConfigured)?;
        let providers = &self.app.providers;
        let granted = if grant.auth_type.is_fetched() {
            let now = self.app.clock.system_time();
            providers.fetch(option, &grant.inputs, now, FETCH_TIMEOUT).await
        } else {
            let tokens = grant.tokens.as_ref().ok_or(RefreshError::NotConfigured)?;
            let refresh_token = tokens.refresh_token.as_ref().ok_or(RefreshError::NotConfigured)?;
            let endpoint = self.endpoint(app, option, grant)?;
            providers.refresh(&endpoint, &tokens.access_token, refresh_token).await
        };
        match granted {
            Ok(granted) => Ok(Some(granted)),
            Err(ProviderError::Declined) => Ok(None),
            Err(ProviderError::Misconfigured) => {
                tracing::error!(app = grant.app_id, "the provider refuses the configured client");
                Err(RefreshError::Unavailable { retry_after: RETRY_AFTER })
            }
            Err(ProviderError::Unavailable { retry_after, .. }) => Err(RefreshError::Unavailable {
                retry_after: retry_after.map_or(RETRY_AFTER, |wait| wait.as_secs().max(1)),
            }),
        }
    }

    fn endpoint(&self, app: &App, option: &AuthOption, grant: &Grant) -> Result<Endpoint, RefreshError> {
        let registration = self.app.registration(app).ok_or(RefreshError::NotConfigured)?;
        Endpoint::new(option, registration, &grant.inputs).map_err(|error| {
            tracing::error!(app = grant.app_id, %error, "the provider cannot be called");
            RefreshError::NotConfigured
        })
    }

    /// What the response says beside the tokens, over what is known: what it leaves out stays. `None` where nothing changed.
    fn details(&self, grant: &Grant, granted: &mut oauth::Tokens) -> Option<Details> {
        let option = self.app.catalogue.get(&grant.app_id)?.auth_option(&grant.auth_option_key)?;
        let mut documents = Documents::of_inputs(&grant.inputs);
        documents.add_token_response(granted.access_token.expose_secret(), granted.response.take());
        let (public, secret) = option.read_provider_data(&documents);
        let mut details = grant.details.clone();
        details.provider_data.extend(public);
        details.secret_data.extend(secret);
        details.scopes = granted.scopes().or(details.scopes);
        (details != grant.details).then_some(details)
    }

    /// Saves what was granted; where there is a newer grant, that is vended.
    async fn save(&self, fresh: &Fresh) -> Result<(), StoreError> {
        let store = &self.app.store;
        store
            .save_tokens(
                &self.owner,
                &self.connection_id,
                fresh.version,
                &fresh.tokens,
                fresh.details.as_ref(),
            )
            .await?;
        Ok(())
    }

    /// Saves what was granted, as soon as the database allows it: the provider may honour nothing older any more. An
    /// attempt that failed may have been committed; then the next one finds a newer version and changes nothing.
    async fn save_until_done(self, fresh: Fresh) {
        loop {
            sleep(SAVE_INTERVAL).await;
            match self.save(&fresh).await {
                Ok(()) => break,
                Err(error) => tracing::debug!(%error, "refreshed tokens are not saved yet"),
            }
        }
        tracing::info!("refreshed tokens are saved");
    }

    /// The provider does not honour this credential; where there is a newer one, that is vended.
    async fn broken(&self, credential: &Credential, reason: ReconnectionReason) -> Result<(), RefreshError> {
        let store = &self.app.store;
        let was_latest =
            store.mark_broken(&self.owner, &self.connection_id, credential.version, reason).await?;
        if was_latest { Err(RefreshError::NeedsReconnection) } else { Ok(()) }
    }
}

/// Whatever the end, a panic included: the next caller begins anew.
impl Drop for Refresh {
    fn drop(&mut self) {
        self.app.refreshes.running().remove(&self.connection_id);
    }
}

impl Refreshes {
    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Refreshes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refreshes(…)")
    }
}

impl Credential {
    fn lifetime(&self) -> Option<Lifetime> {
        self.grant.lifetime()
    }
}

impl Lifetime {
    /// Whether a clock that was wrong wrote these times: they are not believed.
    fn is_from_the_future(&self, now: Millis) -> bool {
        self.obtained_at > now.saturating_add(CLOCK_TOLERANCE)
    }

    /// Whether it is time for new ones. `margin` is the catalogue's; no margin keeps a token from being used for half its
    /// life.
    fn is_due(&self, now: Millis, margin: Option<Millis>) -> bool {
        if self.is_from_the_future(now) {
            return self.is_refreshable;
        }
        if self.expires_at.is_none() && !self.is_refreshable {
            return false;
        }
        let expires_at = self.expires_at.unwrap_or(self.obtained_at.saturating_add(UNKNOWN_LIFETIME));
        let life = expires_at.saturating_sub(self.obtained_at);
        let margin = margin.map_or(MARGIN.min(life / 10), |margin| margin.min(life / 2));
        now >= expires_at - margin
    }

    /// Whether the access token can still be used, as far as is known. Where nothing is known, and it cannot be
    /// refreshed, it is given a chance rather than the customer the trouble of connecting again.
    fn is_valid(&self, now: Millis) -> bool {
        if self.is_from_the_future(now) {
            return !self.is_refreshable;
        }
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            tracing::error!(%error, "a refresh cannot use the database now");
            return Self::DatabaseUnavailable;
        }
        Self::Internal(Arc::new(error))
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::NeedsReconnection => Self::NeedsReconnection,
            RefreshError::NotConfigured => Self::AppNotConfigured,
            RefreshError::Unavailable { retry_after } => Self::UpstreamUnavailable { retry_after },
            RefreshError::DatabaseUnavailable => Self::ServiceUnavailable,
            RefreshError::Deleted => Self::ConnectionDeleted,
            RefreshError::Internal(error) => Self::internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(expires_at: Option<Millis>, is_refreshable: bool) -> Lifetime {
        Lifetime { obtained_at: 0, expires_at, is_refreshable }
    }

    #[test]
    fn the_margin_is_never_longer_than_a_tenth_of_the_life() {
        let hour = tokens(Some(3_600_000), true);
        assert!(!hour.is_due(3_539_999, None));
        assert!(hour.is_due(3_540_000, None));
        let short = tokens(Some(10_000), true);
        assert!(!short.is_due(8_999, None));
        assert!(short.is_due(9_000, None));
    }

    #[test]
    fn the_catalogues_margin_leaves_half_the_life() {
        let hour = tokens(Some(3_600_000), true);
        for (margin, due) in [(0, 3_600_000), (300_000, 3_300_000), (86_400_000, 1_800_000)] {
            assert!(!hour.is_due(due - 1, Some(margin)) && hour.is_due(due, Some(margin)), "{margin}");
        }
    }

    #[test]
    fn a_token_without_expiry_is_refreshed_within_an_hour_if_it_can_be() {
        assert!(!tokens(None, true).is_due(3_539_999, None));
        assert!(tokens(None, true).is_due(3_540_000, None));
        assert!(!tokens(None, false).is_due(i64::MAX, None));
        assert!(tokens(None, false).is_valid(i64::MAX));
    }

    /// A clock that was a year ahead must not vend a dead token for a year.
    #[test]
    fn times_of_a_wrong_clock_are_not_believed() {
        let year = 365 * 24 * 3_600_000;
        for (lifetime, refreshable) in [(Some(3_600_000), true), (None, true)] {
            let mut ahead = tokens(lifetime, refreshable);
            ahead.obtained_at += year;
            ahead.expires_at = ahead.expires_at.map(|at| at + year);
            assert!(ahead.is_due(0, None) && !ahead.is_valid(0));
            // Clocks of several processes never agree entirely.
            let slightly = year - CLOCK_TOLERANCE;
            assert!(!ahead.is_due(slightly, None) && ahead.is_valid(slightly));
        }
        let mut alone = tokens(Some(3_600_000), false);
        alone.obtained_at += year;
        assert!(!alone.is_due(0, None) && alone.is_valid(0));
    }

    #[test]
    fn an_expired_token_is_not_valid() {
        assert!(tokens(Some(10), true).is_valid(9));
        assert!(!tokens(Some(10), true).is_valid(10));
    }
}
