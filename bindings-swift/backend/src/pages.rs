//! Lists: one page, or all pages one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use pabbly_connect::{App, Connection, Error, ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::run::Cancellation;

/// The core's lists of either kind.
pub(crate) enum Kind {
    Apps(pabbly_connect::List<App>),
    Connections(pabbly_connect::List<Connection>),
}

/// A list that was not asked for yet. It is used once.
#[derive(uniffi::Object)]
pub(crate) struct List(Mutex<Option<Kind>>);

impl List {
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(kind))))
    }

    fn take(&self) -> Result<Kind, Failure> {
        let kind = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kind.ok_or_else(|| Failure::broken("a list was used twice"))
    }
}

#[uniffi::export]
impl List {
    /// The page that was asked for, as JSON text.
    async fn page(&self, cancellation: Arc<Cancellation>) -> Result<String, Failure> {
        let json = match self.take()? {
            Kind::Apps(list) => cancellation.guard(list.json()).await?,
            Kind::Connections(list) => cancellation.guard(list.json()).await?,
        };
        Ok(json.expose_secret().to_owned())
    }

    /// That page and all that follow.
    fn pages(&self) -> Result<Pages, Failure> {
        let rest = match self.take()? {
            Kind::Apps(list) => Rest::Apps(list.pages()),
            Kind::Connections(list) => Rest::Connections(list.pages()),
        };
        Ok(Pages(Arc::new(tokio::sync::Mutex::new(rest))))
    }
}

/// The core's pages of either kind.
enum Rest {
    Apps(pabbly_connect::Pages<App>),
    Connections(pabbly_connect::Pages<Connection>),
}

impl Rest {
    async fn next_json(&mut self) -> Result<Option<SecretString>, Error> {
        match self {
            Self::Apps(pages) => pages.next_json().await,
            Self::Connections(pages) => pages.next_json().await,
        }
    }
}

/// Pages that are fetched when they are asked for.
#[derive(uniffi::Object)]
pub(crate) struct Pages(Arc<tokio::sync::Mutex<Rest>>);

#[uniffi::export]
impl Pages {
    /// The next page as JSON text; `None` at the end.
    async fn next(&self, cancellation: Arc<Cancellation>) -> Result<Option<String>, Failure> {
        let rest = self.0.clone();
        let page = async move { rest.lock().await.next_json().await };
        let page = cancellation.guard(page).await?;
        Ok(page.map(|json| json.expose_secret().to_owned()))
    }
}
