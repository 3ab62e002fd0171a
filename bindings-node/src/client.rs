//! The client, as JavaScript sees it: each method starts a call with the number that JavaScript gave it.
//!
//! A malformed e-mail or option is thrown; everything else is delivered through the port.

use std::rc::Rc;

use napi::{Env, Result};
use napi_derive::napi;
use pabbly_connect::{App, Connection, Customer, List};

use crate::events::{event_json, poll_json};
use crate::options::{AppQuery, ConnectionQuery, LinkRequest, Options, Settings, WaitOptions};
use crate::outcome::thrown;
use crate::pages::{Pages, Source};
use crate::port::{Calls, Port};
use crate::queue::Kind;

/// A client of the core.
#[napi]
pub struct Client {
    core: pabbly_connect::Client,
    calls: Rc<Calls>,
}

#[napi]
impl Client {
    /// Checks the settings. Where `events` is not 0, everything that the client does is told under that number.
    #[napi(constructor)]
    pub fn new(port: &Port, settings: Settings, events: u32) -> Result<Self> {
        let calls = port.calls();
        let mut builder = settings.builder()?;
        if events != 0 {
            let queue = calls.queue();
            builder = builder.on_event(move |event| {
                if let Some(json) = event_json(event) {
                    queue.push(events, Kind::Event, json.into());
                }
            });
        }
        let core = builder.build().map_err(|error| thrown(&error))?;
        Ok(Self { core, calls })
    }

    /// Exchanges the key; calls that have begun finish with the old one.
    #[napi]
    pub fn set_api_key(&self, api_key: String) -> Result<()> {
        self.core.set_api_key(api_key).map_err(|error| thrown(&error))
    }

    /// Throws where no customer can have this e-mail.
    #[napi]
    pub fn check_email(&self, email: String) -> Result<()> {
        self.customer(&email).map(drop)
    }

    /// The answer is one page of the catalogue.
    #[napi]
    pub fn list_apps(
        &self,
        env: Env,
        call: u32,
        query: Option<AppQuery>,
        options: Option<Options>,
    ) -> Result<()> {
        let list = self.apps(query, options)?;
        self.calls.start(env, call, move || list.json())
    }

    /// All pages of the catalogue.
    #[napi]
    pub fn app_pages(&self, query: Option<AppQuery>, options: Option<Options>) -> Result<Pages> {
        let pages = self.apps(query, options)?.pages();
        Ok(Pages::new(Source::Apps(pages), self.calls.clone()))
    }

    /// The answer is one app.
    #[napi]
    pub fn get_app(&self, env: Env, call: u32, id: String, options: Option<Options>) -> Result<()> {
        let request = self.core.get_app(&id).options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    /// The answer is a request link.
    #[napi]
    pub fn create_request_link(
        &self,
        env: Env,
        call: u32,
        email: String,
        request: LinkRequest,
        options: Option<Options>,
    ) -> Result<()> {
        let request = request
            .call(&self.customer(&email)?)?
            .options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    /// The answer is a connection.
    #[napi]
    pub fn get_connection(
        &self,
        env: Env,
        call: u32,
        email: String,
        id: String,
        options: Option<Options>,
    ) -> Result<()> {
        let request = self
            .customer(&email)?
            .get_connection(&id)
            .options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    /// The answer is a connection that is no longer pending. Where `polls`, each poll before is told too.
    #[napi]
    pub fn wait_for_connection(
        &self,
        env: Env,
        call: u32,
        email: String,
        id: String,
        options: Option<WaitOptions>,
        polls: bool,
    ) -> Result<()> {
        let wait = self.customer(&email)?.wait_for_connection(&id);
        let mut wait = options.unwrap_or_default().apply(wait)?;
        if polls {
            let queue = self.calls.queue();
            wait = wait.on_poll(move |poll| queue.push(call, Kind::Poll, poll_json(poll).into()));
        }
        self.calls.start(env, call, move || wait.json())
    }

    /// The answer is a connection that is active.
    #[napi]
    pub fn confirm_connection(
        &self,
        env: Env,
        call: u32,
        email: String,
        id: String,
        code: String,
        options: Option<Options>,
    ) -> Result<()> {
        let request = self
            .customer(&email)?
            .confirm_connection(&id, &code)
            .options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    /// The answer is a token.
    #[napi]
    pub fn get_token(
        &self,
        env: Env,
        call: u32,
        email: String,
        id: String,
        options: Option<Options>,
    ) -> Result<()> {
        let request = self
            .customer(&email)?
            .get_token(&id)
            .options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    /// The answer is one page of the customer's connections.
    #[napi]
    pub fn list_connections(
        &self,
        env: Env,
        call: u32,
        email: String,
        query: Option<ConnectionQuery>,
        options: Option<Options>,
    ) -> Result<()> {
        let list = self.connections(&email, query, options)?;
        self.calls.start(env, call, move || list.json())
    }

    /// All pages of the customer's connections.
    #[napi]
    pub fn connection_pages(
        &self,
        email: String,
        query: Option<ConnectionQuery>,
        options: Option<Options>,
    ) -> Result<Pages> {
        let pages = self.connections(&email, query, options)?.pages();
        Ok(Pages::new(Source::Connections(pages), self.calls.clone()))
    }

    /// The answer is null.
    #[napi]
    pub fn delete_connection(
        &self,
        env: Env,
        call: u32,
        email: String,
        id: String,
        options: Option<Options>,
    ) -> Result<()> {
        let request = self
            .customer(&email)?
            .delete_connection(&id)
            .options(Options::convert(options)?);
        self.calls.start(env, call, move || request.json())
    }

    fn customer(&self, email: &str) -> Result<Customer> {
        self.core.customer(email).map_err(|error| thrown(&error))
    }

    fn apps(&self, query: Option<AppQuery>, options: Option<Options>) -> Result<List<App>> {
        let list = self.core.list_apps().options(Options::convert(options)?);
        query.unwrap_or_default().narrow(list)
    }

    fn connections(
        &self,
        email: &str,
        query: Option<ConnectionQuery>,
        options: Option<Options>,
    ) -> Result<List<Connection>> {
        let list = self
            .customer(email)?
            .list_connections()
            .options(Options::convert(options)?);
        query.unwrap_or_default().narrow(list)
    }
}
