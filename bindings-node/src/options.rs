//! Options as JavaScript gives them, and their conversion. Numbers are checked here, since JavaScript has no whole
//! ones; everything else the core checks.

use std::time::Duration;

use napi::Result;
use napi_derive::napi;
use pabbly_connect::{
    App, CallOptions, Client, ClientBuilder, Connection, CreateRequestLink, Customer, DEFAULT_BASE_URL, Item,
    List, Wait,
};

/// Settings of a client.
#[napi(object, object_to_js = false)]
pub struct Settings {
    /// The tenant key, `pk_live_…`. Without it `PC_TENANT_KEY` of the environment serves.
    pub api_key: Option<String>,
    /// Where the service is, such as `https://connect.example.com/platform/v1`. Without it `PC_BASE_URL` of the
    /// environment serves, else `https://connect.pabbly.com/platform/v1`.
    pub base_url: Option<String>,
    /// How often a 503 is tried again; 0 means never. Nothing else is ever tried again. Default: 2.
    pub max_retries: Option<f64>,
    /// Bounds each attempt, the body included. Default: 30,000.
    pub timeout_ms: Option<f64>,
    /// The longest pause before the first retry; it doubles with each, up to 16 times. Default: 500.
    pub backoff_ms: Option<f64>,
    /// Allows plain `http://` to other machines than this one. Over it the tenant key and the vended credentials
    /// can be read by everybody in between.
    pub allow_insecure_http: Option<bool>,
    /// Sends everything through this proxy, such as `http://user:password@127.0.0.1:3128`. Without it the usual
    /// variables of the environment are heeded (`HTTPS_PROXY`, `NO_PROXY` …).
    pub proxy: Option<String>,
    /// Trusts these certificate authorities (PEM, one or many) beside the others: Mozilla's roots, or those that
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead, and those of `NODE_EXTRA_CA_CERTS`.
    pub ca_certificates: Option<String>,
    /// Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
    pub user_agent: Option<String>,
    /// The tenant's budget for everything but tokens, which waits keep to. The service tells its own. Default: 120.
    pub requests_per_minute: Option<f64>,
}

impl Settings {
    pub(crate) fn builder(self) -> Result<ClientBuilder> {
        // What is not given here the core would take from the environment of the process, which a worker need not share.
        let mut builder = Client::builder()
            .api_key(self.api_key.unwrap_or_default())
            .base_url(self.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))
            .allow_insecure_http(self.allow_insecure_http.unwrap_or(false))
            .extra_ca_variable("NODE_EXTRA_CA_CERTS");
        if let Some(retries) = count("maxRetries", self.max_retries)? {
            builder = builder.max_retries(retries);
        }
        if let Some(timeout) = duration("timeoutMs", self.timeout_ms)? {
            builder = builder.timeout(timeout);
        }
        if let Some(backoff) = duration("backoffMs", self.backoff_ms)? {
            builder = builder.backoff(backoff);
        }
        if let Some(proxy) = self.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(certificates) = self.ca_certificates {
            builder = builder.ca_certificates(certificates);
        }
        if let Some(user_agent) = self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        if let Some(requests) = count("requestsPerMinute", self.requests_per_minute)? {
            builder = builder.requests_per_minute(requests);
        }
        Ok(builder)
    }
}

/// Options of one call.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct Options {
    /// Bounds each attempt, the body included. Without it the client's own setting holds.
    pub timeout_ms: Option<f64>,
    /// Bounds the whole call: all attempts and the waits between them.
    pub deadline_ms: Option<f64>,
    /// How often a 503 is tried again; 0 means never. Without it the client's own setting holds.
    pub max_retries: Option<f64>,
}

impl Options {
    pub(crate) fn convert(options: Option<Self>) -> Result<CallOptions> {
        let options = options.unwrap_or_default();
        Ok(CallOptions {
            timeout: duration("timeoutMs", options.timeout_ms)?,
            deadline: duration("deadlineMs", options.deadline_ms)?,
            max_retries: count("maxRetries", options.max_retries)?,
        })
    }
}

/// Which apps of the catalogue.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct AppQuery {
    /// Only apps whose name, id or category holds this.
    pub search: Option<String>,
    /// Which page, from 1. Default: the first.
    pub page: Option<f64>,
    /// How many apps a page holds, 1 to 100. The service's default is 20.
    pub limit: Option<f64>,
}

impl AppQuery {
    pub(crate) fn narrow(self, mut list: List<App>) -> Result<List<App>> {
        if let Some(text) = self.search {
            list = list.search(text);
        }
        paged(list, self.page, self.limit)
    }
}

/// Which connections of a customer.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ConnectionQuery {
    /// Only connections of this app.
    pub app_id: Option<String>,
    /// Which page, from 1. Default: the first.
    pub page: Option<f64>,
    /// How many connections a page holds, 1 to 100. The service's default is 20.
    pub limit: Option<f64>,
}

