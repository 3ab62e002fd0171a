//! A list that is iterated over, page by page.

use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Result};
use napi_derive::napi;
use pabbly_connect::bindings::AnyPages;
use tokio::sync::Mutex;

use crate::port::Calls;

/// The pages of a list, one after the other.
#[napi]
pub struct Pages {
    pages: Arc<Mutex<AnyPages>>,
    calls: Rc<Calls>,
}

impl Pages {
    pub(crate) fn new(pages: AnyPages, calls: Rc<Calls>) -> Self {
        let pages = Arc::new(Mutex::new(pages));
        Self { pages, calls }
    }
}

#[napi]
impl Pages {
    /// The answer is the next page, or null after the last.
    #[napi]
    pub fn next(&self, env: Env, call: u32) -> Result<()> {
        let pages = self.pages.clone();
        self.calls.start(env, call, || async move {
            let page = pages.lock().await.next_json().await?;
            Ok(page.unwrap_or_else(|| "null".into()))
        })
    }
}
