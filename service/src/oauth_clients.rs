//! Whose OAuth client an app is connected with: the organization's, else the tenant's, else the operator's.
//!
//! That decides for new authorizations. What was granted belongs to the client that it was granted to: it is refreshed
//! and revoked by that one.
//!
//! Addresses come from the catalogue and the operator alone: a person who enters a client must not lead its secret, nor
//! what was obtained with it, anywhere else.

use std::borrow::Cow;

use serde::Serialize;

use crate::catalogue::{App, AuthType, Inputs};
use crate::oauth::{Endpoint, OAuthClient};
use crate::state::Service;
use crate::store::{AppSettings, ClientPlace, Link, NewClient, StoreError, StoredClient};

/// Maximum number of characters of a client id.
pub(crate) const MAX_CLIENT_ID: usize = 512;
/// Maximum number of characters of a secret: some are signed tokens.
pub(crate) const MAX_SECRET: usize = 4096;

/// Whose client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSource {
    /// The operator's, of the configuration.
    Operator,
    /// The tenant's own.
    Tenant,
    /// An organization's of the tenant.
    Organization,
}

/// The client that an app is connected with.
#[derive(Debug)]
pub(crate) struct CurrentClient<'a> {
    /// The stored one; none for the operator's.
    pub(crate) id: Option<String>,
    pub(crate) client: Cow<'a, OAuthClient>,
}

/// What the provider says to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretTrial {
    /// It does not accept it.
    Refused,
    /// It accepts it, or cannot be asked.
    NotRefused,
    /// It is not asked for so many seconds: the tenant's budget for it is used up.
    OverBudget(u64),
}

/// The clients that links of a tenant, and perhaps of one of its organizations, can use.
#[derive(Debug)]
pub(crate) struct Clients<'a> {
    pub(crate) service: &'a Service,
    organization: Option<String>,
    stored: Vec<StoredClient>,
    settings: Vec<(String, AppSettings)>,
}

impl<'a> Clients<'a> {
    /// Whose client an app is connected with; `None` where there is none.
    pub(crate) fn source(&self, app: &App) -> Option<ClientSource> {
        match self.stored(app) {
            Some(stored) if stored.organization.is_some() => Some(ClientSource::Organization),
            Some(_) => Some(ClientSource::Tenant),
            None => self.configured(app).map(|_| ClientSource::Operator),
        }
    }

