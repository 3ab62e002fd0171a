//! `POST /organizations/{organizationId}/admin-link`: a way for one of its people to its OAuth clients.

use axum::extract::State;
use serde::Serialize;

use super::labels::MAX_LENGTH;
use crate::auth::tenant_key::Customer;
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::OrganizationId;
use crate::ids;
use crate::state::AppState;
use crate::store::Organization;

#[derive(Serialize)]
pub(super) struct AdminLinkView {
    admin_link: String,
    expires_at: String,
}

pub(super) async fn create(
    State(app): State<AppState>,
    Customer(owner): Customer,
    OrganizationId(id): OrganizationId,
    body: Body,
) -> Result<Success<AdminLinkView>, ApiError> {
    body.only(&["name"])?;
    let id = id.unwrap_or_default();
    let name = body.line("name", MAX_LENGTH)?.unwrap_or_else(|| id.clone());
    let secret = ids::secret();
    let organization = Organization { id, name, role: None };
    let expires_at = app.store.create_admin_link(&owner, &organization, &secret).await?;
    Ok(Success::new(AdminLinkView {
        admin_link: format!("{}/admin/{secret}", app.base_url()),
        expires_at: rfc3339(expires_at),
    }))
}
