//! Calls and options by name.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use secrecy::SecretString;

use super::value::{Options, Value};
use crate::call::{Call, CallOptions, Empty, Pending};
use crate::client::{Client, ClientBuilder};
use crate::error::Error;
use crate::events::{EventPages, Events};
use crate::list::{List, Pages};
use crate::model::{App, Connection};
use crate::token::Token;
use crate::wait::Wait;

/// A call that is ready to be sent.
pub enum PreparedCall {
    /// Whatever gives one model, as the JSON text that came.
    Model(Pending<SecretString>),
    /// `waitForConnection`
    Wait(Wait),
    /// `getToken`
    Token(Call<Token>),
    /// Whatever gives a list.
    List(AnyList),
    /// `events`
    Feed(Events),
    /// Whatever gives nothing.
    Nothing(Call<Empty>),
}

impl PreparedCall {
    /// Sends the call and gives the response's `data` as the JSON text that came.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json(self) -> Result<SecretString, Error> {
        match self {
            Self::Model(call) => call.await,
            Self::Wait(wait) => wait.json().await,
            Self::Token(call) => call.json().await,
            Self::List(list) => list.json().await,
            Self::Feed(events) => Ok(events.pages().next_json().await?.unwrap_or_default()),
            Self::Nothing(call) => call.json().await,
        }
    }

    /// What is gone through page by page; `None` for any other call.
    pub fn pages(self) -> Option<AnyPages> {
        match self {
            Self::List(list) => Some(list.pages()),
            Self::Feed(events) => Some(AnyPages::Event(events.pages())),
            _ => None,
        }
    }
}

