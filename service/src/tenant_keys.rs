//! Making and replacing a tenant's keys, for the API and the dashboard alike: the owners are told, and no key makes one
//! that opens more than itself.

use crate::error::ApiError;
use crate::notices::{self, Change};
use crate::state::Service;
use crate::store::{Actor, Capability, Generation, MAX_LIVE_KEYS, NewKey, Rotation};

/// A key that was made, given here and never again.
pub(crate) struct GeneratedKey {
    pub(crate) id: String,
    pub(crate) key: String,
}

/// Makes a key.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] where there are too many.
pub(crate) async fn generate(service: &Service, new: &NewKey<'_>) -> Result<GeneratedKey, ApiError> {
    let members = service.store.members(new.tenant).await?;
    let (id, key) = match service.store.generate_key(new).await? {
        Generation::Generated { id, key } => (id, key),
        Generation::TooMany => return Err(too_many()),
        Generation::Unknown => return Err(ApiError::InvalidApiKey),
    };
    let change = Change::KeyCreated { name: new.name, capabilities: new.capabilities };
    notices::tell(service, new.tenant, &members, change, &by(new.actor)).await;
    Ok(GeneratedKey { id, key })
}

/// Makes a key's successor.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn rotate(
    service: &Service,
    tenant: &str,
    id: &str,
    actor: Actor<'_>,
) -> Result<Rotation, ApiError> {
    let members = service.store.members(tenant).await?;
    let rotation = service.store.rotate_key(tenant, id, actor).await?;
    if let Rotation::Rotated { replaces, .. } = &rotation {
        notices::tell(service, tenant, &members, Change::KeyRotated(replaces), &by(actor)).await;
    }
    Ok(rotation)
}

/// The refusal of a key beyond [`MAX_LIVE_KEYS`].
pub(crate) fn too_many() -> ApiError {
    ApiError::invalid(format!("The tenant has {MAX_LIVE_KEYS} keys: revoke one first"))
}

/// Whether a key that opens `own` may make one that opens `wanted`.
///
/// # Errors
///
/// [`ApiError::CapabilityDisabled`] with the first capability that it lacks.
pub(crate) fn check_capabilities(own: &[Capability], wanted: &[Capability]) -> Result<(), ApiError> {
    match wanted.iter().find(|one| !own.contains(one)) {
        None => Ok(()),
        Some(missing) => Err(ApiError::CapabilityDisabled(*missing)),
    }
}

/// Capabilities in their usual order, each once.
pub(crate) fn in_order(wanted: &[Capability]) -> Vec<Capability> {
    Capability::ALL.into_iter().filter(|one| wanted.contains(one)).collect()
}

fn by(actor: Actor<'_>) -> String {
    match actor {
        Actor::Key(id) => format!("the key {id}"),
        Actor::Account(email) => email.to_owned(),
        Actor::CommandLine | Actor::Customer => "the operator".to_owned(),
    }
}
