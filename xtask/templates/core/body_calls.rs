{% from "core/body.rs" import members, setters, types %}
//! The calls whose options are the members of a JSON body, or of a query.
//!
//! {{ generated }}

use std::collections::BTreeMap;
use std::future::IntoFuture;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Call, CallOptions, Pending, call_options};
use crate::client::Client;
use crate::error::Error;
use crate::model::{
{%- for result in methods | selectattr("body") | map(attribute="result") | sort | unique %}{{ result }}, {% endfor %}
{%- for method in methods if method.body %}{% for option in method.options if option.word %}{{ option.word }}, {% endfor %}{% endfor %}};
use crate::request::Request;

{% for method in methods if method.body %}
{% set name = method.name | pascal %}
{% set apart = method.options | selectattr("rust", "in", ["header", "query"]) | list %}
{% set in_body = method.options | length > apart | length %}
/// The call `{{ method.snake }}`, sent when it is awaited. Made by
/// [`{{ "Customer" if method.customer else "Client" }}::{{ method.snake }}`](crate::{{ "Customer" if method.customer else "Client" }}::{{ method.snake }}).
#[must_use = "a call does nothing until it is awaited"]
pub struct {{ name }} {
    client: Client,
    request: Result<Request, Error>,
{% if in_body %}
    body: {{ name }}Body,
{% endif %}
{% for option in apart %}
    {{ option.snake }}: Option<{{ types[option.type] }}>,
{% endfor %}
    options: CallOptions,
}

{% if in_body %}
/// The body of [`{{ name }}`], named as on the wire.
#[derive(Default, Serialize)]
struct {{ name }}Body {
{{ members(method.options, "") }}
}

{% endif %}
impl {{ name }} {
    pub(crate) fn new(client: Client, request: Result<Request, Error>{% for option in method.options if option.rust == "argument" %}, {{ option.snake }}: &str{% endfor %}) -> Self {
{% if in_body %}
        let body = {{ name }}Body { {% for option in method.options if option.rust == "argument" %}{{ option.snake }}: {{ option.snake }}.to_owned(), {% endfor %}..{{ name }}Body::default() };
{% endif %}
        Self { client, request, {{ "body, " if in_body }}{% for option in apart %}{{ option.snake }}: None, {% endfor %}options: CallOptions::default() }
    }

{{ setters(method.options) }}
    call_options!();

    fn call(self) -> Call<{{ method.result }}> {
{% if in_body %}
        let request = self.request.and_then(|request| request.json(&self.body));
{% else %}
        let request = self.request;
{% endif %}
{% for option in method.options if option.type == "fields" %}
        let request = request.map(|request| request.with_secrets(self.body.{{ option.snake }}.unwrap_or_default().into_values()));
{% endfor %}
{% for option in method.options if option.secret %}
        let request = request.map(|request| request.with_secrets({{ "[" if option.required }}self.body.{{ option.snake }}{{ "]" if option.required }}));
{% endfor %}
{% for option in method.options if option.rust == "header" %}
        let request = match &self.{{ option.snake }} {
            Some(value) => request.and_then(|request| request.{{ option.snake }}(value)),
            None => request,
        };
{% endfor %}
{% for option in method.options if option.rust == "query" %}
        let request = request.map(|request| request.query("{{ option.snake }}", self.{{ option.snake }}));
{% endfor %}
        Call::new(self.client, request).options(self.options)
    }

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        self.call().json().await
    }
}

impl IntoFuture for {{ name }} {
    type Output = Result<{{ method.result }}, Error>;
    type IntoFuture = Pending<{{ method.result }}>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

{% endfor %}
