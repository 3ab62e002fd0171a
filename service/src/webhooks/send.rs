//! One attempt: an event as an HTTP request to an address that a tenant gave. The same guard as for providers keeps it out
//! of the network that the service is in; redirects are not followed; little is read of what comes back, and nothing of it
//! reaches the log.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::SecretString;
use tokio::time::timeout;
use url::Url;

use super::signature;
use crate::oauth::{guarded_http, is_public_address, may_call, request_cause, retry_after};
use crate::state::SetupError;
use crate::text;

/// For a whole attempt, from the name's resolution to the status.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For the beginning of the body after that: the status has decided by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that are read of a body.
const MAX_READ: usize = 4096;

/// Characters that are kept of it.
const MAX_KEPT: usize = 256;

/// Bytes of an address.
const MAX_URL: usize = 2048;

/// Idle connections that are kept to one endpoint.
const MAX_IDLE: usize = 8;

/// What an address for webhooks must be, as the rest of a sentence.
pub const WEBHOOK_URL: &str = "an https address on the public internet, without credentials and fragment";

/// Sends to endpoints, and only to public ones unless private networks are allowed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    http: reqwest::Client,
    allow_private_networks: bool,
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: Option<u16>,
    /// None where it was received.
    pub(super) error: Option<&'static str>,
    pub(super) response: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) duration: Duration,
}

impl WebhookClient {
    /// A client that refuses plain HTTP and addresses inside the network, unless `allow_private_networks`. It trusts the
    /// certificate authorities in `ca_file`, in PEM, beside the public ones.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up, or the file holds no certificate.
    pub fn new(allow_private_networks: bool, ca_file: Option<&Path>) -> Result<Self, SetupError> {
        let http = guarded_http(allow_private_networks, ca_file)?
            .timeout(TIMEOUT + BODY_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE);
        Ok(Self { http: http.build()?, allow_private_networks })
    }

    /// Whether a tenant may name this address: [`WEBHOOK_URL`], or any that a request can be sent to where private networks
    /// are allowed. What names lead to is looked at when they are resolved.
    pub fn accepts(&self, text: &str) -> bool {
        let Ok(url) = Url::parse(text) else { return false };
        let fits = match self.allow_private_networks {
            true => matches!(url.scheme(), "http" | "https") && url.has_host(),
            false => is_public_address(&url),
        };
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // The parser would leave white space and controls out.
        fits && is_plain && text.len() <= MAX_URL && text.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// Sends an event once.
    pub(super) async fn send<'a>(
        &self,
        url: &str,
        id: &str,
        body: String,
        secrets: impl Iterator<Item = &'a SecretString>,
    ) -> Outcome {
        let begun = Instant::now();
        let failed = |error| Outcome {
            status: None,
            error: Some(error),
            response: None,
            retry_after: None,
            duration: begun.elapsed(),
        };
        let url = Url::parse(url).ok().filter(|url| self.allow_private_networks || may_call(url));
        let Some(url) = url else { return failed("address") };
        // The system's time, which the receiver compares with its own.
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let Some(signature) = signature::sign(secrets, id, timestamp, &body) else {
            return failed("secret");
        };
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        let mut response = match timeout(TIMEOUT, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failed(request_cause(&error)),
            Err(_) => return failed("timeout"),
        };
        let status = response.status();
        let response_text = beginning(&mut response).await;
        Outcome {
            status: Some(status.as_u16()),
            error: (!status.is_success()).then_some("status"),
            retry_after: retry_after(response.headers()),
            // With the body, which takes room as well.
            duration: begun.elapsed(),
            response: response_text,
        }
    }
}

