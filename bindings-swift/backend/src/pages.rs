//! Lists: one page, or all pages one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use pabbly_connect::ExposeSecret;
use pabbly_connect::bindings::{AnyList, AnyPages};

use crate::failure::Failure;
use crate::run::Cancellation;

/// A list that was not asked for yet. It is used once.
#[derive(uniffi::Object)]
pub(crate) struct List(Mutex<Option<AnyList>>);

impl List {
    pub(crate) fn new(list: AnyList) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(list))))
    }

    fn take(&self) -> Result<AnyList, Failure> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        list.ok_or_else(|| Failure::broken("a list was used twice"))
    }
}

#[uniffi::export]
impl List {
    /// The page that was asked for, as JSON text.
    async fn page(&self, cancellation: Arc<Cancellation>) -> Result<String, Failure> {
        let json = cancellation.guard(self.take()?.json()).await?;
        Ok(json.expose_secret().to_owned())
    }

    /// That page and all that follow.
    fn pages(&self) -> Result<Arc<Pages>, Failure> {
        Ok(Pages::new(self.take()?.pages()))
    }
}

/// Pages that are fetched when they are asked for.
#[derive(uniffi::Object)]
pub(crate) struct Pages(Arc<tokio::sync::Mutex<AnyPages>>);

impl Pages {
    pub(crate) fn new(pages: AnyPages) -> Arc<Self> {
        Arc::new(Self(Arc::new(tokio::sync::Mutex::new(pages))))
    }
}

#[uniffi::export]
impl Pages {
    /// The next page as JSON text; `None` at the end.
    async fn next(&self, cancellation: Arc<Cancellation>) -> Result<Option<String>, Failure> {
        let pages = self.0.clone();
        let page = async move { pages.lock().await.next_json().await };
        let page = cancellation.guard(page).await?;
        Ok(page.map(|json| json.expose_secret().to_owned()))
    }
}
