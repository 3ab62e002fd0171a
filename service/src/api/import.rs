//! `POST /connections/import`: a connection of a credential that the tenant has already. It leads past the hosted page,
//! so nobody can tell from here whether the customer consented: only keys with the capability `import` may, and the
//! connection says `origin: import` from then on.
//!
//! A refresh token is proved by a refresh (`first_refresh.rs`), after all else was checked that can be checked before.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::connections::ConnectionView;
use super::create_link::{MAX_SCOPES, is_scope, read_organization};
use super::idempotency::{self, Once};
use super::labels::{MAX_LENGTH, read_labels};
use super::public::{MAX_FIELD, MAX_FIELDS};
use crate::auth::tenant_key::Customer;
use crate::catalogue::{App, AuthOption, AuthType, FieldError, Inputs, ProviderData};
use crate::clock::millis;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::IdempotencyKey;
use crate::extract::path::is_id;
use crate::first_refresh::{FirstRefresh, FirstRefreshError};
use crate::ids;
use crate::language::Message;
use crate::new_grant::{NewGrant, Rejection};
use crate::oauth::{Endpoint, Failure, OAuthClient, ProviderError};
use crate::oauth_clients::{ClientSource, CurrentClient};
use crate::state::AppState;
use crate::store::{
    ClientPlace, Connection, ConnectionClient, Details, Grant, ImportedTokens, Labels, NewImport, Operation,
    Organization, Origin, Owner, Status, Tokens,
};

const MEMBERS: [&str; 15] = [
    "app_id",
    "auth_option_key",
    "name",
    "fields",
    "access_token",
    "token_type",
    "expires_in",
    "scopes",
    "provider_data",
    "customer_id",
    "customer_name",
    "metadata",
    "refresh_token",
    "client_source",
    "organization",
];

/// Characters of a token.
const MAX_TOKEN: usize = 32 * 1024;
/// Seconds: ten years.
const MAX_LIFETIME: u64 = 10 * 365 * 86_400;
const MAX_PROVIDER_DATA: usize = 50;
const MAX_PROVIDER_VALUE: usize = 2048;

/// What the body asks for, each member well-formed.
struct ImportRequest {
    app_id: String,
    auth_option_key: Option<String>,
    name: String,
    fields: Inputs,
    token: Option<BroughtToken>,
    client_source: Option<ClientSource>,
    organization: Option<Organization>,
    provider_data: ProviderData,
    labels: Labels,
}

/// An OAuth token that nobody here asked the provider for.
enum BroughtToken {
    Access(AccessToken),
    /// With the access token that it belongs to, and what is said of that.
    Refresh(SecretString, Option<SecretString>, Option<Vec<String>>),
}

struct AccessToken {
    token: SecretString,
    token_type: String,
    /// In seconds.
    expires_in: Option<u64>,
    scopes: Option<Vec<String>>,
}

pub(super) async fn import(
    State(app): State<AppState>,
    Customer(owner): Customer,
    IdempotencyKey(key): IdempotencyKey,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted = ImportRequest::read(&body)?;
    // Keyed, since what is imported may be a short password.
    let fingerprint = app.store.fingerprint(&owner, &format!("import\n{}", body.canonical()));
    idempotency::once(&app, &owner, key, &fingerprint, async |once| make(&app, &owner, wanted, once).await)
        .await
}

