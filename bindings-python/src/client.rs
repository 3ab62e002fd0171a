//! The client: settings in, calls out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pabbly_connect::{ClientBuilder, Customer};
use pyo3::prelude::*;

use crate::blocking::Runtime;
use crate::call::Call;
use crate::done::Done;
use crate::errors::{exception, misuse, refused};
use crate::events::{Log, logged, told};
use crate::fork::Owned;
use crate::options;
use crate::pages::{self, Kind};

/// A client of the core and what drives its blocking calls, both of one process.
pub(crate) struct Connected {
    client: pabbly_connect::Client,
    log: Arc<Log>,
    runtime: Option<Runtime>,
}

impl Connected {
    fn new(py: Python<'_>, builder: ClientBuilder, blocking: bool) -> PyResult<Arc<Self>> {
        let (builder, log) = logged(builder);
        let client = builder.build().map_err(|error| exception(py, &error))?;
        let runtime = if blocking { Some(Runtime::new()?) } else { None };
        Ok(Arc::new(Self { client, log, runtime }))
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What drives blocking calls.
    pub(crate) fn runtime(&self) -> PyResult<&Runtime> {
        self.runtime
            .as_ref()
            .ok_or_else(|| misuse("the client was not made for blocking calls"))
    }
}

/// Makes calls ready. Which of them are blocking is up to the caller.
#[pyclass(frozen)]
pub(crate) struct Client {
    /// Holds the newest key.
    builder: Mutex<ClientBuilder>,
    blocking: bool,
    /// Made anew in a forked child; `None` once closed.
    connected: Mutex<Option<Owned<Arc<Connected>>>>,
}

impl Client {
    fn builder(&self) -> MutexGuard<'_, ClientBuilder> {
        self.builder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Option<Owned<Arc<Connected>>>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No lock is held where an exception is made: Python may switch there to a thread that waits for the lock and
    /// does not give the GIL back.
    fn connected(&self, py: Python<'_>) -> PyResult<Arc<Connected>> {
        let found = self.held().as_ref().map(|own| own.get().cloned());
        match found {
            None => Err(refused(py, "the client is closed: make another one")),
            Some(Some(connected)) => Ok(connected),
            Some(None) => {
                let builder = self.builder().clone();
                let connected = Connected::new(py, builder, self.blocking)?;
                *self.held() = Some(Owned::new(connected.clone()));
                Ok(connected)
            }
        }
    }

    /// The client narrowed to a customer. What is no text at all is as malformed as a text without an `@`.
    fn customer(&self, email: &Bound<'_, PyAny>) -> PyResult<(Arc<Connected>, Customer)> {
        let py = email.py();
        let connected = self.connected(py)?;
        let email = email.extract::<String>().unwrap_or_default();
        let customer = connected
            .client
            .customer(&email)
            .map_err(|error| exception(py, &error))?;
        Ok((connected, customer))
    }
}

#[pymethods]
#[expect(clippy::too_many_arguments, reason = "they are Python's keyword arguments")]
impl Client {
    #[new]
    #[pyo3(signature = (*, blocking, api_key, base_url, max_retries, timeout, backoff, allow_insecure_http, proxy, ca_certificates, user_agent, requests_per_minute))]
    fn new(
        py: Python<'_>,
        blocking: bool,
        api_key: Option<String>,
        base_url: Option<String>,
        max_retries: Option<i64>,
        timeout: Option<f64>,
        backoff: Option<f64>,
        allow_insecure_http: bool,
        proxy: Option<String>,
        ca_certificates: Option<String>,
        user_agent: String,
        requests_per_minute: Option<i64>,
    ) -> PyResult<Self> {
        let mut builder = pabbly_connect::Client::builder()
            .allow_insecure_http(allow_insecure_http)
            .ca_bundle_variable("REQUESTS_CA_BUNDLE")
            .user_agent(user_agent);
        if let Some(key) = api_key {
            builder = builder.api_key(key);
        }
        if let Some(url) = base_url {
            builder = builder.base_url(url);
        }
        if let Some(retries) = options::retries(py, max_retries)? {
            builder = builder.max_retries(retries);
        }
        if let Some(timeout) = options::seconds(py, "timeout", timeout)? {
            builder = builder.timeout(timeout);
        }
        if let Some(backoff) = options::seconds(py, "backoff", backoff)? {
            builder = builder.backoff(backoff);
        }
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = ca_certificates {
            builder = builder.ca_certificates(pem);
        }
        if let Some(requests) = options::whole(py, "requests_per_minute", requests_per_minute)? {
            builder = builder.requests_per_minute(requests);
        }
        let connected = Connected::new(py, builder.clone(), blocking)?;
        Ok(Self {
            builder: Mutex::new(builder),
            blocking,
            connected: Mutex::new(Some(Owned::new(connected))),
        })
    }

    /// Exchanges the tenant key: what has begun finishes with the old one.
    fn set_api_key(&self, py: Python<'_>, api_key: String) -> PyResult<()> {
        let connected = self.connected(py)?;
        let exchanged = connected.client.set_api_key(api_key.clone());
        exchanged.map_err(|error| exception(py, &error))?;
        let mut builder = self.builder();
        *builder = builder.clone().api_key(api_key);
        Ok(())
    }

    /// Raises where the address could not be a customer's.
    fn check_email(&self, email: &Bound<'_, PyAny>) -> PyResult<()> {
        self.customer(email).map(drop)
    }

