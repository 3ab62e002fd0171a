//! The feed of a running service, followed from the command line as a backend follows it: `events tail` prints it, and
//! `listen` hands it to a program under development, signed as webhooks are.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use connect_service::clock::Clock;
use connect_service::state::SetupError;
use connect_service::webhooks::signature;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::cli::print;

/// How long each request asks the service to wait for an event, in seconds.
const WAIT: u64 = 50;
/// Longer than that, for a response that has just begun.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// For the program that is forwarded to, as for the receiver of a webhook.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_secs(30);

#[derive(Subcommand)]
pub(crate) enum EventsCommand {
    /// Print each event as a line of JSON, as it comes.
    Tail(Feed),
}

/// Which events of which service.
#[derive(Args)]
pub(crate) struct Feed {
    /// A tenant key with the capability `events`.
    #[arg(long, env = "PC_TENANT_KEY", hide_env_values = true)]
    key: SecretString,
    /// The base address of the API, such as http://127.0.0.1:8080/platform/v1.
    #[arg(long, env = "PC_BASE_URL", value_parser = base_url)]
    base_url: Url,
    /// The cursor of the last event that was handled; `oldest` for all that are kept, or `latest`.
    #[arg(long, default_value = "latest")]
    after: String,
    /// Only these types, with commas between them.
    #[arg(long)]
    types: Option<String>,
}

/// Forwards events to a program on this machine, signed as webhooks are. One that fails is sent again until it succeeds; the
/// others wait.
#[derive(Args)]
pub(crate) struct Listen {
    #[command(flatten)]
    feed: Feed,
    /// Where the program receives webhooks, such as http://localhost:3000/hook.
    #[arg(long)]
    forward: Url,
    /// The secret to sign with: `whsec_` and at least 24 bytes in base64. Default: a new one, which is printed.
    #[arg(long)]
    secret: Option<SecretString>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default)]
    message: String,
    data: T,
}

#[derive(Deserialize)]
struct Page {
    /// As they came: what is forwarded is signed byte by byte.
    events: Vec<Box<RawValue>>,
    next_cursor: String,
}

#[derive(Deserialize)]
struct ErrorData {
    #[serde(default)]
    oldest_cursor: Option<String>,
}

/// What an event is called by.
#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    cursor: String,
}

/// Why there is no page.
enum Failure {
    /// It may succeed later.
    Passing { reason: String, retry_after: Option<Duration> },
    /// The request itself is at fault.
    Lasting(SetupError),
}

pub(crate) async fn events(command: EventsCommand) -> Result<(), SetupError> {
    let EventsCommand::Tail(feed) = command;
    feed.follow(async |event| print(event.get())).await
}

/// Whether receivers accept a secret: Standard Webhooks asks for 24 bytes.
fn is_webhook_secret(secret: &SecretString) -> bool {
    let encoded = secret.expose_secret().strip_prefix("whsec_");
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).map(Zeroizing::new);
    decoded.is_some_and(|decoded| decoded.len() >= 24)
}

