//! Apps, connections and request links.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{RequestToken, Timestamp};

/// The app that a connection or a link belongs to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppRef {
    /// The app's id in the catalogue.
    pub id: String,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What to show to the person who is to enter the organization's OAuth client.
///
/// The option's `input_schema` has the fields for it, `oauth_client_id` and `oauth_client_secret`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientSetup {
    /// The organization's name.
    pub organization: String,
    /// Whether this customer may enter it. Others are to ask an admin.
    pub allowed: bool,
    /// The address to register with the client.
    pub redirect_uri: String,
    /// How to get one: paragraphs, lists, headings, code and `https` links, safe to show.
    pub instructions_html: String,
    /// Whether the secret that was entered before is still there, so that its field may be left empty.
    pub secret_is_known: bool,
    /// What was entered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One way to authorise an app.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthOption {
    /// Unique within the app; a request link takes it as `auth_option_key`.
    pub key: String,
    /// How the customer authorises.
    #[serde(rename = "type")]
    pub auth_type: AuthType,
    /// The name to show.
    pub title: String,
    /// What the customer needs for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The app; only in the list of a link's options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppRef>,
    /// A JSON Schema of what the customer is asked for; empty where nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// Only in the list of a link's options, and only where the organization's OAuth client has to be entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_setup: Option<ClientSetup>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An app of the catalogue, such as Gmail.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// Opaque; store it exactly as it came.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// How the app's customers authorise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// One sentence for a catalogue page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the app is for, such as `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The documentation of the app's own API, for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    /// The ways to authorise, for those who build their own connection page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_options: Option<Vec<AuthOption>>,
    /// Whether your customers can connect it: by a form, or by OAuth with a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectable: Option<bool>,
    /// Whose OAuth client it is connected with; absent where there is none, or none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_source: Option<ClientSource>,
    /// The address to register with an OAuth client of your own; absent without OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An account at a provider, in the provider's own words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// What the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A name for people, such as an e-mail or a workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its address for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a connection needs the customer again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reconnection {
    /// A word: `grant_refused`, the provider refused to refresh the credential; `no_refresh_token`, it has expired and
    /// there is nothing to refresh it with; `refresh_failed`, the provider refused to refresh it for days, in words
    /// that do not say why; `client_changed`, its OAuth client was changed or removed. More may follow.
    pub reason: String,
    /// When that was found.
    pub since: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a customer could not finish the latest link so far.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastError {
    /// A word for programs, such as `provider_unavailable`.
    pub code: String,
    /// A sentence for people, in the service's own words.
    pub message: String,
    /// What the provider said, where it sent the customer back with an error. It comes by the customer's browser:
    /// escape it, and decide nothing by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The organization that a connection is for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionOrganization {
    /// Your own id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One authorisation of one app, owned by one customer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// Opaque; store it exactly as it came.
    pub id: String,
    /// Where the connection is in its life.
    pub status: ConnectionStatus,
    /// The name that the link was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The app; absent while the customer has not chosen one yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppRef>,
    /// How the customer authorised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// The customer's e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// When the connection was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the connection last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When the open link expires; only while one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the latest link made the connection or re-authorises it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// How it came by its credential: by a link, or by `import_connection`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What uses the connection, see `add_usage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usages: Option<Vec<String>>,
    /// Why the customer could not finish the latest link so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// Whose account it is at the provider, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// What calls to the provider need beside the credential, as far as it is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_data: Option<BTreeMap<String, String>>,
    /// Where the provider's API is; absent where that is not known, or is secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_base_url: Option<String>,
    /// The OAuth scopes that were granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Whether the customer has to connect again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_reconnection: Option<bool>,
    /// Why, where `needs_reconnection` is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnection: Option<Reconnection>,
    /// When the credential was last refreshed at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refreshed_at: Option<Timestamp>,
    /// When the credential was last vended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Your own JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Your own id for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Your own name for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<String>,
    /// Whose OAuth client it was made with, and is refreshed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_source: Option<ClientSource>,
    /// The organization that it is for, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<ConnectionOrganization>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A contact of one of the customer's CRMs, in the shape that all of them share.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contact {
    /// What the CRM calls it; unique within the connection.
    pub id: String,
    /// The connection that it came by.
    pub connection_id: String,
    /// The CRM, such as `hubspot`.
    pub app_id: String,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// E-mail addresses, the usual one first.
    pub emails: Vec<String>,
    /// Phone numbers as the CRM writes them, the usual one first.
    pub phones: Vec<String>,
    /// Whom the contact works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// What the contact does there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The contact's page in the CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A connection whose contacts are missing, or the rest of them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedConnection {
    /// The connection's id.
    pub connection_id: String,
    /// The CRM.
    pub app_id: String,
    /// A word for programs: `needs_reconnection`, `rate_limited`, `upstream_unavailable`, `provider_refused`,
    /// `provider_response_invalid`, `connection_deleted`. More may follow.
    pub code: String,
    /// A sentence for people, in the service's own words.
    pub message: String,
    /// Seconds until it is worth another try, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The HTTP status of the CRM, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<u64>,
    /// Goes on where it failed, with this connection alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The outcome of a check of a credential.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// What the provider says.
    pub result: VerificationResult,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A hosted page where one customer connects one app.
///
/// Hand `request_link`, `request_token` and `connection_id` to the front end, and nothing else of the SDK's. It
/// serialises whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's
/// address, since anybody who has it can connect an account of their own in the customer's place.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestLink {
    /// The connection that the link is for; it is `pending` until the customer is done.
    pub connection_id: String,
    /// Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone.
    pub request_token: RequestToken,
    /// The address of the hosted page.
    pub request_link: String,
    /// When the link expires.
    pub expires_at: Timestamp,
    /// The app; absent where the customer picks one on the hosted page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppRef>,
    /// The address of the public status, gated by the request token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_url: Option<String>,
    /// Whether the link makes a connection or re-authorises one in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for RequestLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLink")
            .field("connection_id", &self.connection_id)
            .field("request_token", &format_args!("[redacted]"))
            .field("request_link", &format_args!("[redacted]"))
            .field("expires_at", &self.expires_at)
            .field("app", &self.app)
            .field("status_url", &self.status_url)
            .field("operation", &self.operation)
            .field("extra", &self.extra)
            .finish()
    }
}

