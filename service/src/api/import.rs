//! `POST /connections/import`: a connection of a credential that the tenant has already. It leads past the hosted page,
//! so nobody can tell from here whether the customer consented: only keys with the capability `import` may, and the
//! connection says `origin: import` from then on.

use axum::extract::State;
use axum::response::Response;

use super::connections::ConnectionView;
use super::create_link::{MAX_SCOPES, is_scope};
use super::idempotency::{self, Once};
use super::labels::{MAX_LENGTH, read_labels};
use super::public::{MAX_FIELD, MAX_FIELDS};
use crate::auth::tenant_key::Customer;
use crate::catalogue::{App, AuthOption, AuthType, Inputs, ProviderData};
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::IdempotencyKey;
use crate::extract::path::is_id;
use crate::ids;
use crate::new_grant::{BroughtToken, NewGrant, Rejection};
use crate::state::AppState;
use crate::store::{Connection, Details, Grant, Labels, NewImport, Operation, Origin, Owner, Status};

const MEMBERS: [&str; 13] = [
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
    provider_data: ProviderData,
    labels: Labels,
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
        if body.has("refresh_token") {
            return Err(ApiError::invalid(
                "refresh_token cannot be imported: it works only with the OAuth client that it was issued to. Import the \
                 access token alone, or let the customer connect",
            ));
        }
        let id = |name| -> Result<_, ApiError> { Ok(body.text(name, "an id", is_id)?.map(str::to_owned)) };
        let missing = |name: &str| ApiError::invalid(format!("{name} is missing"));
        let is_token = |text: &str| {
            (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let form = format!("1 to {MAX_TOKEN} visible ASCII characters");
        let access_token = body.text("access_token", &form, is_token)?;
        let is_type = |text: &str| {
            (1..=50).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
        };
        let token_type =
            body.text("token_type", "a scheme of HTTP authentication, such as Bearer", is_type)?;
        let expires_in = body.number("expires_in", 1, MAX_LIFETIME)?;
        let scopes = body.texts("scopes", MAX_SCOPES, "an OAuth scope", is_scope)?;
        if access_token.is_none()
            && let Some(name) = ["token_type", "expires_in", "scopes"].into_iter().find(|name| body.has(name))
        {
            return Err(ApiError::invalid(format!("{name} needs an access_token")));
        }
        Ok(Self {
            app_id: id("app_id")?.ok_or_else(|| missing("app_id"))?,
            auth_option_key: id("auth_option_key")?,
            name: body.line("name", MAX_LENGTH)?.ok_or_else(|| missing("name"))?,
            fields: body.fields("fields", MAX_FIELDS, MAX_FIELD)?.unwrap_or_default(),
            token: access_token.map(|access_token| BroughtToken {
                access_token: access_token.into(),
                token_type: token_type.unwrap_or("Bearer").to_owned(),
                expires_in,
                scopes,
            }),
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
            Some(_) => "access_token is for OAuth options; the others take fields",
            None => "access_token is missing: OAuth options take one, and the others fields",
        })
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
    let client = app.config.apps.get(&found.id);
    let new = NewGrant { service: app, tenant: &owner.tenant, app: found, option, client };
    // Errors name what is at fault as the caller wrote it.
    let invalid = if wanted.token.is_some() { ApiError::InvalidMembers } else { ApiError::InvalidFields };
    let grant = match wanted.token {
        Some(token) => new.of_token(inputs, wanted.provider_data, token).await,
        None => new.of_fields(inputs, wanted.provider_data, Origin::Import).await,
    }
    .map_err(|rejection| match rejection {
        Rejection::Invalid(errors) => invalid(errors),
        Rejection::OverBudget(retry_after) => ApiError::RateLimited { retry_after },
        Rejection::Incomplete(name) => {
            ApiError::invalid(format!("provider_data.{name} is missing: calls to the app need it"))
        }
    })?;
    let new = NewImport {
        owner,
        id: &ids::connection(),
        name: &wanted.name,
        labels: &wanted.labels,
        organization: None,
        grant: &grant,
        at: app.clock.now(),
    };
    let answer = Success::new(ConnectionView::new(app, owner, view(&new)));
    let answer = serde_json::to_string(&answer).map_err(ApiError::internal)?;
    let is_new = app.store.import_connection(&new, once.map(|once| once.answer(&answer)).as_ref()).await?;
    Ok(is_new.then_some(answer))
}

/// The connection as it is read from then on.
fn view(new: &NewImport<'_>) -> Connection {
    let Grant { app_id, auth_type, auth_option_key, details, .. } = new.grant;
    let labels = new.labels.clone();
    Connection {
        id: new.id.to_owned(),
        name: new.name.to_owned(),
        app_id: Some(app_id.clone()),
        auth_type: Some(*auth_type),
        auth_option_key: Some(auth_option_key.clone()),
        oauth_client: None,
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