    /// The client that an app is connected with.
    ///
    /// # Errors
    ///
    /// When its secret does not open.
    pub(crate) async fn current(&self, app: &App) -> Result<Option<CurrentClient<'a>>, StoreError> {
        if let Some(stored) = self.stored(app) {
            let client = Cow::Owned(self.service.open_client(stored).await?);
            return Ok(Some(CurrentClient { id: Some(stored.id.clone()), client }));
        }
        Ok(self.configured(app).map(|client| CurrentClient { id: None, client: Cow::Borrowed(client) }))
    }

    /// Whether each organization brings a client of its own for the app.
    pub(crate) fn is_managed(&self, app: &App) -> bool {
        self.settings(app).is_some_and(|settings| settings.by_organization)
    }

    /// Whether somebody of the organization has to enter a client first.
    pub(crate) fn needs_setup(&self, app: &App) -> bool {
        self.is_managed(app) && self.organization.is_some() && self.stored(app).is_none()
    }

    /// What the tenant says of the app.
    pub(crate) fn settings(&self, app: &App) -> Option<&AppSettings> {
        self.settings.iter().find(|(id, _)| *id == app.id).map(|(_, settings)| settings)
    }

    /// A client with nothing but the addresses, before one is entered.
    pub(crate) fn addresses(&self, app: &App) -> OAuthClient {
        self.service.with_addresses(&app.id, OAuthClient::new("", ""))
    }

    /// A client that was entered by this link.
    ///
    /// # Errors
    ///
    /// When the database fails, or its secret does not open.
    pub(crate) async fn entered(
        &self,
        link: &Link,
        app: &App,
        id: &str,
    ) -> Result<Option<CurrentClient<'a>>, StoreError> {
        let client = self.service.client_of_authorization(link, &app.id, Some(id)).await?;
        Ok(client.map(|client| CurrentClient { id: Some(id.to_owned()), client }))
    }

    /// Whether OAuth has a client, or will have one once somebody entered it.
    pub(crate) fn has_client(&self, app: &App) -> bool {
        self.source(app).is_some() || self.needs_setup(app)
    }

    /// Whether the app can be connected, perhaps by this option alone: OAuth needs a client; a form needs nothing.
    pub(crate) fn can_connect(&self, app: &App, key: Option<&str>) -> bool {
        let mut options = app.auth_options.iter().filter(|option| key.is_none_or(|key| key == option.key));
        options.any(|option| option.auth_type != AuthType::OAuth || self.has_client(app))
    }

    /// The first of these scopes that the operator does not allow, where the app is connected with the operator's
    /// client.
    pub(crate) fn forbidden_scope<'s>(&self, app: &App, scopes: &'s [String]) -> Option<&'s str> {
        self.configured(app).filter(|_| self.stored(app).is_none())?.forbidden_scope(scopes)
    }

    fn stored(&self, app: &App) -> Option<&StoredClient> {
        let is_managed = self.is_managed(app);
        let of_app = self.stored.iter().filter(|stored| stored.app_id == app.id);
        let usable = of_app.filter(|stored| stored.organization.is_some() || !is_managed);
        usable.max_by_key(|stored| stored.organization.is_some())
    }

    /// The operator's.
    fn configured(&self, app: &App) -> Option<&'a OAuthClient> {
        self.service.config.apps.get(&app.id).filter(|_| !self.is_managed(app))
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
        let settings = self.store.all_app_settings(tenant).await?;
        Ok(Clients { service: self, organization: organization.map(str::to_owned), stored, settings })
    }

    /// The client of this kind for an app, whichever new authorizations are made with.
    ///
    /// # Errors
    ///
    /// When the database fails, or the secret does not open.
    pub(crate) async fn client_of_source(
        &self,
        source: ClientSource,
        place: ClientPlace<'_>,
    ) -> Result<Option<CurrentClient<'_>>, StoreError> {
        let organization = match source {
            ClientSource::Operator => {
                let client = self.config.apps.get(place.app_id);
                return Ok(client.map(|client| CurrentClient { id: None, client: Cow::Borrowed(client) }));
            }
            ClientSource::Tenant => None,
            ClientSource::Organization => place.organization,
        };
        let place = ClientPlace { organization, ..place };
        let Some(found) = self.store.current_client(place).await? else { return Ok(None) };
        let client = Cow::Owned(self.open_client(&found).await?);
        Ok(Some(CurrentClient { id: Some(found.id), client }))
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
        match found {
            Some(found) => Ok(Some(Cow::Owned(self.open_client(&found).await?))),
            None => Ok(None),
        }
    }

    /// The client that an authorization of this link was begun with. One that waits for its first success belongs to
    /// the link by which it was entered.
    ///
    /// # Errors
    ///
    /// Those of [`client_of_grant`](Self::client_of_grant).
    pub(crate) async fn client_of_authorization(
        &self,
        link: &Link,
        app_id: &str,
        stored: Option<&str>,
    ) -> Result<Option<Cow<'_, OAuthClient>>, StoreError> {
        if let Some(id) = stored {
            let found = self.store.client(&link.owner.tenant, id).await?;
            if found.is_some_and(|found| found.is_pending && found.link_id.as_ref() != Some(&link.id)) {
                return Ok(None);
            }
        }
        self.client_of_grant(&link.owner.tenant, app_id, stored).await
    }

    /// Asks the provider whether it accepts a new secret of the `current` client. Where the address depends on what a
    /// customer entered, such as a subdomain, one of the client's connections tells it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn try_secret(
        &self,
        app: &App,
        new: &NewClient<'_>,
        current: &StoredClient,
    ) -> Result<SecretTrial, StoreError> {
        let client = OAuthClient {
            params: new.secrets.params.clone(),
            ..OAuthClient::new(new.client_id, new.secrets.client_secret.clone())
        };
        let client = self.with_addresses(&app.id, client);
        let endpoint = |inputs: &Inputs| {
            app.auth_options.iter().find_map(|option| Endpoint::new(option, &client, inputs).ok())
        };
        let endpoint = match endpoint(&Inputs::new()) {
            Some(endpoint) => Some(endpoint),
            None => self.store.inputs_of_client(current).await?.and_then(|inputs| endpoint(&inputs)),
        };
        let Some(endpoint) = endpoint.filter(|_| self.config.budgets.verification > 0) else {
            return Ok(SecretTrial::NotRefused);
        };
        let budget = self.budgets.take_verification(new.place.tenant, endpoint.token_url()).await;
        if let Some(seconds) = budget {
            return Ok(SecretTrial::OverBudget(seconds));
        }
        let is_refused = self.providers.refuses_client(&endpoint, &self.redirect_uri(&app.id)).await;
        Ok(if is_refused { SecretTrial::Refused } else { SecretTrial::NotRefused })
    }

    async fn open_client(&self, stored: &StoredClient) -> Result<OAuthClient, StoreError> {
        let secrets = self.store.client_secrets(stored).await?;
        let client = OAuthClient {
            scopes: stored.scopes.clone(),
            params: secrets.params,
            sandbox: stored.sandbox,
            ..OAuthClient::new(stored.client_id.clone(), secrets.client_secret)
        };
        Ok(self.with_addresses(&stored.app_id, client))
    }

    /// What the operator says of the app's addresses holds for everybody's clients.
    fn with_addresses(&self, app_id: &str, client: OAuthClient) -> OAuthClient {
        let Some(configured) = self.config.apps.get(app_id) else { return client };
        OAuthClient {
            authorization_url: configured.authorization_url.clone(),
            token_url: configured.token_url.clone(),
            revocation_url: configured.revocation_url.clone(),
            keep_alive: configured.keep_alive,
            ..client
        }
    }
}

/// What RFC 6749 (appendix A) allows in a client id and a secret, without space at the ends, where it was pasted along.
pub(crate) fn is_printable(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && text.trim() == text
}
