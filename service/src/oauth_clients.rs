//! Whose OAuth client an app is connected with: the organisation's, else the tenant's, else the operator's.
//!
//! That decides for new authorizations. What was granted belongs to the client that it was granted to: it is refreshed and
//! revoked by that one.
//!
//! Addresses come from the catalogue and the operator alone: whoever enters a client must not lead its secret, nor what was
//! obtained with it, anywhere else.

use std::borrow::Cow;

use serde::Serialize;

use crate::catalogue::{App, AuthType};
use crate::oauth::OAuthClient;
use crate::state::Service;
use crate::store::{StoreError, StoredClient};

/// Whose client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSource {
    /// The operator's, of the configuration.
    Operator,
    /// The tenant's own.
    Tenant,
    /// An organisation's of the tenant.
    Organization,
}

/// The client that an app is connected with.
#[derive(Debug)]
pub(crate) struct CurrentClient<'a> {
    /// The stored one; none for the operator's.
    pub(crate) id: Option<String>,
    pub(crate) client: Cow<'a, OAuthClient>,
}

/// The clients that links of a tenant, and perhaps of one of its organisations, can use.
#[derive(Debug)]
pub(crate) struct Clients<'a> {
    pub(crate) service: &'a Service,
    stored: Vec<StoredClient>,
}

impl<'a> Clients<'a> {
    /// Whose client an app is connected with; `None` where there is none.
    pub(crate) fn source(&self, app: &App) -> Option<ClientSource> {
        match self.stored(app) {
            Some(stored) if stored.organization.is_some() => Some(ClientSource::Organization),
            Some(_) => Some(ClientSource::Tenant),
            None => self.service.config.apps.contains_key(&app.id).then_some(ClientSource::Operator),
        }
    }

    /// The client that an app is connected with.
    ///
    /// # Errors
    ///
    /// When its secret does not open.
    pub(crate) fn current(&self, app: &App) -> Result<Option<CurrentClient<'a>>, StoreError> {
        if let Some(stored) = self.stored(app) {
            let client = Cow::Owned(self.service.open_client(stored)?);
            return Ok(Some(CurrentClient { id: Some(stored.id.clone()), client }));
        }
        let configured = self.service.config.apps.get(&app.id);
        Ok(configured.map(|client| CurrentClient { id: None, client: Cow::Borrowed(client) }))
    }

    /// Whether the app can be connected, perhaps by this option alone: OAuth needs a client; a form needs nothing.
    pub(crate) fn can_connect(&self, app: &App, key: Option<&str>) -> bool {
        let mut options = app.auth_options.iter().filter(|option| key.is_none_or(|key| key == option.key));
        options.any(|option| option.auth_type != AuthType::OAuth || self.source(app).is_some())
    }

    /// The first of these scopes that the operator does not allow, where the app is connected with the operator's client.
    pub(crate) fn forbidden_scope<'s>(&self, app: &App, scopes: &'s [String]) -> Option<&'s str> {
        let is_operators = self.source(app) == Some(ClientSource::Operator);
        self.service.config.apps.get(&app.id).filter(|_| is_operators)?.forbidden_scope(scopes)
    }

    fn stored(&self, app: &App) -> Option<&StoredClient> {
        let of_app = self.stored.iter().filter(|stored| stored.app_id == app.id);
        of_app.max_by_key(|stored| stored.organization.is_some())
    }
}

impl Service {
    /// The clients that new authorizations of a tenant's customers can use.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn clients(
        &self,
        tenant: &str,
        organization: Option<&str>,
    ) -> Result<Clients<'_>, StoreError> {
        let stored = self.store.current_clients(tenant, organization).await?;
        Ok(Clients { service: self, stored })
    }

    /// The client that a grant belongs to: the stored one with this id, or the operator's.
    ///
    /// # Errors
    ///
    /// When the database fails, or the secret does not open.
    pub(crate) async fn client_of_grant(
        &self,
        tenant: &str,
        app_id: &str,
        stored: Option<&str>,
    ) -> Result<Option<Cow<'_, OAuthClient>>, StoreError> {
        let Some(id) = stored else {
            return Ok(self.config.apps.get(app_id).map(Cow::Borrowed));
        };
        let found = self.store.client(tenant, id).await?.filter(|found| found.app_id == app_id);
        found.map(|found| Ok(Cow::Owned(self.open_client(&found)?))).transpose()
    }

    fn open_client(&self, stored: &StoredClient) -> Result<OAuthClient, StoreError> {
        let secrets = self.store.client_secrets(stored)?;
        let configured = self.config.apps.get(&stored.app_id);
        Ok(OAuthClient {
            scopes: stored.scopes.clone(),
            params: secrets.params,
            sandbox: stored.sandbox,
            authorization_url: configured.and_then(|client| client.authorization_url.clone()),
            token_url: configured.and_then(|client| client.token_url.clone()),
            revocation_url: configured.and_then(|client| client.revocation_url.clone()),
            keep_alive: configured.is_none_or(|client| client.keep_alive),
            ..OAuthClient::new(stored.client_id.clone(), secrets.client_secret)
        })
    }
}
