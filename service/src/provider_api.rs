//! What a provider's API says about a credential: whether it is accepted, whose account it opens, and what further calls
//! need. The catalogue's `[auth.verify]` and `[[auth.lookup]]` say how it is asked.
//!
//! A credential goes only where the catalogue checks that it may (`AuthOption::address_problem`), through the client that
//! reaches public addresses alone. No word of a response is shown to a customer or logged.

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::catalogue::{
    ApiCall, ApiRequest, App, AuthOption, CallValues, Documents, Inputs, ProviderData, Source,
};
use crate::oauth::{self, ApiBody};
use crate::state::Service;
use crate::store::{Details, Vended, VendedContent};

/// What a provider says about a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verification {
    /// It is accepted.
    Valid,
    /// It is not.
    Invalid,
    /// It could not be checked.
    Unknown,
}

/// A credential, and how the API that it opens is called.
pub(crate) struct ApiAccess<'a> {
    pub(crate) service: &'a Service,
    pub(crate) tenant: &'a str,
    pub(crate) app: &'a App,
    pub(crate) option: &'a AuthOption,
    /// What the customer entered; none where a token is vended.
    pub(crate) inputs: Option<&'a Inputs>,
    /// None where the option has no tokens, or the one of a fetched type could not be fetched: then nothing is asked.
    pub(crate) access_token: Option<&'a str>,
}

/// What there is to say about a new credential.
pub(crate) struct Explored {
    pub(crate) verification: Verification,
    /// Without scopes, which are not the API's to tell.
    pub(crate) details: Details,
}

impl Explored {
    /// The first value that the option requires and that did not come.
    pub(crate) fn missing<'o>(&self, option: &'o AuthOption) -> Option<&'o str> {
        let Details { provider_data, secret_data, .. } = &self.details;
        option.missing(|name| provider_data.contains_key(name) || secret_data.contains_key(name))
    }
}

impl<'a> ApiAccess<'a> {
    /// Access with a credential that is about to be vended; `None` where its option has left the catalogue.
    pub(crate) fn of_vended(service: &'a Service, tenant: &'a str, vended: &'a Vended) -> Option<Self> {
        use secrecy::ExposeSecret;
        let app = service.catalogue.get(&vended.app_id)?;
        let option = app.auth_option(&vended.auth_option_key)?;
        let (inputs, access_token) = match &vended.content {
            VendedContent::Token { access_token, .. } => (None, Some(access_token.expose_secret())),
            VendedContent::Fields(inputs) => (Some(inputs), None),
        };
        Some(Self { service, tenant, app, option, inputs, access_token })
    }

    /// What a call to the API carries.
    pub(crate) fn call(&self, provider_data: &ProviderData) -> ApiCall {
        self.option.api_call(&self.values(provider_data))
    }

    /// Asks the provider all that the catalogue wants to know about a new credential. `documents` are what is known of it.
    pub(crate) async fn explore(&self, documents: Documents) -> Explored {
        // Nobody can try tokens: each comes from the provider itself.
        self.explore_with(documents, self.access_token.is_none()).await
    }

    /// The same for a token that somebody brings, and could try.
    pub(crate) async fn explore_brought(&self, documents: Documents) -> Explored {
        self.explore_with(documents, true).await
    }

    async fn explore_with(&self, mut documents: Documents, can_be_tried: bool) -> Explored {
        for lookup in &self.option.lookups {
            let known = self.read(&documents);
            let response = self.request(&lookup.request, &known.all_provider_data()).await;
            if let Some((200..300, ApiBody::Json(value))) = response {
                documents.insert(Source::Lookup(lookup.name.clone()), value);
            }
        }
        let known = self.read(&documents).all_provider_data();
        let (verification, response) =
            if can_be_tried { self.verify(&known).await } else { self.ask(&known).await };
        if let Some(response) = response {
            documents.insert(Source::Verify, response);
        }
        Explored { verification, details: self.read(&documents) }
    }

    /// Asks the provider whether it accepts the credential, unless the tenant's budget for its host is used up: one customer's
    /// mistakes must not get the others throttled there. What the provider says about the credential comes along.
    pub(crate) async fn verify(&self, provider_data: &ProviderData) -> (Verification, Option<Value>) {
        let values = self.values(provider_data);
        let request = self.option.verify.as_ref().map(|verify| &verify.request);
        let address = request.and_then(|request| self.option.request(request, &values));
        let url = address.and_then(|(url, _)| Url::parse(&url).ok());
        match url.map(|url| self.service.budgets.take_verification(self.tenant, &url)) {
            Some(Ok(())) => self.ask(provider_data).await,
            _ => (Verification::Unknown, None),
        }
    }

    async fn ask(&self, provider_data: &ProviderData) -> (Verification, Option<Value>) {
        let Some(verify) = &self.option.verify else {
            return (Verification::Unknown, None);
        };
        let Some((status, body)) = self.request(&verify.request, provider_data).await else {
            return (Verification::Unknown, None);
        };
        if verify.invalid_statuses.contains(&status) {
            return (Verification::Invalid, None);
        }
        if !(200..300).contains(&status) {
            return (Verification::Unknown, None);
        }
        let is_there = |value: &Value| {
            let expected = verify.expect.as_ref().map(|expect| expect.get(value));
            expected.is_none_or(|found| !matches!(found, None | Some(Value::Null | Value::Bool(false))))
        };
        match body {
            ApiBody::Json(value) if is_there(&value) => (Verification::Valid, Some(value)),
            ApiBody::Json(_) => (Verification::Invalid, None),
            ApiBody::Empty if verify.expect.is_none() => (Verification::Valid, None),
            ApiBody::Empty | ApiBody::Other => (Verification::Unknown, None),
        }
    }

    fn read(&self, documents: &Documents) -> Details {
        let (provider_data, secret_data) = self.option.read_provider_data(documents);
        Details { provider_data, secret_data, account: self.option.read_account(documents), scopes: None }
    }

    /// One request; `None` where it cannot be made, or brought nothing that can be used.
    async fn request(&self, request: &ApiRequest, provider_data: &ProviderData) -> Option<(u16, ApiBody)> {
        if self.option.auth_type.is_token() && self.access_token.is_none() {
            return None;
        }
        let values = self.values(provider_data);
        let (url, own_headers) = self.option.request(request, &values)?;
        let url = Url::parse(&url).ok()?;
        let call = self.option.api_call(&values);
        let headers = call.headers.iter().chain(&own_headers);
        let response = self.service.providers.call_api(oauth::ApiRequest {
            method: request.method.method(),
            url,
            headers: headers.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            query: &call.query,
            json: request.json.as_ref(),
        });
        let response = response.await?;
        Some((response.status, response.body))
    }

    fn values(&self, provider_data: &'a ProviderData) -> CallValues<'a> {
        let client = self.service.registration(self.app);
        CallValues {
            inputs: self.inputs,
            access_token: self.access_token,
            client_id: client.map(|client| client.client_id.as_str()),
            app_params: client.map(|client| &client.params),
            provider_data,
            sandbox: client.is_some_and(|client| client.sandbox),
        }
    }
}

impl Service {
    /// Where the API of a connection is, as far as that is public.
    pub(crate) fn public_base_url(
        &self,
        app_id: &str,
        option_key: &str,
        details: &Details,
    ) -> Option<String> {
        let app = self.catalogue.get(app_id)?;
        let client = self.registration(app);
        app.auth_option(option_key)?.base_url(&CallValues {
            inputs: None,
            access_token: None,
            client_id: None,
            app_params: None,
            provider_data: &details.provider_data,
            sandbox: client.is_some_and(|client| client.sandbox),
        })
    }
}
