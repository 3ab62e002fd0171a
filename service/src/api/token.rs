//! `POST /connections/{id}/token`: a credential that works now. Nothing of the answer is kept or logged.

use std::collections::BTreeMap;

use axum::body::HttpBody;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::auth::tenant_key;
use crate::budget::Group;
use crate::catalogue::{Account, ApiCall, AuthType, Inputs, ProviderData};
use crate::clock::Millis;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::IdempotencyKey;
use crate::extract::path::ConnectionId;
use crate::oauth::OAuthClient;
use crate::provider_api::ApiAccess;
use crate::state::AppState;
use crate::store::{
    Caller, Capability, Owner, TokenLookup, VENDED, VendableConnection, Vended, VendedContent, Vending,
};
use crate::vending::{self, TokenDigest};

/// A credential, and how the provider's API is called with it.
#[derive(Serialize)]
pub(super) struct Token {
    #[serde(flatten)]
    credential: Credential,
    scopes: Option<Vec<String>>,
    account: Option<Account>,
    provider_data: ProviderData,
    api_base_url: Option<String>,
    api_headers: BTreeMap<String, String>,
    api_query: BTreeMap<String, String>,
}

/// The contract's two shapes.
#[derive(Serialize)]
#[serde(untagged)]
enum Credential {
    OAuth { access_token: String, token_type: String, expires_in: Option<i64>, auth_type: AuthType },
    Fields { auth_type: AuthType, fields: Inputs, expires_in: Option<i64> },
}

/// The key, the customer and the connection are looked up together. What the request breaks is told in the usual order:
/// first the key, its capability and budget, then the rest.
pub(super) async fn vend(
    State(app): State<AppState>,
    id: Result<ConnectionId, ApiError>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let (id, customer) = (id.map(|ConnectionId(id)| id), tenant_key::customer(headers));
    let found = match tenant_key::look_up(&app, headers, &id, &customer).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let TokenLookup { caller, connection } = found;
    let mut response = match tenant_key::admit(&app, &caller, Capability::Token, Group::Token).await {
        Ok(()) => {
            let vending = Vending {
                tenant: caller.tenant.clone(),
                key: caller.key.clone(),
                connection: id.as_deref().unwrap_or_default().to_owned(),
                customer: customer.as_deref().unwrap_or_default().to_owned(),
                outcome: VENDED,
                request: None,
            };
            let token = token(&app, &caller, request, id, customer, connection).await;
            audited(&app, vending, token).await
        }
        Err(error) => error.into_response(),
    };
    tenant_key::note_caller(&app, &caller, Group::Token, &mut response);
    response
}

async fn token(
    app: &AppState,
    caller: &Caller,
    request: Request,
    id: Result<String, ApiError>,
    customer: Result<String, ApiError>,
    connection: Option<VendableConnection>,
) -> Result<Token, ApiError> {
    let owner = Owner { tenant: caller.tenant.clone(), customer: customer? };
    // Vending twice does no harm, so the key is checked and otherwise not needed: a kept response could have expired,
    // and would be one more copy of a secret.
    IdempotencyKey::of(request.headers())?;
    let (id, rejected) = (id?, rejected(app, request).await?);
    let vended = vending::vend(app, &owner, &id, connection, rejected.as_ref()).await?;
    let client = app.client_of_grant(&owner.tenant, &vended.app_id, vended.oauth_client.as_deref()).await?;
    Ok(Token::new(app, &owner.tenant, vended, client.as_deref()))
}

/// The token that the body names as rejected. There need be no body.
async fn rejected(app: &AppState, request: Request) -> Result<Option<TokenDigest>, ApiError> {
    const NAME: &str = "rejected_token_sha256";
    if request.body().is_end_stream() {
        return Ok(None);
    }
    let body = Body::from_request(request, app).await?;
    let is_digest = |text: &str| TokenDigest::from_hex(text).is_some();
    let text = body.text(NAME, "64 lower-case hexadecimal digits", is_digest)?;
    Ok(text.and_then(TokenDigest::from_hex))
}

/// The response, once the call is in the audit.
async fn audited(app: &AppState, mut vending: Vending, token: Result<Token, ApiError>) -> Response {
    if let Err(error) = &token {
        vending.outcome = error.code();
    }
    app.metrics.token_call(vending.outcome);
    match app.store.note_vending(vending, app.config.audit).await {
        Ok(()) => token.map(Success::new).into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

impl Token {
    fn new(app: &AppState, tenant: &str, vended: Vended, client: Option<&OAuthClient>) -> Self {
        let provider_data = vended.details.all_provider_data();
        let call = match (ApiAccess::of_vended(app, tenant, &vended, client), &vended.content) {
            (Some(access), _) => access.call(&provider_data),
            (None, VendedContent::Token { access_token, .. }) => {
                ApiCall::with_bearer(access_token.expose_secret())
            }
            (None, VendedContent::Fields(_)) => ApiCall::default(),
        };
        Self {
            credential: Credential::new(vended.auth_type, vended.content, app.clock.now()),
            scopes: vended.details.scopes,
            account: vended.details.account,
            provider_data,
            api_base_url: call.base_url,
            api_headers: call.headers,
            api_query: call.query,
        }
    }
}

impl Credential {
    fn new(auth_type: AuthType, content: VendedContent, now: Millis) -> Self {
        match content {
            VendedContent::Token { access_token, token_type, lifetime } => Self::OAuth {
                access_token: access_token.expose_secret().to_owned(),
                token_type,
                expires_in: lifetime
                    .expires_at
                    // Never more than its whole life, whatever a clock said when it was obtained.
                    .map(|expires_at| (expires_at - now.max(lifetime.obtained_at)).max(0) / 1000),
                // It names the shape, which is the same for every type with a token.
                auth_type: AuthType::OAuth,
            },
            VendedContent::Fields(fields) => Self::Fields { auth_type, fields, expires_in: None },
        }
    }
}
