//! From the core's errors to what Swift makes its `PabblyConnectError` of.

use pabbly_connect::{Error, bindings};

/// Why a call gave no answer.
#[derive(Debug, uniffi::Error)]
pub(crate) enum Failure {
    /// The caller cancelled it.
    Cancelled,
    /// It failed: the error as JSON text.
    Failed { json: String },
    /// Something that must not happen.
    Broken { message: String },
}

impl Failure {
    pub(crate) fn broken(message: &str) -> Self {
        let message = message.to_owned();
        Self::Broken { message }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed { json: bindings::error_json(&error) }
    }
}

// UniFFI asks for it of all errors; nothing prints one.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed { json: text } | Self::Broken { message: text } => f.write_str(text),
        }
    }
}
