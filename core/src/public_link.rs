//! A request link as a customer's app has it: what its request token opens, without a tenant key.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::error::{Error, ErrorKind, Redactor, RequestTarget, has_contract_shape};
use crate::model::{AuthOptionList, ConnectionStatus, LastError, LinkPhase, Operation, Submission};
use crate::request::{Request, checked_id, request_token_header};
use crate::response::Response;
use crate::retry_after::retry_after;
use crate::settings::is_private;
use crate::tls::Trust;
use crate::transport::{ProxyPolicy, Transport, user_agent};

/// Longer than this and a response will not come; time for which the service was asked to hold it comes on top.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A request link as a customer's app has it. It holds no tenant key: it can ask how the link stands, and serve a connection
/// form of the app's own.
///
/// ```no_run
/// # async fn example(link: &str, token: String, id: &str) -> Result<(), pabbly_connect::Error> {
/// use std::time::Duration;
/// let link = pabbly_connect::PublicLink::new(link, token, id, None)?;
/// let now = link.status(Duration::ZERO).await?;
/// println!("{}, {:?} left", now.status, now.expires_in);
/// # Ok(()) }
/// ```
pub struct PublicLink {
    /// Of the connection; what a link opens is below it.
    connection_url: Url,
    token: SecretString,
    transport: Transport,
}

/// How a link stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LinkStatus {
    /// Where its connection is in its life.
    pub status: ConnectionStatus,
    /// How far the customer has come on the hosted page.
    pub phase: Option<LinkPhase>,
    /// Whether the link makes a connection or re-authorises one in place.
    pub operation: Option<Operation>,
    /// Why the customer could not finish so far, in the service's own words.
    pub last_error: Option<LastError>,
    /// For the next long poll, which is answered at once where the link has come further meanwhile.
    pub(crate) revision: Option<String>,
    /// For how long the link still works.
    #[serde(default, deserialize_with = "rounded_up")]
    pub expires_in: Option<Duration>,
}

impl PublicLink {
    /// Takes the three values of the link that a backend hands out. `product`, such as `my-app/1.2`, is put before the
    /// SDK's own name in `User-Agent`. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where the values are not those of a link, or would send the token over plain HTTP to
    /// another machine than this one.
    pub fn new(
        request_link: &str,
        request_token: impl Into<SecretString>,
        connection_id: &str,
        product: Option<&str>,
    ) -> Result<Self, Error> {
        let connection_url = connection_url(request_link, connection_id)?;
        let token = request_token.into();
        request_token_header(token.expose_secret())?;
        // As for a client's base URL: what stays on this machine goes through no proxy.
        let proxy_policy = match connection_url.scheme() {
            "http" => ProxyPolicy::Nothing,
            _ => ProxyPolicy::Environment,
        };
        let transport = Transport::new(user_agent(product)?, proxy_policy, &Trust::default())?;
        Ok(Self { connection_url, token, transport })
    }

    /// Asks once how the link stands. The service is asked to hold its response, for `hold` in whole seconds at most,
    /// until the status is no longer pending, or `phase` or `last_error` changes; it may respond earlier. Dropping the
    /// future stops the request.
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where the service does not know the link (any more);
    /// [`Error::RateLimited`] and [`Error::UpstreamUnavailable`], with
    /// [`retry_after`](Error::retry_after), where it is asked too often or is briefly unavailable;
    /// [`Error::Network`], [`Error::Timeout`] and [`Error::Decode`] where no usable response came;
    /// [`Error::Other`] for any other response. None holds the response's text.
    pub async fn status(&self, hold: Duration) -> Result<LinkStatus, Error> {
        let request = self.request("waitForConnection", Method::GET, "status", RequestTarget::Connection)?;
        self.send(&request.long_poll(hold), hold).await?.decode()
    }

    /// The ways to authorise the link's app, for a connection form of the app's own. An empty list means that no app is
    /// chosen yet. Asks once; dropping the future stops the request.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn list_auth_options(&self) -> Result<AuthOptionList, Error> {
        self.auth_options().await?.decode()
    }

    /// The same as the JSON text that came; see `Call::json`.
    #[cfg(feature = "bindings")]
    #[doc(hidden)]
    pub async fn list_auth_options_json(&self) -> Result<SecretString, Error> {
        Ok(self.auth_options().await?.decode_json::<AuthOptionList>()?.1)
    }

    async fn auth_options(&self) -> Result<Response, Error> {
        let target = RequestTarget::Connection;
        let request = self.request("listAuthOptions", Method::GET, "auth-options", target)?;
        self.send(&request, Duration::ZERO).await
    }

    /// Submits a connection form of the app's own: the chosen option's key and what the customer entered, by the names of
    /// the option's `input_schema`. `app_id` is needed where the link allows several apps. For OAuth, continue at the
    /// result's `authorize_url`. Sends once; dropping the future stops the request.
    ///
    /// # Errors
    /// As for [`status`](Self::status); besides, [`Error::Other`] with the code `invalid_request` and
    /// [`fields`](Error::fields) where fields are at fault, and with `connection_not_active` where the link is over.
    pub async fn submit_credentials<N: Into<String>, T: Into<String>>(
        &self,
        app_id: Option<&str>,
        auth_option_key: &str,
        fields: impl IntoIterator<Item = (N, T)> + Send,
    ) -> Result<Submission, Error> {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        let fields: BTreeMap<String, String> = fields.collect();
        let mut body = serde_json::json!({ "auth_option_key": auth_option_key, "fields": fields });
        if let Some(app_id) = app_id {
            body["app_id"] = app_id.into();
        }
        let target = RequestTarget::SubmitCredentials;
        let request = self.request("submitCredentials", Method::POST, "submit", target)?;
        let request = request.json(&body)?.with_secrets(fields.into_values());
        self.send(&request, Duration::ZERO).await?.decode()
    }

    fn request(
        &self,
        call: &'static str,
        method: Method,
        part: &str,
        target: RequestTarget,
    ) -> Result<Request, Error> {
        let token = request_token_header(self.token.expose_secret())?;
        Ok(Request::new(call, method, &self.connection_url, &[part], target).request_token(token))
    }

    /// Sends a request once; the service may hold its response for so long.
    async fn send(&self, request: &Request, hold: Duration) -> Result<Response, Error> {
        let response = self.transport.send(request, None, RESPONSE_TIMEOUT.saturating_add(hold)).await?;
        if response.is_success() { Ok(response) } else { Err(error(&response, request)) }
    }
}

