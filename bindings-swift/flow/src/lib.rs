//! What the Swift module `PabblyConnectFlow` needs of the core: how a link stands, asked without a tenant key. What is
//! asked when, and what the answers mean, is Swift's part.
//!
//! Nothing here may lead to the tenant's API: the library that ships is searched for it.

use std::sync::Arc;
use std::time::Duration;

use pabbly_connect::{Error, ErrorKind, PublicLink};
use tokio_util::sync::CancellationToken;

uniffi::setup_scaffolding!();

/// A request link, of which can be asked how it stands.
#[derive(Debug, uniffi::Object)]
pub struct Link(Arc<PublicLink>);

/// One question how a link stands.
#[derive(Debug, uniffi::Object)]
pub struct Question {
    link: Arc<PublicLink>,
    hold: Duration,
    cancellation: CancellationToken,
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

    /// Prepares a question; the service is asked to hold its answer for so long.
    fn question(&self, hold: Duration) -> Arc<Question> {
        Arc::new(Question { link: Arc::clone(&self.0), hold, cancellation: CancellationToken::new() })
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Question {
    /// Asks, once.
    async fn answer(&self) -> Result<Standing, Failure> {
        let answer = self.link.status(self.hold);
        let now = match self.cancellation.run_until_cancelled(answer).await {
            Some(answer) => answer?,
            None => return Err(Failure::Cancelled),
        };
        Ok(Standing {
            status: now.status.to_string(),
            phase: now.phase.map(|phase| phase.to_string()),
            operation: now.operation.map(|operation| operation.to_string()),
            expires_in: now.expires_in,
        })
    }

    /// Stops the request, or keeps it from being sent. UniFFI does not tell Rust of a cancelled task.
    fn cancel(&self) {
        self.cancellation.cancel();
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
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
