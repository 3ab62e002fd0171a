//! What a user who has no SDK would parse an answer into.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::job::Outcome;

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    #[allow(dead_code, reason = "a user parses what the answer holds")]
    token_type: String,
    #[allow(dead_code, reason = "a user parses what the answer holds")]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Apps {
    apps: Vec<App>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a user parses what the answer holds")]
struct App {
    id: String,
    name: String,
    auth_type: String,
    description: String,
    categories: Vec<String>,
    auth_options: Vec<AuthOption>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a user parses what the answer holds")]
struct AuthOption {
    key: String,
    r#type: String,
    title: String,
    input_schema: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct Connection {
    status: String,
}

fn data<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    Ok(serde_json::from_slice::<Envelope<T>>(body)?.data)
}

pub(crate) fn check_token(body: &[u8]) -> Outcome<()> {
    check(!data::<Token>(body)?.access_token.is_empty())
}

pub(crate) fn check_list(body: &[u8]) -> Outcome<()> {
    let apps = data::<Apps>(body)?.apps;
    check(apps.len() == 50 && apps[49].id == "app_50")
}

/// Whether the wait is over.
pub(crate) fn is_active(body: &[u8]) -> Outcome<bool> {
    let status = data::<Connection>(body)?.status;
    check(status == "active" || status == "pending")?;
    Ok(status == "active")
}

pub(crate) fn check(as_expected: bool) -> Outcome<()> {
    if as_expected { Ok(()) } else { Err("the answer is not the expected one".into()) }
}
