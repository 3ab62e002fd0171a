//! Why a connection needs the customer again.

use std::str::FromStr;

use super::database::Row;
use super::{Result, StoreError};
use crate::clock::Millis;

/// A grant that stopped working: nothing but a new one helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnection {
    /// Why it stopped.
    pub reason: ReconnectionReason,
    /// When that was found.
    pub since: Millis,
}

/// Why a grant stopped working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconnectionReason {
    /// The provider refused to refresh it.
    GrantRefused,
    /// It expired, and the provider gave nothing to refresh it with.
    NoRefreshToken,
    /// The provider refused to refresh it for days, in words that are not known to end a grant.
    RefreshFailed,
    /// Its OAuth client was changed or removed.
    ClientChanged,
}

impl Reconnection {
    /// Of the columns `broken`, `broken_reason`, `broken_since` and `updated_at`.
    pub(super) fn read(row: &Row) -> Result<Option<Self>> {
        if row.get::<i64>("broken")? == 0 {
            return Ok(None);
        }
        // During a rolling update, an earlier version may have noted it without a reason.
        let reason = row.get::<Option<&str>>("broken_reason")?.map(str::parse).transpose()?;
        let since = row.get::<Option<Millis>>("broken_since")?;
        Ok(Some(Self {
            reason: reason.unwrap_or(ReconnectionReason::GrantRefused),
            since: since.map_or_else(|| row.get("updated_at"), Ok)?,
        }))
    }
}

impl ReconnectionReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GrantRefused => "grant_refused",
            Self::NoRefreshToken => "no_refresh_token",
            Self::RefreshFailed => "refresh_failed",
            Self::ClientChanged => "client_changed",
        }
    }
}

impl FromStr for ReconnectionReason {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::GrantRefused, Self::NoRefreshToken, Self::RefreshFailed, Self::ClientChanged]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(StoreError::Unreadable("broken_reason"))
    }
}
