//! The client: settings in, calls out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pabbly_connect::bindings::{self, Options, PreparedCall, Value};
use pabbly_connect::{ClientBuilder, ProxyBody};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};

use crate::blocking::Runtime;
use crate::call::Call;
use crate::done::Done;
use crate::errors::{exception, misuse, refused};
use crate::events::{Log, logged, told};
use crate::fork::Owned;
use crate::pages::{self, Feed};
use crate::proxy::{self, Sender};
use crate::token::Token;

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
        self.runtime.as_ref().ok_or_else(|| misuse("the client was not made for blocking calls"))
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
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (*, blocking, settings: "dict[str, Any]"))]
    fn new(py: Python<'_>, blocking: bool, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let builder = pabbly_connect::Client::builder().ca_bundle_variable("REQUESTS_CA_BUNDLE");
        let builder =
            bindings::settings(builder, options(settings)?).map_err(|error| exception(py, &error))?;
        let connected = Connected::new(py, builder.clone(), blocking)?;
        Ok(Self {
            builder: Mutex::new(builder),
            blocking,
            connected: Mutex::new(Some(Owned::new(connected))),
        })
    }

    /// Replaces the tenant key: what has begun finishes with the old one.
    fn set_api_key(&self, py: Python<'_>, api_key: String) -> PyResult<()> {
        let connected = self.connected(py)?;
        let replaced = connected.client.set_api_key(api_key.clone());
        replaced.map_err(|error| exception(py, &error))?;
        let mut builder = self.builder();
        *builder = builder.clone().api_key(api_key);
        Ok(())
    }

    /// The feed of events with these options.
    #[pyo3(signature = (method, options: "dict[str, Any]"))]
    fn feed(&self, py: Python<'_>, method: &str, options: &Bound<'_, PyDict>) -> PyResult<Feed> {
        let connected = self.connected(py)?;
        let call = bindings::prepare(&connected.client, method, None, &[], self::options(options)?);
        let pages = call.map_err(|error| exception(py, &error))?.pages();
        let pages = pages.ok_or_else(|| misuse("the method gives no feed"))?;
        Ok(Feed::new(pages, connected))
    }

    /// A proxied call, whose body is whole, or comes `in_parts`: then it is with what takes them.
    #[pyo3(signature = (email, id, body: "bytes | None", in_parts, options: "dict[str, Any]") -> "tuple[Call, Sender | None]")]
    fn proxy(
        &self,
        email: &Bound<'_, PyAny>,
        id: &str,
        body: Option<Vec<u8>>,
        in_parts: bool,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<(Call, Option<Sender>)> {
        let py = email.py();
        let connected = self.connected(py)?;
        let (sender, body) = if in_parts {
            let (sender, body) = bindings::body_in_parts();
            (Some(Arc::new(sender)), body)
        } else {
            (None, body.map_or_else(ProxyBody::default, ProxyBody::from))
        };
        let options = self::options(options)?;
        let call = bindings::proxy(&connected.client, &address(email), id, body, options);
        let call = call.map_err(|error| exception(py, &error))?;
        let call = proxy::call(connected.clone(), call, sender.clone());
        Ok((call, sender.map(|sender| Sender::new(sender, connected))))
    }

    /// Raises where the address could not be a customer's.
    fn check_email(&self, email: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = email.py();
        let checked = self.connected(py)?.client.customer(&address(email));
        checked.map(drop).map_err(|error| exception(py, &error))
    }

    /// Closes idle connections; calls that are under way finish.
    fn close(&self) {
        self.held().take();
    }

    fn __repr__(&self) -> String {
        match *self.held() {
            Some(_) => "Client(open)".to_owned(),
            None => "Client(closed)".to_owned(),
        }
    }

    /// The call of this name. An option that is None removes what can be removed, and is else left out; `tell_polls` says whether anybody wants
    /// to know of the polls of a wait.
    #[pyo3(signature = (method, email, arguments: "tuple[str, ...]", options: "dict[str, Any]", tell_polls = false))]
    fn prepare(
        &self,
        py: Python<'_>,
        method: &str,
        email: Option<&Bound<'_, PyAny>>,
        arguments: Vec<String>,
        options: &Bound<'_, PyDict>,
        tell_polls: bool,
    ) -> PyResult<Call> {
        let connected = self.connected(py)?;
        let email = email.map(address);
        let options = self::options(options)?;
        let call = bindings::prepare(&connected.client, method, email.as_deref(), &arguments, options)
            .map_err(|error| exception(py, &error))?;
        Ok(match call {
            PreparedCall::List(list) => pages::first(connected, list),
            PreparedCall::Token(call) => {
                Call::new(connected, async move { Ok(Done::Token(Box::new(call.await?))) })
            }
            PreparedCall::Nothing(call) => Call::new(connected, async move {
                call.await?;
                Ok(Done::Nothing)
            }),
            PreparedCall::Wait(wait) if tell_polls => {
                let (wait, polls) = told(wait);
                let work = async move { Ok(Done::Json(PreparedCall::Wait(wait).json().await?)) };
                Call::telling(connected, polls, work)
            }
            call => Call::new(connected, async move { Ok(Done::Json(call.json().await?)) }),
        })
    }
}

/// What is no text at all is as malformed as a text without an `@`.
fn address(email: &Bound<'_, PyAny>) -> String {
    email.extract().unwrap_or_default()
}

fn options(options: &Bound<'_, PyDict>) -> PyResult<Options> {
    options.iter().map(|(name, value)| Ok((name.extract()?, self::value(&value)?))).collect()
}

fn value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(if value.is_none() {
        Value::Null
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Value::Flag(flag.is_true())
    } else if let Ok(text) = value.cast::<PyString>() {
        Value::Text(text.extract()?)
    } else if let Ok(token) = value.cast::<Token>() {
        Value::Token(Box::new(token.get().core().clone()))
    } else if let Ok(texts) = value.cast::<PyList>() {
        Value::Texts(texts.extract()?)
    } else if let Ok(object) = value.cast::<PyDict>() {
        Value::Object(object.py().import("json")?.getattr("dumps")?.call1((object,))?.extract()?)
    } else if let Ok(whole) = value.extract() {
        Value::Integer(whole)
    } else {
        Value::Number(value.extract()?)
    })
}
