//! The core for Swift: converts arguments, runs the core's calls, converts their answers. The package's module
//! `PabblyConnect` is what users see.
//!
//! [`client`] makes calls of arguments; each [runs](run) on one background thread and can be cancelled. What the
//! service answered goes over as the JSON text that came; a [credential](token) stays here until a value is read.

use std::time::SystemTime;

use pabbly_connect::Timestamp;

uniffi::setup_scaffolding!();

mod client;
mod events;
mod failure;
mod pages;
mod proxy;
mod run;
mod token;

/// The version of the SDK.
#[uniffi::export]
fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A time of RFC 3339 as seconds since 1970; `None` where it is none.
#[uniffi::export]
fn unix_time(text: &str) -> Option<f64> {
    let timestamp: Timestamp = serde_json::from_value(text.into()).ok()?;
    let time = SystemTime::from(&timestamp);
    Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    })
}
