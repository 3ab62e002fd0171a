//! The pages that follow a page.

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
        let Some(rest) = self.0.get().cloned() else {
            let why = "a list that was begun before a fork cannot be gone on with in the child";
            return Err(refused(py, why));
        };
        Ok(Call::new(rest.connected.clone(), async move { rest.fetched.lock().await.get(number).await }))
    }
}
