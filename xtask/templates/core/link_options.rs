{% from "core/body.rs" import members, setters %}
{% set method = methods | selectattr("name", "eq", "createRequestLink") | first %}
//! The options of `createRequestLink`.
//!
//! {{ generated }}

use serde::Serialize;
use serde_json::{Map, Value};

use super::CreateRequestLink;

/// The body of the call, named as on the wire.
#[derive(Default, Serialize)]
pub(super) struct Body {
{{ members(method.options, "pub(super) ") }}
}

impl CreateRequestLink {
{{ setters(method.options) }}
}