pub(crate) async fn listen(listen: Listen) -> Result<(), SetupError> {
    let Listen { feed, forward, secret } = listen;
    let secret = match secret {
        Some(secret) => secret,
        None => {
            let secret = signature::new_secret();
            print(&format!("export PC_WEBHOOK_SECRET={}", secret.expose_secret()))?;
            secret
        }
    };
    if !is_webhook_secret(&secret) {
        return Err("--secret must be whsec_ and at least 24 bytes in base64".into());
    }
    print(&format!("# Forwarding to {forward}. Ctrl-C ends it."))?;
    let http = http_client(FORWARD_TIMEOUT)?.no_proxy().build()?;
    feed.follow(async |event| {
        let named: Named = serde_json::from_str(event.get())?;
        let mut pause = Duration::from_secs(1);
        loop {
            let outcome = send(&http, &forward, &secret, &named.id, event.get()).await;
            let line = format!("{} {} {}", named.event_type, named.id, named.cursor);
            match outcome {
                Ok(status) if status.is_success() => return print(&format!("{line} {}", status.as_u16())),
                Ok(status) => print(&format!("{line} {}, again in {} s", status.as_u16(), pause.as_secs()))?,
                Err(error) => {
                    print(&format!("{line} {}, again in {} s", without_url(error), pause.as_secs()))?;
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    })
    .await
}

async fn send(
    http: &reqwest::Client,
    forward: &Url,
    secret: &SecretString,
    id: &str,
    body: &str,
) -> reqwest::Result<StatusCode> {
    let timestamp = Clock::default().now().unsigned_abs() / 1000;
    let signature = signature::sign([secret], id, timestamp, body).unwrap_or_default();
    let request = http
        .post(forward.clone())
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body.to_owned());
    Ok(request.send().await?.status())
}

impl Feed {
    /// Handles one event after the other, without end. A service that is away is asked again.
    async fn follow(
        &self,
        mut handle: impl AsyncFnMut(&RawValue) -> Result<(), SetupError>,
    ) -> Result<(), SetupError> {
        let http = http_client(REQUEST_TIMEOUT)?.build()?;
        let mut cursor = if self.after == "oldest" { String::new() } else { self.after.clone() };
        let mut pause = Duration::from_secs(1);
        loop {
            match self.read(&http, &cursor).await {
                Ok(page) => {
                    for event in page.events {
                        handle(&event).await?;
                    }
                    cursor = page.next_cursor;
                    pause = Duration::from_secs(1);
                }
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing { reason, retry_after }) => {
                    let wait = retry_after.unwrap_or(pause);
                    tracing::warn!(reason, seconds = wait.as_secs(), "the feed is asked again");
                    sleep(wait).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn read(&self, http: &reqwest::Client, cursor: &str) -> Result<Page, Failure> {
        let mut url = self.base_url.clone();
        url.query_pairs_mut().append_pair("after", cursor).append_pair("limit", "100");
        if let Some(types) = &self.types {
            url.query_pairs_mut().append_pair("types", types);
        }
        let passing =
            |error: reqwest::Error| Failure::Passing { reason: without_url(error), retry_after: None };
        let request = http.get(url).bearer_auth(self.key.expose_secret());
        let response = request.header("prefer", format!("wait={WAIT}")).send().await.map_err(passing)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = response.bytes().await.map_err(passing)?;
        if status.is_success() {
            let page: Envelope<Page> = serde_json::from_slice(&body)
                .map_err(|_| Failure::Lasting("the response is no page of events".into()))?;
            return Ok(page.data);
        }
        let reason = format!("status {}", status.as_u16());
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Passing { reason, retry_after });
        }
        let error: Option<Envelope<ErrorData>> = serde_json::from_slice(&body).ok();
        Err(Failure::Lasting(match error {
            None => reason.into(),
            Some(Envelope { data: ErrorData { oldest_cursor: Some(oldest) }, .. }) => {
                format!("events were missed, since they are not kept any more: go on with --after {oldest}")
                    .into()
            }
            Some(error) => format!("{}: {reason}", error.message).into(),
        }))
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_PAUSE))
}

/// What went wrong, with its causes. The address may hold a cursor or a secret of the receiver's.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn http_client(timeout: Duration) -> Result<reqwest::ClientBuilder, SetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("connect-service/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout);
    Ok(client)
}

/// The address of the feed. A key goes over plain HTTP to this machine alone, as with the SDKs.
fn base_url(text: &str) -> Result<Url, String> {
    let wrong = || "it must be an https address, or an http address of this machine".to_owned();
    let mut url: Url = text.parse().map_err(|_| wrong())?;
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return Err(wrong());
    }
    url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().push("events");
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_over_plain_http_to_this_machine_alone() {
        for (text, url) in [
            ("http://127.0.0.1:8080/platform/v1", "http://127.0.0.1:8080/platform/v1/events"),
            ("http://localhost/platform/v1/", "http://localhost/platform/v1/events"),
            ("http://[::1]/platform/v1", "http://[::1]/platform/v1/events"),
            ("https://connect.example.com/platform/v1", "https://connect.example.com/platform/v1/events"),
        ] {
            assert_eq!(base_url(text).unwrap().as_str(), url);
        }
        for text in ["", "x", "http://example.com/", "http://10.0.0.1/", "ftp://localhost/", "mailto:a@b.c"] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }
}
