//! The shapes of what lists hold.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use serde::de::IgnoredAny;

use super::{Text, Time};
use crate::list::Item;

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

/// The shape of a [`AppRef`](crate::AppRef).
#[derive(serde::Deserialize)]
struct AppRefShape {
    #[serde(rename = "id")]
    _id: Text,
    #[serde(rename = "name")]
    _name: Option<Text>,
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
}

impl Item for ConnectionShape {
    type Shape = Self;

    fn id(&self) -> &str {
        &self.id
    }
}
