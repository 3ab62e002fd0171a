//! The shapes of what lists hold.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use serde::de::IgnoredAny;

use super::{Members, Text, Time};
use crate::list::Item;

/// The shape of a [`AppRef`](crate::AppRef).
#[derive(serde::Deserialize)]
struct AppRefShape {
    #[serde(rename = "id")]
    _id: Text,
    #[serde(rename = "name")]
    _name: Option<Text>,
}

/// The shape of a [`AuthOption`](crate::AuthOption).
#[derive(serde::Deserialize)]
struct AuthOptionShape {
    #[serde(rename = "key")]
    _key: Text,
    #[serde(rename = "type")]
    _type: Text,
    #[serde(rename = "title")]
    _title: Text,
    #[serde(rename = "description")]
    _description: Option<Text>,
    #[serde(rename = "app")]
    _app: Option<AppRefShape>,
    #[serde(rename = "input_schema")]
    _input_schema: Option<IgnoredAny>,
}

/// The shape of a [`App`](crate::App).
#[derive(serde::Deserialize)]
pub struct AppShape {
    id: String,
    #[serde(rename = "name")]
    _name: Text,
    #[serde(rename = "auth_type")]
    _auth_type: Option<Text>,
    #[serde(rename = "description")]
    _description: Option<Text>,
    #[serde(rename = "categories")]
    _categories: Option<Vec<Text>>,
    #[serde(rename = "docs_url")]
    _docs_url: Option<Text>,
    #[serde(rename = "auth_options")]
    _auth_options: Option<Vec<AuthOptionShape>>,
}

impl Item for AppShape {
    type Shape = Self;

    fn id(&self) -> &str {
        &self.id
    }
}

/// The shape of a [`Account`](crate::Account).
#[derive(serde::Deserialize)]
struct AccountShape {
    #[serde(rename = "id")]
    _id: Option<Text>,
    #[serde(rename = "label")]
    _label: Option<Text>,
    #[serde(rename = "url")]
    _url: Option<Text>,
}

/// The shape of a [`Reconnection`](crate::Reconnection).
#[derive(serde::Deserialize)]
struct ReconnectionShape {
    #[serde(rename = "reason")]
    _reason: Text,
    #[serde(rename = "since")]
    _since: Time,
}

/// The shape of a [`LastError`](crate::LastError).
#[derive(serde::Deserialize)]
struct LastErrorShape {
    #[serde(rename = "code")]
    _code: Text,
    #[serde(rename = "message")]
    _message: Text,
    #[serde(rename = "provider_message")]
    _provider_message: Option<Text>,
}

/// The shape of a [`Connection`](crate::Connection).
#[derive(serde::Deserialize)]
pub struct ConnectionShape {
    id: String,
    #[serde(rename = "status")]
    _status: Text,
    #[serde(rename = "name")]
    _name: Option<Text>,
    #[serde(rename = "app")]
    _app: Option<AppRefShape>,
    #[serde(rename = "auth_type")]
    _auth_type: Option<Text>,
    #[serde(rename = "user_email")]
    _user_email: Option<Text>,
    #[serde(rename = "created_at")]
    _created_at: Option<Time>,
    #[serde(rename = "updated_at")]
    _updated_at: Option<Time>,
    #[serde(rename = "expires_at")]
    _expires_at: Option<Time>,
    #[serde(rename = "operation")]
    _operation: Option<Text>,
    #[serde(rename = "origin")]
    _origin: Option<Text>,
    #[serde(rename = "usages")]
    _usages: Option<Vec<Text>>,
    #[serde(rename = "last_error")]
    _last_error: Option<LastErrorShape>,
    #[serde(rename = "account")]
    _account: Option<AccountShape>,
    #[serde(rename = "provider_data")]
    _provider_data: Option<Members<Text>>,
    #[serde(rename = "api_base_url")]
    _api_base_url: Option<Text>,
    #[serde(rename = "scopes")]
    _scopes: Option<Vec<Text>>,
    #[serde(rename = "needs_reconnection")]
    _needs_reconnection: Option<bool>,
    #[serde(rename = "reconnection")]
    _reconnection: Option<ReconnectionShape>,
    #[serde(rename = "last_refreshed_at")]
    _last_refreshed_at: Option<Time>,
    #[serde(rename = "last_used_at")]
    _last_used_at: Option<Time>,
    #[serde(rename = "metadata")]
    _metadata: Option<Members<IgnoredAny>>,
    #[serde(rename = "customer_id")]
    _customer_id: Option<Text>,
    #[serde(rename = "customer_name")]
    _customer_name: Option<Text>,
}

impl Item for ConnectionShape {
    type Shape = Self;

    fn id(&self) -> &str {
        &self.id
    }
}

/// The shape of a [`Contact`](crate::Contact).
#[derive(serde::Deserialize)]
pub struct ContactShape {
    id: String,
    connection_id: String,
    #[serde(rename = "app_id")]
    _app_id: Text,
    #[serde(rename = "first_name")]
    _first_name: Option<Text>,
    #[serde(rename = "last_name")]
    _last_name: Option<Text>,
    #[serde(rename = "display_name")]
    _display_name: Option<Text>,
    #[serde(rename = "emails")]
    _emails: Vec<Text>,
    #[serde(rename = "phones")]
    _phones: Vec<Text>,
    #[serde(rename = "company")]
    _company: Option<Text>,
    #[serde(rename = "title")]
    _title: Option<Text>,
    #[serde(rename = "url")]
    _url: Option<Text>,
    #[serde(rename = "created_at")]
    _created_at: Option<Time>,
    #[serde(rename = "updated_at")]
    _updated_at: Option<Time>,
}

impl Item for ContactShape {
    type Shape = Self;

    const FOLLOWS_CURSOR: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    fn scope(&self) -> &str {
        &self.connection_id
    }
}
