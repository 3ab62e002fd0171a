//! Who may call: by a tenant's key ([`tenant_key`]) or by a link's request token (`request_token`).

pub(crate) mod network;
pub mod rejected_keys;
pub(crate) mod request_token;
pub mod tenant_key;
