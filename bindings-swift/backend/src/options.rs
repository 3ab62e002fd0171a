//! Options as Swift gives them: seconds as floats, whole numbers with a sign, `None` where the default holds.

use std::time::Duration;

use crate::failure::Failure;

/// The options of one call.
#[derive(Debug, uniffi::Record)]
pub(crate) struct CallOptions {
    timeout: Option<f64>,
    deadline: Option<f64>,
    max_retries: Option<i64>,
}

impl CallOptions {
    pub(crate) fn core(&self) -> Result<pabbly_connect::CallOptions, Failure> {
        Ok(pabbly_connect::CallOptions {
            timeout: seconds("timeout", self.timeout)?,
            deadline: seconds("deadline", self.deadline)?,
            max_retries: whole("maxRetries", self.max_retries)?,
        })
    }
}

/// A number of seconds.
pub(crate) fn seconds(name: &str, value: Option<f64>) -> Result<Option<Duration>, Failure> {
    let Some(value) = value else { return Ok(None) };
    // Whatever is longer than can be counted is as long as can be.
    if value >= Duration::MAX.as_secs_f64() {
        return Ok(Some(Duration::MAX));
    }
    Duration::try_from_secs_f64(value)
        .map(Some)
        .map_err(|_| Failure::refused(format!("the {name} must not be negative")))
}

/// A whole number that is not negative.
pub(crate) fn whole<T: TryFrom<i64>>(name: &str, value: Option<i64>) -> Result<Option<T>, Failure> {
    let Some(value) = value else { return Ok(None) };
    T::try_from(value)
        .map(Some)
        .map_err(|_| Failure::refused(format!("{name} must be a whole number that is not negative")))
}