    /// Closes idle connections; calls that are under way go on.
    fn close(&self) {
        self.held().take();
    }

    fn __repr__(&self) -> String {
        match *self.held() {
            Some(_) => "Client(open)".to_owned(),
            None => "Client(closed)".to_owned(),
        }
    }

    fn list_apps(
        &self,
        py: Python<'_>,
        search: Option<String>,
        page: Option<i64>,
        limit: Option<i64>,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let connected = self.connected(py)?;
        let mut list =
            connected
                .client
                .list_apps()
                .options(options::call(py, timeout, deadline, max_retries)?);
        if let Some(search) = search {
            list = list.search(search);
        }
        let list = options::paged(py, list, page, limit)?;
        Ok(pages::first(connected, list, Kind::Apps))
    }

    fn get_app(
        &self,
        py: Python<'_>,
        app_id: &str,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let connected = self.connected(py)?;
        let call =
            connected
                .client
                .get_app(app_id)
                .options(options::call(py, timeout, deadline, max_retries)?);
        Ok(Call::new(
            connected,
            async move { Ok(Done::Json(call.json().await?)) },
        ))
    }

    fn create_request_link(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        app_id: &str,
        name: &str,
        connection_id: Option<String>,
        auth_option_key: Option<String>,
        allowed_apps: Option<Vec<String>>,
        return_url: Option<String>,
        allowed_origin: Option<String>,
        display_name: Option<String>,
        expires_in: Option<i64>,
        allow_multiple_connections: Option<bool>,
        scopes: Option<Vec<String>>,
        confirm: Option<bool>,
        idempotency_key: Option<String>,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let mut call = customer.create_request_link(app_id, name).options(options::call(
            py,
            timeout,
            deadline,
            max_retries,
        )?);
        if let Some(id) = connection_id {
            call = call.connection_id(id);
        }
        if let Some(key) = auth_option_key {
            call = call.auth_option_key(key);
        }
        if let Some(ids) = allowed_apps {
            call = call.allowed_apps(ids);
        }
        if let Some(url) = return_url {
            call = call.return_url(url);
        }
        if let Some(origin) = allowed_origin {
            call = call.allowed_origin(origin);
        }
        if let Some(name) = display_name {
            call = call.display_name(name);
        }
        if let Some(life) = options::whole(py, "expires_in", expires_in)? {
            call = call.expires_in(Duration::from_secs(life));
        }
        if let Some(allow) = allow_multiple_connections {
            call = call.allow_multiple_connections(allow);
        }
        if let Some(scopes) = scopes {
            call = call.scopes(scopes);
        }
        if let Some(confirm) = confirm {
            call = call.confirm(confirm);
        }
        if let Some(key) = idempotency_key {
            call = call.idempotency_key(key);
        }
        Ok(Call::new(
            connected,
            async move { Ok(Done::Json(call.json().await?)) },
        ))
    }

    fn get_connection(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        id: &str,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let call = customer
            .get_connection(id)
            .options(options::call(py, timeout, deadline, max_retries)?);
        Ok(Call::new(
            connected,
            async move { Ok(Done::Json(call.json().await?)) },
        ))
    }

    fn confirm_connection(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        id: &str,
        code: &str,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let call =
            customer
                .confirm_connection(id, code)
                .options(options::call(py, timeout, deadline, max_retries)?);
        Ok(Call::new(
            connected,
            async move { Ok(Done::Json(call.json().await?)) },
        ))
    }

    fn wait_for_connection(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        id: &str,
        interval: Option<f64>,
        timeout: Option<f64>,
        tell_polls: bool,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let mut wait = customer.wait_for_connection(id);
        if let Some(interval) = options::seconds(py, "interval", interval)? {
            wait = wait.interval(interval);
        }
        if let Some(timeout) = options::seconds(py, "timeout", timeout)? {
            wait = wait.timeout(timeout);
        }
        let (wait, polls) = if tell_polls {
            let (wait, polls) = told(wait);
            (wait, Some(polls))
        } else {
            (wait, None)
        };
        let work = async move { Ok(Done::Json(wait.json().await?)) };
        Ok(Call::telling(connected, polls, work))
    }

    fn get_token(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        id: &str,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let call = customer
            .get_token(id)
            .options(options::call(py, timeout, deadline, max_retries)?);
        Ok(Call::new(connected, async move {
            Ok(Done::Token(Box::new(call.await?)))
        }))
    }

    fn list_connections(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        app_id: Option<String>,
        page: Option<i64>,
        limit: Option<i64>,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let mut list =
            customer
                .list_connections()
                .options(options::call(py, timeout, deadline, max_retries)?);
        if let Some(id) = app_id {
            list = list.app_id(id);
        }
        let list = options::paged(py, list, page, limit)?;
        Ok(pages::first(connected, list, Kind::Connections))
    }

    fn delete_connection(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyAny>,
        id: &str,
        timeout: Option<f64>,
        deadline: Option<f64>,
        max_retries: Option<i64>,
    ) -> PyResult<Call> {
        let (connected, customer) = self.customer(email)?;
        let call = customer
            .delete_connection(id)
            .options(options::call(py, timeout, deadline, max_retries)?);
        Ok(Call::new(connected, async move {
            call.await?;
            Ok(Done::Nothing)
        }))
    }
}
