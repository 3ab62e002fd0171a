{% from "core/body.rs" import members, setters %}
//! The calls whose options are the members of a JSON body.
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
{%- for result in methods | selectattr("body") | map(attribute="result") | sort | unique %}{{ result }}, {% endfor %}};
use crate::request::Request;

{% for method in methods if method.body %}
{% set name = method.name | pascal %}
/// The call `{{ method.snake }}`, sent when it is awaited. Made by
/// [`{{ "Customer" if method.customer else "Client" }}::{{ method.snake }}`](crate::{{ "Customer" if method.customer else "Client" }}::{{ method.snake }}).
#[must_use = "a call does nothing until it is awaited"]
pub struct {{ name }} {
    client: Client,
    request: Result<Request, Error>,
    body: {{ name }}Body,
{% for option in method.options if option.rust == "header" %}
    {{ option.snake }}: Option<String>,
{% endfor %}
    options: CallOptions,
}

/// The body of [`{{ name }}`], named as on the wire.
#[derive(Default, Serialize)]
struct {{ name }}Body {
{{ members(method.options, "") }}
}

impl {{ name }} {
    pub(crate) fn new(client: Client, request: Result<Request, Error>{% for option in method.options if option.rust == "argument" %}, {{ option.snake }}: &str{% endfor %}) -> Self {
        let body = {{ name }}Body { {% for option in method.options if option.rust == "argument" %}{{ option.snake }}: {{ option.snake }}.to_owned(), {% endfor %}..{{ name }}Body::default() };
        Self { client, request, body, {% for option in method.options if option.rust == "header" %}{{ option.snake }}: None, {% endfor %}options: CallOptions::default() }
    }

{{ setters(method.options) }}
    call_options!();

    fn call(self) -> Call<{{ method.result }}> {
        let request = self.request.and_then(|request| request.json(&self.body));
{% for option in method.options if option.type == "fields" %}
        let request = request.map(|request| request.with_secrets(self.body.{{ option.snake }}.unwrap_or_default().into_values()));
{% endfor %}
{% for option in method.options if option.secret %}
        let request = request.map(|request| request.with_secrets(self.body.{{ option.snake }}));
{% endfor %}
{% for option in method.options if option.rust == "header" %}
        let request = match &self.{{ option.snake }} {
            Some(value) => request.and_then(|request| request.{{ option.snake }}(value)),
            None => request,
        };
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
