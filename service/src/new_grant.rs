//! Grants of what somebody brings: a customer by a form, or a tenant's backend by an import. Each is tried at the provider
//! first, as far as the catalogue says how.

use std::time::Duration;

use secrecy::ExposeSecret;

use crate::catalogue::{App, AuthOption, Documents, FieldError, Inputs, ProviderData};
use crate::language::Message;
use crate::oauth::{self, Endpoint, OAuthClient, ProviderError};
use crate::provider_api::{ApiAccess, Explored, Verification};
use crate::state::Service;
use crate::store::{Details, Grant, ImportedTokens, Origin, Tokens};

/// For a token that is fetched while somebody waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no grant.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// What was entered is wrong.
    Invalid(Vec<FieldError>),
    /// This value is required, and was neither given nor told by the provider.
    Incomplete(String),
    /// The same, and the tenant has tried too often to ask the provider: after so many seconds it can be asked.
    OverBudget(u64),
}

/// Who brings it, and for which app.
#[derive(Clone, Copy)]
pub(crate) struct NewGrant<'a> {
    pub(crate) service: &'a Service,
    pub(crate) tenant: &'a str,
    pub(crate) app: &'a App,
    pub(crate) option: &'a AuthOption,
    /// The OAuth client that it belongs to, or else the one that the app has.
    pub(crate) client: Option<&'a OAuthClient>,
}

impl NewGrant<'_> {
    /// Whether the provider is asked about what is entered.
    pub(crate) fn is_tried(&self) -> bool {
        let option = self.option;
        option.verify.is_some() || !option.lookups.is_empty() || option.auth_type.is_fetched()
    }

    /// A grant of valid inputs, of any type but OAuth. `given` are values that the provider does not tell.
    pub(crate) async fn of_fields(
        &self,
        mut inputs: Inputs,
        given: ProviderData,
        origin: Origin,
    ) -> Result<Grant, Rejection> {
        let option = self.option;
        inputs.extend(option.constants.clone());
        let asked_at = self.service.clock.now();
        let mut tokens = self.fetch(&inputs).await?;
        let mut documents = Documents::of_inputs(&inputs).with_given(given);
        if let Some(tokens) = &mut tokens {
            documents.add_token_response(tokens.access_token.expose_secret(), tokens.response.take());
        }
        let access_token = tokens.as_ref().map(|tokens| tokens.access_token.expose_secret());
        let entered = (!option.auth_type.is_token()).then_some(&inputs);
        let explored = self.access(entered, access_token).explore(documents).await;
        let details = self.details(explored, || self.not_accepted())?;
        let asked = option.client_credentials.as_ref().map(|table| table.scopes.clone());
        let asked = asked.filter(|scopes| !scopes.is_empty());
        let scopes = tokens.as_ref().and_then(oauth::Tokens::scopes).or(asked);
        let tokens = tokens.map(|tokens| Tokens::granted(tokens, asked_at, None));
        Ok(self.grant(inputs, tokens, Details { scopes, ..details }, origin))
    }

    /// A grant of tokens that the tenant brings, or that the provider gave for those.
    pub(crate) async fn of_tokens(
        &self,
        inputs: Inputs,
        given: ProviderData,
        brought: ImportedTokens,
    ) -> Result<Grant, Rejection> {
        let ImportedTokens { tokens, scopes, response } = brought;
        let access_token = tokens.access_token.expose_secret();
        let mut documents = Documents::of_inputs(&inputs).with_given(given);
        documents.add_token_response(access_token, response);
        let explored = self.access(None, Some(access_token)).explore_brought(documents).await;
        let is_refreshed = tokens.refresh_token.is_some();
        let details = self.details(explored, || FieldError {
            field: if is_refreshed { "refresh_token" } else { "access_token" }.into(),
            message: Message::new(match is_refreshed {
                true => "refreshed-token-not-accepted",
                false => "token-not-accepted",
            })
            .with("app", &self.app.name),
        })?;
        // The token may be of the operator's client, whose other grants must not end it.
        let endpoint = self.client.and_then(|client| Endpoint::new(self.option, client, &inputs).ok());
        let account = details.account.as_ref();
        let account_digest = endpoint.and_then(|endpoint| self.service.account_digest(&endpoint, account));
        let details = Details { scopes, ..details };
        Ok(Grant { account_digest, ..self.grant(inputs, Some(tokens), details, Origin::Import) })
    }

    /// Fetches a token with what was entered, if the option is of such a type. `None` too where the provider cannot be
    /// asked: then the first token call asks it.
    async fn fetch(&self, inputs: &Inputs) -> Result<Option<oauth::Tokens>, Rejection> {
        let Self { service, tenant, app, option, client: _ } = *self;
        if !option.auth_type.is_fetched() {
            return Ok(None);
        }
        if let Some(url) = oauth::fetch_url(option, inputs)
            && let Some(seconds) = service.budgets.take_verification(tenant, &url).await
        {
            // Without a token nothing is asked, so that no value comes.
            let requires_values = option.missing(|_| false).is_some();
            return if requires_values { Err(Rejection::OverBudget(seconds)) } else { Ok(None) };
        }
        match service.providers.fetch(option, inputs, service.clock.system_time(), FETCH_TIMEOUT).await {
            Ok(tokens) => Ok(Some(tokens)),
            Err(ProviderError::Declined) => Err(Rejection::Invalid(vec![self.not_accepted()])),
            Err(error) => {
                tracing::warn!(app = app.id, %error, "what was entered could not be checked");
                Ok(None)
            }
        }
    }

    /// Access to the API with what is granted.
    pub(crate) fn access<'b>(
        &'b self,
        inputs: Option<&'b Inputs>,
        access_token: Option<&'b str>,
    ) -> ApiAccess<'b> {
        let Self { service, tenant, option, client, .. } = *self;
        ApiAccess { service, tenant, option, client, inputs, access_token }
    }

    fn details(
        &self,
        explored: Explored,
        not_accepted: impl FnOnce() -> FieldError,
    ) -> Result<Details, Rejection> {
        if explored.verification == Verification::Invalid {
            return Err(Rejection::Invalid(vec![not_accepted()]));
        }
        if let Some(name) = explored.missing(self.option) {
            if let Some(seconds) = explored.retry_after {
                return Err(Rejection::OverBudget(seconds));
            }
            tracing::warn!(app = self.app.id, value = name, "a required value is missing");
            return Err(Rejection::Incomplete(name.to_owned()));
        }
        Ok(explored.details)
    }

    /// The grant itself, without the digest of an account, and as one of the operator's client.
    pub(crate) fn grant(
        &self,
        inputs: Inputs,
        tokens: Option<Tokens>,
        details: Details,
        origin: Origin,
    ) -> Grant {
        let Self { app, option, .. } = *self;
        Grant {
            app_id: app.id.clone(),
            auth_type: option.auth_type,
            auth_option_key: option.key.clone(),
            comparable_options: app.options_with_account_of(option),
            account_digest: None,
            oauth_client: None,
            origin,
            inputs,
            tokens,
            details,
        }
    }

    fn not_accepted(&self) -> FieldError {
        field_error(self.option, Message::new("not-accepted").with("app", &self.app.name))
    }
}

/// At the field to look at again: a secret one, if there is one.
pub(crate) fn field_error(option: &AuthOption, message: Message) -> FieldError {
    let fields = &option.input.fields;
    let field = fields.iter().find(|field| field.is_secret()).or(fields.first());
    FieldError { field: field.map(|field| field.name.clone()).unwrap_or_default(), message }
}
