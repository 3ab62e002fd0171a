//! What a provider's API says about a credential: whether it is accepted, whose account it opens, and what further calls
//! need. The catalogue's `[auth.verify]` and `[[auth.lookup]]` say how it is asked.
//!
//! A credential goes only where the catalogue checks that it may (`AuthOption::address_problem`), through the client that
//! reaches public addresses alone. No word of a response is shown to a customer or logged.

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::catalogue::{
    ApiCall, ApiRequest, AuthOption, AuthType, CallValues, Documents, Inputs, InvalidErrors, ProviderData,
    Source, Verify,
};
use crate::oauth::{self, ApiBody, OAuthClient};
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
    pub(crate) option: &'a AuthOption,
    /// The OAuth client by which the credential was obtained, or else the one that the app has.
    pub(crate) client: Option<&'a OAuthClient>,
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
    /// Seconds until the provider may be asked again, where something was not asked because of the tenant's budget.
    pub(crate) retry_after: Option<u64>,
}

/// The tenant's budget for the provider's host is used up, for so many seconds: one customer's mistakes must not get the
/// others throttled there.
struct OverBudget(u64);

impl Explored {
    /// The first value that the option requires and that did not come.
    pub(crate) fn missing<'o>(&self, option: &'o AuthOption) -> Option<&'o str> {
        let Details { provider_data, secret_data, .. } = &self.details;
        option.missing(|name| provider_data.contains_key(name) || secret_data.contains_key(name))
    }
}

impl<'a> ApiAccess<'a> {
    /// Access with a credential that is about to be vended; `None` where its option has left the catalogue.
    pub(crate) fn of_vended(
        service: &'a Service,
        tenant: &'a str,
        vended: &'a Vended,
        client: Option<&'a OAuthClient>,
    ) -> Option<Self> {
        use secrecy::ExposeSecret;
        let app = service.catalogue.get(&vended.app_id)?;
        let option = app.auth_option(&vended.auth_option_key)?;
        let (inputs, access_token) = match &vended.content {
            VendedContent::Token { access_token, .. } => (None, Some(access_token.expose_secret())),
            VendedContent::Fields(inputs) => (Some(inputs), None),
        };
        Some(Self { service, tenant, option, client, inputs, access_token })
    }

    /// What a call to the API carries.
    pub(crate) fn call(&self, provider_data: &ProviderData) -> ApiCall {
        self.option.api_call(&self.values(provider_data))
    }

    /// Asks the provider all that the catalogue wants to know about a new credential. `documents` are what is known of it.
    pub(crate) async fn explore(&self, documents: Documents) -> Explored {
        // Whatever is entered can be tried, and tokens that are fetched or signed with it are no better. Those of the
        // consent screen come from the provider itself, one at a time.
        self.explore_counted(documents, self.option.auth_type != AuthType::OAuth).await
    }

    /// The same for a token that somebody brings, and could try.
    pub(crate) async fn explore_brought(&self, documents: Documents) -> Explored {
        self.explore_counted(documents, true).await
    }

    async fn explore_counted(&self, mut documents: Documents, is_counted: bool) -> Explored {
        let mut retry_after = None;
        for lookup in &self.option.lookups {
            let known = self.read(&documents).all_provider_data();
            match self.request(&lookup.request, &known, is_counted).await {
                Ok(Some((200..300, ApiBody::Json(value)))) => {
                    documents.insert(Source::Lookup(lookup.name.clone()), value);
                }
                Ok(_) => {}
                Err(OverBudget(seconds)) => retry_after = Some(seconds),
            }
        }
        let known = self.read(&documents).all_provider_data();
        let asked = self.ask(&known, is_counted).await;
        let (verification, response) = asked.unwrap_or_else(|OverBudget(seconds)| {
            retry_after = Some(seconds);
            (Verification::Unknown, None)
        });
        if let Some(response) = response {
            documents.insert(Source::Verify, response);
        }
        Explored { verification, details: self.read(&documents), retry_after }
    }

    /// Asks the provider whether it accepts the credential, unless the tenant's budget is used up. What the provider says
    /// about the credential comes along.
    pub(crate) async fn verify(&self, provider_data: &ProviderData) -> (Verification, Option<Value>) {
        self.ask(provider_data, true).await.unwrap_or((Verification::Unknown, None))
    }

    async fn ask(
        &self,
        provider_data: &ProviderData,
        is_counted: bool,
    ) -> Result<(Verification, Option<Value>), OverBudget> {
        let Some(verify) = &self.option.verify else {
            return Ok((Verification::Unknown, None));
        };
        let response = self.request(&verify.request, provider_data, is_counted).await?;
        Ok(response.map_or((Verification::Unknown, None), |(status, body)| verdict(verify, status, body)))
    }

    fn read(&self, documents: &Documents) -> Details {
        let (provider_data, secret_data) = self.option.read_provider_data(documents);
        Details { provider_data, secret_data, account: self.option.read_account(documents), scopes: None }
    }

