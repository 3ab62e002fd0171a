#![doc = include_str!("../README.md")]

mod api_request;
#[cfg(feature = "bindings")]
#[doc(hidden)]
pub mod bindings;
mod body_calls;
mod call;
mod client;
mod client_event;
mod customer;
mod email;
mod error;
mod events;
mod io_driver;
mod keys;
mod link;
mod links;
mod list;
#[cfg(all(test, target_os = "linux"))]
mod memory;
mod model;
mod proxy_body;
mod proxy_call;
mod public_link;
mod rate_budget;
mod request;
mod response;
mod retry;
mod retry_after;
mod settings;
mod shape;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod token;
mod transport;
mod wait;
pub mod webhooks;

pub use api_request::ApiRequest;
pub use body_calls::{ImportConnection, PromoteKey, RotateKey, SubmitCredentials, UpdateConnection};
pub use call::{Call, CallOptions, Empty};
pub use client::{Client, ClientBuilder};
pub use client_event::ClientEvent;
pub use customer::Customer;
pub use error::{CODES, Code, Error, ErrorDetails, ErrorKind, ErrorResponse};
pub use events::{EventPage, EventPages, Events};
pub use link::CreateRequestLink;
pub use list::{Item, List, Page, PagedByNumber, Pages};
pub use model::{
    Account, App, AppRef, AuthOption, AuthOptionList, AuthType, Connection, ConnectionActive,
    ConnectionDeleted, ConnectionExpired, ConnectionExpiring, ConnectionFailed, ConnectionNeedsReconnection,
    ConnectionRejected, ConnectionStatus, ConnectionUpdated, Contact, DeletedBy, Event, EventConnection,
    EventData, EventKey, FailedConnection, KeyChanged, KeyList, LastError, LinkError, LinkPhase,
    OAuthClientChange, OAuthClientChanged, Operation, Origin, PromotedKey, Reconnection, RequestLink,
    RequestToken, RotatedKey, Submission, TenantKey, Timestamp, Verification, VerificationResult,
    WebhookTest,
};
pub use proxy_body::{ProxyBody, ResponseBody};
pub use proxy_call::ProxyCall;
pub use public_link::{LinkStatus, PublicLink};
pub use secrecy::{ExposeSecret, SecretString};
pub use settings::{DEFAULT_BACKOFF, DEFAULT_BASE_URL, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT};
pub use token::{SecretFields, Token};
pub use wait::{DEFAULT_INTERVAL, DEFAULT_REQUESTS_PER_MINUTE, Poll, Wait};
