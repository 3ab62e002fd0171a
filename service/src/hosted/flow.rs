//! What submitting does, whoever shows the form.

use std::borrow::Cow;

use url::Url;

use super::authorize;
use super::browser::Browser;
use super::setup::{self, ClientSetup};
use crate::catalogue::{Account, App, AuthOption, AuthType, FieldError, Inputs, ProviderData};
use crate::error::ApiError;
use crate::ids;
use crate::language::Message;
use crate::new_grant::{NewGrant, Rejection, field_error};
use crate::oauth::{Endpoint, EndpointError, OAuthClient, Pkce};
use crate::oauth_clients::Clients;
use crate::state::Service;
use crate::store::{
    Grant, GrantOutcome, Link, LinkError, NewAuthorization, Origin, Phase, Status, StoreError,
};

/// How often what is entered by one link is checked at the provider: the service is no place to try stolen keys at.
const MAX_VERIFICATIONS: i64 = 10;

/// The part of an account's name that is shown, in characters.
pub(super) const MAX_ACCOUNT_NAME: usize = 100;

/// One way to connect one app.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The app.
    pub app: &'a App,
    /// One of its auth options.
    pub option: &'a AuthOption,
}

/// One way to connect one app, as it is offered to a customer.
#[derive(Debug)]
pub struct Offer<'a> {
    /// The app.
    pub app: &'a App,
    /// One of its auth options, with fields for the OAuth client where one has to be entered.
    pub option: Cow<'a, AuthOption>,
    /// Present where one has to be entered.
    pub client_setup: Option<ClientSetup>,
}

/// What became of a submitted form.
pub(super) enum Accepted {
    /// It was all that is needed.
    Stored,
    /// It was all that is needed, and waits for the tenant's confirmation.
    Held,
    /// The link had ended before; nothing was changed.
    LinkEnded,
    /// Now the provider has to be asked, with these inputs, and with the OAuth client that was entered.
    Consent { inputs: Inputs, entered: Option<String> },
}

/// Why a form was not accepted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The link allows no such app, or the app has no such option.
    UnknownChoice,
    /// There is no OAuth client at the provider, and no other way.
    NotConfigured,
    /// The organization has no OAuth client yet, and this customer may not enter one.
    AdminRequired,
    /// Somebody else of the organization has entered an OAuth client meanwhile.
    ClientTaken,
    /// Only the customer's browser can be told the code of a link with `confirm`.
    HostedPageOnly,
    /// What was entered is wrong.
    Invalid(Vec<FieldError>),
    /// What was entered was wrong too often.
    TooManyAttempts,
    /// The provider did not give a value that is required.
    Incomplete,
    /// The tenant's budget did not allow to ask the provider for a value that is required, for so many seconds.
    OverBudget(u64),
    /// The service failed.
    Failed(StoreError),
}

/// The answer to a form of the product's own.
#[derive(Debug, serde::Serialize)]
pub struct Submitted {
    /// Where the link stands now.
    pub status: Status,
    /// Where the customer's browser goes next, for OAuth.
    pub authorize_url: Option<String>,
}

/// The ways in which the apps that a link allows can be connected, app by app, the usual one first. OAuth is one of them
/// only where there is a client.
///
/// # Errors
///
/// When the database fails.
pub async fn auth_options<'a>(service: &'a Service, link: &Link) -> Result<Vec<Offer<'a>>, StoreError> {
    let clients = clients(service, link).await?;
    let mut offers = Vec::new();
    for app in apps(&clients, link) {
        for option in usable_options(&clients, link, app) {
            let client_setup = setup::of(&clients, link, Choice { app, option }).await?;
            let option = match &client_setup {
                Some(setup) => Cow::Owned(setup::form(option, setup)),
                None => Cow::Borrowed(option),
            };
            offers.push(Offer { app, option, client_setup });
        }
    }
    Ok(offers)
}

/// The OAuth clients that a link can use.
pub(super) async fn clients<'a>(service: &'a Service, link: &Link) -> Result<Clients<'a>, StoreError> {
    service.clients(&link.owner.tenant, link.organization_id()).await
}

/// Takes what the customer entered into a form of the product's own. The app may be left out where the link allows one.
///
/// # Errors
///
/// When the values are wrong, the option is not among [`auth_options`], or the service fails.
pub async fn submit_custom(
    service: &Service,
    link: &Link,
    app_id: Option<&str>,
    auth_option_key: &str,
    fields: &Inputs,
) -> Result<Submitted, ApiError> {
    let ended = |status| Ok(Submitted { status, authorize_url: None });
    if link.status != Status::Pending {
        return ended(link.status);
    }
    if link.awaits_confirmation() {
        return ended(Status::Pending);
    }
    let clients = clients(service, link).await?;
    let choice = choose(&clients, link, app_id, Some(auth_option_key))?;
    match submit(&clients, link, choice, fields, None).await? {
        Accepted::Held => ended(Status::Pending),
        Accepted::Stored => ended(Status::Active),
        Accepted::LinkEnded => ended(current(service, link).await?.status),
        // The client that was entered is found again by the link.
        Accepted::Consent { inputs, entered: _ } => {
            let secret = ids::secret();
            if !service.store.hand_over(link, &inputs, &secret).await? {
                return ended(current(service, link).await?.status);
            }
            // The authorization request itself begins there, in the customer's browser, which it is then bound to.
            let url = authorize::address(service, &secret, &choice.app.id, &choice.option.key);
            Ok(Submitted { status: Status::Pending, authorize_url: Some(url) })
        }
    }
}

