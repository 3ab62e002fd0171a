//! `GET /oauth/callback/{app}`: where an app's provider sends the customer back to, and the result that it leads to.
//!
//! A code works once, and browsers do not keep to that: they reload, go back, fetch in advance, and service workers fetch
//! twice. So the callback redeems on the first visit alone, and every visit leads to one result.

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::browser::Browser;
use super::flow::{self, Choice, Refusal};
use super::look::Look;
use super::{page, view};
use crate::catalogue::{Account, AuthOption, Documents, Source};
use crate::clock::millis;
use crate::hosted::html::PageResponse;
use crate::new_grant::NewGrant;
use crate::oauth::{Pkce, ProviderError};
use crate::oauth_clients::Clients;
use crate::provider_api::Verification;
use crate::state::{AppState, Service};
use crate::store::{
    Authorization, Details, Grant, GrantOutcome, LastError, LinkError, MAX_REDEMPTION, Origin, Phase,
    Progress, Status, StoreError, Taken, Tokens,
};
use crate::text;

/// Maximum length of what is kept of the provider's own words, in characters.
const MAX_PROVIDER_MESSAGE: usize = 300;

/// What the provider says, each at most once.
struct Answer {
    state: Option<String>,
    code: Option<SecretString>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
    /// All that it says, for what the catalogue names of it.
    query: String,
}

/// Why a code was not turned into a grant.
enum Failure {
    Link(LinkError),
    /// The grant is for this account, and the connection for another one.
    OtherAccount(Option<Account>),
    Store(StoreError),
}

/// Ends a journey, with success or failure, and leads to [`result`]. Anything that is not the way back of a journey that
/// this browser began changes nothing.
pub async fn callback(
    State(service): State<AppState>,
    method: Method,
    app_id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> PageResponse {
    let plain = Look::of_browser(&headers);
    if !is_visit(&method, &headers) {
        return view::not_a_visit(&plain);
    }
    let app_id = app_id.map(|Path(id)| id).unwrap_or_default();
    // A customer who closes the window now has granted all the same: what was begun is finished without them.
    let task = service.tasks.spawn({
        let (service, plain) = (service.clone(), plain.clone());
        async move {
            let code = service.catalogue.get(&app_id).map_or("code", |app| app.callback_code());
            let answer = Answer::parse(query.as_deref().unwrap_or_default(), code);
            finish(&service, &plain, &app_id, answer, &headers).await
        }
    });
    match task.await {
        Ok(page) => page.unwrap_or_else(|error| view::store_failed(&plain, &error)),
        Err(_) => view::failed(&plain),
    }
}

/// `GET /oauth/result/{state}`: what became of a journey, for the browser that began it, as often as it asks.
pub async fn result(
    State(service): State<AppState>,
    state: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> PageResponse {
    let state = state.map(|Path(state)| state).unwrap_or_default();
    let plain = Look::of_browser(&headers);
    let page = show_result(&service, &plain, &state, &headers).await;
    page.unwrap_or_else(|error| view::store_failed(&plain, &error))
}

/// Whether the customer is here in person. A browser that fetches pages in advance, a service worker and a scanner of
/// links must not use up what works once.
pub(super) fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    let is_in_advance = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].iter().any(|purpose| value.contains(purpose))
    };
    let mut purposes =
        ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().flat_map(|name| headers.get_all(name));
    // Older browsers do not say what they fetch a page for.
    let destination = headers.get("sec-fetch-dest");
    method == Method::GET
        && !purposes.any(is_in_advance)
        && destination.is_none_or(|destination| destination == "document")
}

async fn finish(
    service: &Service,
    plain: &Look,
    app_id: &str,
    answer: Option<Answer>,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let browser = Browser::known(service, headers);
    let (Some(answer), Some(browser)) = (answer, browser) else {
        return Ok(view::unknown_sign_in(plain));
    };
    let (Some(state), Some(app)) = (&answer.state, service.catalogue.get(app_id)) else {
        return Ok(view::unknown_sign_in(plain));
    };
    let (store, message) = (&service.store, answer.provider_message());
    // The page gives the provider's reason where it declined; of other failures only the backend hears.
    let reason = message.as_deref().filter(|_| answer.declined());
    let taken = store.take_authorization(state, browser.secret(), &app.id, reason);
    match taken.await? {
        Taken::Unknown => return Ok(view::unknown_sign_in(plain)),
        Taken::Before => {}
        Taken::Now(journey)
            if journey.link.status != Status::Pending || journey.link.awaits_confirmation() => {}
        Taken::Now(journey) if answer.declined() => {
            store.decline_link(&journey.link, message.as_deref()).await?;
        }
        Taken::Now(journey) => {
            store.set_phase(&journey.link, Phase::Returned).await?;
            match redeem(service, &journey, &answer, &browser).await {
                Ok(()) => {}
                Err(Failure::Link(error)) => {
                    let error = LastError { error, provider_message: message };
                    store.fail_authorization(state, &journey.link, &error, None).await?;
                }
                Err(Failure::OtherAccount(account)) => {
                    let error = LastError { error: LinkError::AccountChanged, provider_message: None };
                    store.fail_authorization(state, &journey.link, &error, account.as_ref()).await?;
                }
                Err(Failure::Store(error)) => return Err(error),
            }
        }
    }
    // Of the characters that a state has, none needs escaping in a path.
    let result = format!("{}/oauth/result/{state}", service.base_url());
    Ok(PageResponse::redirect(&result))
}

