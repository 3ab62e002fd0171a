//! Calls and options by name.
//!
//! {{ generated }}

use secrecy::SecretString;

use super::value::{Options, Value};
use crate::call::{Call, CallOptions, Empty, Pending};
use crate::client::{Client, ClientBuilder};
use crate::error::Error;
use crate::events::{EventPages, Events};
use crate::list::{List, Pages};
use crate::model::{App, Connection};
use crate::token::Token;
use crate::wait::Wait;

{% macro pattern(option) -%}
{% for name in option.spellings %}"{{ name }}"{% if not loop.last %} | {% endif %}{% endfor %}
{%- endmacro %}
{% macro arms(options, target) -%}
{% for option in options if option.type == "clearable" %}
                    {{ pattern(option) }} => {{ target }} = match value {
                        Value::Null => {{ target }}.clear_{{ option.snake }}(),
                        value => {{ target }}.{{ option.snake }}(value.text(&name)?),
                    },
{% endfor %}
                    _ if matches!(value, Value::Null) => {}
{% for option in options if option.rust != "argument" and option.type != "clearable" %}
                    {{ pattern(option) }} => {{ target }} = {{ target }}.{{ option.snake }}({{ "&" if option.type == "token" }}value.{{ option.type }}(&name)?{{ ".into()" if option.word }}),
{% endfor %}
{%- endmacro %}
/// A call that is ready to be sent.
pub enum PreparedCall {
    /// Whatever gives one model, as the JSON text that came.
    Model(Pending<SecretString>),
    /// `waitForConnection`
    Wait(Wait),
    /// `getToken`
    Token(Call<Token>),
    /// Whatever gives a list.
    List(AnyList),
    /// `events`
    Feed(Events),
    /// Whatever gives nothing.
    Nothing(Call<Empty>),
}

impl PreparedCall {
    /// Sends the call and gives the response's `data` as the JSON text that came.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json(self) -> Result<SecretString, Error> {
        match self {
            Self::Model(call) => call.await,
            Self::Wait(wait) => wait.json().await,
            Self::Token(call) => call.json().await,
            Self::List(list) => list.json().await,
            Self::Feed(events) => Ok(events.pages().next_json().await?.unwrap_or_default()),
            Self::Nothing(call) => call.json().await,
        }
    }

    /// What is gone through page by page; `None` for any other call.
    pub fn pages(self) -> Option<AnyPages> {
        match self {
            Self::List(list) => Some(list.pages()),
            Self::Feed(events) => Some(AnyPages::Event(events.pages())),
            _ => None,
        }
    }
}

/// Makes a call ready by the name of its method.
///
/// # Errors
/// Where the e-mail or an option is refused, or where there is no such method or option.
pub fn prepare(
    client: &Client,
    method: &str,
    email: Option<&str>,
    arguments: &[String],
    options: Options,
) -> Result<PreparedCall, Error> {
    let customer = || client.customer(email.unwrap_or_default());
    let argument = |index| arguments.get(index).map_or("", String::as_str);
    Ok(match method {
{% for method in methods if not method.local and not method.proxy %}
{% set owner = "customer" if method.customer else "client" %}
        "{{ method.name }}" => {
    {% if method.customer %}
            let customer = customer()?;
    {% endif %}
    {% for option in method.options if option.rust == "argument" %}
        {% if loop.first %}
            let mut options = options;
        {% endif %}
            let {{ option.snake }} = take(&mut options, &[{% for name in option.spellings %}"{{ name }}",{% endfor %}]);
        {% if option.required %}
            let {{ option.snake }} = {{ option.snake }}.ok_or_else(|| Error::invalid_argument("{{ option.snake }} is missing"))?.text("{{ option.snake }}")?;
        {% else %}
            let {{ option.snake }} = {{ option.snake }}.map_or(Ok(String::new()), |value| value.text("{{ option.snake }}"))?;
        {% endif %}
    {% endfor %}
            let {% if method.options %}mut {% endif %}call = {{ owner }}.{{ method.snake }}({% for argument in method.arguments %}argument({{ loop.index0 }}),{% endfor %}{% for option in method.options if option.rust == "argument" %}&{{ option.snake }},{% endfor %});
    {% if method.options %}
        {% if not method.wait %}
            let mut shared = CallOptions::default();
        {% endif %}
            for (name, value) in options {
                match name.as_str() {
{{ arms(method.options, "call") }}                    _ => {{ "return Err(unknown(&name))" if method.wait else "call_option(&mut shared, &name, value)?" }},
                }
            }
    {% else %}
            let mut shared = CallOptions::default();
            for (name, value) in options {
                call_option(&mut shared, &name, value)?;
            }
    {% endif %}
    {% set call = "call" if method.wait else "call.options(shared)" %}
            PreparedCall::{{ method.variant }}({% if method.list %}AnyList::{{ method.list }}({{ call }}){% elif method.variant == "Model" %}Box::pin({{ call }}.json()){% else %}{{ call }}{% endif %})
        }
{% endfor %}
        _ => return Err(Error::invalid_argument(format!("there is no method {method}"))),
    })
}

