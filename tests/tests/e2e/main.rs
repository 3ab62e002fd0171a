//! End to end: the real service in a process of its own, real HTTP, a customer with a browser.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, not in their helpers")]

mod backup;
mod crash;
mod custom_ui;
mod dev;
mod events;
mod fleet;
mod flow;
mod isolation;
mod limits;
mod local_provider;
mod oidc;
mod postgres;
mod postgres_tls;
mod proxy;
mod quickstart;
mod refresh;
mod rotation;
mod secrets;
mod shutdown;
mod support;
mod waiting;
mod webhooks;
