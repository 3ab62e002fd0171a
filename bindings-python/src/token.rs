//! A vended credential in Python. Its values are in Rust's memory until they are read.

use std::collections::HashMap;

use pabbly_connect::ExposeSecret;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};

use crate::errors::refused;

/// A working credential for one connection. Use it at once; never store or log it.
///
/// An OAuth app gives `access_token`, every other kind gives `fields`. Printing, formatting or logging it never shows
/// a secret, and it cannot be pickled: only reading an attribute, or `to_dict()`, gives the value.
#[pyclass(frozen, module = "pabbly_connect")]
pub(crate) struct Token {
    token: pabbly_connect::Token,
}

impl Token {
    pub(crate) fn new(token: pabbly_connect::Token) -> Self {
        Self { token }
    }
}

#[pymethods]
impl Token {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("auth_type", "access_token", "fields");

    /// Which of the two shapes this is: `o_auth`, or `api_key`, `basic` or `header`.
    #[getter]
    fn auth_type(&self) -> &str {
        self.token.auth_type.as_str()
    }

    /// The access token of an OAuth app.
    #[getter]
    fn access_token(&self) -> Option<&str> {
        self.token.access_token.as_ref().map(ExposeSecret::expose_secret)
    }

    /// How the access token is presented, such as `Bearer`.
    #[getter]
    fn token_type(&self) -> Option<&str> {
        self.token.token_type.as_deref()
    }

    /// Seconds until the access token expires; None where the provider does not say.
    #[getter]
    fn expires_in(&self) -> Option<u64> {
        self.token.expires_in
    }

    /// The credential values of an API-key, basic or header app, by the name of the field.
    #[getter]
    fn fields(&self) -> Option<SecretFields> {
        self.token.fields.clone().map(|fields| SecretFields { fields })
    }

    /// The value of an `Authorization` header, such as `Bearer ya29…`; None where the app is not OAuth.
    #[getter]
    fn authorization(&self) -> Option<String> {
        self.token.authorization().map(|value| value.expose_secret().to_owned())
    }

    /// Makes a credential for a test, of the members that the service would send.
    #[staticmethod]
    #[pyo3(signature = (*, auth_type = "o_auth", access_token = None, token_type = None, expires_in = None, fields = None))]
    fn of(
        py: Python<'_>,
        auth_type: &str,
        access_token: Option<&str>,
        token_type: Option<&str>,
        expires_in: Option<u64>,
        fields: Option<HashMap<String, String>>,
    ) -> PyResult<Self> {
        let token = serde_json::json!({
            "auth_type": auth_type, "access_token": access_token, "token_type": token_type, "expires_in": expires_in,
            "fields": fields,
        });
        match serde_json::from_value(token) {
            Ok(token) => Ok(Self { token }),
            Err(_) => Err(refused(py, "an OAuth token needs its access_token, every other its fields")),
        }
    }

    /// Everything as it came, secrets included.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        all.set_item("auth_type", self.auth_type())?;
        if let Some(token) = self.access_token() {
            all.set_item("access_token", token)?;
            all.set_item("token_type", self.token_type())?;
        }
        if let Some(fields) = self.fields() {
            all.set_item("fields", fields.to_dict(py)?)?;
        }
        all.set_item("expires_in", self.expires_in())?;
        let loads = py.import("json")?.getattr("loads")?;
        for (name, text) in self.token.extra.iter() {
            all.set_item(name, loads.call1((text.expose_secret(),))?)?;
        }
        Ok(all)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Self>() {
            Ok(same) => self.to_dict(other.py())?.eq(same.get().to_dict(other.py())?),
            Err(_) => Ok(false),
        }
    }

    fn __repr__(&self) -> String {
        let mut text = format!("Token(auth_type='{}'", self.auth_type());
        if self.token.access_token.is_some() {
            text.push_str(", access_token=[redacted]");
        }
        if let Some(kind) = self.token_type() {
            text.push_str(&format!(", token_type='{kind}'"));
        }
        if let Some(fields) = self.fields() {
            text.push_str(&format!(", fields={}", fields.__repr__()));
        }
        if let Some(seconds) = self.expires_in() {
            text.push_str(&format!(", expires_in={seconds}"));
        }
        text + ")"
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// Refuses: a credential must not be stored.
    #[pyo3(signature = (_protocol, /))]
    fn __reduce_ex__(&self, _protocol: i64) -> PyResult<String> {
        Err(unpicklable())
    }
}

fn unpicklable() -> PyErr {
    PyTypeError::new_err("a credential cannot be pickled: ask for a new one where it is needed")
}

/// Secret values by name: a mapping whose printed forms show the names alone.
#[pyclass(frozen, mapping, module = "pabbly_connect")]
pub(crate) struct SecretFields {
    fields: pabbly_connect::SecretFields,
}

impl SecretFields {
    fn pairs(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|(name, value)| (name, value.expose_secret())).collect()
    }
}

#[pymethods]
impl SecretFields {
    /// The value of one field, or the default where there is none of that name.
    #[pyo3(signature = (name: "str", default: "Any" = None) -> "Any")]
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match name.extract::<String>().ok().and_then(|name| self.fields.get(&name)) {
            Some(value) => Ok(value.expose_secret().into_pyobject(py)?.into_any()),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The names.
    fn keys(&self) -> Vec<&str> {
        self.pairs().into_iter().map(|(name, _)| name).collect()
    }

    /// The secret values.
    fn values(&self) -> Vec<&str> {
        self.pairs().into_iter().map(|(_, value)| value).collect()
    }

    /// Names with their secret values.
    fn items(&self) -> Vec<(&str, &str)> {
        self.pairs()
    }

    /// A dictionary of them, which shows its secrets when it is printed.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, value) in self.pairs() {
            all.set_item(name, value)?;
        }
        Ok(all)
    }

    fn __getitem__(&self, name: String) -> PyResult<&str> {
        match self.fields.get(&name) {
            Some(value) => Ok(value.expose_secret()),
            None => Err(PyKeyError::new_err(name)),
        }
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.fields.get(&name).is_some())
    }

    fn __len__(&self) -> usize {
        self.fields.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.keys())?.try_iter()
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let own = self.to_dict(py)?;
        match other.cast::<Self>() {
            Ok(other) => own.eq(other.get().to_dict(py)?),
            Err(_) => own.eq(other),
        }
    }

    fn __repr__(&self) -> String {
        let names = self.fields.iter().map(|(name, _)| format!("'{name}': [redacted]"));
        format!("{{{}}}", names.collect::<Vec<_>>().join(", "))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// Refuses: a credential must not be stored.
    #[pyo3(signature = (_protocol, /))]
    fn __reduce_ex__(&self, _protocol: i64) -> PyResult<String> {
        Err(unpicklable())
    }
}
