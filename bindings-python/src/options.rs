//! Options as Python gives them: seconds as floats, `None` where the default holds.

use std::time::Duration;

use pabbly_connect::{CallOptions, Item, List};
use pyo3::prelude::*;

use crate::errors::refused;

/// A number of seconds.
pub(crate) fn seconds(py: Python<'_>, name: &str, value: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(value) = value else { return Ok(None) };
    // Whatever is longer than can be counted is as long as can be.
    let value = if value >= Duration::MAX.as_secs_f64() {
        Ok(Duration::MAX)
    } else {
        Duration::try_from_secs_f64(value)
    };
    match value {
        Ok(duration) => Ok(Some(duration)),
        Err(_) => Err(refused(
            py,
            &format!("the {name} must be a number of seconds that is not negative"),
        )),
    }
}

/// How often something may be tried again.
pub(crate) fn retries(py: Python<'_>, value: Option<i64>) -> PyResult<Option<u32>> {
    whole(py, "max_retries", value)
}

/// A whole number that is not negative.
pub(crate) fn whole<T: TryFrom<i64>>(py: Python<'_>, name: &str, value: Option<i64>) -> PyResult<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    T::try_from(value)
        .map(Some)
        .map_err(|_| refused(py, &format!("{name} must be a whole number that is not negative")))
}

/// The options of one call.
pub(crate) fn call(
    py: Python<'_>,
    timeout: Option<f64>,
    deadline: Option<f64>,
    max_retries: Option<i64>,
) -> PyResult<CallOptions> {
    Ok(CallOptions {
        timeout: seconds(py, "timeout", timeout)?,
        deadline: seconds(py, "deadline", deadline)?,
        max_retries: retries(py, max_retries)?,
    })
}

/// Which page of a list, and how long it is.
pub(crate) fn paged<T: Item>(
    py: Python<'_>,
    mut list: List<T>,
    page: Option<i64>,
    limit: Option<i64>,
) -> PyResult<List<T>> {
    if let Some(page) = whole(py, "page", page)? {
        list = list.page(page);
    }
    if let Some(limit) = whole(py, "limit", limit)? {
        list = list.limit(limit);
    }
    Ok(list)
}
