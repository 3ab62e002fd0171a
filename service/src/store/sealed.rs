//! Values of several parts, sealed as one; and cursors, which are given away sealed.

use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Owner, Result, Store, StoreError};
use crate::vault::Place;

impl Store {
    /// Seals a value as JSON.
    pub(super) fn seal_json(&self, place: Place<'_>, value: &impl Serialize) -> Result<String> {
        let text = serde_json::to_string(value).map_err(|_| StoreError::Unreadable("a sealed value"))?;
        Ok(self.vault.seal(place, &Zeroizing::new(text))?)
    }

    /// Opens what [`Store::seal_json`] made for the same place.
    pub(super) fn open_json<T: DeserializeOwned>(&self, place: Place<'_>, sealed: &str) -> Result<T> {
        let text = self.vault.open(place, sealed)?;
        let value = serde_json::from_str(text.expose_secret());
        value.map_err(|_| StoreError::Unreadable("a sealed value"))
    }

    /// Seals what a cursor says, as text that can stand in a query. It opens for this owner and this query alone.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub(crate) fn seal_cursor(&self, owner: &Owner, query: &str, value: &impl Serialize) -> Result<String> {
        let sealed = self.seal_json(cursor_place(owner, query), value)?;
        Ok(sealed.trim_end_matches('=').replace('+', "-").replace('/', "_"))
    }

    /// Opens what [`Store::seal_cursor`] made for the same owner and query; `None` for anything else.
    pub(crate) fn open_cursor<T: DeserializeOwned>(
        &self,
        owner: &Owner,
        query: &str,
        text: &str,
    ) -> Option<T> {
        let mut sealed = text.replace('-', "+").replace('_', "/");
        sealed.extend(std::iter::repeat_n('=', (4 - sealed.len() % 4) % 4));
        self.open_json(cursor_place(owner, query), &sealed).ok()
    }
}

/// No connection and no column is called so.
fn cursor_place<'a>(owner: &'a Owner, query: &'a str) -> Place<'a> {
    Place { tenant: &owner.tenant, connection: &owner.customer, field: query }
}