/// The ways in which a link's app can be authorised.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthOptionList {
    /// App by app, the usual one first.
    pub auth_options: Vec<AuthOption>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where a connection stands after its form was submitted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Submission {
    /// Where the connection is in its life.
    pub status: ConnectionStatus,
    /// For OAuth, where to send the customer's browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One of the tenant's keys, without its text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantKey {
    /// The key's opaque id.
    pub id: String,
    /// What people call it, if it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Shared by a key and its successors.
    pub family: String,
    /// What the key opens, such as `connections`.
    pub capabilities: Vec<String>,
    /// Whether it is the key that asks.
    pub current: bool,
    /// Whether a single MCP URL belongs to it.
    pub mcp_url: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was first used, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_used_at: Option<Timestamp>,
    /// When a token was last asked for with it, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was retired, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The tenant's keys.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyList {
    /// Those that work first, the newest of each first; 100 at most.
    pub keys: Vec<TenantKey>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A key's successor. Its text is shown this once.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct RotatedKey {
    /// The new key's id.
    pub key_id: String,
    /// The new key itself; give it to `set_api_key`.
    pub api_key: SecretString,
    /// The id of the key that it is to replace.
    pub replaces: String,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for RotatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatedKey")
            .field("key_id", &self.key_id)
            .field("api_key", &format_args!("[redacted]"))
            .field("replaces", &self.replaces)
            .field("extra", &self.extra)
            .finish()
    }
}

