//! From the core's errors to what Swift makes its `PabblyConnectError` of.

use pabbly_connect::{Error, ErrorKind};

/// Why a call gave no answer.
#[derive(Debug, uniffi::Error)]
pub(crate) enum Failure {
    /// The caller cancelled it.
    Cancelled,
    /// It failed.
    Failed {
        /// The class of the error by its name in the core's table.
        kind: String,
        /// What happened and what to do.
        message: String,
        /// The HTTP status of the answer.
        status: Option<u16>,
        /// The service's code, or the SDK's own.
        code: Option<String>,
        /// The answer as JSON text, without credentials.
        response: Option<String>,
        /// How many requests were sent.
        attempts: u32,
        /// Seconds that the service asked to wait.
        retry_after: Option<f64>,
        /// The connection as a wait last saw it, as JSON text.
        connection: Option<String>,
    },
}

impl Failure {
    /// A value that the binding itself refuses.
    pub(crate) fn refused(message: String) -> Self {
        Self::own(ErrorKind::InvalidArgument, message, Some("invalid_argument"))
    }

    /// Something that must not happen.
    pub(crate) fn broken(message: &str) -> Self {
        Self::own(ErrorKind::Other, message.to_owned(), None)
    }

    fn own(kind: ErrorKind, message: String, code: Option<&str>) -> Self {
        Self::Failed {
            kind: kind.class().to_owned(),
            message,
            status: None,
            code: code.map(str::to_owned),
            response: None,
            attempts: 0,
            retry_after: None,
            connection: None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed {
            kind: error.kind().class().to_owned(),
            message: error.message().to_owned(),
            status: error.status(),
            code: error.code().map(str::to_owned),
            response: error
                .response()
                .and_then(|response| serde_json::to_string(response).ok()),
            attempts: error.attempts(),
            retry_after: error.retry_after().map(|wait| wait.as_secs_f64()),
            connection: error
                .connection()
                .and_then(|connection| serde_json::to_string(connection).ok()),
        }
    }
}

// UniFFI asks for it of all errors; nothing prints one.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed { message, .. } => f.write_str(message),
        }
    }
}
