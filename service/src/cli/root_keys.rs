//! `connect-service root-key`.

use clap::Subcommand;
use connect_service::state::SetupError;
use connect_service::store::{RootKeyRemoval, Store};

use super::Output;
use super::output::time;

#[derive(Subcommand)]
pub(crate) enum RootKeyCommand {
    /// List the root keys that the database knows or the configuration has, and what each seals.
    List,
    /// Seal all data keys with this root key, while the service runs. Every process must have it before. What was interrupted
    /// goes on where it was.
    Rotate {
        /// The root key's id, from the configuration.
        id: String,
    },
    /// Forget a root key that seals nothing any more. Take it out of the configuration afterwards.
    Remove {
        /// The root key's id, from the list.
        id: String,
    },
}

pub(crate) async fn root_keys(
    store: &Store,
    command: RootKeyCommand,
    output: Output,
) -> Result<(), SetupError> {
    match command {
        RootKeyCommand::List => {
            let listed = store.root_keys().await?.into_iter().map(|key| {
                [
                    key.id.into(),
                    key.is_active.into(),
                    key.is_configured.into(),
                    key.data_keys.into(),
                    key.values.into(),
                    time(key.created_at),
                ]
            });
            output.table(["id", "active", "configured", "data_keys", "values", "created_at"], listed)
        }
        RootKeyCommand::Rotate { id } => {
            let rotation = store.rotate_root_key(&id).await?;
            let row = [rotation.made, rotation.data_keys, rotation.values, rotation.unreadable];
            let columns = ["data_keys_made", "data_keys_resealed", "values_resealed", "values_unreadable"];
            output.table(columns, [row.map(Into::into)])
        }
        RootKeyCommand::Remove { id } => match store.remove_root_key(&id).await? {
            RootKeyRemoval::Removed => Ok(()),
            RootKeyRemoval::Unknown => Err("the database knows no such root key".into()),
            RootKeyRemoval::Active => {
                Err("it seals the data keys of new tenants: rotate to another one first".into())
            }
            RootKeyRemoval::InUse { data_keys, values } => Err(format!(
                "it still seals {data_keys} data keys and {values} values: rotate to another one first"
            )
            .into()),
        },
    }
}