/// Turns the code into a grant. Where the link has ended meanwhile, nothing is stored.
async fn redeem(
    service: &Service,
    journey: &Authorization,
    answer: &Answer,
    browser: &Browser,
) -> Result<(), Failure> {
    let link = &journey.link;
    let clients = flow::clients(service, link).await?;
    let choice = choice(&clients, journey).map_err(|_| LinkError::AppNotConfigured)?;
    let tenant = &link.owner.tenant;
    let stored = journey.oauth_client.as_deref();
    let client = service.client_of_authorization(link, &choice.app.id, stored).await?;
    let client = client.ok_or(LinkError::AppNotConfigured)?;
    let parameters = answer.parameters(choice.option);
    let inputs = choice.option.corrected(journey.inputs.clone(), &parameters);
    let endpoint = flow::endpoint(&client, link, choice, &inputs).map_err(|_| LinkError::AppNotConfigured)?;
    if let Some(error) = &answer.error {
        tracing::warn!(app = choice.app.id, error = known_error(error), "the provider refused to authorise");
        return Err(LinkError::ProviderRefused.into());
    }
    if !endpoint.accepts_issuer(answer.iss.as_deref()) {
        tracing::warn!(app = choice.app.id, "the answer is from another issuer");
        return Err(LinkError::IssuerMismatch.into());
    }
    let code = answer.code.as_ref().ok_or(LinkError::InvalidResponse)?;
    let pkce = Pkce::from_verifier(journey.verifier.clone().unwrap_or_default());
    let asked_at = service.clock.now();
    let redirect_uri = service.redirect_uri(&choice.app.id);
    let code = code.expose_secret();
    let exchange = service.providers.exchange_code(&endpoint, code, &redirect_uri, &pkce);
    let mut tokens = exchange.await.map_err(LinkError::from)?;
    let mut documents = Documents::of_inputs(&inputs);
    documents.insert(Source::Callback, parameters);
    documents.add_token_response(tokens.access_token.expose_secret(), tokens.response.take());
    let new = NewGrant { service, tenant, app: choice.app, option: choice.option, client: Some(&client) };
    let explored = new.access(None, Some(tokens.access_token.expose_secret())).explore(documents).await;
    // What the browser says alone tells no account.
    let is_verified = !choice.option.relies_on_callback() || explored.verification == Verification::Valid;
    let failure = match explored.missing(choice.option) {
        Some(name) => {
            tracing::warn!(app = choice.app.id, value = name, "a required value is missing");
            Some(LinkError::MissingValue)
        }
        None if !is_verified => {
            tracing::warn!(app = choice.app.id, "the provider did not verify what the callback says");
            Some(LinkError::AccountNotVerified)
        }
        None => None,
    };
    // Where the provider does not tell, it granted what was asked for (RFC 6749, section 5.1).
    let asked = Some(endpoint.scopes().to_vec()).filter(|scopes| !scopes.is_empty());
    let details = Details { scopes: tokens.scopes().or(asked), ..explored.details };
    let account = details.account.as_ref().filter(|_| is_verified);
    let account_digest = service.account_digest(&endpoint, account);
    let tokens = Tokens::granted(tokens, asked_at, None);
    let oauth_client = journey.oauth_client.clone();
    let grant =
        Grant { account_digest, oauth_client, ..new.grant(inputs, Some(tokens), details, Origin::Link) };
    if let Some(error) = failure {
        service.store.revoke_later(tenant, &grant).await?;
        return Err(error.into());
    }
    match flow::store_grant(service, link, &grant, Some(browser)).await? {
        GrantOutcome::Stored | GrantOutcome::LinkEnded => Ok(()),
        GrantOutcome::OtherAccount(_) => Err(Failure::OtherAccount(grant.details.account)),
        GrantOutcome::ClientTaken => Err(LinkError::ClientTaken.into()),
    }
}

