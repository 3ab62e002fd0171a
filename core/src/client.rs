//! The client, and how it is built.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::body_calls::{PromoteKey, RotateKey, SubmitCredentials};
use crate::call::Call;
use crate::client_event::{ClientEvent, Listener};
use crate::customer::Customer;
use crate::email;
use crate::error::{Error, RequestTarget};
use crate::events::Events;
use crate::keys::Keys;
use crate::links::Links;
use crate::list::List;
use crate::model::{App, AuthOptionList, KeyList};
use crate::rate_budget::RateBudget;
use crate::request::{Request, checked_id, request_token_header};
use crate::settings::{
    self, DEFAULT_BACKOFF, DEFAULT_BASE_URL, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, Settings,
};
use crate::tls::Trust;
use crate::transport::{ProxyPolicy, Transport, user_agent};
use crate::wait::{DEFAULT_REQUESTS_PER_MINUTE, Waits};

/// A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open. Cloning
/// is cheap and shares them.
///
/// It needs a Tokio runtime. Its key is only for a backend: never put it into a browser, an app or a model's
/// context.
///
/// ```no_run
/// # async fn example() -> Result<(), pabbly_connect::Error> {
/// let client = pabbly_connect::Client::from_env()?; // PC_TENANT_KEY, PC_BASE_URL
/// let apps = client.list_apps().search("gmail").await?;
/// let alice = client.customer("alice@example.com")?;
/// let link = alice.create_request_link(&apps.items[0].id, "Work Gmail").await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    keys: Keys,
    transport: Transport,
    listener: Listener,
    rate_budget: Mutex<RateBudget>,
    waits: Waits,
    links: Links,
}

impl Client {
    /// Starts building a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client configured by the environment alone: `PC_TENANT_KEY`, and `PC_BASE_URL` where it is not the
    /// platform's public one.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where a variable is missing or malformed.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Exchanges the tenant key, in this client and all its clones: calls that have begun finish with the old key, also
    /// when they are tried again; later ones, and the next poll of a wait, use the new one. That is how a key is
    /// rotated without a restart: rotate, give the new key to every client, promote.
    ///
    /// ```
    /// # fn example(client: pabbly_connect::Client, new_key: String) -> Result<(), pabbly_connect::Error> {
    /// client.set_api_key(new_key)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where it is no key; the client then goes on with the old one.
    pub fn set_api_key(&self, api_key: impl Into<SecretString>) -> Result<(), Error> {
        self.0.keys.exchange(api_key.into())
    }

    /// Narrows the client to one customer, who is named by e-mail. Calls about connections exist only there.
    ///
    /// Take the address from your own authenticated session, never from what a user typed.
    ///
    /// # Errors
    /// [`Error::InvalidUserEmail`] where the address is missing or malformed.
    pub fn customer(&self, email: &str) -> Result<Customer, Error> {
        Ok(Customer::new(self.clone(), email::header(email)?))
    }

