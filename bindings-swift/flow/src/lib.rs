//! What the Swift module `PabblyConnectFlow` needs of the core, without a tenant key: how a link stands, and what a
//! connection form of the app's own asks for and sends. What is asked when, and what it means, is Swift's part.
//!
//! Nothing here may lead to the tenant's API: the library that ships is searched for it.

mod form;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pabbly_connect::{Error, ErrorKind, ExposeSecret, PublicLink};
use tokio_util::sync::CancellationToken;

uniffi::setup_scaffolding!();

/// A request link, of which can be asked how it stands.
#[derive(Debug, uniffi::Object)]
pub struct Link(Arc<PublicLink>);

/// One request about a link. Each is used for one call.
#[derive(Debug, uniffi::Object)]
pub struct Question {
    link: Arc<PublicLink>,
    cancellation: CancellationToken,
}

/// Where a connection stands after its form was submitted.
#[derive(Debug, uniffi::Record)]
pub struct Submission {
    status: String,
    authorize_url: Option<String>,
}

/// How a link stands, in the words of the wire.
#[derive(Debug, uniffi::Record)]
pub struct Standing {
    status: String,
    phase: Option<String>,
    operation: Option<String>,
    expires_in: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum Failure {
    /// The values are not those of a link.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with them.
        reason: String,
    },
    /// The service does not know this link (any more).
    #[error("{reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The service wants to be asked later.
    #[error("the service wants to be asked later")]
    Busy {
        /// How much later, if it said so.
        retry_after: Option<Duration>,
    },
    /// No usable answer came, this time.
    #[error("{reason}")]
    Failed {
        /// What happened.
        reason: String,
        /// When to ask again, if the service said so.
        retry_after: Option<Duration>,
    },
    /// Fields of a submitted form are at fault.
    #[error("fields of the form are at fault")]
    Fields {
        /// A sentence for the customer by the field's name.
        fields: HashMap<String, String>,
    },
    /// The link is over.
    #[error("the link is over")]
    Over,
    /// The question was cancelled.
    #[error("the question was cancelled")]
    Cancelled,
}

#[uniffi::export]
impl Link {
    #[uniffi::constructor]
    fn new(request_link: &str, request_token: String, connection_id: &str) -> Result<Self, Failure> {
        let product = concat!("pabbly-connect-swift/", env!("CARGO_PKG_VERSION"));
        let link = PublicLink::new(request_link, request_token, connection_id, Some(product))?;
        Ok(Self(Arc::new(link)))
    }

    /// Prepares a question.
    fn question(&self) -> Arc<Question> {
        Arc::new(Question { link: Arc::clone(&self.0), cancellation: CancellationToken::new() })
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Question {
    /// Asks once how the link stands; the service is asked to hold its answer for so long.
    async fn standing(&self, hold: Duration) -> Result<Standing, Failure> {
        let now = self.cancellable(self.link.status(hold)).await?;
        Ok(Standing {
            status: now.status.to_string(),
            phase: now.phase.map(|phase| phase.to_string()),
            operation: now.operation.map(|operation| operation.to_string()),
            expires_in: now.expires_in,
        })
    }

    /// Asks once for the ways to authorise the link's apps.
    async fn auth_options(&self) -> Result<Vec<form::AuthOption>, Failure> {
        let json = self.cancellable(self.link.list_auth_options_json()).await?;
        form::auth_options(json.expose_secret()).ok_or_else(|| Failure::Failed {
            reason: "the response is not what the contract says".to_owned(),
            retry_after: None,
        })
    }

    /// Submits a form, once.
    async fn submit(
        &self,
        app_id: Option<String>,
        auth_option_key: String,
        fields: HashMap<String, String>,
    ) -> Result<Submission, Failure> {
        let submission = self.link.submit_credentials(app_id.as_deref(), &auth_option_key, fields);
        let submission = self.cancellable(submission).await?;
        let status = submission.status.to_string();
        Ok(Submission { status, authorize_url: submission.authorize_url })
    }

    /// Stops the request, or keeps it from being sent. UniFFI does not tell Rust of a cancelled task.
    fn cancel(&self) {
        self.cancellation.cancel();
    }
}

impl Question {
    async fn cancellable<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        match self.cancellation.run_until_cancelled(answer).await {
            Some(answer) => Ok(answer?),
            None => Err(Failure::Cancelled),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(fields) = error.fields() {
            return Self::Fields { fields: fields.clone().into_iter().collect() };
        }
        if error.code() == Some("connection_not_active") {
            return Self::Over;
        }
        let (reason, retry_after) = (error.message().to_owned(), error.retry_after());
        match error.kind() {
            ErrorKind::InvalidArgument => Self::Invalid { reason },
            ErrorKind::RateLimited => Self::Busy { retry_after },
            // The service's own word. Any other refusal may be a proxy's, and pass.
            ErrorKind::ConnectionDeleted => Self::Refused { reason },
            _ => Self::Failed { reason, retry_after },
        }
    }
}
