//! The client, as JavaScript sees it: a call is started by the name of its method, with the number that JavaScript gave
//! it.
//!
//! A malformed e-mail or option is thrown; everything else is delivered through the port.

use std::rc::Rc;

use napi::bindgen_prelude::{Either6, Null, Object, Uint8Array};
use napi::{Env, Error, Result};
use napi_derive::napi;
use pabbly_connect::DEFAULT_BASE_URL;
use pabbly_connect::bindings::{self, Options, PreparedCall, Value, event_json, poll_json};

use crate::outcome::thrown;
use crate::pages::Pages;
use crate::port::{Calls, Port};
use crate::proxy::Exchange;
use crate::queue::Kind;

/// A client of the core.
#[napi]
pub struct Client {
    core: pabbly_connect::Client,
    calls: Rc<Calls>,
}

#[napi]
#[allow(clippy::too_many_arguments, reason = "a call crosses the boundary once")]
impl Client {
    /// Checks the settings. Where `events` is not 0, everything that the client does is told under that number.
    #[napi(constructor)]
    pub fn new(port: &Port, settings: Object<'_>, events: u32) -> Result<Self> {
        let calls = port.calls();
        // What is not given here the core would take from the environment of the process, which a worker need not share.
        let builder = pabbly_connect::Client::builder()
            .api_key("")
            .base_url(DEFAULT_BASE_URL)
            .extra_ca_variable("NODE_EXTRA_CA_CERTS");
        let mut builder =
            bindings::settings(builder, options(Some(settings))?).map_err(|error| thrown(&error))?;
        if events != 0 {
            let queue = calls.queue();
            builder =
                builder.on_event(move |event| queue.push(events, Kind::Event, event_json(event).into()));
        }
        let core = builder.build().map_err(|error| thrown(&error))?;
        Ok(Self { core, calls })
    }

    /// Replaces the key; calls that have begun finish with the old one.
    #[napi]
    pub fn set_api_key(&self, api_key: String) -> Result<()> {
        self.core.set_api_key(api_key).map_err(|error| thrown(&error))
    }

    /// Throws where no customer can have this e-mail.
    #[napi]
    pub fn check_email(&self, email: String) -> Result<()> {
        self.core.customer(&email).map(drop).map_err(|error| thrown(&error))
    }

    /// Starts a call, whose answer is the JSON text that came. Where `polls`, each poll of a wait is told too.
    #[napi]
    pub fn start(
        &self,
        env: Env,
        number: u32,
        method: String,
        email: Option<String>,
        arguments: Vec<String>,
        options: Option<Object<'_>>,
        polls: bool,
    ) -> Result<()> {
        let mut call = self.prepare(&method, email.as_deref(), &arguments, options)?;
        if let PreparedCall::Wait(wait) = call {
            let queue = self.calls.queue();
            call = PreparedCall::Wait(if polls {
                wait.on_poll(move |poll| queue.push(number, Kind::Poll, poll_json(poll).into()))
            } else {
                wait
            });
        }
        self.calls.start(env, number, move || call.json())
    }

    /// All pages of a list, or those of the feed.
    #[napi]
    pub fn pages(
        &self,
        method: String,
        email: Option<String>,
        arguments: Vec<String>,
        options: Option<Object<'_>>,
    ) -> Result<Pages> {
        let pages = self.prepare(&method, email.as_deref(), &arguments, options)?.pages();
        let pages = pages.ok_or_else(|| Error::from_reason(format!("{method} gives no list")))?;
        Ok(Pages::new(pages, self.calls.clone()))
    }

    /// Starts a proxied call, whose answer is the head of the provider's response. The body is whole, or comes
    /// `in_parts`.
    #[napi]
    pub fn proxy(
        &self,
        env: Env,
        number: u32,
        email: String,
        id: String,
        body: Option<Uint8Array>,
        in_parts: bool,
        options: Option<Object<'_>>,
    ) -> Result<Exchange> {
        let options = self::options(options)?;
        let body = body.map(|body| body.to_vec());
        Exchange::start(self.calls.clone(), env, number, body, in_parts, |body| {
            bindings::proxy(&self.core, &email, &id, body, options).map_err(|error| thrown(&error))
        })
    }

    fn prepare(
        &self,
        method: &str,
        email: Option<&str>,
        arguments: &[String],
        options: Option<Object<'_>>,
    ) -> Result<PreparedCall> {
        bindings::prepare(&self.core, method, email, arguments, self::options(options)?)
            .map_err(|error| thrown(&error))
    }
}

/// The value of an option that is an object.
#[napi(object)]
#[allow(unreachable_pub, reason = "napi exports it")]
pub struct JsonText {
    pub json: String,
}

/// Those options that were given.
fn options(object: Option<Object<'_>>) -> Result<Options> {
    let Some(object) = object else {
        return Ok(Options::new());
    };
    let mut options = Options::new();
    for name in Object::keys(&object)? {
        let value = object
            .get::<Either6<bool, f64, String, Vec<String>, JsonText, Null>>(&name)
            .map_err(|_| Error::from_reason(format!("{name} has a value of a wrong type")))?;
        let value = match value {
            None => continue,
            Some(Either6::A(flag)) => Value::Flag(flag),
            Some(Either6::B(number)) => Value::Number(number),
            Some(Either6::C(text)) => Value::Text(text),
            Some(Either6::D(texts)) => Value::Texts(texts),
            Some(Either6::E(JsonText { json })) => Value::Object(json),
            Some(Either6::F(Null)) => Value::Null,
        };
        options.push((name, value));
    }
    Ok(options)
}
