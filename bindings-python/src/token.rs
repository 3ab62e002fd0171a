//! A vended credential in Python. Its values are in Rust's memory until they are read.

use pabbly_connect::ExposeSecret;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyTuple};

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
        self.token
            .authorization()
            .map(|value| value.expose_secret().to_owned())
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

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| same(&self.token, &other.get().token))
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

/// Whether two credentials are the same in every member.
fn same(a: &pabbly_connect::Token, b: &pabbly_connect::Token) -> bool {
    let secret = |value: &Option<pabbly_connect::SecretString>| {
        value.as_ref().map(|value| value.expose_secret().to_owned())
    };
    let values = |fields: &pabbly_connect::SecretFields| -> Vec<(String, String)> {
        fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned()))
            .collect()
    };
    a.auth_type == b.auth_type
        && a.token_type == b.token_type
        && a.expires_in == b.expires_in
        && secret(&a.access_token) == secret(&b.access_token)
        && a.fields.as_ref().map(values) == b.fields.as_ref().map(values)
        && values(&a.extra) == values(&b.extra)
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
        self.fields
            .iter()
            .map(|(name, value)| (name, value.expose_secret()))
            .collect()
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
        match name
            .extract::<String>()
            .ok()
            .and_then(|name| self.fields.get(&name))
        {
            Some(value) => Ok(value.expose_secret().into_pyobject(py)?.into_any()),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The names.
    #[pyo3(signature = () -> "list[str]")]
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.fields.iter().map(|(name, _)| name))
    }

    /// The secret values.
    #[pyo3(signature = () -> "list[str]")]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.pairs().into_iter().map(|(_, value)| value))
    }

    /// Names with their secret values.
    #[pyo3(signature = () -> "list[tuple[str, str]]")]
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pairs = self
            .pairs()
            .into_iter()
            .map(|pair| PyTuple::new(py, [pair.0, pair.1]));
        PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
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
        name.extract::<String>()
            .is_ok_and(|name| self.fields.get(&name).is_some())
    }

    fn __len__(&self) -> usize {
        self.fields.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.keys(py)?.try_iter()
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let own = self.to_dict(py)?;
        match other.cast::<Self>() {
            Ok(other) => own.eq(other.get().to_dict(py)?),
            Err(_) => own.eq(other),
        }
    }

    fn __repr__(&self) -> String {
        let names = self
            .fields
            .iter()
            .map(|(name, _)| format!("'{name}': [redacted]"));
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
