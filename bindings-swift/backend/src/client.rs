//! The client: settings in, calls out.

use std::sync::Arc;

use pabbly_connect::{Customer, ExposeSecret, SecretString};

use crate::events::{Listener, PollListener, tell, told};
use crate::failure::Failure;
use crate::options::{CallOptions, seconds, whole};
use crate::pages::{Kind, List};
use crate::run::Cancellation;
use crate::token::Token;

/// A client of the core.
#[derive(uniffi::Object)]
pub(crate) struct Client(pabbly_connect::Client);

/// What a link is made with, beside its customer.
#[derive(Debug, uniffi::Record)]
pub(crate) struct Link {
    app_id: Option<String>,
    name: String,
    connection_id: Option<String>,
    auth_option_key: Option<String>,
    allowed_apps: Option<Vec<String>>,
    return_url: Option<String>,
    allowed_origin: Option<String>,
    display_name: Option<String>,
    /// Seconds.
    expires_in: Option<f64>,
    allow_multiple_connections: Option<bool>,
    scopes: Option<Vec<String>>,
    confirm: Option<bool>,
    idempotency_key: Option<String>,
}

fn text(json: &SecretString) -> String {
    json.expose_secret().to_owned()
}

impl Client {
    fn customer(&self, email: &str) -> Result<Customer, Failure> {
        Ok(self.0.customer(email)?)
    }
}

#[uniffi::export]
impl Client {
    #[uniffi::constructor]
    #[expect(clippy::too_many_arguments, reason = "they have defaults in Swift")]
    fn new(
        api_key: Option<String>,
        base_url: Option<String>,
        max_retries: Option<i64>,
        timeout: Option<f64>,
        backoff: Option<f64>,
        allow_insecure_http: bool,
        proxy: Option<String>,
        ca_certificates: Option<String>,
        user_agent: Option<String>,
        requests_per_minute: Option<i64>,
        listener: Option<Box<dyn Listener>>,
    ) -> Result<Self, Failure> {
        let own = concat!("pabbly-connect-swift/", env!("CARGO_PKG_VERSION"));
        let product = user_agent.map_or_else(|| own.to_owned(), |product| format!("{product} {own}"));
        let mut builder = pabbly_connect::Client::builder()
            .allow_insecure_http(allow_insecure_http)
            .user_agent(product);
        if let Some(key) = api_key {
            builder = builder.api_key(key);
        }
        if let Some(url) = base_url {
            builder = builder.base_url(url);
        }
        if let Some(retries) = whole("maxRetries", max_retries)? {
            builder = builder.max_retries(retries);
        }
        if let Some(timeout) = seconds("timeout", timeout)? {
            builder = builder.timeout(timeout);
        }
        if let Some(backoff) = seconds("backoff", backoff)? {
            builder = builder.backoff(backoff);
        }
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = ca_certificates {
            builder = builder.ca_certificates(pem);
        }
        if let Some(requests) = whole("requestsPerMinute", requests_per_minute)? {
            builder = builder.requests_per_minute(requests);
        }
        if let Some(listener) = listener {
            builder = builder.on_event(move |event| tell(&*listener, event));
        }
        Ok(Self(builder.build()?))
    }

    fn set_api_key(&self, api_key: String) -> Result<(), Failure> {
        Ok(self.0.set_api_key(api_key)?)
    }

    /// Throws where the address could not be a customer's.
    fn check_email(&self, email: &str) -> Result<(), Failure> {
        self.customer(email).map(drop)
    }

    fn list_apps(
        &self,
        search: Option<String>,
        page: Option<i64>,
        limit: Option<i64>,
        options: &CallOptions,
    ) -> Result<Arc<List>, Failure> {
        let mut list = self.0.list_apps().options(options.core()?);
        if let Some(search) = search {
            list = list.search(search);
        }
        if let Some(page) = whole("page", page)? {
            list = list.page(page);
        }
        if let Some(limit) = whole("limit", limit)? {
            list = list.limit(limit);
        }
        Ok(List::new(Kind::Apps(list)))
    }