impl ConnectionQuery {
    pub(crate) fn narrow(self, mut list: List<Connection>) -> Result<List<Connection>> {
        if let Some(id) = self.app_id {
            list = list.app_id(id);
        }
        paged(list, self.page, self.limit)
    }
}

fn paged<T: Item>(mut list: List<T>, page: Option<f64>, limit: Option<f64>) -> Result<List<T>> {
    if let Some(page) = count("page", page)? {
        list = list.page(page.into());
    }
    if let Some(limit) = count("limit", limit)? {
        list = list.limit(limit.into());
    }
    Ok(list)
}

/// What a request link is for.
#[napi(object, object_to_js = false)]
pub struct LinkRequest {
    /// The app, from the catalogue. Only with `allowedApps` or `connectionId` it may be left out.
    pub app_id: Option<String>,
    /// What the customer sees later, such as `Work Gmail`.
    pub name: String,
    /// Re-authorises this connection in place: it keeps its id, and takes the link's `name`.
    pub connection_id: Option<String>,
    /// Which of the app's auth options the customer uses, by its key.
    pub auth_option_key: Option<String>,
    /// The apps that the customer may choose from on the hosted page.
    pub allowed_apps: Option<Vec<String>>,
    /// Where the hosted page sends the customer when it is done.
    pub return_url: Option<String>,
    /// The only web origin that may read the link's public status. Any may, where none is named.
    pub allowed_origin: Option<String>,
    /// The name of your product, or of the customer, on the hosted page.
    pub display_name: Option<String>,
    /// How long the link lives, in whole seconds: from 60 to 86,400. The service's default is 10 minutes.
    pub expires_in: Option<f64>,
    /// Whether the customer may have several connections of this app. Where not, an active one is re-authorised.
    pub allow_multiple_connections: Option<bool>,
    /// The OAuth scopes to ask for instead of the app's own.
    pub scopes: Option<Vec<String>>,
    /// Whether the grant waits until `confirmConnection` says whose it is. Needs `returnUrl`. For products whose customers
    /// do not know each other.
    pub confirm: Option<bool>,
    /// Calls with the same key and body within a day make one link. Without it each call has a key of its own,
    /// which its retries share.
    pub idempotency_key: Option<String>,
}

impl LinkRequest {
    pub(crate) fn call(self, customer: &Customer) -> Result<CreateRequestLink> {
        let mut call = customer.create_request_link(self.app_id.as_deref().unwrap_or_default(), &self.name);
        if let Some(id) = self.connection_id {
            call = call.connection_id(id);
        }
        if let Some(key) = self.auth_option_key {
            call = call.auth_option_key(key);
        }
        if let Some(apps) = self.allowed_apps {
            call = call.allowed_apps(apps);
        }
        if let Some(url) = self.return_url {
            call = call.return_url(url);
        }
        if let Some(origin) = self.allowed_origin {
            call = call.allowed_origin(origin);
        }
        if let Some(name) = self.display_name {
            call = call.display_name(name);
        }
        if let Some(seconds) = count("expiresIn", self.expires_in)? {
            call = call.expires_in(Duration::from_secs(seconds.into()));
        }
        if let Some(allow) = self.allow_multiple_connections {
            call = call.allow_multiple_connections(allow);
        }
        if let Some(scopes) = self.scopes {
            call = call.scopes(scopes);
        }
        if let Some(confirm) = self.confirm {
            call = call.confirm(confirm);
        }
        if let Some(key) = self.idempotency_key {
            call = call.idempotency_key(key);
        }
        Ok(call)
    }
}

/// How to wait for a connection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct WaitOptions {
    /// The time between two polls. Default: 2,000; at least 100.
    pub interval_ms: Option<f64>,
    /// How long to wait at most. Without it the wait ends when the link lapses.
    pub timeout_ms: Option<f64>,
}

impl WaitOptions {
    pub(crate) fn apply(self, mut wait: Wait) -> Result<Wait> {
        if let Some(interval) = duration("intervalMs", self.interval_ms)? {
            wait = wait.interval(interval);
        }
        if let Some(timeout) = duration("timeoutMs", self.timeout_ms)? {
            wait = wait.timeout(timeout);
        }
        Ok(wait)
    }
}

/// Milliseconds; `Infinity` is as long as there is.
fn duration(name: &str, milliseconds: Option<f64>) -> Result<Option<Duration>> {
    let Some(milliseconds) = milliseconds else {
        return Ok(None);
    };
    if milliseconds == f64::INFINITY {
        return Ok(Some(Duration::MAX));
    }
    let duration = Duration::try_from_secs_f64(milliseconds / 1000.0);
    duration
        .map(Some)
        .map_err(|_| refused(name, "a number of milliseconds that is not negative"))
}

/// A whole number from 0.
fn count(name: &str, number: Option<f64>) -> Result<Option<u32>> {
    let Some(number) = number else {
        return Ok(None);
    };
    if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
        return Err(refused(name, "a whole number that is not negative"));
    }
    Ok(Some(number as u32))
}

fn refused(name: &str, wanted: &str) -> napi::Error {
    napi::Error::from_reason(format!("{name} must be {wanted}"))
}