impl ImportRequest {
    fn read(body: &Body) -> Result<Self, ApiError> {
        body.only(&MEMBERS)?;
        let id = |name| -> Result<_, ApiError> { Ok(body.text(name, "an id", is_id)?.map(str::to_owned)) };
        let missing = |name: &str| ApiError::invalid(format!("{name} is missing"));
        let is_token = |text: &str| {
            (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let form = format!("1 to {MAX_TOKEN} visible ASCII characters");
        let access_token = body.text("access_token", &form, is_token)?.map(SecretString::from);
        let refresh_token = body.text("refresh_token", &form, is_token)?.map(SecretString::from);
        let is_type = |text: &str| {
            (1..=50).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
        };
        let token_type =
            body.text("token_type", "a scheme of HTTP authentication, such as Bearer", is_type)?;
        let expires_in = body.number("expires_in", 1, MAX_LIFETIME)?;
        let scopes = body.texts("scopes", MAX_SCOPES, "an OAuth scope", is_scope)?;
        let client_source = read_client_source(body)?;
        let organization = read_organization(body)?;
        if refresh_token.is_some() && client_source.is_none() {
            return Err(ApiError::invalid(
                "client_source is missing: a refresh token works only with the OAuth client that it was issued to",
            ));
        }
        if client_source == Some(ClientSource::Organization) && organization.is_none() {
            return Err(ApiError::invalid(
                "organization is missing: it tells whose client client_source means",
            ));
        }
        if access_token.is_none()
            && refresh_token.is_none()
            && let Some(name) = ["token_type", "expires_in", "scopes", "client_source"]
                .into_iter()
                .find(|name| body.has(name))
        {
            return Err(ApiError::invalid(format!("{name} needs an access_token or a refresh_token")));
        }
        Ok(Self {
            app_id: id("app_id")?.ok_or_else(|| missing("app_id"))?,
            auth_option_key: id("auth_option_key")?,
            name: body.line("name", MAX_LENGTH)?.ok_or_else(|| missing("name"))?,
            fields: body.fields("fields", MAX_FIELDS, MAX_FIELD)?.unwrap_or_default(),
            token: match (refresh_token, access_token) {
                (Some(refresh_token), access_token) => {
                    Some(BroughtToken::Refresh(refresh_token, access_token, scopes))
                }
                (None, Some(token)) => {
                    let token_type = token_type.unwrap_or("Bearer").to_owned();
                    Some(BroughtToken::Access(AccessToken { token, token_type, expires_in, scopes }))
                }
                (None, None) => None,
            },
            client_source,
            organization,
            provider_data: body
                .fields("provider_data", MAX_PROVIDER_DATA, MAX_PROVIDER_VALUE)?
                .unwrap_or_default(),
            labels: read_labels(body)?,
        })
    }

    /// The option that is named, or the first that such a credential is of.
    fn option<'a>(&self, app: &'a App) -> Result<&'a AuthOption, ApiError> {
        let fits = |option: &&AuthOption| (option.auth_type == AuthType::OAuth) == self.token.is_some();
        let option = match &self.auth_option_key {
            Some(key) => app.auth_option(key).ok_or(ApiError::AppNotFound)?,
            None => app.auth_options.iter().find(fits).ok_or_else(|| self.wrong_kind())?,
        };
        if fits(&option) { Ok(option) } else { Err(self.wrong_kind()) }
    }

    fn wrong_kind(&self) -> ApiError {
        ApiError::invalid(match self.token {
            Some(_) => "access_token and refresh_token are for OAuth options; the others take fields",
            None => {
                "access_token is missing: OAuth options take one or a refresh_token, and the others fields"
            }
        })
    }

    /// The OAuth client that the token was issued to. Nothing is known of that where an access token comes alone: then
    /// it is taken for the operator's.
    async fn client<'a>(
        &self,
        app: &'a AppState,
        owner: &Owner,
    ) -> Result<Option<CurrentClient<'a>>, ApiError> {
        let organization = self.organization.as_ref().map(|organization| organization.id.as_str());
        let place = ClientPlace { tenant: &owner.tenant, app_id: &self.app_id, organization };
        let source = self.client_source.unwrap_or(ClientSource::Operator);
        let found = app.client_of_source(source, place).await?;
        match self.client_source {
            Some(_) if found.is_none() => Err(ApiError::OAuthClientNotFound),
            _ => Ok(found),
        }
    }
}

