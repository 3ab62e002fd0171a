//! What handlers take out of a request, checked: the body, single headers, ids in paths, query parameters.

pub(crate) mod body;
pub(crate) mod form;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod web_address;