/// Applies the settings of a client.
///
/// # Errors
/// Where a setting is refused, or where there is none of that name.
pub fn settings(mut builder: ClientBuilder, settings: Options) -> Result<ClientBuilder, Error> {
    for (name, value) in settings {
        match name.as_str() {
{{ arms(clientOptions, "builder") }}            _ => return Err(unknown(&name)),
        }
    }
    Ok(builder)
}

pub(super) fn call_option(options: &mut CallOptions, name: &str, value: Value) -> Result<(), Error> {
    match name {
        _ if matches!(value, Value::Null) => {}
{% for option in callOptions %}
        {{ pattern(option) }} => options.{{ option.snake }} = Some(value.{{ option.type }}(name)?),
{% endfor %}
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// Takes an option out of the others, where it was given.
fn take(options: &mut Options, spellings: &[&str]) -> Option<Value> {
    let index = options.iter().position(|(name, _)| spellings.contains(&name.as_str()))?;
    Some(options.swap_remove(index).1).filter(|value| !matches!(value, Value::Null))
}

fn unknown(name: &str) -> Error {
    Error::invalid_argument(format!("there is no option {name} here"))
}

/// A list of any kind.
pub enum AnyList {
{% for model in lists %}
    /// Of `{{ model.list }}`.
    {{ model.name }}(List<{{ model.name }}>),
{% endfor %}
}

impl AnyList {
    /// Sends the call and gives the page as the JSON text that came.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json(self) -> Result<SecretString, Error> {
        match self {
{% for model in lists %}
            Self::{{ model.name }}(list) => list.json().await,
{% endfor %}
        }
    }

    /// The same with the pages that follow.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn json_and_rest(self) -> Result<(SecretString, AnyPages), Error> {
        match self {
{% for model in lists %}
            Self::{{ model.name }}(list) => {
                let (json, rest) = list.json_and_rest().await?;
                Ok((json, AnyPages::{{ model.name }}(rest)))
            }
{% endfor %}
        }
    }

    /// All pages, beginning with the one that was asked for.
    pub fn pages(self) -> AnyPages {
        match self {
{% for model in lists %}
            Self::{{ model.name }}(list) => AnyPages::{{ model.name }}(list.pages()),
{% endfor %}
        }
    }
}

/// The pages of a list of any kind, or of the feed.
pub enum AnyPages {
{% for model in lists %}
    /// Of `{{ model.list }}`.
    {{ model.name }}(Pages<{{ model.name }}>),
{% endfor %}
    /// Of `events`.
    Event(EventPages),
}

impl AnyPages {
    /// The next page as the JSON text that came; `None` at the end.
    ///
    /// # Errors
    /// Whatever the call gives.
    pub async fn next_json(&mut self) -> Result<Option<SecretString>, Error> {
        match self {
{% for model in lists %}
            Self::{{ model.name }}(pages) => pages.next_json().await,
{% endfor %}
            Self::Event(pages) => pages.next_json().await,
        }
    }
}