async fn make(
    app: &AppState,
    owner: &Owner,
    wanted: ImportRequest,
    once: Option<Once<'_>>,
) -> Result<Option<String>, ApiError> {
    let found = app.catalogue.get(&wanted.app_id).ok_or(ApiError::AppNotFound)?;
    let option = wanted.option(found)?;
    if let Some(problem) = option.problem_of_given(&wanted.provider_data) {
        return Err(ApiError::invalid(problem));
    }
    let inputs = option.input.validate(&wanted.fields).map_err(ApiError::InvalidFields)?;
    let client = wanted.client(app, owner).await?;
    let oauth_client = client.as_ref().and_then(|client| client.id.clone());
    let client = client.map(|client| client.client);
    // Errors name what is at fault as the caller wrote it.
    let invalid = if wanted.token.is_some() { ApiError::InvalidMembers } else { ApiError::InvalidFields };
    let mut kept = None;
    let tokens = match wanted.token {
        None => None,
        Some(BroughtToken::Access(token)) => Some(token.unrefreshed(app)),
        Some(BroughtToken::Refresh(refresh_token, access_token, scopes)) => {
            let client = client.as_deref().ok_or(ApiError::OAuthClientNotFound)?;
            if wanted.client_source == Some(ClientSource::Operator)
                && let Some(scope) = client.forbidden_scope(scopes.as_deref().unwrap_or_default())
            {
                let message = format!("scopes has {scope}, which the operator's OAuth client is not for");
                return Err(ApiError::invalid(message));
            }
            let key = app.store.import_key(
                owner,
                &found.id,
                oauth_client.as_deref(),
                refresh_token.expose_secret(),
            );
            let endpoint = endpoint(option, client, &inputs, access_token.as_ref())?;
            let refresh = FirstRefresh {
                key: key.clone(),
                app_id: found.id.clone(),
                endpoint,
                refresh_token,
                access_token,
            };
            kept = Some(key);
            let refreshed = first_refresh(app, owner, found, refresh).await?;
            // Where the provider does not tell, they are what the tenant says.
            Some(ImportedTokens { scopes: refreshed.scopes.or(scopes), ..refreshed })
        }
    };
    let new = NewGrant { service: app, tenant: &owner.tenant, app: found, option, client: client.as_deref() };
    let grant = match tokens {
        Some(tokens) => new.of_tokens(inputs, wanted.provider_data, tokens).await,
        None => new.of_fields(inputs, wanted.provider_data, Origin::Import).await,
    }
    .map_err(|rejection| match rejection {
        Rejection::Invalid(errors) => invalid(errors),
        Rejection::OverBudget(retry_after) => ApiError::RateLimited { retry_after },
        Rejection::Incomplete(name) => {
            ApiError::invalid(format!("provider_data.{name} is missing: calls to the app need it"))
        }
    })?;
    let grant = Grant { oauth_client, ..grant };
    let new = NewImport {
        owner,
        id: &ids::connection(),
        name: &wanted.name,
        labels: &wanted.labels,
        organization: wanted.organization.as_ref(),
        grant: &grant,
        kept: kept.as_ref(),
        at: app.clock.now(),
    };
    let made_by = new.grant.oauth_client.as_ref().map(|_| ConnectionClient {
        is_organizations: wanted.client_source == Some(ClientSource::Organization),
        sandbox: client.as_ref().is_some_and(|client| client.sandbox),
    });
    let answer = Success::new(ConnectionView::new(app, owner, view(&new, made_by)));
    let answer = serde_json::to_string(&answer).map_err(ApiError::internal)?;
    let is_new = app.store.import_connection(&new, once.map(|once| once.answer(&answer)).as_ref()).await?;
    Ok(is_new.then_some(answer))
}

impl AccessToken {
    fn unrefreshed(self, app: &AppState) -> ImportedTokens {
        let now = app.clock.now();
        let lifetime = |seconds| millis(Duration::from_secs(seconds));
        let tokens = Tokens {
            access_token: self.token,
            refresh_token: None,
            token_type: self.token_type,
            obtained_at: now,
            expires_at: self.expires_in.map(|seconds| now.saturating_add(lifetime(seconds))),
        };
        ImportedTokens { tokens, scopes: self.scopes, response: Value::Null }
    }
}