/// A finished rotation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromotedKey {
    /// The id of the key that goes on.
    pub key_id: String,
    /// The id of the key that ended.
    pub retired: String,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An OAuth client, without its secrets.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthClient {
    /// The app that it is for.
    pub app_id: String,
    /// Its id at the provider.
    pub client_id: String,
    /// The names of its further values.
    pub params: Vec<String>,
    /// Whether it is one of the provider's sandbox.
    pub sandbox: bool,
    /// The address that must be registered with it.
    pub redirect_uri: String,
    /// How many connections work by it, or by one that it replaced.
    pub connections: u64,
    /// Who entered it last: a key's id, or the e-mail of the customer who did so on the hosted page.
    pub set_by: String,
    /// When it was first entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The organization that it is of; absent for your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The scopes that are asked for; absent where they are the catalogue's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What an OAuth client that was removed leaves behind.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthClientRemoval {
    /// How many connections end with it.
    pub connections: u64,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What you say of an app.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppSettings {
    /// The app.
    pub app_id: String,
    /// How to get a client, in CommonMark.
    pub instructions: String,
    /// Whether only admins may enter one.
    pub admin_role_required: bool,
    /// Who brings OAuth clients beside you and the operator, if anybody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<ManagedBy>,
    /// The address to register with a client; absent for an app without OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A hosted page where a person looks after the OAuth clients of an organization.
///
/// It serialises whole, because it is made to be handed on; its printed forms hide the address, since the first browser
/// that opens it may change the clients.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdminLink {
    /// Where to send the person's browser, once.
    pub admin_link: String,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for AdminLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminLink")
            .field("admin_link", &format_args!("[redacted]"))
            .field("expires_at", &self.expires_at)
            .field("extra", &self.extra)
            .finish()
    }
}

/// What was removed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Erasure {
    /// How many connections there were.
    pub connections: u64,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A connection as it was when an event happened.
