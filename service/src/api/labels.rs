//! What a tenant may say of a connection: its name, labels for the customer, and metadata.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::extract::body::Body;
use crate::store::{ConnectionUpdate, Labels};

/// Characters of a name, and of a label.
pub(super) const MAX_LENGTH: usize = 200;
/// Bytes, as JSON without white space.
const MAX_METADATA: usize = 16 * 1024;
/// Objects and lists within each other, the metadata itself included.
const MAX_METADATA_DEPTH: usize = 8;

/// What the body of a new link says.
pub(super) fn read_labels(body: &Body) -> Result<Labels, ApiError> {
    Ok(Labels {
        customer_id: body.line("customer_id", MAX_LENGTH)?,
        customer_name: body.line("customer_name", MAX_LENGTH)?,
        metadata: metadata(body)?,
    })
}

/// What the body of `PATCH /connections/{id}` says.
pub(super) fn read_update(body: &Body) -> Result<ConnectionUpdate, ApiError> {
    body.only(&["name", "customer_id", "customer_name", "metadata"])?;
    Ok(ConnectionUpdate {
        name: body.line("name", MAX_LENGTH)?,
        customer_id: body.nullable_line("customer_id", MAX_LENGTH)?,
        customer_name: body.nullable_line("customer_name", MAX_LENGTH)?,
        metadata: metadata(body)?,
    })
}

fn metadata(body: &Body) -> Result<Option<Map<String, Value>>, ApiError> {
    body.object("metadata", MAX_METADATA, MAX_METADATA_DEPTH)
}
