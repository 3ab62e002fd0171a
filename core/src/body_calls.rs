//! The calls whose options are the members of a JSON body, or of a query.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Call, CallOptions, Pending, call_options};
use crate::client::Client;
use crate::error::Error;
use crate::model::{
    AdminLink, AppSettings, Connection, Erasure, ManagedBy, OAuthClient, PromotedKey, RotatedKey, Submission,
};
use crate::request::Request;

/// The call `update_connection`, sent when it is awaited. Made by
/// [`Customer::update_connection`](crate::Customer::update_connection).
#[must_use = "a call does nothing until it is awaited"]
pub struct UpdateConnection {
    client: Client,
    request: Result<Request, Error>,
    body: UpdateConnectionBody,
    options: CallOptions,
}

/// The body of [`UpdateConnection`], named as on the wire.
#[derive(Default, Serialize)]
struct UpdateConnectionBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_name: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
}

impl UpdateConnection {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        let body = UpdateConnectionBody { ..UpdateConnectionBody::default() };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// What the customer sees, such as `Work Gmail`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// Your own id for the customer.
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.body.customer_id = Some(Some(customer_id.into()));
        self
    }

    /// Removes it.
    pub fn clear_customer_id(mut self) -> Self {
        self.body.customer_id = Some(None);
        self
    }

    /// Your own name for the customer.
    pub fn customer_name(mut self, customer_name: impl Into<String>) -> Self {
        self.body.customer_name = Some(Some(customer_name.into()));
        self
    }

    /// Removes it.
    pub fn clear_customer_name(mut self) -> Self {
        self.body.customer_name = Some(None);
        self
    }

    /// Replaces the whole object; an empty one removes it.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.body.metadata = Some(metadata);
        self
    }

    call_options!();

    fn call(self) -> Call<Connection> {
        let request = self.request.and_then(|request| request.json(&self.body));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for UpdateConnection {
    type Output = Result<Connection, Error>;
    type IntoFuture = Pending<Connection>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `import_connection`, sent when it is awaited. Made by
/// [`Customer::import_connection`](crate::Customer::import_connection).
#[must_use = "a call does nothing until it is awaited"]
pub struct ImportConnection {
    client: Client,
    request: Result<Request, Error>,
    body: ImportConnectionBody,
    idempotency_key: Option<String>,
    options: CallOptions,
}

/// The body of [`ImportConnection`], named as on the wire.
#[derive(Default, Serialize)]
struct ImportConnectionBody {
    app_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_option_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_data: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
}

impl ImportConnection {
    pub(crate) fn new(client: Client, request: Result<Request, Error>, app_id: &str, name: &str) -> Self {
        let body = ImportConnectionBody {
            app_id: app_id.to_owned(),
            name: name.to_owned(),
            ..ImportConnectionBody::default()
        };
        Self { client, request, body, idempotency_key: None, options: CallOptions::default() }
    }

    /// The key of the app's auth option. Default: the first that such a credential is of.
    pub fn auth_option_key(mut self, auth_option_key: impl Into<String>) -> Self {
        self.body.auth_option_key = Some(auth_option_key.into());
        self
    }

    /// The credential, by the names of the option's `input_schema`; for OAuth what else the option asks for.
    pub fn fields<N: Into<String>, T: Into<String>>(
        mut self,
        fields: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.body.fields = Some(fields.collect());
        self
    }

    /// An access token, for an OAuth option.
    pub fn access_token(mut self, access_token: impl Into<String>) -> Self {
        self.body.access_token = Some(access_token.into());
        self
    }

    /// A refresh token, for an OAuth option, with `client_source`. What the provider gives for it is stored.
    pub fn refresh_token(mut self, refresh_token: impl Into<String>) -> Self {
        self.body.refresh_token = Some(refresh_token.into());
        self
    }

    /// Whose OAuth client the tokens were issued to: `operator`, `tenant` or `organization`. Default: the operator's;
    /// with a refresh token there is none.
    pub fn client_source(mut self, client_source: impl Into<String>) -> Self {
        self.body.client_source = Some(client_source.into());
        self
    }

    /// The organization that the connection is for: `id` (your own, no email), and perhaps `name`.
    pub fn organization(mut self, organization: Map<String, Value>) -> Self {
        self.body.organization = Some(organization);
        self
    }

    /// The type of the access token. Default: `Bearer`.
    pub fn token_type(mut self, token_type: impl Into<String>) -> Self {
        self.body.token_type = Some(token_type.into());
        self
    }

    /// How long the access token lives, in whole seconds. Without a refresh token, the customer has to connect then.
    /// Default: unknown.
    pub fn expires_in(mut self, expires_in: std::time::Duration) -> Self {
        self.body.expires_in = Some(expires_in.as_secs());
        self
    }

    /// The OAuth scopes that were granted.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.body.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// What calls to the provider need beside the credential, as far as the app's file names it and the provider does
    /// not tell.
    pub fn provider_data(mut self, provider_data: Map<String, Value>) -> Self {
        self.body.provider_data = Some(provider_data);
        self
    }

    /// Your own id for the customer, to find connections by. Nothing is authorised by it.
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.body.customer_id = Some(customer_id.into());
        self
    }

    /// Your own name for the customer.
    pub fn customer_name(mut self, customer_name: impl Into<String>) -> Self {
        self.body.customer_name = Some(customer_name.into());
        self
    }

    /// A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.body.metadata = Some(metadata);
        self
    }

    /// Calls with the same key and options within a day make one connection. Default: one for each call, which its
    /// retries share.
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }

    call_options!();

    fn call(self) -> Call<Connection> {
        let request = self.request.and_then(|request| request.json(&self.body));
        let request =
            request.map(|request| request.with_secrets(self.body.fields.unwrap_or_default().into_values()));
        let request = request.map(|request| request.with_secrets(self.body.access_token));
        let request = request.map(|request| request.with_secrets(self.body.refresh_token));
        let request = match &self.idempotency_key {
            Some(value) => request.and_then(|request| request.idempotency_key(value)),
            None => request,
        };
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for ImportConnection {
    type Output = Result<Connection, Error>;
    type IntoFuture = Pending<Connection>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `submit_credentials`, sent when it is awaited. Made by
/// [`Client::submit_credentials`](crate::Client::submit_credentials).
#[must_use = "a call does nothing until it is awaited"]
pub struct SubmitCredentials {
    client: Client,
    request: Result<Request, Error>,
    body: SubmitCredentialsBody,
    options: CallOptions,
}

/// The body of [`SubmitCredentials`], named as on the wire.
#[derive(Default, Serialize)]
struct SubmitCredentialsBody {
    auth_option_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, String>>,
}

impl SubmitCredentials {
    pub(crate) fn new(client: Client, request: Result<Request, Error>, auth_option_key: &str) -> Self {
        let body = SubmitCredentialsBody {
            auth_option_key: auth_option_key.to_owned(),
            ..SubmitCredentialsBody::default()
        };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// The id of the chosen app. Needed where the link allows several.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.body.app_id = Some(app_id.into());
        self
    }

    /// What the customer entered, by the names of the option's `input_schema`. Not needed for OAuth.
    pub fn fields<N: Into<String>, T: Into<String>>(
        mut self,
        fields: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.body.fields = Some(fields.collect());
        self
    }

    call_options!();

    fn call(self) -> Call<Submission> {
        let request = self.request.and_then(|request| request.json(&self.body));
        let request =
            request.map(|request| request.with_secrets(self.body.fields.unwrap_or_default().into_values()));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for SubmitCredentials {
    type Output = Result<Submission, Error>;
    type IntoFuture = Pending<Submission>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `rotate_key`, sent when it is awaited. Made by
/// [`Client::rotate_key`](crate::Client::rotate_key).
#[must_use = "a call does nothing until it is awaited"]
pub struct RotateKey {
    client: Client,
    request: Result<Request, Error>,
    body: RotateKeyBody,
    options: CallOptions,
}

/// The body of [`RotateKey`], named as on the wire.
#[derive(Default, Serialize)]
struct RotateKeyBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

impl RotateKey {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        let body = RotateKeyBody { ..RotateKeyBody::default() };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// Which key. Default: the key that asks.
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.body.key_id = Some(key_id.into());
        self
    }

    call_options!();

    fn call(self) -> Call<RotatedKey> {
        let request = self.request.and_then(|request| request.json(&self.body));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for RotateKey {
    type Output = Result<RotatedKey, Error>;
    type IntoFuture = Pending<RotatedKey>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `promote_key`, sent when it is awaited. Made by
/// [`Client::promote_key`](crate::Client::promote_key).
#[must_use = "a call does nothing until it is awaited"]
pub struct PromoteKey {
    client: Client,
    request: Result<Request, Error>,
    body: PromoteKeyBody,
    options: CallOptions,
}

/// The body of [`PromoteKey`], named as on the wire.
#[derive(Default, Serialize)]
struct PromoteKeyBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

impl PromoteKey {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        let body = PromoteKeyBody { ..PromoteKeyBody::default() };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// Either of the two keys. Default: the key that asks.
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.body.key_id = Some(key_id.into());
        self
    }

    call_options!();

    fn call(self) -> Call<PromotedKey> {
        let request = self.request.and_then(|request| request.json(&self.body));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for PromoteKey {
    type Output = Result<PromotedKey, Error>;
    type IntoFuture = Pending<PromotedKey>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `delete_customer`, sent when it is awaited. Made by
/// [`Customer::delete_customer`](crate::Customer::delete_customer).
#[must_use = "a call does nothing until it is awaited"]
pub struct DeleteCustomer {
    client: Client,
    request: Result<Request, Error>,
    force: Option<bool>,
    options: CallOptions,
}

impl DeleteCustomer {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        Self { client, request, force: None, options: CallOptions::default() }
    }

    /// Whether connections that something uses are removed, too. Default: false.
    pub fn force(mut self, force: bool) -> Self {
        self.force = Some(force);
        self
    }

    call_options!();

    fn call(self) -> Call<Erasure> {
        let request = self.request;
        let request = request.map(|request| request.query("force", self.force));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for DeleteCustomer {
    type Output = Result<Erasure, Error>;
    type IntoFuture = Pending<Erasure>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `set_app_settings`, sent when it is awaited. Made by
/// [`Client::set_app_settings`](crate::Client::set_app_settings).
#[must_use = "a call does nothing until it is awaited"]
pub struct SetAppSettings {
    client: Client,
    request: Result<Request, Error>,
    body: SetAppSettingsBody,
    options: CallOptions,
}

/// The body of [`SetAppSettings`], named as on the wire.
#[derive(Default, Serialize)]
struct SetAppSettingsBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<ManagedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_role_required: Option<bool>,
}

impl SetAppSettings {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        let body = SetAppSettingsBody { ..SetAppSettingsBody::default() };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// `organization`: the first person of an organization is asked for its OAuth client on the hosted page, and
    /// everybody else of it goes straight on. Default: none.
    pub fn managed_by(mut self, managed_by: ManagedBy) -> Self {
        self.body.managed_by = Some(managed_by);
        self
    }

    /// How to get a client, for the person who enters it, in CommonMark. HTML and images are shown as text. Default:
    /// none.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.body.instructions = Some(instructions.into());
        self
    }

    /// Whether only customers whose link says the role `admin` may enter a client. Default: false.
    pub fn admin_role_required(mut self, admin_role_required: bool) -> Self {
        self.body.admin_role_required = Some(admin_role_required);
        self
    }

    call_options!();

    fn call(self) -> Call<AppSettings> {
        let request = self.request.and_then(|request| request.json(&self.body));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for SetAppSettings {
    type Output = Result<AppSettings, Error>;
    type IntoFuture = Pending<AppSettings>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `set_oauth_client`, sent when it is awaited. Made by
/// [`Client::set_oauth_client`](crate::Client::set_oauth_client).
#[must_use = "a call does nothing until it is awaited"]
pub struct SetOAuthClient {
    client: Client,
    request: Result<Request, Error>,
    body: SetOAuthClientBody,
    options: CallOptions,
}

/// The body of [`SetOAuthClient`], named as on the wire.
#[derive(Default, Serialize)]
struct SetOAuthClientBody {
    client_id: String,
    client_secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

impl SetOAuthClient {
    pub(crate) fn new(
        client: Client,
        request: Result<Request, Error>,
        client_id: &str,
        client_secret: &str,
    ) -> Self {
        let body = SetOAuthClientBody {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            ..SetOAuthClientBody::default()
        };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// The OAuth scopes to ask for. Default: the catalogue's.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.body.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Further values of the client that the app's file asks for, by name: all of them.
    pub fn params<N: Into<String>, T: Into<String>>(
        mut self,
        params: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let params = params.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.body.params = Some(params.collect());
        self
    }

    /// Whether the client is one of the provider's sandbox. Default: false.
    pub fn sandbox(mut self, sandbox: bool) -> Self {
        self.body.sandbox = Some(sandbox);
        self
    }

    call_options!();

    fn call(self) -> Call<OAuthClient> {
        let request = self.request.and_then(|request| request.json(&self.body));
        let request =
            request.map(|request| request.with_secrets(self.body.params.unwrap_or_default().into_values()));
        let request = request.map(|request| request.with_secrets([self.body.client_secret]));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for SetOAuthClient {
    type Output = Result<OAuthClient, Error>;
    type IntoFuture = Pending<OAuthClient>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `set_organization_oauth_client`, sent when it is awaited. Made by
/// [`Client::set_organization_oauth_client`](crate::Client::set_organization_oauth_client).
#[must_use = "a call does nothing until it is awaited"]
pub struct SetOrganizationOAuthClient {
    client: Client,
    request: Result<Request, Error>,
    body: SetOrganizationOAuthClientBody,
    options: CallOptions,
}

/// The body of [`SetOrganizationOAuthClient`], named as on the wire.
#[derive(Default, Serialize)]
struct SetOrganizationOAuthClientBody {
    client_id: String,
    client_secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

impl SetOrganizationOAuthClient {
    pub(crate) fn new(
        client: Client,
        request: Result<Request, Error>,
        client_id: &str,
        client_secret: &str,
    ) -> Self {
        let body = SetOrganizationOAuthClientBody {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            ..SetOrganizationOAuthClientBody::default()
        };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// The OAuth scopes to ask for. Default: the catalogue's.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.body.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Further values of the client that the app's file asks for, by name: all of them.
    pub fn params<N: Into<String>, T: Into<String>>(
        mut self,
        params: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let params = params.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.body.params = Some(params.collect());
        self
    }

    /// Whether the client is one of the provider's sandbox. Default: false.
    pub fn sandbox(mut self, sandbox: bool) -> Self {
        self.body.sandbox = Some(sandbox);
        self
    }

    call_options!();

    fn call(self) -> Call<OAuthClient> {
        let request = self.request.and_then(|request| request.json(&self.body));
        let request =
            request.map(|request| request.with_secrets(self.body.params.unwrap_or_default().into_values()));
        let request = request.map(|request| request.with_secrets([self.body.client_secret]));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for SetOrganizationOAuthClient {
    type Output = Result<OAuthClient, Error>;
    type IntoFuture = Pending<OAuthClient>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `delete_organization_app`, sent when it is awaited. Made by
/// [`Client::delete_organization_app`](crate::Client::delete_organization_app).
#[must_use = "a call does nothing until it is awaited"]
pub struct DeleteOrganizationApp {
    client: Client,
    request: Result<Request, Error>,
    force: Option<bool>,
    options: CallOptions,
}

impl DeleteOrganizationApp {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        Self { client, request, force: None, options: CallOptions::default() }
    }

    /// Whether connections that something uses are removed, too. Default: false.
    pub fn force(mut self, force: bool) -> Self {
        self.force = Some(force);
        self
    }

    call_options!();

    fn call(self) -> Call<Erasure> {
        let request = self.request;
        let request = request.map(|request| request.query("force", self.force));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for DeleteOrganizationApp {
    type Output = Result<Erasure, Error>;
    type IntoFuture = Pending<Erasure>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The call `create_admin_link`, sent when it is awaited. Made by
/// [`Customer::create_admin_link`](crate::Customer::create_admin_link).
#[must_use = "a call does nothing until it is awaited"]
pub struct CreateAdminLink {
    client: Client,
    request: Result<Request, Error>,
    body: CreateAdminLinkBody,
    options: CallOptions,
}

/// The body of [`CreateAdminLink`], named as on the wire.
#[derive(Default, Serialize)]
struct CreateAdminLinkBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl CreateAdminLink {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        let body = CreateAdminLinkBody { ..CreateAdminLinkBody::default() };
        Self { client, request, body, options: CallOptions::default() }
    }

    /// The organization's name, for people. Default: the id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    call_options!();

    fn call(self) -> Call<AdminLink> {
        let request = self.request.and_then(|request| request.json(&self.body));
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for CreateAdminLink {
    type Output = Result<AdminLink, Error>;
    type IntoFuture = Pending<AdminLink>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}