    /// One request; `None` where it cannot be made, or brought nothing that can be used.
    async fn request(
        &self,
        request: &ApiRequest,
        provider_data: &ProviderData,
        is_counted: bool,
    ) -> Result<Option<(u16, ApiBody)>, OverBudget> {
        if self.option.auth_type.is_token() && self.access_token.is_none() {
            return Ok(None);
        }
        let values = self.values(provider_data);
        let made = self.option.request(request, &values);
        let Some((url, own_headers)) = made.and_then(|(url, own)| Some((Url::parse(&url).ok()?, own))) else {
            return Ok(None);
        };
        if is_counted && let Some(seconds) = self.service.budgets.take_verification(self.tenant, &url).await {
            return Err(OverBudget(seconds));
        }
        let call = self.option.api_call(&values);
        let headers = call.headers.iter().chain(&own_headers);
        let response = self.service.providers.call_api(oauth::ApiRequest {
            method: request.method.method(),
            url,
            headers: headers.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            query: &call.query,
            json: request.json.as_ref(),
        });
        Ok(response.await.map(|response| (response.status, response.body)))
    }

    fn values(&self, provider_data: &'a ProviderData) -> CallValues<'a> {
        let client = self.client;
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

impl Verify {
    /// What a successful response says. Where it lacks what is expected, the provider may have failed by itself: only what
    /// it says of the credential makes that wrong.
    fn read(&self, response: &Value) -> Verification {
        let Some(expect) = &self.expect else { return Verification::Valid };
        let is_named = |errors: &InvalidErrors| {
            let code = errors.pointer.get(response).and_then(Value::as_str);
            code.is_some_and(|code| errors.words.iter().any(|word| word == code))
        };
        match expect.get(response) {
            Some(Value::Null) => Verification::Invalid,
            None | Some(Value::Bool(false)) => {
                let is_invalid = self.invalid_errors.as_ref().is_some_and(is_named);
                if is_invalid { Verification::Invalid } else { Verification::Unknown }
            }
            Some(_) => Verification::Valid,
        }
    }
}

/// What a response to the verification says.
fn verdict(verify: &Verify, status: u16, body: ApiBody) -> (Verification, Option<Value>) {
    if verify.invalid_statuses.contains(&status) {
        return (Verification::Invalid, None);
    }
    if !(200..300).contains(&status) {
        return (Verification::Unknown, None);
    }
    match body {
        ApiBody::Json(value) => match verify.read(&value) {
            Verification::Valid => (Verification::Valid, Some(value)),
            other => (other, None),
        },
        ApiBody::Empty if verify.expect.is_none() => (Verification::Valid, None),
        ApiBody::Empty | ApiBody::Other => (Verification::Unknown, None),
    }
}

impl Service {
    /// Where the API of a connection is, as far as that is public; perhaps that of the provider's sandbox.
    pub(crate) fn public_base_url(
        &self,
        app_id: &str,
        option_key: &str,
        details: &Details,
        sandbox: bool,
    ) -> Option<String> {
        let app = self.catalogue.get(app_id)?;
        app.auth_option(option_key)?.base_url(&CallValues {
            inputs: None,
            access_token: None,
            client_id: None,
            app_params: None,
            provider_data: &details.provider_data,
            sandbox,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn only_what_the_provider_says_of_the_credential_makes_it_invalid() {
        let catalogue = Catalogue::load(None).unwrap();
        let slack = |error: &str| ("slack", json!({ "ok": false, "error": error }));
        for ((app, body), expected) in [
            (slack("invalid_auth"), Verification::Invalid),
            (slack("not_authed"), Verification::Invalid),
            (slack("token_revoked"), Verification::Invalid),
            (slack("token_expired"), Verification::Invalid),
            (slack("account_inactive"), Verification::Invalid),
            (slack("internal_error"), Verification::Unknown),
            (slack("service_unavailable"), Verification::Unknown),
            (slack("request_timeout"), Verification::Unknown),
            (slack("ratelimited"), Verification::Unknown),
            (("slack", json!({ "ok": false })), Verification::Unknown),
            (("slack", json!({ "error": "internal_error" })), Verification::Unknown),
            (("slack", json!({ "ok": true })), Verification::Valid),
            (("zendesk", json!({ "user": { "id": 7 } })), Verification::Valid),
            (("zendesk", json!({ "user": { "id": null } })), Verification::Invalid),
            (("zendesk", json!({ "error": "DatabaseError" })), Verification::Unknown),
        ] {
            let option = catalogue.get(app).unwrap().auth_option("oauth").unwrap();
            let verify = option.verify.as_ref().unwrap();
            assert_eq!(verdict(verify, 200, ApiBody::Json(body.clone())).0, expected, "{app} {body}");
            assert_eq!(verdict(verify, 401, ApiBody::Json(body)).0, Verification::Invalid);
        }
    }
}
