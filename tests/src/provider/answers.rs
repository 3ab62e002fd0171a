//! The token endpoint's answers, good and bad.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::grants::Issued;

/// How the token endpoint answers. All but the first three fail before anything is issued or used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As it should.
    Normal,
    /// As it should, after this long.
    Slow(Duration),
    /// As it should, but without saying when the access token expires.
    NoExpiresIn,
    /// The tokens rotate, then the answer is lost: 500.
    LostAnswer,
    /// 500 with a JSON body.
    ServerError,
    /// 200 with a page, as a proxy or a maintenance notice would.
    Html,
    /// 200 with nothing.
    Empty,
    /// 200 with JSON that stops in the middle.
    Truncated,
    /// 200 with JSON of another shape.
    WrongShape,
    /// 200 with 16 MiB of JSON.
    Huge,
    /// A redirect to elsewhere.
    Redirect,
    /// The connection breaks off in the middle of the body.
    Reset,
    /// 400 `invalid_grant`, though the grant is good.
    InvalidGrant,
    /// 200 with an `error` in it, as some providers do.
    ErrorInside,
}

impl Mode {
    /// The answer that this mode gives in place of asking the ledger.
    pub(super) fn refusal(self) -> Option<Response> {
        let json_text =
            |text: &'static str| ([(header::CONTENT_TYPE, "application/json")], text).into_response();
        Some(match self {
            Mode::Normal | Mode::Slow(_) | Mode::NoExpiresIn | Mode::LostAnswer => return None,
            Mode::ServerError => server_error(),
            Mode::Html => Html("<!doctype html><title>Down</title><h1>Back soon</h1>").into_response(),
            Mode::Empty => StatusCode::OK.into_response(),
            Mode::Truncated => json_text(r#"{"access_token":"never-complete","token_ty"#),
            Mode::WrongShape => json_text(r#"["access_token", {"expires_in": {}}]"#),
            Mode::Huge => huge(),
            Mode::Redirect => Redirect::temporary("/elsewhere").into_response(),
            Mode::Reset => reset(),
            Mode::InvalidGrant => invalid_grant(),
            Mode::ErrorInside => Json(json!({"error": "server_error", "ok": false})).into_response(),
        })
    }

    /// The answer that carries tokens.
    pub(super) fn tokens(self, issued: Issued) -> Response {
        if self == Mode::LostAnswer {
            return server_error();
        }
        let mut body = json!({
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "token_type": "Bearer",
            "scope": issued.scope,
        });
        if self != Mode::NoExpiresIn {
            body["expires_in"] = Value::from(issued.lifetime.as_secs());
        }
        ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

pub(super) fn invalid_grant() -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_grant")
}

pub(super) fn error(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({"error": code, "error_description": "refused by the local provider"})))
        .into_response()
}

fn server_error() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, "server_error")
}

fn huge() -> Response {
    let piece = Bytes::from(vec![b' '; 64 * 1024]);
    let pieces = stream::iter((0..256).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(pieces)).into_response()
}

fn reset() -> Response {
    let broken =
        stream::iter([Ok(Bytes::from_static(b"{\"access_")), Err(std::io::Error::other("broken off"))]);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(broken)).into_response()
}
