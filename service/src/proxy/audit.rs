//! The audit of proxied calls, and of those for contacts: each leaves a line, also one that its caller gave up.

use crate::error::ApiError;
use crate::state::AppState;
use crate::store::{Caller, PROXIED, ProxiedRequest, Vending};

/// The outcome of a call that its caller gave up before there was a response.
const CANCELLED: &str = "cancelled";

/// What is known of a call so far. Dropped without an outcome, it notes that the call was cancelled.
pub(crate) struct AuditedCall<'a> {
    app: &'a AppState,
    vending: Option<Vending>,
}

impl<'a> AuditedCall<'a> {
    pub(crate) fn new(
        app: &'a AppState,
        caller: &Caller,
        connection: &str,
        customer: &str,
        method: &str,
    ) -> Self {
        const MAX_METHOD: usize = 32;
        let method = method.chars().take(MAX_METHOD).collect();
        let vending = Vending {
            tenant: caller.tenant.clone(),
            key: caller.key.clone(),
            connection: connection.to_owned(),
            customer: customer.to_owned(),
            outcome: CANCELLED,
            request: Some(ProxiedRequest { method, ..ProxiedRequest::default() }),
        };
        Self { app, vending: Some(vending) }
    }

    /// What is called, to be filled in once it is known.
    pub(crate) fn request(&mut self) -> Option<&mut ProxiedRequest> {
        self.vending.as_mut()?.request.as_mut()
    }

    /// Notes the provider's response, or what came instead.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] where it has to be written now and cannot be. It is never an error that a client repeats
    /// its call after: the provider has been asked.
    pub(crate) async fn note(mut self, outcome: Result<u16, &'static str>) -> Result<(), ApiError> {
        let Some(mut vending) = self.vending.take() else { return Ok(()) };
        match outcome {
            Ok(status) => {
                vending.outcome = PROXIED;
                if let Some(request) = &mut vending.request {
                    request.status = Some(status);
                }
            }
            Err(code) => vending.outcome = code,
        }
        self.app.store.note_vending(vending, self.app.config.audit).await.map_err(ApiError::internal)
    }
}

impl Drop for AuditedCall<'_> {
    fn drop(&mut self) {
        let (Some(vending), Ok(runtime)) = (self.vending.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let app = self.app.clone();
        let note = async move {
            if let Err(error) = app.store.note_vending(vending, app.config.audit).await {
                tracing::error!(%error, "a cancelled call is missing in the audit");
            }
        };
        self.app.tasks.spawn_on(note, &runtime);
    }
}
