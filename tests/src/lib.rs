//! Scenarios that every language runs, the scripted server behind them, and the end-to-end tests' helpers.

pub mod browser;
pub mod chaos;
mod docs;
pub mod fleet;
pub mod nginx;
pub mod postgres;
pub mod processor_time;
pub mod provider;
pub mod proxy;
pub mod random;
pub mod scripted;
pub mod service_process;
pub mod workload;

/// What went wrong, for whoever reads a test's output.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