    async fn get_app(
        &self,
        app_id: &str,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let call = self.0.get_app(app_id).options(options.core()?);
        Ok(text(&cancellation.guard(call.json()).await?))
    }

    async fn create_request_link(
        &self,
        email: &str,
        link: Link,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let customer = self.customer(email)?;
        let app_id = link.app_id.unwrap_or_default();
        let mut call = customer
            .create_request_link(&app_id, &link.name)
            .options(options.core()?);
        if let Some(id) = link.connection_id {
            call = call.connection_id(id);
        }
        if let Some(key) = link.auth_option_key {
            call = call.auth_option_key(key);
        }
        if let Some(ids) = link.allowed_apps {
            call = call.allowed_apps(ids);
        }
        if let Some(url) = link.return_url {
            call = call.return_url(url);
        }
        if let Some(origin) = link.allowed_origin {
            call = call.allowed_origin(origin);
        }
        if let Some(name) = link.display_name {
            call = call.display_name(name);
        }
        if let Some(life) = seconds("expiresIn", link.expires_in)? {
            call = call.expires_in(life);
        }
        if let Some(allow) = link.allow_multiple_connections {
            call = call.allow_multiple_connections(allow);
        }
        if let Some(scopes) = link.scopes {
            call = call.scopes(scopes);
        }
        if let Some(confirm) = link.confirm {
            call = call.confirm(confirm);
        }
        if let Some(key) = link.idempotency_key {
            call = call.idempotency_key(key);
        }
        Ok(text(&cancellation.guard(call.json()).await?))
    }

    async fn get_connection(
        &self,
        email: &str,
        id: &str,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let call = self.customer(email)?.get_connection(id).options(options.core()?);
        Ok(text(&cancellation.guard(call.json()).await?))
    }

    async fn confirm_connection(
        &self,
        email: &str,
        id: &str,
        code: &str,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let call = self
            .customer(email)?
            .confirm_connection(id, code)
            .options(options.core()?);
        Ok(text(&cancellation.guard(call.json()).await?))
    }

    async fn wait_for_connection(
        &self,
        email: &str,
        id: &str,
        interval: Option<f64>,
        timeout: Option<f64>,
        listener: Option<Box<dyn PollListener>>,
        cancellation: Arc<Cancellation>,
    ) -> Result<String, Failure> {
        let mut wait = self.customer(email)?.wait_for_connection(id);
        if let Some(interval) = seconds("interval", interval)? {
            wait = wait.interval(interval);
        }
        if let Some(timeout) = seconds("timeout", timeout)? {
            wait = wait.timeout(timeout);
        }
        if let Some(listener) = listener {
            wait = wait.on_poll(move |poll| told(&*listener, poll));
        }
        Ok(text(&cancellation.guard(wait.json()).await?))
    }

    async fn get_token(
        &self,
        email: &str,
        id: &str,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<Arc<Token>, Failure> {
        let call = self.customer(email)?.get_token(id).options(options.core()?);
        let token = cancellation.guard(async move { call.await }).await?;
        Ok(Arc::new(Token::new(token)))
    }

    fn list_connections(
        &self,
        email: &str,
        app_id: Option<String>,
        page: Option<i64>,
        limit: Option<i64>,
        options: &CallOptions,
    ) -> Result<Arc<List>, Failure> {
        let mut list = self.customer(email)?.list_connections().options(options.core()?);
        if let Some(id) = app_id {
            list = list.app_id(id);
        }
        if let Some(page) = whole("page", page)? {
            list = list.page(page);
        }
        if let Some(limit) = whole("limit", limit)? {
            list = list.limit(limit);
        }
        Ok(List::new(Kind::Connections(list)))
    }

    async fn delete_connection(
        &self,
        email: &str,
        id: &str,
        options: &CallOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<(), Failure> {
        let call = self
            .customer(email)?
            .delete_connection(id)
            .options(options.core()?);
        cancellation.guard(async move { call.await }).await?;
        Ok(())
    }
}
