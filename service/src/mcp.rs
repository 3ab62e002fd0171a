//! The MCP server, for AI agents: stateless, streamable HTTP. Agents set connections up; no tool ever returns a token,
//! a field or a request token.
//!
//! A request is let in by key or URL here, and its host and origin are checked by `host_origin`; then `rmcp` speaks the
//! protocol with `server`, which calls the `tools`.

mod host_origin;
mod schema;
mod server;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use tokio::time::timeout;

use crate::auth::tenant_key::{self, Customer};
use crate::budget::Group;
use crate::error::ApiError;
use crate::ids;
use crate::server::{MAX_BODY, PREFIX, TIME_TO_ARRIVE};
use crate::state::AppState;
use crate::store::{Caller, Owner};
use server::{McpCaller, McpServer};

/// Longer than any URL's token; what is longer is not looked up.
const MAX_TOKEN_LENGTH: usize = 256;

/// The MCP URL with this token.
pub fn address(public_url: &str, token: &str) -> String {
    format!("{public_url}{PREFIX}/mcp/{token}")
}

/// Both ways to the one server.
pub fn routes(app: &AppState) -> Router<AppState> {
    let agent = McpServer::new(app.clone());
    let server = StreamableHttpService::new(
        move || Ok(agent.clone()),
        Arc::new(NeverSessionManager::default()),
        host_origin::settings(app),
    );
    let by_key = server.clone();
    Router::new()
        .route(
            "/mcp",
            post(async move |State(app): State<AppState>, request: Request| {
                by_header(&app, &by_key, request).await
            }),
        )
        .route(
            "/mcp/{mcp_url_token}",
            post(async move |State(app): State<AppState>, Path(token): Path<String>, request: Request| {
                by_url(&app, &server, &token, request).await
            }),
        )
}

type Server = StreamableHttpService<McpServer, NeverSessionManager>;

/// With a key and a customer, as on every other endpoint.
async fn by_header(app: &AppState, server: &Server, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match tenant_key::authenticate(app, &parts.headers).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let standing = app.budgets.take(Group::Default, &caller).await;
    let mut response = match standing.check() {
        Ok(()) => {
            parts.extensions.insert(caller.clone());
            match Customer::from_request_parts(&mut parts, app).await {
                Ok(Customer(owner)) => {
                    let request = Request::from_parts(parts, body);
                    speak(server, caller, owner, request).await
                }
                Err(error) => error.into_response(),
            }
        }
        Err(error) => error.into_response(),
    };
    standing.tell(response.headers_mut());
    response
}

/// With nothing but the URL, which acts for its key's own account and for nobody else: an `x-user-email`, which some
/// clients send wherever they speak MCP, changes nothing.
async fn by_url(app: &AppState, server: &Server, token: &str, request: Request) -> Response {
    if token.len() > MAX_TOKEN_LENGTH {
        return ApiError::InvalidApiKey.into_response();
    }
    let digest = ids::digest(token);
    let lookup = app.store.mcp_caller(&digest);
    let (caller, owner) = match tenant_key::opened(&app.rejected_mcp_tokens, &digest, lookup).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let standing = app.budgets.take(Group::Default, &caller).await;
    let mut response = match standing.check() {
        Ok(()) => speak(server, caller, owner, request).await,
        Err(error) => error.into_response(),
    };
    standing.tell(response.headers_mut());
    response
}

/// Hands the request on to `rmcp`. What goes wrong below JSON-RPC is answered as everywhere else.
async fn speak(server: &Server, caller: Caller, owner: Owner, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = match timeout(TIME_TO_ARRIVE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return ApiError::PayloadTooLarge.into_response(),
        Err(_) => return ApiError::invalid("The body did not arrive whole").into_response(),
    };
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return ApiError::UnsupportedMediaType("application/json").into_response();
    }
    // Every answer is JSON, whatever else the client could read.
    let accept = HeaderValue::from_static("application/json, text/event-stream");
    parts.headers.insert(ACCEPT, accept);
    parts.extensions.insert(McpCaller { caller, owner });
    let response = server.handle(Request::from_parts(parts, Body::from(body))).await.map(Body::new);
    let status = response.status();
    if status.is_success() || response.headers().get(CONTENT_TYPE).is_some_and(is_json) {
        return response;
    }
    match status {
        StatusCode::FORBIDDEN => ApiError::OriginNotAllowed.into_response(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::invalid("The body is not a JSON-RPC message of MCP").into_response()
        }
        status if status.is_client_error() => {
            ApiError::invalid("This is not MCP: check the headers Host and MCP-Protocol-Version")
                .into_response()
        }
        _ => ApiError::internal("the MCP server gave no answer").into_response(),
    }
}

/// Parameters such as a charset do not matter: JSON is UTF-8.
fn is_json(content_type: &HeaderValue) -> bool {
    let bytes = content_type.as_bytes();
    let essence = bytes.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}
