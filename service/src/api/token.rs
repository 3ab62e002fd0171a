//! `POST /connections/{id}/token`: a credential that works now. Nothing of the answer is kept or logged.

use axum::extract::State;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::header::IdempotencyKey;
use super::path::ConnectionId;
use crate::access::Customer;
use crate::catalogue::{AuthType, Inputs};
use crate::clock::Millis;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::refresh;
use crate::state::AppState;
use crate::store::Grant;

/// The contract's two shapes.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Token {
    OAuth {
        access_token: String,
        token_type: String,
        expires_in: Option<i64>,
        auth_type: AuthType,
    },
    Fields {
        auth_type: AuthType,
        fields: Inputs,
        expires_in: Option<i64>,
    },
}

/// Vending twice does no harm, so an idempotency key is checked and otherwise not needed: a kept answer could have
/// expired, and would be one more copy of a secret.
pub(super) async fn vend(
    State(app): State<AppState>,
    Customer(owner): Customer,
    _: IdempotencyKey,
    ConnectionId(id): ConnectionId,
) -> Result<Success<Token>, ApiError> {
    let grant = refresh::vend(&app, &owner, &id).await?;
    Ok(Success::new(Token::new(grant, app.clock.now())))
}

impl Token {
    fn new(grant: Grant, now: Millis) -> Self {
        match grant.tokens {
            Some(tokens) => Self::OAuth {
                access_token: tokens.access_token.expose_secret().to_owned(),
                token_type: tokens.token_type,
                expires_in: tokens
                    .expires_at
                    // Never more than its whole life, whatever a clock said when it was obtained.
                    .map(|expires_at| (expires_at - now.max(tokens.obtained_at)).max(0) / 1000),
                auth_type: grant.auth_type,
            },
            None => Self::Fields {
                auth_type: grant.auth_type,
                fields: grant.inputs,
                expires_in: None,
            },
        }
    }
}