    /// The app catalogue: one page when awaited, all pages as a stream. Needs the capability `apps`.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client) -> Result<(), pabbly_connect::Error> {
    /// use futures_util::TryStreamExt;
    /// let first_page = client.list_apps().search("mail").limit(5).await?;
    /// let all: Vec<_> = client.list_apps().stream().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn list_apps(&self) -> List<App> {
        List::apps(self.clone(), self.request("listApps", Method::GET, &["apps"], RequestTarget::General))
    }

    /// One app of the catalogue. Needs the capability `apps`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a malformed id; [`Error::Other`] with the code `app_not_found` for an
    /// unknown one.
    pub fn get_app(&self, app_id: &str) -> Call<App> {
        let request = checked_id("app id", app_id)
            .map(|id| self.request("getApp", Method::GET, &["apps", id], RequestTarget::General));
        Call::new(self.clone(), request)
    }

    /// The ways to authorise a link's app, for a connection form of your own. The request token takes the place of the
    /// tenant key, which is not sent. An empty list means that no app is chosen yet.
    ///
    /// An app of the customer's, which has no tenant key, uses
    /// [`PublicLink::list_auth_options`](crate::PublicLink::list_auth_options).
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such link.
    pub fn list_auth_options(&self, connection_id: &str, request_token: &str) -> Call<AuthOptionList> {
        let request = self.link_request(
            "listAuthOptions",
            Method::GET,
            connection_id,
            "auth-options",
            RequestTarget::Connection,
            request_token,
        );
        Call::new(self.clone(), request)
    }

    /// Submits a connection form of your own. The request token takes the place of the tenant key, which is not sent.
    /// For OAuth, send the customer's browser to the result's `authorize_url`.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client, link: pabbly_connect::RequestLink, key: String) -> Result<(), pabbly_connect::Error> {
    /// let token = link.request_token.expose_secret();
    /// let form = client.submit_credentials(&link.connection_id, token, "api_key");
    /// match form.fields([("api_key", key)]).await {
    ///     Ok(submission) => println!("{}", submission.status),
    ///     Err(error) => println!("{:?}", error.fields()), // a sentence for each field that is at fault
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such link; [`Error::Other`] with the code `invalid_request` and
    /// [`fields`](Error::fields) where a field is at fault.
    pub fn submit_credentials(
        &self,
        connection_id: &str,
        request_token: &str,
        auth_option_key: &str,
    ) -> SubmitCredentials {
        let request = self.link_request(
            "submitCredentials",
            Method::POST,
            connection_id,
            "submit",
            RequestTarget::SubmitCredentials,
            request_token,
        );
        SubmitCredentials::new(self.clone(), request.and_then(Request::idempotent), auth_option_key)
    }

    /// A request about one link, which its request token opens.
    fn link_request(
        &self,
        call: &'static str,
        method: Method,
        connection_id: &str,
        part: &str,
        target: RequestTarget,
        request_token: &str,
    ) -> Result<Request, Error> {
        let segments = ["connections", checked_id("connection id", connection_id)?, part];
        let token = request_token_header(request_token)?;
        Ok(self.request(call, method, &segments, target).request_token(token))
    }

    /// The tenant's keys, without their text. Needs the capability `admin`.
    pub fn list_keys(&self) -> Call<KeyList> {
        let request = self.request("listKeys", Method::GET, &["keys"], RequestTarget::General);
        Call::new(self.clone(), Ok(request))
    }

    /// Makes a key's successor, which the result holds this once. Both keys work until [`promote_key`](Self::promote_key).
    /// Needs the capability `admin`. Without a key id it is about the key that asks.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client) -> Result<(), pabbly_connect::Error> {
    /// let rotated = client.rotate_key().await?;
    /// client.set_api_key(rotated.api_key)?; // and every other client
    /// client.promote_key().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Other`] with the code `key_not_found` or `rotation_conflict` where the keys are not in the state that
    /// this needs.
    pub fn rotate_key(&self) -> RotateKey {
        let request = self.request("rotateKey", Method::POST, &["keys", "rotate"], RequestTarget::General);
        RotateKey::new(self.clone(), request.idempotent())
    }

    /// Retires a key in favour of its successor, which must have been used before. Needs the capability `admin`. Either of
    /// the two may be named; without a key id it is about the key that asks.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `key_not_found` or `rotation_conflict` where the keys are not in the state that
    /// this needs.
    pub fn promote_key(&self) -> PromoteKey {
        let request = self.request("promoteKey", Method::POST, &["keys", "promote"], RequestTarget::General);
        PromoteKey::new(self.clone(), request.idempotent())
    }

    /// What happens to the tenant's connections, OAuth clients and keys, in its order, also while nobody listens. Needs the
    /// capability `events`.
    ///
    /// Store the [`cursor`](crate::Event::cursor) of each event when you have handled it: [`after`](Events::after) goes on
    /// from there, also after a restart. Events are kept for 30 days. A feed that has begun outlives what passes by itself,
    /// as a wait does.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client, stored: String) -> Result<(), pabbly_connect::Error> {
    /// use futures_util::TryStreamExt;
    /// let mut events = std::pin::pin!(client.events().after(stored).stream());
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{} {}", event.event_type(), event.cursor);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    pub(crate) fn request(
        &self,
        call: &'static str,
        method: Method,
        segments: &[&str],
        target: RequestTarget,
    ) -> Request {
        Request::new(call, method, &self.settings().base_url, segments, target)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(crate) fn rate_budget(&self) -> MutexGuard<'_, RateBudget> {
        let locked = self.0.rate_budget.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.0.waits
    }

    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    pub(crate) fn emit(&self, event: impl FnOnce() -> ClientEvent) {
        self.0.listener.emit(event);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.settings().base_url.as_str())
            .field("api_key", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Client`]. Every one has a default.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    api_key: Option<SecretString>,
    base_url: Option<String>,
    max_retries: Option<u32>,
    timeout: Option<Duration>,
    backoff: Option<Duration>,
    allow_insecure_http: bool,
    proxy: Option<SecretString>,
    trust: Trust,
    user_agent: Option<String>,
    requests_per_minute: Option<u32>,
    listener: Listener,
}

impl ClientBuilder {
    /// The tenant key, `pk_live_…`. Without it `PC_TENANT_KEY` of the environment serves.
    pub fn api_key(mut self, api_key: impl Into<SecretString>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Where the service is, such as `https://connect.example.com/platform/v1`. Without it `PC_BASE_URL` of the
    /// environment serves, else [`DEFAULT_BASE_URL`].
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// How often a 503 is tried again; 0 means never. Nothing else is ever tried again. Default: 2.
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = Some(max_retries);
        self
    }

    /// Bounds each attempt, the body included. Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The longest pause before the first retry; it doubles with each, up to 16 times. Default: 500 ms.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Allows plain `http://` to other machines than this one. Over it the tenant key and the vended credentials
    /// can be read by everybody in between.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// Sends everything through this proxy, such as `http://user:password@127.0.0.1:3128`. Without it the usual
    /// variables of the environment are heeded (`HTTPS_PROXY`, `NO_PROXY` …), but for plain HTTP to this machine.
    pub fn proxy(mut self, proxy: impl Into<SecretString>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Trusts these certificate authorities (PEM, one or many) beside the others: Mozilla's roots, which are built in,
    /// or what replaces them. `SSL_CERT_FILE` (a file) and `SSL_CERT_DIR` (directories) of the environment do, as with
    /// OpenSSL; both are read when the client is made.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.ca_certificates = pem.into();
        self
    }

    /// Trusts the operating system's trust store instead of Mozilla's roots. On Linux it is read when the client is
    /// made, which takes about 3 ms. `SSL_CERT_FILE` and `SSL_CERT_DIR` still replace it. Default: false.
    pub fn system_trust_store(mut self, trust: bool) -> Self {
        self.trust.system_trust_store = trust;
        self
    }

    /// For the SDKs of other languages: the variable of their ecosystem that names a file or directory of authorities
    /// instead of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    #[doc(hidden)]
    pub fn ca_bundle_variable(mut self, name: &'static str) -> Self {
        self.trust.bundle_variable = Some(name);
        self
    }

    /// For the SDKs of other languages: the variable of their ecosystem that names a file of authorities beside the
    /// others.
    #[doc(hidden)]
    pub fn extra_ca_variable(mut self, name: &'static str) -> Self {
        self.trust.extra_variable = Some(name);
        self
    }

    /// Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// The tenant's budget for everything but tokens, which waits share with other calls. It only has to be told
    /// where it is not the usual 120 and the service does not tell it in `RateLimit` headers.
    pub fn requests_per_minute(mut self, requests: u32) -> Self {
        self.requests_per_minute = Some(requests);
        self
    }

    /// Called for each attempt, response, retry and poll, on the thread that works on the call: return quickly.
    /// Events hold no secrets.
    pub fn on_event(mut self, listener: impl Fn(&ClientEvent) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Checks the settings and makes the client. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where a setting is missing or malformed; the message says which and what to do.
    pub fn build(self) -> Result<Client, Error> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let api_key = self
            .api_key
            .or_else(|| variable(settings::KEY_VARIABLE).map(SecretString::from))
            .unwrap_or_default();
        let keys = Keys::new(api_key)?;
        let base_url = self.base_url.or_else(|| variable(settings::URL_VARIABLE));
        let base_url =
            settings::base_url(base_url.as_deref().unwrap_or(DEFAULT_BASE_URL), self.allow_insecure_http)?;
        let timeout = self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if timeout.is_zero() {
            return Err(Error::invalid_argument("the timeout must be longer than zero"));
        }
        let proxy_policy = match &self.proxy {
            Some(proxy) => ProxyPolicy::Proxy(proxy),
            // Plain HTTP was allowed because it stays on this machine: no proxy shall carry the key elsewhere.
            None if base_url.scheme() == "http" && !self.allow_insecure_http => ProxyPolicy::Nothing,
            None => ProxyPolicy::Environment,
        };
        let transport = Transport::new(user_agent(self.user_agent.as_deref())?, proxy_policy, &self.trust)?;
        let settings = Settings {
            base_url,
            timeout,
            max_retries: self.max_retries.unwrap_or(DEFAULT_MAX_RETRIES),
            backoff: self.backoff.unwrap_or(DEFAULT_BACKOFF),
        };
        let requests_per_minute = self.requests_per_minute.unwrap_or(DEFAULT_REQUESTS_PER_MINUTE);
        let rate_budget = Mutex::new(RateBudget::new(requests_per_minute, Instant::now()));
        let waits = Waits::new();
        let (listener, links) = (self.listener, Links::default());
        Ok(Client(Arc::new(Inner { settings, keys, transport, listener, rate_budget, waits, links })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_tells_one_client_from_another_without_its_key() {
        let builder = Client::builder().api_key("pk_live_canary").base_url("https://a.example/v1");
        let listening = builder.clone().on_event(|_| {});
        assert!(format!("{builder:?}").contains("listener: None"), "{builder:?}");
        assert!(format!("{listening:?}").contains("listener: Some(..)"), "{listening:?}");
        let client = builder.build().unwrap();
        let alice = client.customer("alice@example.com").unwrap();
        let printed = format!("{alice:?}");
        assert!(printed.contains("alice@example.com"), "{printed}");
        assert!(printed.contains(&format!("{client:?}")), "{printed}");
        assert!(printed.contains("https://a.example/v1"), "{printed}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