/// The apps that a link leaves to choose from and that can be connected here.
pub(super) fn apps<'a>(clients: &Clients<'a>, link: &Link) -> Vec<&'a App> {
    let ids = match &link.app_id {
        Some(id) => std::slice::from_ref(id),
        None => link.options.allowed_apps.as_slice(),
    };
    ids.iter()
        .filter_map(|id| clients.service.catalogue.get(id))
        .map(AsRef::as_ref)
        .filter(|app| !usable_options(clients, link, app).is_empty())
        .collect()
}

/// The option that is meant: what the link says, else what the customer chose, else the usual one.
pub(super) fn choose<'a>(
    clients: &Clients<'a>,
    link: &Link,
    app_id: Option<&str>,
    key: Option<&str>,
) -> Result<Choice<'a>, Refusal> {
    let apps = apps(clients, link);
    let app = match (app_id, apps.as_slice()) {
        (_, []) => return Err(Refusal::NotConfigured),
        (None, [only]) => *only,
        (None, _) => return Err(Refusal::UnknownChoice),
        (Some(id), apps) => *apps.iter().find(|app| app.id == id).ok_or(Refusal::UnknownChoice)?,
    };
    let mut options = usable_options(clients, link, app).into_iter();
    let option = match key {
        Some(key) => options.find(|option| option.key == key),
        None => options.next(),
    };
    option.map(|option| Choice { app, option }).ok_or(Refusal::UnknownChoice)
}

pub(super) fn usable_options<'a>(clients: &Clients<'_>, link: &Link, app: &'a App) -> Vec<&'a AuthOption> {
    let configured = clients.has_client(app);
    let told = link.auth_option_key.as_deref();
    app.auth_options
        .iter()
        .filter(|option| configured || option.auth_type != AuthType::OAuth)
        .filter(|option| told.is_none_or(|key| option.key == key))
        .collect()
}

/// Checks what was entered, and stores it where that is all that is needed.
pub(super) async fn submit(
    clients: &Clients<'_>,
    link: &Link,
    choice: Choice<'_>,
    values: &Inputs,
    browser: Option<&Browser>,
) -> Result<Accepted, Refusal> {
    let (service, Choice { app, option }) = (clients.service, choice);
    if option.auth_type == AuthType::OAuth {
        if clients.needs_setup(app) {
            return setup::submit(clients, link, choice, values).await;
        }
        if clients.is_managed(app) && setup::is_in(values) {
            return Err(Refusal::ClientTaken);
        }
    }
    let inputs = option.input.validate(values).map_err(Refusal::Invalid)?;
    if option.auth_type == AuthType::OAuth {
        return Ok(Accepted::Consent { inputs, entered: None });
    }
    // Before anything is tried: the answer must not tell whether it is right.
    if link.options.confirm && browser.is_none() {
        return Err(Refusal::HostedPageOnly);
    }
    let client = service.config.apps.get(&app.id);
    let new = NewGrant { service, tenant: &link.owner.tenant, app, option, client };
    if new.is_tried() && !service.store.count_verification(link, MAX_VERIFICATIONS).await? {
        return Err(Refusal::TooManyAttempts);
    }
    let grant = match new.of_fields(inputs, ProviderData::new(), Origin::Link).await {
        Ok(grant) => grant,
        Err(Rejection::Invalid(errors)) => return Err(Refusal::Invalid(errors)),
        Err(Rejection::OverBudget(seconds)) => return Err(Refusal::OverBudget(seconds)),
        Err(Rejection::Incomplete(_)) => {
            service.store.fail_link(link, LinkError::MissingValue).await?;
            return Err(Refusal::Incomplete);
        }
    };
    match store_grant(service, link, &grant, browser).await? {
        GrantOutcome::Stored if link.options.confirm => Ok(Accepted::Held),
        GrantOutcome::Stored => Ok(Accepted::Stored),
        // A form has no OAuth client.
        GrantOutcome::LinkEnded | GrantOutcome::ClientTaken => Ok(Accepted::LinkEnded),
        GrantOutcome::OtherAccount(account) => {
            service.store.fail_link(link, LinkError::AccountChanged).await?;
            let message = other_account(link, &account, grant.details.account.as_ref());
            Err(Refusal::Invalid(vec![field_error(option, message)]))
        }
    }
}

