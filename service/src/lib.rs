//! The platform that `openapi/platform.yaml` describes.
//!
//! A request comes in through [`server`], is let in by [`access`], handled in [`api`] (by tenants' backends) or
//! [`connect`] (by customers' browsers), and remembered by [`store`]. [`refresh`] vends credentials that work.

pub mod access;
pub mod api;
pub mod budget;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod connect;
pub mod dev;
pub mod email;
pub mod envelope;
pub mod error;
pub mod ids;
pub mod log;
pub mod mcp;
pub mod notify;
pub mod page;
pub mod provider;
pub mod refresh;
pub mod rejected_keys;
pub mod server;
pub mod state;
pub mod store;
pub mod text;
pub mod vault;
