//! One refresh, alone among all processes.
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

use super::pause::{Forced, Permission, jitter, seconds};
use super::throttle::{Throttled, Throttles};
use super::{TokenDigest, margin};
use crate::catalogue::{App, AuthOption, Documents};
use crate::clock::{Millis, millis};
use crate::error::ApiError;
use crate::oauth::{self, Endpoint, ProviderError};
use crate::provider_api::{ApiAccess, Verification};
use crate::state::AppState;
use crate::store::{
    Credential, Details, Grant, Lease, Owner, ReconnectionReason, StoreError, Tokens, Vended,
};
use crate::traces;

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

/// The refreshes under way in this process, by connection, and what keeps others from beginning.
#[derive(Default)]
pub struct Refreshes {
    running: Mutex<HashMap<String, Running>>,
    throttles: Throttles,
}

type Running = Shared<BoxFuture<'static, Result<(), RefreshError>>>;

/// Why there is no fresh token. All who wait for one refresh get the same.
#[derive(Debug, Clone)]
pub(super) enum RefreshError {
    NeedsReconnection,
    NotConfigured,
    Unavailable { retry_after: u64 },
    DatabaseUnavailable,
    Deleted,
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

/// Joins the refresh of this connection, or begins it. It goes on whether or not anybody waits for the result.
pub(super) fn start(app: &AppState, owner: &Owner, connection_id: &str, cause: Cause) -> Running {
    let mut running = app.refreshes.running();
    let begin = || {
        let task = Refresh {
            app: app.clone(),
            owner: owner.clone(),
            connection_id: connection_id.to_owned(),
            cause,
        };
        let task = app.tasks.spawn(traces::carried(task.run()));
        let joined = task.map(|result| match result {
            Ok(result) => result,
            Err(panic) => Err(RefreshError::Internal(Arc::new(panic))),
        });
        joined.boxed().shared()
    };
    running.entry(connection_id.to_owned()).or_insert_with(begin).clone()
}

struct Refresh {
    app: AppState,
    owner: Owner,
    connection_id: String,
    cause: Cause,
}

/// Why a credential is refreshed. Whatever the cause, one that is due is.
pub(super) enum Cause {
    Due,
    /// A backend named this token as rejected.
    Rejected(TokenDigest),
    /// Its refresh token would die unused: the credential is the one of this time.
    Idle {
        obtained_at: Millis,
    },
}

/// What the provider granted for a credential.
struct Fresh {
    credential: Credential,
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
            nothing => {
                if let Err(error) = self.app.store.release(&lease).await {
                    tracing::warn!(%error, "a lease ends by itself only");
                }
                return nothing.map(drop);
            }
        };
        match self.save(&fresh).await {
            Ok(true) => Ok(()),
            Ok(false) => Ok(self.revoke_if_ended(fresh).await?),
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
            if !self.is_due(&credential) && !self.has_cause(&credential) {
                return Ok(None);
            }
            if Instant::now() >= until {
                return Err(RefreshError::unavailable(millis(LEASE_POLL)));
            }
            sleep(LEASE_POLL).await;
        }
    }

    /// The tokens that the provider granted; `None` where there is nothing to save.
    async fn with_lease(&self, lease: &Lease) -> Result<Option<Fresh>, RefreshError> {
        // Only what is read under the lease is sure to be the latest refresh token.
        let credential = self.credential().await?;
        let now = self.app.clock.now();
        let is_due = self.is_due(&credential);
        if !is_due && !self.has_cause(&credential) {
            return Ok(None);
        }
        // A failure may have been noted meanwhile, or another refresh forced, perhaps by another process.
        let lifetime = credential.grant.lifetime();
        let is_forced = !is_due && matches!(self.cause, Cause::Rejected(_));
        match credential.history.permission(is_forced.then(|| Forced::of(lifetime)), now) {
            Permission::Now => {}
            Permission::Later(pause) => return Err(RefreshError::unavailable(pause)),
            Permission::NotForced => return Ok(None),
        }
        if !lifetime.is_some_and(|lifetime| lifetime.is_refreshable) {
            if is_due {
                return self.broken(&credential, ReconnectionReason::NoRefreshToken).await.map(|()| None);
            }
            if self.is_refused(&credential.grant).await? {
                return self.broken(&credential, ReconnectionReason::GrantRefused).await.map(|()| None);
            }
            self.app.store.note_forced_refresh(lease, now).await?;
            return Ok(None);
        }
        if is_forced {
            self.app.store.note_forced_refresh(lease, now).await?;
        }
        let refresh_token = credential.grant.tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_ref());
        let started = Instant::now();
        let response = self.new_tokens(&credential.grant).await?;
        let error = response.as_ref().err();
        self.app.metrics.refresh(&credential.grant.app_id, error, started.elapsed());
        let mut granted = match response {
            Ok(granted) => granted,
            Err(ProviderError::Declined) => {
                return self.broken(&credential, ReconnectionReason::GrantRefused).await.map(|()| None);
            }
            Err(error) => return self.failed(lease, &credential, error).await.map(|()| None),
        };
        Ok(Some(Fresh {
            details: self.details(&credential.grant, &mut granted),
            tokens: Tokens::granted(granted, now, refresh_token),
            credential,
        }))
    }

    fn is_due(&self, credential: &Credential) -> bool {
        let margin = margin(&self.app, &credential.grant.app_id, &credential.grant.auth_option_key);
        credential.grant.lifetime().is_some_and(|lifetime| lifetime.is_due(self.app.clock.now(), margin))
    }

    /// Whether a credential that is not due is still the one that this refresh is about.
    fn has_cause(&self, credential: &Credential) -> bool {
        let Grant { tokens, auth_type, .. } = &credential.grant;
        match &self.cause {
            Cause::Due => false,
            Cause::Rejected(digest) => {
                let is_vended = tokens.is_some() || !auth_type.is_token();
                is_vended && TokenDigest::of(&Vended::from(credential.grant.clone()).content) == *digest
            }
            Cause::Idle { obtained_at } => {
                tokens.as_ref().is_some_and(|tokens| tokens.obtained_at == *obtained_at)
            }
        }
    }

    /// Whether the provider says itself that it does not accept the credential.
    async fn is_refused(&self, grant: &Grant) -> Result<bool, RefreshError> {
        let vended = Vended::from(grant.clone());
        let tenant = &self.owner.tenant;
        let client = self.app.client_of_grant(tenant, &vended.app_id, vended.oauth_client.as_deref()).await?;
        let Some(access) = ApiAccess::of_vended(&self.app, tenant, &vended, client.as_deref()) else {
            return Ok(false);
        };
        let (result, _) = access.verify(&vended.details.all_provider_data()).await;
        Ok(result == Verification::Invalid)
    }

    async fn credential(&self) -> Result<Credential, RefreshError> {
        let credential = self.app.store.credential(&self.owner, &self.connection_id).await?;
        credential.ok_or(RefreshError::Deleted)
    }

    /// What the provider gives for the refresh token, or for what the customer entered. An error of this function's own
    /// means that it was not asked.
    async fn new_tokens(&self, grant: &Grant) -> Result<Result<oauth::Tokens, ProviderError>, RefreshError> {
        let app = self.app.catalogue.get(&grant.app_id).ok_or(RefreshError::NotConfigured)?;
        let option = app.auth_option(&grant.auth_option_key).ok_or(RefreshError::NotConfigured)?;
        let providers = &self.app.providers;
        if grant.auth_type.is_fetched() {
            let now = self.app.clock.system_time();
            return Ok(providers.fetch(option, &grant.inputs, now, FETCH_TIMEOUT).await);
        }
        let tokens = grant.tokens.as_ref().ok_or(RefreshError::NotConfigured)?;
        let refresh_token = tokens.refresh_token.as_ref().ok_or(RefreshError::NotConfigured)?;
        let endpoint = self.endpoint(app, option, grant).await?;
        let (client_id, host) = endpoint.refreshed_by();
        let client = Throttled { client_id: client_id.to_owned(), host: host.to_owned() };
        let throttles = &self.app.refreshes.throttles;
        let admission = throttles
            .admit(&client, &self.owner.tenant, &self.connection_id, self.app.clock.now())
            .map_err(RefreshError::unavailable)?;
        let granted = providers.refresh(&endpoint, &tokens.access_token, refresh_token).await;
        throttles.note(&client, &self.owner.tenant, admission, granted.as_ref().err(), self.app.clock.now());
        Ok(granted)
    }

    /// Notes that the provider gave nothing, so that it is left alone for a while; after many refusals, that this is for
    /// good.
    async fn failed(
        &self,
        lease: &Lease,
        credential: &Credential,
        error: ProviderError,
    ) -> Result<(), RefreshError> {
        if error == ProviderError::Misconfigured {
            let grant = &credential.grant;
            match &grant.oauth_client {
                // The operator cannot mend it.
                Some(client) => {
                    tracing::warn!(app = grant.app_id, client, "the provider refuses a tenant's client")
                }
                None => tracing::error!(app = grant.app_id, "the provider refuses the configured client"),
            }
        }
        let now = self.app.clock.now();
        let history = credential.history.after(error, now, jitter());
        if history.is_refused_for_good(now) {
            return self.broken(credential, ReconnectionReason::RefreshFailed).await;
        }
        self.app.store.note_refresh_failure(lease, credential.version, &history).await?;
        Err(RefreshError::unavailable(history.retry_at.map_or(0, |retry_at| retry_at - now)))
    }

    async fn endpoint(
        &self,
        app: &App,
        option: &AuthOption,
        grant: &Grant,
    ) -> Result<Endpoint, RefreshError> {
        let stored = grant.oauth_client.as_deref();
        let client = self.app.client_of_grant(&self.owner.tenant, &app.id, stored).await?;
        let client = client.ok_or(RefreshError::NotConfigured)?;
        Endpoint::new(option, &client, &grant.inputs).map_err(|error| {
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

    /// Saves what was granted. `false` where there is a newer grant, which is vended then, or no connection any more.
    async fn save(&self, fresh: &Fresh) -> Result<bool, StoreError> {
        let (version, details) = (fresh.credential.version, fresh.details.as_ref());
        let store = &self.app.store;
        store.save_tokens(&self.owner, &self.connection_id, version, &fresh.tokens, details).await
    }

    /// A deletion, or the end of the OAuth client, has revoked the tokens that it found: those that came meanwhile must not
    /// outlive it.
    async fn revoke_if_ended(&self, fresh: Fresh) -> Result<(), StoreError> {
        let store = &self.app.store;
        let current = store.credential(&self.owner, &self.connection_id).await?;
        if current.is_none_or(|current| current.grant.tokens.is_none()) {
            let grant = Grant { tokens: Some(fresh.tokens), ..fresh.credential.grant };
            store.revoke_later(&self.owner.tenant, &grant).await?;
        }
        Ok(())
    }

    /// Saves what was granted, as soon as the database allows it: the provider may honour nothing older any more. An
    /// attempt that failed may have been committed; then the next one finds a newer version and changes nothing.
    async fn save_until_done(self, fresh: Fresh) {
        loop {
            sleep(SAVE_INTERVAL).await;
            match self.save(&fresh).await {
                Ok(_) => break,
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
    /// Number of refreshes under way in this process.
    pub(crate) fn count(&self) -> usize {
        self.running().len()
    }

    /// What is left of the time in which this connection waits because others were throttled.
    pub(super) fn pause(&self, connection_id: &str, now: Millis) -> Option<Millis> {
        self.throttles.pause(connection_id, now)
    }

    /// Forgets who was throttled.
    pub(crate) fn forget_throttled(&self) {
        self.throttles.clear();
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Refreshes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refreshes(…)")
    }
}

impl RefreshError {
    /// For so long, the provider is not asked.
    pub(super) fn unavailable(pause: Millis) -> Self {
        Self::Unavailable { retry_after: seconds(pause) }
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            tracing::error!(%error, "a refresh cannot use the database now");
            return Self::DatabaseUnavailable;
        }
        tracing::error!(%error, "a refresh failed");
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