/// Says that what the customer chose is another account than the one that the connection is for, and which two they are.
///
/// Whoever can open the link is the customer, and this is said only to a browser that has just shown an account of its own.
/// Where customers do not know each other, somebody who was sent the link could be there: so a link with `confirm` does not
/// tell whose account the connection is for.
pub(super) fn other_account(link: &Link, expected: &Account, chosen: Option<&Account>) -> Message {
    let name = |account: &Account| account.name(MAX_ACCOUNT_NAME);
    let chosen = chosen.and_then(name).map_or_else(|| Message::new("another-account"), Message::verbatim);
    let message = match name(expected).filter(|_| !link.options.confirm) {
        Some(expected) => Message::new("other-account-named").with("expected", expected),
        None => Message::new("other-account-unnamed"),
    };
    message.with_message("chosen", chosen).with("name", &link.name)
}

/// Ends the link with this grant, or keeps it until the tenant confirms that this browser is its customer's.
pub(super) async fn store_grant(
    service: &Service,
    link: &Link,
    grant: &Grant,
    browser: Option<&Browser>,
) -> Result<GrantOutcome, StoreError> {
    match browser.filter(|_| link.options.confirm) {
        Some(browser) => service.store.hold_grant(link, grant, &browser.confirmation_code(link)).await,
        None => service.store.finish_link(link, grant).await,
    }
}

/// Begins an authorization request: gives the address to send this browser to. `entered` is the OAuth client that was just
/// entered.
pub(super) async fn begin(
    clients: &Clients<'_>,
    link: &Link,
    choice: Choice<'_>,
    inputs: &Inputs,
    browser: &str,
    entered: Option<&str>,
) -> Result<Url, Refusal> {
    let service = clients.service;
    let current = match entered {
        Some(id) => clients.entered(link, choice.app, id).await?,
        None => clients.current(choice.app).await?,
    };
    let current = current.ok_or(Refusal::NotConfigured)?;
    let endpoint = endpoint(&current.client, link, choice, inputs).map_err(|error| {
        tracing::warn!(app = choice.app.id, %error, "an app cannot be connected");
        Refusal::NotConfigured
    })?;
    let (state, verifier) = (ids::secret(), ids::secret());
    let journey = NewAuthorization {
        state: &state,
        browser,
        app_id: &choice.app.id,
        auth_option_key: &choice.option.key,
        verifier: Some(&verifier),
        inputs,
        oauth_client: current.id.as_deref(),
    };
    service.store.start_authorization(link, &journey).await?;
    service.store.set_phase(link, Phase::AtProvider).await?;
    Ok(endpoint.authorize_url(
        &service.redirect_uri(&choice.app.id),
        &state,
        &Pkce::from_verifier(verifier.into()),
    ))
}

/// The provider as this customer reaches it.
pub(super) fn endpoint(
    client: &OAuthClient,
    link: &Link,
    choice: Choice<'_>,
    inputs: &Inputs,
) -> Result<Endpoint, EndpointError> {
    let endpoint = Endpoint::new(choice.option, client, inputs)?;
    match link.options.scopes.as_slice() {
        [] => Ok(endpoint),
        // The operator may have allowed more when the link was made.
        scopes if client.forbidden_scope(scopes).is_some() => Err(EndpointError::ScopeNotAllowed),
        scopes => Ok(endpoint.with_scopes(scopes.to_vec())),
    }
}

/// The link as it is now, for whoever lost a race.
pub(super) async fn current(service: &Service, link: &Link) -> Result<Link, StoreError> {
    // Links are only deleted with their connection; then it has lapsed.
    let found = service.store.link(&link.id).await?;
    Ok(found.unwrap_or_else(|| Link { status: Status::Expired, ..link.clone() }))
}

/// Where the customer goes on with this choice, and finds what was entered; any other choice stays open. `None` where the
/// link has ended.
pub(super) async fn hand_over(
    service: &Service,
    link: &Link,
    Choice { app, option }: Choice<'_>,
    inputs: &Inputs,
    secret: &str,
) -> Result<Option<String>, StoreError> {
    let is_open = service.store.hand_over(link, inputs, secret).await?;
    // Ids of the catalogue need no escaping.
    let url = || format!("{}/connect/{secret}?app={}&option={}", service.base_url(), app.id, option.key);
    Ok(is_open.then(url))
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownChoice => Self::invalid(
                "app_id and auth_option_key must name one of the link's auth options; app_id can be left out where all are of \
                 one app",
            ),
            Refusal::NotConfigured => Self::AppNotConfigured,
            Refusal::AdminRequired => Self::AdminRequired,
            Refusal::ClientTaken => {
                Self::invalid("The organization has an OAuth client by now: load the auth options again")
            }
            Refusal::HostedPageOnly => {
                Self::invalid("A link with confirm takes credentials on the hosted page only")
            }
            Refusal::Failed(error) => error.into(),
            Refusal::Invalid(errors) => Self::InvalidFields(errors),
            // Another link begins anew; this one does not, however long anybody waits.
            Refusal::TooManyAttempts => Self::RateLimited { retry_after: 60 },
            Refusal::OverBudget(seconds) => Self::RateLimited { retry_after: seconds },
            Refusal::Incomplete => Self::UpstreamUnavailable { retry_after: 1 },
        }
    }
}
