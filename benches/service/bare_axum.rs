//! The least that an axum handler can do for a token call: no key is checked, nothing is looked up or decrypted.
//!
//! It prints its base URL and its process id as one line of JSON and ends when its standard input does.

use std::error::Error;
use std::io::Write;

use axum::extract::Path;
use axum::{Json, Router, routing::post};
use serde::Serialize;
use tokio::io::AsyncReadExt;

#[derive(Serialize)]
struct Envelope {
    status: &'static str,
    message: &'static str,
    data: Token,
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    auth_type: &'static str,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let stage = serde_json::json!({
        "base_url": format!("http://{}/platform/v1", listener.local_addr()?),
        "pid": std::process::id(),
    });
    writeln!(std::io::stdout(), "{stage}")?;
    let router = Router::new().route("/platform/v1/connections/{id}/token", post(vend));
    let ended = async {
        // An error ends it as well.
        drop(tokio::io::stdin().read_to_end(&mut Vec::new()).await);
    };
    tokio::select! {
        result = axum::serve(listener, router) => Ok(result?),
        () = ended => Ok(()),
    }
}

async fn vend(Path(id): Path<String>) -> Json<Envelope> {
    Json(Envelope {
        status: "success",
        message: "ok",
        data: Token {
            access_token: format!("token-of-{id}"),
            token_type: "Bearer",
            expires_in: 3599,
            auth_type: "o_auth",
        },
    })
}
