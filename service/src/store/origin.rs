//! How a connection came by its credential.

use std::str::FromStr;

use serde::Serialize;

use super::{Result, StoreError};

/// How a connection came by its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The customer gave it, by a link.
    Link,
    /// The tenant imported it.
    Import,
}

impl Origin {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Import => "import",
        }
    }
}

impl FromStr for Origin {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Link, Self::Import]
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or(StoreError::Unreadable("origin"))
    }
}