/// The beginning of a body, as text without controls; `None` where there is nothing to read.
async fn beginning(response: &mut reqwest::Response) -> Option<String> {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_READ - bytes.len())]);
            if bytes.len() == MAX_READ {
                return;
            }
        }
    };
    // What came until then is enough.
    let _ = timeout(BODY_TIMEOUT, read).await;
    text::printable(&String::from_utf8_lossy(&bytes), MAX_KEPT)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn send(client: &WebhookClient, url: &str) -> Outcome {
        client.send(url, "evt_1", "{}".into(), [&signature::new_secret()].into_iter()).await
    }

    /// An endpoint that reads one request and responds with these bytes; gives its address.
    async fn endpoint(response: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await.unwrap();
            stream.write_all(&response).await.unwrap();
            // Open until the other side has enough.
            let _ = stream.read(&mut buffer).await;
        });
        url
    }

    #[tokio::test]
    async fn nothing_is_sent_into_the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = WebhookClient::new(false, None).unwrap();
        for (url, error) in [
            (format!("http://127.0.0.1:{port}/"), "address"),
            (format!("https://127.0.0.1:{port}/"), "address"),
            (format!("https://[::ffff:127.0.0.1]:{port}/"), "address"),
            ("https://169.254.169.254/".to_owned(), "address"),
            ("ftp://example.com/".to_owned(), "address"),
            (format!("https://localhost:{port}/"), "dns"),
        ] {
            let outcome = send(&client, &url).await;
            assert_eq!((outcome.status, outcome.error), (None, Some(error)), "{url}");
        }
        let knocked = timeout(Duration::ZERO, listener.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn little_is_kept_of_a_response() {
        let client = WebhookClient::new(true, None).unwrap();
        let mut response = b"HTTP/1.1 500 x\r\ncontent-length: 9999999\r\nretry-after: 7\r\n\r\n".to_vec();
        response.extend(b"\x1b[31m\xff\0no\r\n");
        response.resize(20_000, b'x');
        let outcome = send(&client, &endpoint(response).await).await;
        assert_eq!((outcome.status, outcome.error), (Some(500), Some("status")));
        assert_eq!(outcome.retry_after, Some(Duration::from_secs(7)));
        let kept = outcome.response.unwrap();
        assert!(kept.starts_with("[31m\u{fffd}noxxx"), "{kept}");
        assert_eq!(kept.chars().count(), MAX_KEPT);
    }

    #[tokio::test]
    async fn a_redirect_is_a_failure_that_leads_nowhere() {
        let client = WebhookClient::new(true, None).unwrap();
        let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let location = target.local_addr().unwrap();
        let response = format!("HTTP/1.1 307 x\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n");
        let outcome = send(&client, &endpoint(response.into_bytes()).await).await;
        assert_eq!((outcome.status, outcome.error, outcome.response), (Some(307), Some("status"), None));
        assert!(timeout(Duration::ZERO, target.accept()).await.is_err());
    }

    /// The status has decided; that the rest does not come is no failure.
    #[tokio::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let client = WebhookClient::new(true, None).unwrap();
        let response = b"HTTP/1.1 200 x\r\ncontent-length: 99\r\n\r\nok".to_vec();
        let outcome = send(&client, &endpoint(response).await).await;
        assert_eq!((outcome.status, outcome.error), (Some(200), None));
        assert_eq!(outcome.response.as_deref(), Some("ok"));
    }

    #[tokio::test]
    async fn nobody_there_is_told_in_a_word() {
        let client = WebhookClient::new(true, None).unwrap();
        assert_eq!(send(&client, "http://127.0.0.1:1/").await.error, Some("connect"));
    }

    #[test]
    fn an_endpoint_is_public_https_unless_private_is_allowed() {
        let (public, private) =
            (WebhookClient::new(false, None).unwrap(), WebhookClient::new(true, None).unwrap());
        for url in ["https://hooks.example.com/a?b=c", "https://example.com:8443"] {
            assert!(public.accepts(url) && private.accepts(url), "{url}");
        }
        for url in
            ["http://example.com/", "http://localhost:3000/hook", "https://10.0.0.1/", "https://localhost/"]
        {
            assert!(!public.accepts(url) && private.accepts(url), "{url}");
        }
        for url in [
            "",
            "hooks.example.com",
            "https://user:pw@example.com/",
            "https://user@example.com/",
            "https://example.com/#a",
            "https://example.com/ a",
            "https://exa\tmple.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "data:text/plain,a",
        ] {
            assert!(!public.accepts(url) && !private.accepts(url), "{url}");
        }
        assert!(!public.accepts(&format!("https://example.com/{}", "a".repeat(2048))));
    }
}
