//! The client: settings in, calls out, all by name.

use std::collections::HashMap;
use std::sync::Arc;

use pabbly_connect::bindings::{self, PreparedCall, ProxyResponse, Value};
use pabbly_connect::{ExposeSecret, ProxyBody};

use crate::events::Listener;
use crate::failure::Failure;
use crate::pages::{List, Pages};
use crate::proxy::{BodySender, Response};
use crate::run::Cancellation;
use crate::token::Token;

/// The value of an option.
#[derive(Debug, uniffi::Enum)]
pub(crate) enum OptionValue {
    /// A boolean.
    Flag { flag: bool },
    /// A whole number.
    Integer { integer: i64 },
    /// A number, such as that of the seconds of a duration.
    Number { number: f64 },
    /// A string.
    Text { text: String },
    /// Several strings.
    Texts { texts: Vec<String> },
    /// An object, as JSON text.
    Object { json: String },
    /// A token that was vended.
    Token { token: Arc<Token> },
    /// Nothing, which removes what was there.
    Null,
}

impl From<OptionValue> for Value {
    fn from(value: OptionValue) -> Self {
        match value {
            OptionValue::Flag { flag } => Self::Flag(flag),
            OptionValue::Integer { integer } => Self::Integer(integer),
            OptionValue::Number { number } => Self::Number(number),
            OptionValue::Text { text } => Self::Text(text),
            OptionValue::Texts { texts } => Self::Texts(texts),
            OptionValue::Object { json } => Self::Object(json),
            OptionValue::Token { token } => Self::Token(Box::new(token.core().clone())),
            OptionValue::Null => Self::Null,
        }
    }
}

/// Those options that were given.
type Options = HashMap<String, OptionValue>;

fn given(options: Options) -> bindings::Options {
    options.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// A client of the core.
#[derive(uniffi::Object)]
pub(crate) struct Client(pabbly_connect::Client);

impl Client {
    fn prepare(
        &self,
        method: &str,
        email: Option<&str>,
        arguments: &[String],
        options: Options,
    ) -> Result<PreparedCall, Failure> {
        Ok(bindings::prepare(&self.0, method, email, arguments, given(options))?)
    }
}

#[uniffi::export]
impl Client {
    #[uniffi::constructor]
    fn new(settings: Options, listener: Option<Box<dyn Listener>>) -> Result<Self, Failure> {
        let mut builder = bindings::settings(pabbly_connect::Client::builder(), given(settings))?;
        if let Some(listener) = listener {
            builder = builder.on_event(move |event| listener.tell(bindings::event_json(event)));
        }
        Ok(Self(builder.build()?))
    }

    fn set_api_key(&self, api_key: String) -> Result<(), Failure> {
        Ok(self.0.set_api_key(api_key)?)
    }

    /// Throws where the address could not be a customer's.
    fn check_email(&self, email: &str) -> Result<(), Failure> {
        Ok(self.0.customer(email).map(drop)?)
    }

    /// Makes a call and gives the JSON text that came; the listener is told of the polls of a wait.
    async fn json(
        &self,
        method: &str,
        email: Option<String>,
        arguments: Vec<String>,
        options: Options,
        listener: Option<Box<dyn Listener>>,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let mut call = self.prepare(method, email.as_deref(), &arguments, options)?;
        if let PreparedCall::Wait(wait) = call {
            call = PreparedCall::Wait(match listener {
                Some(listener) => wait.on_poll(move |poll| listener.tell(bindings::poll_json(poll))),
                None => wait,
            });
        }
        let json = cancellation.guard(call.json()).await?;
        Ok(json.expose_secret().to_owned())
    }

    /// Makes a call that gives a credential.
    async fn token(
        &self,
        method: &str,
        email: String,
        arguments: Vec<String>,
        options: Options,
        cancellation: Arc<Cancellation>,
    ) -> Result<Arc<Token>, Failure> {
        match self.prepare(method, Some(&email), &arguments, options)? {
            PreparedCall::Token(call) => {
                let token = cancellation.guard(async move { call.await }).await?;
                Ok(Arc::new(Token::new(token)))
            }
            _ => Err(Failure::broken("the method gives no token")),
        }
    }

    /// Makes a proxied call. Its body is whole, or comes from a sender.
    async fn proxy(
        &self,
        email: String,
        id: String,
        body: Option<Vec<u8>>,
        sender: Option<Arc<BodySender>>,
        options: Options,
        cancellation: Arc<Cancellation>,
    ) -> Result<Arc<Response>, Failure> {
        let body = match sender {
            Some(sender) => sender.body(),
            None => body.map_or_else(ProxyBody::default, ProxyBody::from),
        };
        let call = bindings::proxy(&self.0, &email, &id, body, given(options))?;
        Ok(Response::new(cancellation.guard(ProxyResponse::of(call)).await?))
    }

    /// A list, of which nothing is sent yet.
    fn list(&self, method: &str, email: Option<String>, options: Options) -> Result<Arc<List>, Failure> {
        match self.prepare(method, email.as_deref(), &[], options)? {
            PreparedCall::List(list) => Ok(List::new(list)),
            _ => Err(Failure::broken("the method gives no list")),
        }
    }

    /// The feed, of which nothing is sent yet.
    fn feed(&self, method: &str, options: Options) -> Result<Arc<Pages>, Failure> {
        let pages = self.prepare(method, None, &[], options)?.pages();
        Ok(Pages::new(pages.ok_or_else(|| Failure::broken("the method gives no feed"))?))
    }
}

/// Throws where a request is no webhook. `received_at` is in seconds since 1970.
#[uniffi::export]
fn verify_webhook(
    headers: HashMap<String, String>,
    body: &[u8],
    secrets: Vec<String>,
    received_at: Option<f64>,
) -> Result<(), Failure> {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(bindings::verify_webhook(headers, body, &secrets, received_at)?)
}
