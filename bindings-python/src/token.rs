//! A vended credential in Python. Its values are in Rust's memory until they are read.

use std::collections::HashMap;

use pabbly_connect::{ExposeSecret, bindings};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};

use crate::errors::exception;

/// A working credential for one connection. Use it at once; never store or log it.
///
/// What a customer consented to, or what was exchanged for a token, gives `access_token`; what the customer entered gives
/// `fields`; `apply` makes the difference disappear. Printing, formatting or logging it never shows
/// a secret, and it cannot be pickled: only reading an attribute, or `to_dict()`, gives the value.
#[pyclass(frozen, module = "pabbly_connect")]
pub(crate) struct Token {
    token: pabbly_connect::Token,
}

impl Token {
    pub(crate) fn new(token: pabbly_connect::Token) -> Self {
        Self { token }
    }

    pub(crate) fn core(&self) -> &pabbly_connect::Token {
        &self.token
    }

    fn account_dict<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(account) = &self.token.account else {
            return Ok(None);
        };
        let json =
            serde_json::to_string(account).map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.import("json")?.getattr("loads")?.call1((json,)).map(Some)
    }
}

/// Texts by name.
type Texts = HashMap<String, String>;

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

    /// The OAuth scopes that were granted; None where they are not known.
    #[getter]
    fn scopes(&self) -> Option<Vec<String>> {
        self.token.scopes.clone()
    }

    /// Whose account it is at the provider, an `Account`; None where that is not known.
    #[getter]
    fn account<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(account) = self.account_dict(py)? else {
            return Ok(None);
        };
        let class = py.import("pabbly_connect._models")?.getattr("Account")?;
        class.call_method1("from_dict", (account,)).map(Some)
    }

    /// What calls to the provider need beside the credential, such as a company's id.
    #[getter]
    fn provider_data(&self) -> SecretFields {
        SecretFields { fields: self.token.provider_data.clone() }
    }

    /// Where the provider's API is; None where the catalogue does not tell.
    #[getter]
    fn api_base_url(&self) -> Option<&str> {
        self.token.api_base_url.as_ref().map(ExposeSecret::expose_secret)
    }

    /// The headers of a call to the provider's API; None from a service that does not know of them.
    #[getter]
    fn api_headers(&self) -> Option<SecretFields> {
        self.token.api_headers.clone().map(|fields| SecretFields { fields })
    }

    /// The query parameters of a call to the provider's API; None from a service that does not know of them.
    #[getter]
    fn api_query(&self) -> Option<SecretFields> {
        self.token.api_query.clone().map(|fields| SecretFields { fields })
    }

    /// Where and how to call the provider's API, the credential included wherever this app wants it:
    /// `requests.get(**token.apply("/contacts"))`, and the same with httpx and aiohttp. Nothing is sent.
    ///
    /// `path` follows `api_base_url` and may have a query. An absolute URL has to lie below the base URL; where there is
    /// none, it has to be one, over HTTPS or to this machine. `headers` take the place of those of the same name.
    ///
    /// Pass `allow_redirects=False` to requests and aiohttp as well (httpx follows no redirect by default): they remove at
    /// most `Authorization` where one leads to another host, and many apps want their key in another header.
    ///
    /// Raises `InvalidArgumentError` where the path leads out of the base URL or is no URL, and where nothing tells how
    /// this app is called.
    #[pyo3(signature = (path: "str", headers: "dict[str, str] | None" = None) -> "dict[str, Any]")]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        headers: Option<Texts>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let request = self.token.apply(path).map_err(|error| exception(py, &error))?;
        let secret = py.import("pabbly_connect._secret")?.getattr("SecretText")?;
        let own = headers.unwrap_or_default();
        let all = PyDict::new(py);
        for (name, value) in &request.headers {
            if !own.keys().any(|own| own.eq_ignore_ascii_case(name.as_str())) {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                all.set_item(name.as_str(), secret.call1((value,))?)?;
            }
        }
        for (name, value) in own {
            all.set_item(name, value)?;
        }
        let made = PyDict::new(py);
        made.set_item("url", secret.call1((request.url.expose_secret(),))?)?;
        made.set_item("headers", all)?;
        Ok(made)
    }

    /// Makes a credential for a test, of the members that the service would send.
    #[staticmethod]
    #[pyo3(signature = (*, auth_type = "o_auth", access_token = None, token_type = None, expires_in = None, fields = None,
        scopes: "list[str] | None" = None, account = None, provider_data = None, api_base_url = None, api_headers = None, api_query = None))]
    #[allow(clippy::too_many_arguments, reason = "all of them are named")]
    fn of(
        py: Python<'_>,
        auth_type: &str,
        access_token: Option<&str>,
        token_type: Option<&str>,
        expires_in: Option<u64>,
        fields: Option<Texts>,
        scopes: Option<Vec<String>>,
        account: Option<HashMap<String, Option<String>>>,
        provider_data: Option<Texts>,
        api_base_url: Option<&str>,
        api_headers: Option<Texts>,
        api_query: Option<Texts>,
    ) -> PyResult<Self> {
        let token = serde_json::json!({
            "auth_type": auth_type, "access_token": access_token, "token_type": token_type, "expires_in": expires_in,
            "fields": fields, "scopes": scopes, "account": account, "provider_data": provider_data,
            "api_base_url": api_base_url, "api_headers": api_headers, "api_query": api_query,
        });
        let token = bindings::token(&token.to_string()).map_err(|error| exception(py, &error))?;
        Ok(Self { token })
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
        all.set_item("provider_data", self.provider_data().to_dict(py)?)?;
        if let Some(scopes) = &self.token.scopes {
            all.set_item("scopes", scopes)?;
        }
        if let Some(account) = self.account_dict(py)? {
            all.set_item("account", account)?;
        }
        if let Some(url) = self.api_base_url() {
            all.set_item("api_base_url", url)?;
        }
        for (name, fields) in [("api_headers", self.api_headers()), ("api_query", self.api_query())] {
            if let Some(fields) = fields {
                all.set_item(name, fields.to_dict(py)?)?;
            }
        }
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
        let hidden = [
            ("scopes", self.token.scopes.is_some()),
            ("account", self.token.account.is_some()),
            ("api_base_url", self.token.api_base_url.is_some()),
        ];
        for (name, _) in hidden.into_iter().filter(|(_, is_there)| *is_there) {
            text.push_str(&format!(", {name}=[redacted]"));
        }
        let provider_data = Some(self.provider_data()).filter(|data| data.__len__() > 0);
        let fields = [
            ("provider_data", provider_data),
            ("api_headers", self.api_headers()),
            ("api_query", self.api_query()),
        ];
        for (name, fields) in fields {
            if let Some(fields) = fields {
                text.push_str(&format!(", {name}={}", fields.__repr__()));
            }
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
