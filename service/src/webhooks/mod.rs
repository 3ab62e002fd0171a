//! Webhooks: events as they are sent to whoever receives them.

pub mod signature;
