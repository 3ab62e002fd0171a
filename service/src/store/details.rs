//! What is known of a connection beside its credential: the values that calls need, whose account it is, and the granted
//! scopes. What is public of it lies open with the connection; the rest is sealed with the credential.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::database::{Query, Row, Transaction};
use super::{Result, Store, StoreError};
use crate::catalogue::{Account, ProviderData};
use crate::vault::Place;

/// What is known of a connection beside its credential.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Values that calls need; public.
    pub provider_data: ProviderData,
    /// Further ones that are vended with the token only. Empty where only what is public was read.
    pub secret_data: ProviderData,
    /// Whose account it is.
    pub account: Option<Account>,
    /// The scopes that were granted; none where neither the provider nor the request tells.
    pub scopes: Option<Vec<String>>,
}

impl Details {
    /// The public part, of the columns of `connections`.
    pub(super) fn read(row: &Row) -> Result<Self> {
        let account = read_account(row)?;
        let scopes = row.get::<Option<&str>>("scopes")?.map(parse).transpose()?;
        let provider_data = row.get::<Option<&str>>("provider_data")?.map(parse).transpose()?;
        let provider_data = provider_data.unwrap_or_default();
        Ok(Self { provider_data, secret_data: ProviderData::new(), account, scopes })
    }

    /// All values that calls need.
    pub fn all_provider_data(&self) -> ProviderData {
        let all = self.provider_data.iter().chain(&self.secret_data);
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl Store {
    /// Writes the details of a connection that has a credential, over those that were there. `holder` is its tenant and its
    /// customer.
    pub(super) async fn put_details(
        &self,
        transaction: &mut Transaction,
        holder: (&str, &str),
        connection_id: &str,
        details: &Details,
    ) -> Result<()> {
        let query =
            Query::new("UPDATE connections SET provider_data = $1, account = $2, scopes = $3 WHERE id = $4")
                .bind(text(&details.provider_data)?)
                .bind(details.account.as_ref().map(text).transpose()?)
                .bind(details.scopes.as_ref().map(text).transpose()?)
                .bind(connection_id);
        transaction.execute(query).await?;
        let sealed = match &details.secret_data {
            secret if secret.is_empty() => None,
            secret => Some(self.seal_json(place(holder, connection_id), secret).await?),
        };
        let query = Query::new("UPDATE credentials SET secret_data = $1 WHERE connection_id = $2")
            .bind(sealed)
            .bind(connection_id);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Opens the secret values of a connection.
    pub(super) async fn open_secret_data(
        &self,
        holder: (&str, &str),
        connection_id: &str,
        sealed: Option<&str>,
    ) -> Result<ProviderData> {
        match sealed {
            Some(sealed) => self.open_json(place(holder, connection_id), sealed).await,
            None => Ok(ProviderData::new()),
        }
    }
}

fn place<'a>((tenant, customer): (&'a str, &'a str), connection: &'a str) -> Place<'a> {
    Place { tenant, customer, connection, field: "secret_data" }
}

/// Of the column `account`.
pub(super) fn read_account(row: &Row) -> Result<Option<Account>> {
    row.get::<Option<&str>>("account")?.map(parse).transpose()
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("details"))
}

pub(super) fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable("details"))
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