/// Makes a call ready by the name of its method.
///
/// # Errors
/// Where the e-mail or an option is refused, or where there is no such method or option.
pub fn prepare(
    client: &Client,
    method: &str,
    email: Option<&str>,
    arguments: &[String],
    options: Options,
) -> Result<PreparedCall, Error> {
    let customer = || client.customer(email.unwrap_or_default());
    let argument = |index| arguments.get(index).map_or("", String::as_str);
    Ok(match method {
        "listApps" => {
            let mut call = client.list_apps();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "search" => call = call.search(value.text(&name)?),
                    "page" => call = call.page(value.count(&name)?),
                    "limit" => call = call.limit(value.count(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::List(AnyList::App(call.options(shared)))
        }
        "getApp" => {
            let call = client.get_app(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "createRequestLink" => {
            let customer = customer()?;
            let mut options = options;
            let app_id = take(&mut options, &["app_id", "appId"]);
            let app_id = app_id.map_or(Ok(String::new()), |value| value.text("app_id"))?;
            let name = take(&mut options, &["name"]);
            let name = name.ok_or_else(|| Error::invalid_argument("name is missing"))?.text("name")?;
            let mut call = customer.create_request_link(&app_id, &name);
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "connection_id" | "connectionId" => call = call.connection_id(value.text(&name)?),
                    "auth_option_key" | "authOptionKey" => call = call.auth_option_key(value.text(&name)?),
                    "allowed_apps" | "allowedApps" => call = call.allowed_apps(value.texts(&name)?),
                    "return_url" | "returnUrl" => call = call.return_url(value.text(&name)?),
                    "allowed_origin" | "allowedOrigin" => call = call.allowed_origin(value.text(&name)?),
                    "display_name" | "displayName" => call = call.display_name(value.text(&name)?),
                    "expires_in" | "expiresIn" => call = call.expires_in(value.seconds(&name)?),
                    "allow_multiple_connections" | "allowMultipleConnections" => {
                        call = call.allow_multiple_connections(value.flag(&name)?)
                    }
                    "scopes" => call = call.scopes(value.texts(&name)?),
                    "confirm" => call = call.confirm(value.flag(&name)?),
                    "allow_account_change" | "allowAccountChange" => {
                        call = call.allow_account_change(value.flag(&name)?)
                    }
                    "customer_id" | "customerId" => call = call.customer_id(value.text(&name)?),
                    "customer_name" | "customerName" => call = call.customer_name(value.text(&name)?),
                    "metadata" => call = call.metadata(value.object(&name)?),
                    "organization" => call = call.organization(value.object(&name)?),
                    "webhook_url" | "webhookUrl" => call = call.webhook_url(value.text(&name)?),
                    "idempotency_key" | "idempotencyKey" => call = call.idempotency_key(value.text(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "getConnection" => {
            let customer = customer()?;
            let call = customer.get_connection(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "waitForConnection" => {
            let customer = customer()?;
            let mut call = customer.wait_for_connection(argument(0));
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "interval" | "intervalMs" => call = call.interval(value.duration(&name)?),
                    "timeout" | "timeoutMs" => call = call.timeout(value.duration(&name)?),
                    _ => return Err(unknown(&name)),
                }
            }
            PreparedCall::Wait(call)
        }
        "confirmConnection" => {
            let customer = customer()?;
            let call = customer.confirm_connection(argument(0), argument(1));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "getToken" => {
            let customer = customer()?;
            let mut call = customer.get_token(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "rejected" => call = call.rejected(&value.token(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Token(call.options(shared))
        }
        "listConnections" => {
            let customer = customer()?;
            let mut call = customer.list_connections();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "app_id" | "appId" => call = call.app_id(value.text(&name)?),
                    "status" => call = call.status(value.text(&name)?.into()),
                    "customer_id" | "customerId" => call = call.customer_id(value.text(&name)?),
                    "needs_reconnection" | "needsReconnection" => {
                        call = call.needs_reconnection(value.flag(&name)?)
                    }
                    "page" => call = call.page(value.count(&name)?),
                    "limit" => call = call.limit(value.count(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::List(AnyList::Connection(call.options(shared)))
        }
        "updateConnection" => {
            let customer = customer()?;
            let mut call = customer.update_connection(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    "customer_id" | "customerId" => {
                        call = match value {
                            Value::Null => call.clear_customer_id(),
                            value => call.customer_id(value.text(&name)?),
                        }
                    }
                    "customer_name" | "customerName" => {
                        call = match value {
                            Value::Null => call.clear_customer_name(),
                            value => call.customer_name(value.text(&name)?),
                        }
                    }
                    _ if matches!(value, Value::Null) => {}
                    "name" => call = call.name(value.text(&name)?),
                    "metadata" => call = call.metadata(value.object(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "importConnection" => {
            let customer = customer()?;
            let mut options = options;
            let app_id = take(&mut options, &["app_id", "appId"]);
            let app_id =
                app_id.ok_or_else(|| Error::invalid_argument("app_id is missing"))?.text("app_id")?;
            let name = take(&mut options, &["name"]);
            let name = name.ok_or_else(|| Error::invalid_argument("name is missing"))?.text("name")?;
            let mut call = customer.import_connection(&app_id, &name);
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "auth_option_key" | "authOptionKey" => call = call.auth_option_key(value.text(&name)?),
                    "fields" => call = call.fields(value.fields(&name)?),
                    "access_token" | "accessToken" => call = call.access_token(value.text(&name)?),
                    "token_type" | "tokenType" => call = call.token_type(value.text(&name)?),
                    "expires_in" | "expiresIn" => call = call.expires_in(value.seconds(&name)?),
                    "scopes" => call = call.scopes(value.texts(&name)?),
                    "provider_data" | "providerData" => call = call.provider_data(value.object(&name)?),
                    "customer_id" | "customerId" => call = call.customer_id(value.text(&name)?),
                    "customer_name" | "customerName" => call = call.customer_name(value.text(&name)?),
                    "metadata" => call = call.metadata(value.object(&name)?),
                    "idempotency_key" | "idempotencyKey" => call = call.idempotency_key(value.text(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "verifyConnection" => {
            let customer = customer()?;
            let call = customer.verify_connection(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "addUsage" => {
            let customer = customer()?;
            let call = customer.add_usage(argument(0), argument(1));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Nothing(call.options(shared))
        }
        "removeUsage" => {
            let customer = customer()?;
            let call = customer.remove_usage(argument(0), argument(1));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Nothing(call.options(shared))
        }
        "deleteConnection" => {
            let customer = customer()?;
            let call = customer.delete_connection(argument(0));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Nothing(call.options(shared))
        }
        "listAuthOptions" => {
            let call = client.list_auth_options(argument(0), argument(1));
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "submitCredentials" => {
            let mut options = options;
            let auth_option_key = take(&mut options, &["auth_option_key", "authOptionKey"]);
            let auth_option_key = auth_option_key
                .ok_or_else(|| Error::invalid_argument("auth_option_key is missing"))?
                .text("auth_option_key")?;
            let mut call = client.submit_credentials(argument(0), argument(1), &auth_option_key);
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "app_id" | "appId" => call = call.app_id(value.text(&name)?),
                    "fields" => call = call.fields(value.fields(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "listKeys" => {
            let call = client.list_keys();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "rotateKey" => {
            let mut call = client.rotate_key();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "key_id" | "keyId" => call = call.key_id(value.text(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "promoteKey" => {
            let mut call = client.promote_key();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "key_id" | "keyId" => call = call.key_id(value.text(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Model(Box::pin(call.options(shared).json()))
        }
        "events" => {
            let mut call = client.events();
            let mut shared = CallOptions::default();
            for (name, value) in options {
                match name.as_str() {
                    _ if matches!(value, Value::Null) => {}
                    "after" => call = call.after(value.text(&name)?),
                    "types" => call = call.types(value.texts(&name)?),
                    "connection_id" | "connectionId" => call = call.connection_id(value.text(&name)?),
                    "limit" => call = call.limit(value.count(&name)?),
                    "wait" | "waitMs" => call = call.wait(value.duration(&name)?),
                    _ => call_option(&mut shared, &name, value)?,
                }
            }
            PreparedCall::Feed(call.options(shared))
        }
        _ => return Err(Error::invalid_argument(format!("there is no method {method}"))),
    })
}

/// Applies the settings of a client.
///
/// # Errors
/// Where a setting is refused, or where there is none of that name.
pub fn settings(mut builder: ClientBuilder, settings: Options) -> Result<ClientBuilder, Error> {
    for (name, value) in settings {
        match name.as_str() {
            _ if matches!(value, Value::Null) => {}
            "api_key" | "apiKey" => builder = builder.api_key(value.text(&name)?),
            "base_url" | "baseUrl" => builder = builder.base_url(value.text(&name)?),
            "max_retries" | "maxRetries" => builder = builder.max_retries(value.count(&name)?),
            "timeout" | "timeoutMs" => builder = builder.timeout(value.duration(&name)?),
            "backoff" | "backoffMs" => builder = builder.backoff(value.duration(&name)?),
            "allow_insecure_http" | "allowInsecureHttp" => {
                builder = builder.allow_insecure_http(value.flag(&name)?)
            }
            "proxy" => builder = builder.proxy(value.text(&name)?),
            "ca_certificates" | "caCertificates" => builder = builder.ca_certificates(value.text(&name)?),
            "system_trust_store" | "systemTrustStore" => {
                builder = builder.system_trust_store(value.flag(&name)?)
            }
            "user_agent" | "userAgent" => builder = builder.user_agent(value.text(&name)?),
            "requests_per_minute" | "requestsPerMinute" => {
                builder = builder.requests_per_minute(value.count(&name)?)
            }
            _ => return Err(unknown(&name)),
        }
    }
    Ok(builder)
}

pub(super) fn call_option(options: &mut CallOptions, name: &str, value: Value) -> Result<(), Error> {
    match name {
        _ if matches!(value, Value::Null) => {}
        "timeout" | "timeoutMs" => options.timeout = Some(value.duration(name)?),
        "deadline" | "deadlineMs" => options.deadline = Some(value.duration(name)?),
        "max_retries" | "maxRetries" => options.max_retries = Some(value.count(name)?),
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// Takes an option out of the others, where it was given.
fn take(options: &mut Options, spellings: &[&str]) -> Option<Value> {
    let index = options.iter().position(|(name, _)| spellings.contains(&name.as_str()))?;
    Some(options.swap_remove(index).1).filter(|value| !matches!(value, Value::Null))
}

fn unknown(name: &str) -> Error {
    Error::invalid_argument(format!("there is no option {name} here"))
}

/// A list of any kind.
pub enum AnyList {
    /// Of `apps`.
    App(List<App>),
    /// Of `connections`.
    Connection(List<Connection>),
}

impl AnyList {
    /// Sends the call and gives the page as the JSON text that came.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json(self) -> Result<SecretString, Error> {
        match self {
            Self::App(list) => list.json().await,
            Self::Connection(list) => list.json().await,
        }
    }

    /// The same with the pages that follow.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json_and_rest(self) -> Result<(SecretString, AnyPages), Error> {
        match self {
            Self::App(list) => {
                let (json, rest) = list.json_and_rest().await?;
                Ok((json, AnyPages::App(rest)))
            }
            Self::Connection(list) => {
                let (json, rest) = list.json_and_rest().await?;
                Ok((json, AnyPages::Connection(rest)))
            }
        }
    }

    /// All pages, beginning with the one that was asked for.
    pub fn pages(self) -> AnyPages {
        match self {
            Self::App(list) => AnyPages::App(list.pages()),
            Self::Connection(list) => AnyPages::Connection(list.pages()),
        }
    }
}

/// The pages of a list of any kind, or of the feed.
pub enum AnyPages {
    /// Of `apps`.
    App(Pages<App>),
    /// Of `connections`.
    Connection(Pages<Connection>),
    /// Of `events`.
    Event(EventPages),
}

impl AnyPages {
    /// The next page as the JSON text that came; `None` at the end.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn next_json(&mut self) -> Result<Option<SecretString>, Error> {
        match self {
            Self::App(pages) => pages.next_json().await,
            Self::Connection(pages) => pages.next_json().await,
            Self::Event(pages) => pages.next_json().await,
        }
    }
}