/// Where the token is refreshed.
fn endpoint(
    option: &AuthOption,
    client: &OAuthClient,
    inputs: &Inputs,
    access_token: Option<&SecretString>,
) -> Result<Endpoint, ApiError> {
    if option.oauth.as_ref().is_some_and(|oauth| oauth.refresh_keeps_token.is_some())
        && access_token.is_none()
    {
        return Err(ApiError::invalid("access_token is missing: the app prolongs it, and gives no new one"));
    }
    Endpoint::new(option, client, inputs).map_err(ApiError::internal)
}

/// Proves a refresh token, whether or not the caller waits for it.
async fn first_refresh(
    app: &AppState,
    owner: &Owner,
    found: &App,
    refresh: FirstRefresh,
) -> Result<ImportedTokens, ApiError> {
    // What a tenant tries must not get other tenants' refreshes throttled.
    if app.config.budgets.verification > 0
        && let Some(retry_after) =
            app.budgets.take_verification(&owner.tenant, refresh.endpoint.token_url()).await
    {
        return Err(ApiError::RateLimited { retry_after });
    }
    let refreshed = app.tasks.spawn(refresh.run(app.clone())).await.map_err(ApiError::internal)?;
    let refused = |member: &str, message: String| {
        ApiError::InvalidMembers(vec![FieldError {
            field: member.to_owned(),
            message: Message::verbatim(message),
        }])
    };
    let name = &found.name;
    refreshed.map_err(|error| match error {
        FirstRefreshError::UnderWay => ApiError::UpstreamUnavailable { retry_after: 1 },
        FirstRefreshError::Store(error) => error.into(),
        FirstRefreshError::Provider(ProviderError::Declined) => refused(
            "refresh_token",
            format!(
                "{name} does not accept it: it has expired, was revoked or used before, or was issued to another \
                 OAuth client."
            ),
        ),
        FirstRefreshError::Provider(ProviderError::Misconfigured) => refused(
            "client_source",
            format!("{name} does not accept this OAuth client. Correct its client id and secret, and import again."),
        ),
        FirstRefreshError::Provider(ProviderError::Unavailable { failure: Failure::Refused, .. }) => refused(
            "refresh_token",
            format!("{name} refused to refresh it, and does not say in known words why."),
        ),
        FirstRefreshError::Provider(ProviderError::Unavailable { retry_after, .. }) => {
            ApiError::UpstreamUnavailable { retry_after: retry_after.map_or(1, |time| time.as_secs()) }
        }
    })
}

fn read_client_source(body: &Body) -> Result<Option<ClientSource>, ApiError> {
    let source = |text: &str| match text {
        "operator" => Some(ClientSource::Operator),
        "tenant" => Some(ClientSource::Tenant),
        "organization" => Some(ClientSource::Organization),
        _ => None,
    };
    let form = "operator, tenant or organization";
    Ok(body.text("client_source", form, |text| source(text).is_some())?.and_then(source))
}

/// The connection as it is read from then on.
fn view(new: &NewImport<'_>, oauth_client: Option<ConnectionClient>) -> Connection {
    let Grant { app_id, auth_type, auth_option_key, details, .. } = new.grant;
    let labels = new.labels.clone();
    Connection {
        id: new.id.to_owned(),
        name: new.name.to_owned(),
        app_id: Some(app_id.clone()),
        auth_type: Some(*auth_type),
        auth_option_key: Some(auth_option_key.clone()),
        oauth_client,
        details: Details { secret_data: ProviderData::new(), ..details.clone() },
        status: Status::Active,
        origin: Origin::Import,
        reconnection: None,
        last_error: None,
        operation: Operation::Creation,
        link_expires_at: new.at,
        created_at: new.at,
        updated_at: new.at,
        last_refreshed_at: None,
        last_used_at: None,
        customer_id: labels.customer_id,
        customer_name: labels.customer_name,
        organization: new.organization.cloned(),
        metadata: labels.metadata.unwrap_or_default(),
        usages: Vec::new(),
    }
}
