//! Values of several parts, sealed as one.

use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Result, Store, StoreError};
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
}
