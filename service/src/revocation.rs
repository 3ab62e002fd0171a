//! Ending grants at their providers once no connection needs them any more: after a deletion, where another grant took the
//! place, and where nobody could take one. What is to be ended waits in the store's queue; this works it off.
//!
//! It is best effort: a provider that is away is asked again for a day, and one that refuses is not. Some providers end all
//! that an account has granted to a client, whichever of its tokens is revoked (`ends_whole_grant`): they are asked only
//! when no other connection of that account is left at any tenant.

use std::time::Duration;

use futures_util::future::join_all;
use secrecy::ExposeSecret;

use crate::catalogue::Account;
use crate::clock::{Millis, millis};
use crate::oauth::{Endpoint, ProviderError, RevokeOutcome, RevokedTokens};
use crate::provider_api::ApiAccess;
use crate::state::{AppState, Service};
use crate::store::{Grant, MAX_REVOCATION_AGE, PendingRevocation, StoreError, Tokens};

/// Between two looks into the queue.
const EVERY: Duration = Duration::from_secs(5);

/// How many are sent at once. The next ones follow when these are done, so that no provider is asked by a crowd.
const BATCH: u32 = 8;

/// For how long others leave a grant to whoever took it: longer than a request can take.
const LEASE: Duration = Duration::from_secs(60);

/// After the first failure. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const MAX_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);

/// What became of an attempt.
enum Attempt {
    /// There is nothing more to do, for the reason that the word tells.
    Done(&'static str),
    /// The provider is to be asked again, not before so long.
    Again(Option<Duration>),
}

/// Works the queue off until the service ends.
pub(crate) async fn revoke_until_the_end(app: AppState) {
    let mut ticks = tokio::time::interval(EVERY);
    while app.ending.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = end_sessions(&app).await {
            tracing::warn!(%error, "connections of removed clients do not end yet");
        }
        if let Err(error) = revoke_due(&app).await {
            tracing::warn!(%error, "grants are not revoked yet");
        }
    }
}

/// Ends the connections of OAuth clients that were removed.
///
/// # Errors
///
/// When the database fails; the others end later.
pub async fn end_sessions(service: &Service) -> Result<(), StoreError> {
    while service.store.end_sessions().await? > 0 && !service.ending.is_cancelled() {}
    Ok(())
}

/// Asks the providers to end the grants whose time has come.
///
/// # Errors
///
/// When the database fails; the others are taken later.
pub async fn revoke_due(service: &Service) -> Result<(), StoreError> {
    loop {
        let taken = service.store.take_revocations(LEASE, BATCH).await?;
        let results = join_all(taken.iter().map(|pending| revoke(service, pending))).await;
        results.into_iter().collect::<Result<(), _>>()?;
        if taken.len() < BATCH as usize || service.ending.is_cancelled() {
            return Ok(());
        }
    }
}

async fn revoke(service: &Service, pending: &PendingRevocation) -> Result<(), StoreError> {
    let (app, attempts) = (&pending.grant.app_id, pending.attempts);
    let outcome = match attempt(service, pending).await? {
        Attempt::Done(outcome) => outcome,
        Attempt::Again(retry_after) => {
            let next_at = service.clock.now() + pause(attempts).max(retry_after.map_or(0, millis));
            if next_at < pending.created_at + millis(MAX_REVOCATION_AGE) {
                tracing::info!(app, attempts, outcome = "unavailable", "revocation");
                return service.store.postpone_revocation(pending, next_at).await;
            }
            "given_up"
        }
    };
    tracing::info!(app, attempts, outcome, "revocation");
    service.store.finish_revocation(pending).await
}

