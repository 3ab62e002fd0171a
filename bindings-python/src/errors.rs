//! From the core's errors to Python's exceptions, whose classes are in `pabbly_connect/errors.py`.

use pabbly_connect::{Error, bindings};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception that tells the same as an error of the core.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let make = MAKE.import(py, "pabbly_connect._raise", "make");
    match make.and_then(|make| make.call1((bindings::error_json(error),))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The exception for a value that the binding itself refuses.
pub(crate) fn refused(py: Python<'_>, message: &str) -> PyErr {
    exception(py, &bindings::invalid_argument(message))
}

/// Something that the package itself never does.
pub(crate) fn misuse(message: &'static str) -> PyErr {
    PyRuntimeError::new_err(message)
}