impl fmt::Debug for PublicLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicLink({})", self.connection_url)
    }
}

/// What an unsuccessful response means. The status alone decides, since an app has no use for a text that anybody in between
/// could have written; but that the link is gone or over, and what is wrong with a form, only the service can say.
fn error(response: &Response, request: &Request) -> Error {
    // What anybody else answers is no error of the contract.
    let body = serde_json::from_slice(&response.body).ok().filter(has_contract_shape);
    let code = body.as_ref().and_then(|body| body.pointer("/data/code")?.as_str());
    let submits = request.target == RequestTarget::SubmitCredentials;
    let (kind, message) = match response.status {
        404 if body.is_some() => {
            (ErrorKind::ConnectionDeleted, "the service does not know this link (any more)".to_owned())
        }
        429 => (ErrorKind::RateLimited, "too much is asked about this link".to_owned()),
        503 => (ErrorKind::UpstreamUnavailable, "the service is briefly unavailable".to_owned()),
        status => (ErrorKind::Other, format!("the service answered with HTTP status {status}")),
    };
    let error = Error::local(kind, message)
        .with_status(response.status)
        .with_attempts(response.attempts)
        .with_retry_after(retry_after(&response.headers, SystemTime::now()));
    match (response.status, code) {
        (400, Some(code @ "invalid_request")) if submits => {
            let redactor = Redactor::new(request.secrets.clone());
            error.with_code(code).with_fields(response.field_errors(&redactor))
        }
        (409, Some(code @ ("connection_not_active" | "app_not_configured"))) if submits => {
            error.with_code(code)
        }
        _ => error,
    }
}

/// The connection is beside the hosted page: `…/connect/LINK` and `…/connections/ID`.
fn connection_url(request_link: &str, connection_id: &str) -> Result<Url, Error> {
    let link = Url::parse(request_link).map_err(|_| refused_link())?;
    if !is_private(&link) || !link.username().is_empty() || link.password().is_some() {
        return Err(refused_link());
    }
    let mut url = link.join("../connections").map_err(|_| refused_link())?;
    let id = checked_id("connection id", connection_id)?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(id);
    }
    Ok(url)
}

fn refused_link() -> Error {
    Error::invalid_argument(
        "the request link must be an address that begins with https:// (or http:// on this machine): pass it exactly \
         as the service gave it",
    )
}

/// The service rounds down.
fn rounded_up<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = Option::<u64>::deserialize(deserializer)?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.saturating_add(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request_link: &str, id: &str) -> Option<String> {
        let url = connection_url(request_link, id).ok()?;
        Some(url.into())
    }

    #[test]
    fn the_connection_is_beside_the_hosted_page() {
        for link in
            ["https://a.example/platform/v1/connect/rl_1", "https://a.example/platform/v1/connect/rl_1?b#c"]
        {
            assert_eq!(url(link, "a b/c"), None, "an id that would leave its segment");
            assert_eq!(url(link, "a b?c").unwrap(), "https://a.example/platform/v1/connections/a%20b%3Fc");
        }
        assert_eq!(
            url("http://127.0.0.1:8080/connect/rl_1", "c").unwrap(),
            "http://127.0.0.1:8080/connections/c"
        );
        assert_eq!(url("https://a.example", "c").unwrap(), "https://a.example/connections/c");
    }

    #[test]
    fn the_token_goes_over_https_or_stays_here() {
        for link in [
            "",
            "/connect/rl_1",
            "http://a.example/connect/rl_canary",
            "javascript:rl_canary",
            "mailto:rl_canary@a.example",
            "https://u:rl_canary@a.example/connect/rl",
            "https://rl_canary@a.example/connect/rl",
        ] {
            let error = PublicLink::new(link, "rt", "c", None).expect_err(link);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_token_that_is_none_is_refused_and_none_is_printed() {
        let new = |token: &str| PublicLink::new("https://a.example/connect/l", token, "c", None);
        for token in ["", "rt_canary\n", "rt_canary\r\nx: y"] {
            let error = new(token).expect_err(token);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        let link = new("rt_canary").unwrap();
        assert_eq!(format!("{link:?}"), "PublicLink(https://a.example/connections/c)");
        assert!(request_token_header(link.token.expose_secret()).unwrap().is_sensitive());
    }

    #[test]
    fn an_answer_of_a_newer_service_is_understood() {
        let status: LinkStatus =
            serde_json::from_str(r#"{"status":"paused","phase":"thinking","expires_in":5,"more":[]}"#)
                .unwrap();
        assert_eq!(status.status, ConnectionStatus::Other("paused".into()));
        assert_eq!(status.phase, Some(LinkPhase::Other("thinking".into())));
        assert_eq!((status.operation, status.last_error), (None, None));
        assert_eq!(status.expires_in, Some(Duration::from_secs(6)));
        let status: LinkStatus = serde_json::from_str(r#"{"status":"pending"}"#).unwrap();
        assert_eq!(status.expires_in, None);
    }
}