async fn attempt(service: &Service, pending: &PendingRevocation) -> Result<Attempt, StoreError> {
    const UNSUPPORTED: Attempt = Attempt::Done("unsupported");
    let grant = &pending.grant;
    let Some(app) = service.catalogue.get(&grant.app_id).filter(|_| grant.tokens.is_some()) else {
        return Ok(UNSUPPORTED);
    };
    let client = service.client_of_grant(&pending.tenant, &app.id, grant.oauth_client.as_deref()).await;
    let client = match client {
        // One that does not open ends nothing, now or later.
        Err(StoreError::Vault(_) | StoreError::Unreadable(_)) => None,
        client => client?,
    };
    let (Some(option), Some(client)) = (app.auth_option(&grant.auth_option_key), client) else {
        return Ok(UNSUPPORTED);
    };
    let (Some(revoke), Some(tokens)) = (&option.revoke, &grant.tokens) else {
        return Ok(UNSUPPORTED);
    };
    let Ok(endpoint) = Endpoint::new(option, &client, &grant.inputs) else {
        return Ok(UNSUPPORTED);
    };
    if revoke.ends_whole_grant {
        let unknown = service.account_digest(&endpoint, None);
        let known = grant.account_digest.as_ref().filter(|digest| Some(*digest) != unknown.as_ref());
        let (Some(digest), Some(unknown)) = (known, &unknown) else {
            return Ok(Attempt::Done("account_unknown"));
        };
        // A connection that was made since counts as well, and so does one that is just being made.
        let (store, tenant) = (&service.store, &pending.tenant);
        if store.is_account_connected(&grant.app_id, [digest, unknown]).await? {
            return Ok(Attempt::Done("account_in_use"));
        }
        if store.is_redeeming(tenant, &grant.app_id).await? {
            return Ok(Attempt::Again(None));
        }
    }
    let renewed = match &tokens.refresh_token {
        Some(refresh_token) if revoke.needs_access_token() && is_over(service, tokens) => {
            let asked_at = service.clock.now();
            match service.providers.refresh(&endpoint, &tokens.access_token, refresh_token).await {
                Ok(granted) => Some(Tokens::granted(granted, asked_at, Some(refresh_token))),
                Err(ProviderError::Unavailable { retry_after, .. }) => {
                    return Ok(Attempt::Again(retry_after));
                }
                Err(ProviderError::Declined) => return Ok(Attempt::Done("ended_before")),
                Err(ProviderError::Misconfigured) => return Ok(Attempt::Done("refused")),
            }
        }
        _ => None,
    };
    if let Some(tokens) = &renewed {
        service.store.renew_revocation(pending, tokens).await?;
    }
    let tokens = renewed.as_ref().unwrap_or(tokens);
    let api = ApiAccess {
        service,
        tenant: &pending.tenant,
        option,
        client: Some(&client),
        inputs: None,
        access_token: Some(tokens.access_token.expose_secret()),
    };
    let tokens = RevokedTokens {
        access: &tokens.access_token,
        refresh: tokens.refresh_token.as_ref(),
        api_call: api.call(&grant.details.all_provider_data()),
    };
    Ok(match service.providers.revoke(&endpoint, revoke, &tokens).await {
        RevokeOutcome::Revoked => Attempt::Done("revoked"),
        RevokeOutcome::Refused => Attempt::Done("refused"),
        RevokeOutcome::Unavailable { retry_after } => Attempt::Again(retry_after),
    })
}

/// Whether the access token has expired: a grant that was unused for long can be ended with a new one alone.
fn is_over(service: &Service, tokens: &Tokens) -> bool {
    tokens.expires_at.is_some_and(|expires_at| expires_at <= service.clock.now())
}

/// How long to wait after so many attempts.
fn pause(attempts: i64) -> Millis {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    millis(FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE))
}

impl Service {
    /// Whether such a grant of the tenant's is ended at the provider.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn can_revoke(&self, tenant: &str, grant: &Grant) -> Result<bool, StoreError> {
        let app = self.catalogue.get(&grant.app_id);
        let Some(option) = app.and_then(|app| app.auth_option(&grant.auth_option_key)) else {
            return Ok(false);
        };
        let client = self.client_of_grant(tenant, &grant.app_id, grant.oauth_client.as_deref()).await?;
        Ok(client.is_some_and(|client| client.can_revoke(option)))
    }

    /// See [`Store::account_digest`](crate::store::Store::account_digest); none where nothing is revoked. All unknown accounts
    /// of one client have the same.
    pub(crate) fn account_digest(&self, endpoint: &Endpoint, account: Option<&Account>) -> Option<String> {
        let host = endpoint.revocation_url()?.host_str()?;
        let id = account.and_then(|account| account.id.as_deref()).unwrap_or_default();
        Some(self.store.account_digest(host, endpoint.client_id(), id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_four_hours_within_a_day() {
        let minutes: Vec<_> = (1..=10).map(|attempts| pause(attempts) / 60_000).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
        assert_eq!(pause(i64::MAX), pause(10));
        assert_eq!(pause(0), pause(1));
    }
}
