//! The refresh by which an imported refresh token proves that it works.
//!
//! A provider may honour a refresh token once. So one process at a time asks for an import, as a task of its own that
//! no caller who goes away ends; what comes is kept before anything else is done with it; and an import that is
//! repeated goes on with what was kept. It is a connection's with the transaction that makes the connection.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use crate::oauth::{Endpoint, ProviderError};
use crate::state::AppState;
use crate::store::{ImportKey, ImportLease, ImportedTokens, StoreError, Tokens};

/// Time between two attempts to keep what a provider granted.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// A refresh token to prove.
pub(crate) struct FirstRefresh {
    pub(crate) key: ImportKey,
    pub(crate) app_id: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) refresh_token: SecretString,
    /// Which some providers prolong.
    pub(crate) access_token: Option<SecretString>,
}

/// Why there are no tokens.
#[derive(Debug)]
pub(crate) enum FirstRefreshError {
    Provider(ProviderError),
    /// The same token is being imported.
    UnderWay,
    Store(StoreError),
}

impl FirstRefresh {
    /// What the provider gives for the token.
    pub(crate) async fn run(self, app: AppState) -> Result<ImportedTokens, FirstRefreshError> {
        if let Some(kept) = kept(&app, &self.key).await? {
            return Ok(kept);
        }
        let store = &app.store;
        let lease = store.lease_import(&self.key).await?.ok_or(FirstRefreshError::UnderWay)?;
        // Only what is read under the lease is sure to be the latest.
        let kept = store.import_tokens(&self.key).await?.map(|kept| kept.tokens);
        let (access_token, refresh_token) = match kept {
            Some(Tokens { access_token, refresh_token, .. }) => {
                (Some(access_token), refresh_token.unwrap_or(self.refresh_token))
            }
            None => (self.access_token, self.refresh_token),
        };
        let (asked_at, started) = (app.clock.now(), Instant::now());
        let access_token = access_token.unwrap_or_default();
        let response = app.providers.refresh(&self.endpoint, &access_token, &refresh_token).await;
        app.metrics.refresh(&self.app_id, response.as_ref().err(), started.elapsed());
        let mut granted = match response {
            Ok(granted) => granted,
            Err(error) => {
                if let Err(error) = store.release_import(&lease, error == ProviderError::Declined).await {
                    tracing::warn!(%error, "a lease ends by itself only");
                }
                return Err(FirstRefreshError::Provider(error));
            }
        };
        let tokens = ImportedTokens {
            scopes: granted.scopes(),
            response: granted.response.take(),
            tokens: Tokens::granted(granted, asked_at, Some(&refresh_token)),
        };
        if let Err(error) = store.keep_import_tokens(&lease, &tokens).await {
            tracing::error!(%error, "imported tokens are not kept yet");
            app.tasks.clone().spawn(keep_until_done(app, lease, tokens));
            return Err(FirstRefreshError::Store(error));
        }
        Ok(tokens)
    }
}

/// What an import that was not finished got, while it can be used.
async fn kept(app: &AppState, key: &ImportKey) -> Result<Option<ImportedTokens>, StoreError> {
    let now = app.clock.now();
    let is_good = |kept: &ImportedTokens| kept.tokens.expires_at.is_none_or(|at| at > now);
    Ok(app.store.import_tokens(key).await?.filter(is_good))
}

/// The provider may honour nothing older any more.
async fn keep_until_done(app: AppState, lease: ImportLease, tokens: ImportedTokens) {
    loop {
        sleep(SAVE_INTERVAL).await;
        match app.store.keep_import_tokens(&lease, &tokens).await {
            Ok(()) => break,
            Err(error) => tracing::debug!(%error, "imported tokens are not kept yet"),
        }
    }
    tracing::info!("imported tokens are kept");
}

impl From<StoreError> for FirstRefreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
