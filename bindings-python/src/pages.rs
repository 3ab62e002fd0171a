//! The pages that follow a page, and those of the feed.

use std::sync::Arc;

use pabbly_connect::bindings::{AnyList, AnyPages};
use pabbly_connect::{Error, ExposeSecret, SecretString};
use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::call::Call;
use crate::client::Connected;
use crate::done::Done;
use crate::errors::refused;
use crate::fork::Owned;

/// Pages, and those that were fetched already.
struct Fetched {
    rest: AnyPages,
    pages: Vec<SecretString>,
}

impl Fetched {
    async fn get(&mut self, number: usize) -> Result<Done, Error> {
        while self.pages.len() <= number {
            match self.rest.next_json().await? {
                Some(json) => self.pages.push(json),
                None => return Ok(Done::Nothing),
            }
        }
        let json = self.pages.get(number).map(|json| json.expose_secret().into());
        Ok(json.map_or(Done::Nothing, Done::Json))
    }
}

/// What follows a page, and the client that gets it.
pub(crate) struct Rest {
    fetched: Mutex<Fetched>,
    connected: Arc<Connected>,
}

impl Rest {
    fn new(rest: AnyPages, connected: Arc<Connected>) -> Arc<Self> {
        let pages = Vec::new();
        let fetched = Mutex::new(Fetched { rest, pages });
        Arc::new(Self { fetched, connected })
    }
}

/// The call for the page that a list begins with. It gives that page with those that follow it.
pub(crate) fn first(connected: Arc<Connected>, list: AnyList) -> Call {
    Call::new(connected.clone(), async move {
        let (json, rest) = list.json_and_rest().await?;
        Ok(Done::Page(json, Rest::new(rest, connected)))
    })
}

/// The pages that follow one that was handed out.
#[pyclass(frozen)]
pub(crate) struct Pages(Owned<Arc<Rest>>);

impl Pages {
    pub(crate) fn new(rest: Arc<Rest>) -> Self {
        Self(Owned::new(rest))
    }
}

#[pymethods]
impl Pages {
    /// The call for the page of this number, the first that follows being 0. It gives a dictionary, or None where
    /// there is no such page. A page is fetched once.
    fn get(&self, py: Python<'_>, number: usize) -> PyResult<Call> {
        let rest = of_this_process(py, &self.0)?;
        Ok(Call::new(rest.connected.clone(), async move { rest.fetched.lock().await.get(number).await }))
    }
}

/// The feed of events. What was handed out is not kept: a feed goes on for as long as its program.
#[pyclass(frozen)]
pub(crate) struct Feed(Owned<Arc<Going>>);

/// What follows, and the client that gets it.
struct Going {
    pages: Mutex<AnyPages>,
    connected: Arc<Connected>,
}

impl Feed {
    pub(crate) fn new(pages: AnyPages, connected: Arc<Connected>) -> Self {
        Self(Owned::new(Arc::new(Going { pages: Mutex::new(pages), connected })))
    }
}

#[pymethods]
impl Feed {
    /// The call for what follows. It gives a dictionary, or None at the end. After an error the same is asked for again.
    fn next(&self, py: Python<'_>) -> PyResult<Call> {
        let going = of_this_process(py, &self.0)?;
        Ok(Call::new(going.connected.clone(), async move {
            let page = going.pages.lock().await.next_json().await?;
            Ok(page.map_or(Done::Nothing, Done::Json))
        }))
    }
}

pub(crate) fn of_this_process<T>(py: Python<'_>, owned: &Owned<Arc<T>>) -> PyResult<Arc<T>> {
    let why = "what was begun before a fork cannot be gone on with in the child";
    owned.get().cloned().ok_or_else(|| refused(py, why))
}
