#![doc = include_str!("../README.md")]

#[cfg(feature = "bindings")]
#[doc(hidden)]
pub mod bindings;
mod call;
mod client;
mod customer;
mod email;
mod error;
mod event;
mod io_driver;
mod keys;
mod link;
mod link_status;
mod links;
mod list;
#[cfg(all(test, target_os = "linux"))]
mod memory;
mod model;
mod rate_budget;
mod request;
mod response;
mod retry;
mod retry_after;
mod settings;
mod shape;
mod tls;
mod token;
mod transport;
mod wait;

pub use call::{Call, CallOptions};
pub use client::{Client, ClientBuilder};
pub use customer::{Customer, Deleted};
pub use error::{CODES, Code, Error, ErrorDetails, ErrorKind, ErrorResponse};
pub use event::Event;
pub use link::CreateRequestLink;
pub use link_status::{LinkStatus, PublicLink};
pub use list::{Item, List, Page, Pages};
pub use model::{
    App, AppRef, AuthOption, AuthType, Connection, ConnectionStatus, LinkPhase, Operation, RequestLink,
    RequestToken, Timestamp,
};
pub use secrecy::{ExposeSecret, SecretString};
pub use settings::{DEFAULT_BACKOFF, DEFAULT_BASE_URL, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT};
pub use token::{SecretFields, Token};
pub use wait::{DEFAULT_INTERVAL, DEFAULT_REQUESTS_PER_MINUTE, Poll, Wait};