///
/// What tells about people is absent where the service's operator keeps it out of events: then ask for the connection.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventConnection {
    /// The connection's id.
    pub id: String,
    /// Where the connection was in its life.
    pub status: ConnectionStatus,
    /// The app; absent while the customer has not chosen one yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// How it came by its credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What the customer sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The customer's e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// Your own id for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Your own name for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<String>,
    /// Whose account it is at the provider, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Your own JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a link was not finished.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkError {
    /// A word for programs, such as `provider_unavailable`.
    pub code: String,
    /// A sentence for people, in the service's own words.
    pub message: String,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A tenant key that something happened to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventKey {
    /// The key's opaque id.
    pub id: String,
    /// What the key opens, such as `connections`.
    pub capabilities: Vec<String>,
    /// The key's name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A connection has a credential now.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionActive {
    /// The connection.
    pub connection: EventConnection,
    /// Whether the connection is new or was re-authorised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An attempt to connect failed. The link stays open.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionFailed {
    /// The connection.
    pub connection: EventConnection,
    /// Why it failed.
    pub error: LinkError,
    /// What the link does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The customer declined.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionRejected {
    /// The connection.
    pub connection: EventConnection,
    /// What the link does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Why, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<LinkError>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A link expired unused.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionExpired {
    /// The connection.
    pub connection: EventConnection,
    /// What the link does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A grant has ended. The customer has to connect again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionNeedsReconnection {
    /// The connection.
    pub connection: EventConnection,
    /// A word, as in a connection's `reconnection`.
    pub reason: String,
    /// When that was found.
    pub since: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A grant will end in 14 days or less.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionExpiring {
    /// The connection.
    pub connection: EventConnection,
    /// When the grant ends.
    pub expires_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A connection's name, labels, metadata or account changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionUpdated {
    /// The connection.
    pub connection: EventConnection,
    /// The members that changed, such as `name`.
    pub changed: Vec<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A connection and its credential were deleted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionDeleted {
    /// The connection as it was.
    pub connection: EventConnection,
    /// Who deleted it.
    pub by: DeletedBy,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An OAuth client was made, changed or removed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthClientChanged {
    /// The app that it is for.
    pub app_id: String,
    /// What happened to it.
    pub change: OAuthClientChange,
    /// The organization that it belongs to; absent for your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Who did it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Something happened to a tenant key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyChanged {
    /// The key, without its text.
    pub key: EventKey,
    /// By what means, such as `api` or `command_line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A request that tries a webhook endpoint out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookTest {
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// Where a connection is in its life: `pending`, then one of the others.
    ConnectionStatus {
        /// The customer authorised: tokens can be vended.
        Active = "active",
        /// The link expired before the customer was done.
        Expired = "expired",
        /// The customer has not finished yet.
        Pending = "pending",
        /// The customer declined.
        Rejected = "rejected",
    }
}

open_enum! {
    /// How an app's customers authorise.
    AuthType {
        /// An API key: fields are vended.
        ApiKey = "api_key",
        /// A name and a password: fields are vended.
        Basic = "basic",
        /// An OAuth client of the customer's own: a token is vended.
        ClientCredentials = "client_credentials",
        /// Values for request headers: fields are vended.
        Header = "header",
        /// A private key that signs for a token: that token is vended.
        JwtBearer = "jwt_bearer",
        /// OAuth 2: a token is vended.
        OAuth = "o_auth",
        /// A credential that the provider exchanges for a token: that token is vended.
        TokenExchange = "token_exchange",
    }
}

open_enum! {
    /// What the provider says about a credential.
    VerificationResult {
        /// It does not.
        Invalid = "invalid",
        /// It could not be asked, or gave no usable response.
        Unknown = "unknown",
        /// It accepts the credential.
        Valid = "valid",
    }
}

open_enum! {
    /// How far a customer has come on the hosted page.
    LinkPhase {
        /// The customer has gone on to the provider.
        AtProvider = "at_provider",
        /// Nobody has opened it yet.
        Created = "created",
        /// It was opened.
        Form = "form",
        /// The customer has come back from the provider.
        Returned = "returned",
    }
}

open_enum! {
    /// How a connection came by its credential.
    Origin {
        /// You imported it.
        Import = "import",
        /// The customer gave it, by a request link.
        Link = "link",
    }
}

open_enum! {
    /// Whose OAuth client an app is connected with.
    ClientSource {
        /// That of who runs the service.
        Operator = "operator",
        /// That of one of your customers' organizations.
        Organization = "organization",
        /// Your own.
        Tenant = "tenant",
    }
}

open_enum! {
    /// Who brings OAuth clients for an app beside you and the operator.
    ManagedBy {
        /// Each organization brings one of its own.
        Organization = "organization",
    }
}

open_enum! {
    /// What a request link does.
    Operation {
        /// It makes a new connection.
        Creation = "creation",
        /// It re-authorises an existing connection, which keeps its id.
        Reauth = "reauth",
    }
}

open_enum! {
    /// What happened to an OAuth client.
    OAuthClientChange {
        /// It was made.
        Created = "created",
        /// It was removed.
        Removed = "removed",
        /// It was changed.
        Updated = "updated",
    }
}

open_enum! {
    /// Who deleted a connection.
    DeletedBy {
        /// The customer.
        Customer = "customer",
        /// A member of yours, in the dashboard.
        Dashboard = "dashboard",
        /// Who runs the service.
        Operator = "operator",
        /// You, by the API.
        Tenant = "tenant",
    }
}

/// What happened: a case for each type of event.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EventData {
    /// `connection.active`: A connection has a credential now: a link was finished, or a credential imported.
    ConnectionActive(Box<ConnectionActive>),
    /// `connection.failed`: An attempt to connect failed. The link stays open.
    ConnectionFailed(Box<ConnectionFailed>),
    /// `connection.rejected`: The customer declined.
    ConnectionRejected(Box<ConnectionRejected>),
    /// `connection.expired`: A link expired unused.
    ConnectionExpired(Box<ConnectionExpired>),
    /// `connection.needs_reconnection`: A grant has ended: the customer has to connect again.
    ConnectionNeedsReconnection(Box<ConnectionNeedsReconnection>),
    /// `connection.expiring`: A grant will end in 14 days or less.
    ConnectionExpiring(Box<ConnectionExpiring>),
    /// `connection.updated`: A connection's name, labels, metadata or account changed.
    ConnectionUpdated(Box<ConnectionUpdated>),
    /// `connection.deleted`: A connection and its credential were deleted.
    ConnectionDeleted(Box<ConnectionDeleted>),
    /// `oauth_client.changed`: An OAuth client was made, changed or removed.
    OauthClientChanged(Box<OAuthClientChanged>),
    /// `key.created`: A tenant key was made.
    KeyCreated(Box<KeyChanged>),
    /// `key.rotated`: A tenant key has a successor.
    KeyRotated(Box<KeyChanged>),
    /// `key.promoted`: A tenant key was retired in favour of its successor.
    KeyPromoted(Box<KeyChanged>),
    /// `key.revoked`: A tenant key was revoked.
    KeyRevoked(Box<KeyChanged>),
    /// `webhook.test`: A request that tries a webhook endpoint out. It is in no feed.
    WebhookTest(Box<WebhookTest>),
    /// A type that this version does not know, as it came.
    Unknown {
        /// The type.
        event_type: String,
        /// What it tells.
        data: Value,
    },
}

impl EventData {
    /// The type on the wire, such as `connection.active`.
    pub fn event_type(&self) -> &str {
        match self {
            Self::ConnectionActive(_) => "connection.active",
            Self::ConnectionFailed(_) => "connection.failed",
            Self::ConnectionRejected(_) => "connection.rejected",
            Self::ConnectionExpired(_) => "connection.expired",
            Self::ConnectionNeedsReconnection(_) => "connection.needs_reconnection",
            Self::ConnectionExpiring(_) => "connection.expiring",
            Self::ConnectionUpdated(_) => "connection.updated",
            Self::ConnectionDeleted(_) => "connection.deleted",
            Self::OauthClientChanged(_) => "oauth_client.changed",
            Self::KeyCreated(_) => "key.created",
            Self::KeyRotated(_) => "key.rotated",
            Self::KeyPromoted(_) => "key.promoted",
            Self::KeyRevoked(_) => "key.revoked",
            Self::WebhookTest(_) => "webhook.test",
            Self::Unknown { event_type, .. } => event_type,
        }
    }

    pub(crate) fn from_wire(event_type: String, data: Value) -> Result<Self, serde_json::Error> {
        Ok(match event_type.as_str() {
            "connection.active" => Self::ConnectionActive(serde_json::from_value(data)?),
            "connection.failed" => Self::ConnectionFailed(serde_json::from_value(data)?),
            "connection.rejected" => Self::ConnectionRejected(serde_json::from_value(data)?),
            "connection.expired" => Self::ConnectionExpired(serde_json::from_value(data)?),
            "connection.needs_reconnection" => {
                Self::ConnectionNeedsReconnection(serde_json::from_value(data)?)
            }
            "connection.expiring" => Self::ConnectionExpiring(serde_json::from_value(data)?),
            "connection.updated" => Self::ConnectionUpdated(serde_json::from_value(data)?),
            "connection.deleted" => Self::ConnectionDeleted(serde_json::from_value(data)?),
            "oauth_client.changed" => Self::OauthClientChanged(serde_json::from_value(data)?),
            "key.created" => Self::KeyCreated(serde_json::from_value(data)?),
            "key.rotated" => Self::KeyRotated(serde_json::from_value(data)?),
            "key.promoted" => Self::KeyPromoted(serde_json::from_value(data)?),
            "key.revoked" => Self::KeyRevoked(serde_json::from_value(data)?),
            "webhook.test" => Self::WebhookTest(serde_json::from_value(data)?),
            _ => Self::Unknown { event_type, data },
        })
    }

    pub(crate) fn to_wire(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::ConnectionActive(data) => serde_json::to_value(data),
            Self::ConnectionFailed(data) => serde_json::to_value(data),
            Self::ConnectionRejected(data) => serde_json::to_value(data),
            Self::ConnectionExpired(data) => serde_json::to_value(data),
            Self::ConnectionNeedsReconnection(data) => serde_json::to_value(data),
            Self::ConnectionExpiring(data) => serde_json::to_value(data),
            Self::ConnectionUpdated(data) => serde_json::to_value(data),
            Self::ConnectionDeleted(data) => serde_json::to_value(data),
            Self::OauthClientChanged(data) => serde_json::to_value(data),
            Self::KeyCreated(data) => serde_json::to_value(data),
            Self::KeyRotated(data) => serde_json::to_value(data),
            Self::KeyPromoted(data) => serde_json::to_value(data),
            Self::KeyRevoked(data) => serde_json::to_value(data),
            Self::WebhookTest(data) => serde_json::to_value(data),
            Self::Unknown { data, .. } => Ok(data.clone()),
        }
    }
}
