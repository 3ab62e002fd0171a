//! The platform that `openapi/platform.yaml` describes.
//!
//! A request comes in through [`server`], is let in by [`auth`], taken apart by `extract`, handled in
//! [`api`] (tenants' backends) or [`hosted`] (customers' browsers), and remembered by [`store`]. [`vending`] gives out
//! credentials that work, and [`oauth`] speaks to providers.

pub mod announcements;
pub mod api;
pub mod auth;
pub mod budget;
pub mod catalogue;
pub mod clock;
pub mod config;
mod contacts;
pub mod dashboard;
pub mod dev;
pub mod doctor;
pub mod email;
pub mod envelope;
pub mod error;
pub(crate) mod extract;
mod first_refresh;
pub mod hosted;
pub mod ids;
pub mod in_flight;
pub mod language;
pub mod log;
pub mod mail;
pub mod mcp;
pub mod metrics;
mod new_grant;
pub mod notices;
pub mod notify;
pub mod oauth;
pub mod oauth_clients;
mod provider_api;
pub mod proxy;
pub mod revocation;
pub mod sdk_config;
pub mod server;
pub mod state;
pub mod store;
mod tenant_keys;
pub mod text;
pub mod theme;
pub mod traces;
pub mod vault;
pub mod vending;
pub mod webhooks;

pub use extract::web_address::website_url;
