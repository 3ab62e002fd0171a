//! Where calls run, and how they are cancelled.

use std::sync::{Mutex, OnceLock, PoisonError};

use futures_util::future::{AbortHandle, AbortRegistration, Abortable};
use pabbly_connect::Error;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Cancels one call, also before it begins: UniFFI does not tell Rust of a cancelled task.
#[derive(Debug, uniffi::Object)]
pub(crate) struct Cancellation {
    handle: AbortHandle,
    registration: Mutex<Option<AbortRegistration>>,
}

#[uniffi::export]
impl Cancellation {
    #[uniffi::constructor]
    fn new() -> Self {
        let (handle, registration) = AbortHandle::new_pair();
        let registration = Mutex::new(Some(registration));
        Self { handle, registration }
    }

    /// Stops the call where it is; does nothing once it is done.
    fn cancel(&self) {
        self.handle.abort();
    }
}

impl Cancellation {
    /// Runs a call to its end or until it is cancelled. Its request is then gone before this returns.
    pub(crate) async fn guard<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Failure> {
        let registration = self
            .registration
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(|| Failure::broken("a cancellation was used for two calls"))?;
        match runtime()?.spawn(Abortable::new(call, registration)).await {
            Ok(Ok(outcome)) => outcome.map_err(Failure::from),
            Ok(Err(_aborted)) => Err(Failure::Cancelled),
            Err(_panicked) => Err(Failure::broken("the SDK itself failed")),
        }
    }
}

/// One background thread for all calls of the process, started by the first.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread().worker_threads(1).thread_name("pabbly-connect").enable_all().build().ok()
    };
    RUNTIME.get_or_init(start).as_ref().ok_or_else(|| Failure::broken("the system allows no thread more"))
}