async fn show_result(
    service: &Service,
    plain: &Look,
    state: &str,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let Some(browser) = Browser::known(service, headers) else {
        return Ok(view::unknown_sign_in(plain));
    };
    let Some(journey) = service.store.authorization(state, browser.secret()).await? else {
        return Ok(view::unknown_sign_in(plain));
    };
    let link = &journey.link;
    let look = &Look::of_link(service, link, headers).await?;
    let app = service.catalogue.get(&journey.app_id).map(AsRef::as_ref);
    if link.status != Status::Pending {
        if let Some(app) = app.filter(|_| link.status == Status::Active && link.options.return_url.is_none())
            && let Some(id) = &journey.oauth_client
            && let Some(client) = service.store.client(&link.owner.tenant, id).await?
            && client.link_id.as_ref() == Some(&link.id)
        {
            return Ok(view::client_stored(look, link, app));
        }
        let reason = journey.reason.as_deref();
        return view::finished(service, look, link, app, link.status, reason).await;
    }
    if link.awaits_confirmation() {
        return Ok(page::awaiting(service, look, link, Some(&browser)));
    }
    match journey.progress {
        Progress::AtProvider => Ok(view::unknown_sign_in(plain)),
        Progress::Taken { since } if service.clock.now() - since < millis(MAX_REDEMPTION) => {
            Ok(view::under_way(look))
        }
        Progress::Taken { .. } | Progress::Failed(_) => {
            let clients = flow::clients(service, link).await?;
            let choice = match choice(&clients, &journey) {
                Ok(choice) => choice,
                Err(refusal) => return Ok(view::refused(look, &refusal)),
            };
            let secret = browser.handover_secret(link);
            let again = flow::hand_over(service, link, choice, &journey.inputs, &secret).await?;
            if journey.progress == Progress::Failed(LinkError::ClientTaken) {
                return Ok(view::client_taken(look, link, choice.app, again.as_deref()));
            }
            // Back to the form, which says what failed.
            if clients.needs_setup(choice.app)
                && let Some(again) = &again
            {
                return Ok(PageResponse::redirect(again));
            }
            if journey.progress == Progress::Failed(LinkError::AccountChanged) {
                let connection = service.store.connection(&link.owner, &link.connection_id).await?;
                let expected = connection.and_then(|found| found.details.account).unwrap_or_default();
                let problem = flow::other_account(link, &expected, journey.account.as_ref());
                return Ok(view::other_account(look, choice.app, problem, again.as_deref()));
            }
            Ok(view::provider_failed(look, choice.app, again.as_deref()))
        }
    }
}

fn choice<'a>(clients: &Clients<'a>, journey: &Authorization) -> Result<Choice<'a>, Refusal> {
    let (app, key) = (&journey.app_id, &journey.auth_option_key);
    flow::choose(clients, &journey.link, Some(app), Some(key))
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ProviderError> for LinkError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Declined => Self::CodeRefused,
            ProviderError::Misconfigured => Self::ClientRefused,
            ProviderError::Unavailable { .. } => Self::ProviderUnavailable,
        }
    }
}

impl Answer {
    /// `None` where one of these parameters is there twice: whichever were taken, the other could be meant. `code` is what
    /// the provider calls the code.
    fn parse(query: &str, code: &str) -> Option<Self> {
        let mut params = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let is_read = ["state", code, "error", "error_description", "iss"].contains(&name.as_ref());
            if is_read && params.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let mut take = |name: &str| params.remove(name).filter(|value| !value.is_empty());
        Some(Self {
            state: take("state"),
            code: take(code).map(SecretString::from),
            error: take("error"),
            error_description: take("error_description"),
            iss: take("iss"),
            query: query.to_owned(),
        })
    }

    /// The parameters that an option names. One that is there twice is as good as absent: whichever were taken, the other
    /// could be meant.
    fn parameters(&self, option: &AuthOption) -> Value {
        let pairs: Vec<_> = form_urlencoded::parse(self.query.as_bytes()).collect();
        let value = |name: &str| {
            let mut values = pairs.iter().filter(|(found, _)| found == name).map(|(_, value)| &**value);
            values.next().filter(|_| values.next().is_none()).map(|value| (name.to_owned(), value.into()))
        };
        Value::Object(option.callback_parameters().filter_map(value).collect())
    }

    /// `access_denied` is the standard's word; LinkedIn has words of its own.
    fn declined(&self) -> bool {
        let words = ["access_denied", "user_cancelled_authorize", "user_cancelled_login"];
        self.error.as_deref().is_some_and(|error| words.contains(&error))
    }

    /// What the provider says about why it gives no code: its sentence, else its word where that is not known anyway.
    fn provider_message(&self) -> Option<String> {
        let code = self.error.as_deref()?;
        let message = self.error_description.as_deref().or((!self.declined()).then_some(code))?;
        text::printable(message, MAX_PROVIDER_MESSAGE)
    }
}

/// The standard's words may be logged; anything else may be anything.
fn known_error(error: &str) -> &'static str {
    const KNOWN: [&str; 6] = [
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("other")
}
