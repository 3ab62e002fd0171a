//! A list that is iterated over, page by page.

use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Result};
use napi_derive::napi;
use pabbly_connect::{App, Connection};
use tokio::sync::Mutex;

use crate::outcome::Outcome;
use crate::port::Calls;

/// The core's pages, of whichever list.
pub(crate) enum Source {
    Apps(pabbly_connect::Pages<App>),
    Connections(pabbly_connect::Pages<Connection>),
}

impl Source {
    async fn next(&mut self) -> Outcome {
        let page = match self {
            Self::Apps(pages) => pages.next_json().await?,
            Self::Connections(pages) => pages.next_json().await?,
        };
        Ok(page.unwrap_or_else(|| "null".into()))
    }
}

/// The pages of a list, one after the other.
#[napi]
pub struct Pages {
    source: Arc<Mutex<Source>>,
    calls: Rc<Calls>,
}

impl Pages {
    pub(crate) fn new(source: Source, calls: Rc<Calls>) -> Self {
        let source = Arc::new(Mutex::new(source));
        Self { source, calls }
    }
}

#[napi]
impl Pages {
    /// The answer is the next page, or null after the last.
    #[napi]
    pub fn next(&self, env: Env, call: u32) -> Result<()> {
        let source = self.source.clone();
        self.calls
            .start(env, call, || async move { source.lock().await.next().await })
    }
}
