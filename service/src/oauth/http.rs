//! The HTTP client for providers.

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use flate2::read::MultiGzDecoder;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::answer::{self, Received};
use super::call::Call;
use super::guard::{ResolveError, Resolver, may_call};
use super::{Endpoint, Failure, Pkce, ProviderError, Tokens};
use crate::metrics::{CallLabels, Durations, durations};
use crate::state::SetupError;
use crate::traces;

/// No token answer is larger.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// How data in gzip begins (RFC 1952), and no text does.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// For the whole exchange, from the name's resolution to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls token endpoints and APIs, and only public ones unless private networks are allowed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProviderClient {
    pub(super) http: reqwest::Client,
    /// The same without a limit on time and size, for requests that are passed on. Each has a connection of its own.
    pub(super) streaming: reqwest::Client,
    pub(super) allow_private_networks: bool,
    durations: Durations<CallLabels>,
}

impl ProviderClient {
    /// A client that refuses plain HTTP and addresses inside the network, unless `allow_private_networks`. It trusts the
    /// certificate authorities in `ca_file`, in PEM, beside the public ones.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up, or the file holds no certificate.
    pub fn new(allow_private_networks: bool, ca_file: Option<&Path>) -> Result<Self, SetupError> {
        Self::with_timeout(allow_private_networks, ca_file, TIMEOUT)
    }

    fn with_timeout(
        allow_private_networks: bool,
        ca_file: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, SetupError> {
        let builder = || guarded_http(allow_private_networks, ca_file);
        let http = builder()?.timeout(timeout).build()?;
        // Requests that are passed on are as their callers want them, such as a GET with a body. A provider that does not
        // read it takes it for the next request on that connection, which would be another customer's.
        let streaming = builder()?.connect_timeout(timeout).pool_max_idle_per_host(0).build()?;
        Ok(Self { http, streaming, allow_private_networks, durations: durations() })
    }

    /// Redeems the code that the provider sent to the callback, and exchanges the token for one that lasts where the
    /// provider has those.
    ///
    /// # Errors
    ///
    /// See [`ProviderError`].
    pub async fn exchange_code(
        &self,
        endpoint: &Endpoint,
        code: &str,
        redirect_uri: &str,
        pkce: &Pkce,
    ) -> Result<Tokens, ProviderError> {
        let first = self.send(endpoint.code_call(code, redirect_uri, pkce)?).await?;
        match endpoint.exchange_call(&first.access_token) {
            Some(call) => Ok(first.exchanged_for(self.send(call).await?)),
            None => Ok(first),
        }
    }

    /// Gets the next access token, and perhaps the next refresh token, in the place of these.
    ///
    /// # Errors
    ///
    /// See [`ProviderError`].
    pub async fn refresh(
        &self,
        endpoint: &Endpoint,
        access_token: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<Tokens, ProviderError> {
        self.send(endpoint.refresh_call(access_token, refresh_token)?).await
    }

    /// Whether the provider says that it does not accept the client. Where it says nothing, nothing is known.
    pub async fn refuses_client(&self, endpoint: &Endpoint, redirect_uri: &str) -> bool {
        let answer = match endpoint.trial_call(redirect_uri) {
            Ok(call) => self.send(call).await,
            Err(error) => Err(error),
        };
        answer.is_err_and(|error| error == ProviderError::Misconfigured)
    }

    pub(super) async fn send(&self, call: Call) -> Result<Tokens, ProviderError> {
        let host = call.url.host_str().unwrap_or_default().to_owned();
        if !self.allow_private_networks && !may_call(&call.url) {
            tracing::warn!(host, "refused to call a token endpoint");
            return Err(ProviderError::Misconfigured);
        }
        let request = self.http.request(call.method, call.url).headers(call.headers);
        let request = match call.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        };
        let request = if call.body.is_empty() { request } else { request.body(call.body.to_string()) };
        let receive = async {
            let mut response = request.send().await?;
            let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
            Ok((status, retry_after, body(&mut response, MAX_ANSWER_BYTES).await?))
        };
        let received = self.measured("token", receive).await;
        let (status, retry_after, body) = received.map_err(|error| unreachable(&host, &error))?;
        let Some(bytes) = body else {
            return Err(ProviderError::Unavailable { retry_after, failure: Failure::Unusable });
        };
        let received = Received { status, body: &bytes, retry_after, now: SystemTime::now() };
        let outcome = answer::parse(&received, &call.rules);
        match &outcome {
            Ok(tokens) if !tokens.has_known_type() => {
                // The type itself may be anything, and so is not repeated.
                tracing::warn!(host, "the provider's token type is not understood; it is vended as it is");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(host, status, %error, "no tokens from the provider"),
        }
        outcome
    }

    /// How long requests took, as it goes on.
    pub(crate) fn durations(&self) -> Durations<CallLabels> {
        self.durations.clone()
    }

    /// Notes how long a request took, by what it is for.
    pub(super) async fn measured<T>(
        &self,
        purpose: &'static str,
        request: impl Future<Output = Result<T, reqwest::Error>>,
    ) -> Result<T, reqwest::Error> {
        let mut span = traces::child("provider");
        let started = Instant::now();
        let outcome = request.await;
        let result = outcome.as_ref().err().map_or("response", cause);
        let duration = self.durations.get_or_create(&CallLabels { purpose, result });
        duration.observe(started.elapsed().as_secs_f64());
        drop(duration);
        span.set("connect.purpose", purpose);
        span.set("connect.result", result);
        if outcome.is_err() {
            span.fail();
        }
        outcome
    }
}

/// A client for addresses that others named: without redirects and proxies, and unless `allow_private_networks` by HTTPS and
/// to public addresses alone. Literal addresses are the caller's to check, by [`may_call`].
///
/// # Errors
///
/// When TLS cannot be set up, or the file holds no certificate.
pub(crate) fn guarded_http(
    allow_private_networks: bool,
    ca_file: Option<&Path>,
) -> Result<reqwest::ClientBuilder, SetupError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls(ca_file)?)
        .user_agent(concat!("connect-service/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .default_headers([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))].into_iter().collect())
        .no_proxy()
        .https_only(!allow_private_networks)
        .dns_resolver(Resolver::new(allow_private_networks)))
}

/// A client for an address of the operator's own, wherever that is.
///
/// # Errors
///
/// When TLS cannot be set up.
pub(crate) fn trusted_http() -> Result<reqwest::ClientBuilder, SetupError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls(None)?)
        .user_agent(concat!("connect-service/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy())
}

/// The error's own text is left out: it may hold the address with what was filled in.
fn unreachable(host: &str, error: &reqwest::Error) -> ProviderError {
    tracing::warn!(host, cause = cause(error), "the provider did not answer");
    ProviderError::Unavailable { retry_after: None, failure: Failure::NoResponse }
}

/// The body of a response; `None` where it is larger than `max`, as it came or unpacked. Some servers compress although
/// nobody asked them to, and what they granted cannot be asked for again.
pub(super) async fn body(
    response: &mut reqwest::Response,
    max: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, reqwest::Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > max {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    if !bytes.starts_with(GZIP) {
        return Ok(Some(bytes));
    }
    let mut unpacked = Zeroizing::new(Vec::new());
    // What came before damage, such as a missing checksum, is kept: whether it is whole is for its reader to say.
    let _ = MultiGzDecoder::new(bytes.as_slice()).take(max as u64 + 1).read_to_end(&mut unpacked);
    Ok((unpacked.len() <= max).then_some(unpacked))
}

/// What a call failed of, in a word.
pub(crate) fn cause(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "timeout";
    }
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<ResolveError>() {
            return "dns";
        }
        if error.is::<rustls::Error>() {
            return "tls";
        }
        next = match error.downcast_ref::<std::io::Error>() {
            // What an I/O error wraps is not its source.
            Some(error) => error.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    if error.is_connect() { "connect" } else { "transfer" }
}

/// In seconds or as a date; nonsense is as good as nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is still a wish to wait for very long.
        let seconds = value.parse::<u32>().unwrap_or(u32::MAX);
        return Some(Duration::from_secs(seconds.into()));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()
}

/// rustls on ring with the roots built in, and the operator's own: no system library and nothing global.
fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, SetupError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let failed = |error: &dyn std::fmt::Display| format!("provider_ca_file {}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
        let before = roots.len();
        for certificate in certificates {
            roots.add(certificate.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
        }
        if roots.len() == before {
            return Err(failed(&"it holds no certificate in PEM").into());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::catalogue::{Catalogue, Inputs};
    use crate::oauth::OAuthClient;

    const NO_RESPONSE: ProviderError =
        ProviderError::Unavailable { retry_after: None, failure: Failure::NoResponse };

    fn endpoint(app: &str, token_url: &str) -> Endpoint {
        endpoint_with_secret(app, token_url, "s3 cret:")
    }

    fn endpoint_with_secret(app: &str, token_url: &str, client_secret: &str) -> Endpoint {
        let client =
            OAuthClient { token_url: Some(token_url.into()), ..OAuthClient::new("an id", client_secret) };
        let catalogue = Catalogue::load(None).unwrap();
        Endpoint::new(&catalogue.get(app).unwrap().auth_options[0], &client, &Inputs::new()).unwrap()
    }

    #[tokio::test]
    async fn nothing_inside_the_network_is_called() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = ProviderClient::new(false, None).unwrap();
        for (url, outcome) in [
            (format!("http://127.0.0.1:{port}/"), ProviderError::Misconfigured),
            (format!("https://127.0.0.1:{port}/"), ProviderError::Misconfigured),
            (format!("https://[::ffff:127.0.0.1]:{port}/"), ProviderError::Misconfigured),
            ("https://169.254.169.254/".to_owned(), ProviderError::Misconfigured),
            (format!("https://localhost:{port}/"), NO_RESPONSE),
        ] {
            let refused =
                client.refresh(&endpoint("gmail", &url), &"at".into(), &"rt".into()).await.unwrap_err();
            assert_eq!(refused, outcome, "{url}");
        }
        // Where a customer's own secret goes, likewise.
        let file = format!(
            "id = \"x\"\nname = \"X\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"k\"\ntitle = \"T\"\n\
             type = \"token_exchange\"\n[[auth.fields]]\nname = \"key\"\ntitle = \"Key\"\n\
             [auth.token_exchange]\nurl = \"https://localhost:{port}/\""
        );
        let mut catalogue = Catalogue::default();
        catalogue.add("x.toml", &file).unwrap();
        let (option, now) = (&catalogue.get("x").unwrap().auth_options[0], SystemTime::now());
        let inputs = Inputs::from([("key".to_owned(), "k".to_owned())]);
        let refused = client.fetch(option, &inputs, now, Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(refused, NO_RESPONSE);
        let knocked = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn a_provider_that_hangs_or_drips_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut dripping, _) = listener.accept().await.unwrap();
            dripping.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n").await.unwrap();
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if dripping.write_all(b" ").await.is_err() {
                    return;
                }
            }
        });
        let client = ProviderClient::with_timeout(true, None, Duration::from_millis(100)).unwrap();
        let given_up =
            client.refresh(&endpoint("gmail", &url), &"at".into(), &"rt".into()).await.unwrap_err();
        assert_eq!(given_up, NO_RESPONSE);
    }

    /// What a refresh sends, headers and body.
    async fn sent(app: &str, client_secret: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let received = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            while !text.contains("refresh_token=") && !text.contains("refresh_token\"") {
                let read = stream.read(&mut buffer).await.unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            text
        });
        let client = ProviderClient::new(true, None).unwrap();
        let endpoint = endpoint_with_secret(app, &url, client_secret);
        client.refresh(&endpoint, &"at".into(), &"r t".into()).await.unwrap_err();
        received.await.unwrap()
    }

    #[tokio::test]
    async fn a_public_client_sends_its_id_and_no_empty_secret() {
        // By body, by Basic authentication, and in JSON with that.
        for app in ["gmail", "pipedrive", "notion"] {
            let request = sent(app, "").await;
            assert!(request.contains("client_id") && request.contains("an"), "{request}");
            assert!(!request.contains("client_secret"), "{request}");
            assert!(!request.to_ascii_lowercase().contains("authorization:"), "{request}");
        }
        let request = sent("gmail", "s3 cret").await;
        assert!(request.contains("client_id=an%20id&client_secret=s3%20cret"), "{request}");
        assert!(request.contains("refresh_token=r%20t&"), "{request}");
    }

    /// A server for `localhost` with a certificate of an authority that nobody knows, and the authority's certificate.
    async fn private_provider() -> (String, String) {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let body = r#"{"access_token":"at"}"#;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
                let _ = stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
            }
        });
        (url, authority.pem())
    }

    #[tokio::test]
    async fn an_authority_of_the_operators_own_is_trusted() {
        let (url, pem) = private_provider().await;
        let folder = std::env::temp_dir().join(format!("ca-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let good = file("good.pem", &format!("An authority.\n{pem}"));
        let client = ProviderClient::new(true, Some(&good)).unwrap();
        let tokens = client.refresh(&endpoint("gmail", &url), &"at".into(), &"rt".into()).await.unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "at");

        let stranger = ProviderClient::new(true, None).unwrap();
        let refused = stranger.refresh(&endpoint("gmail", &url), &"at".into(), &"rt".into()).await;
        assert_eq!(refused.unwrap_err(), NO_RESPONSE);

        let broken = pem.replacen("M", "!", 1);
        let empty = ["", "no certificate", broken.as_str()].map(|text| file("bad.pem", text));
        for path in empty.iter().chain([&folder.join("absent.pem")]) {
            let error = ProviderClient::new(true, Some(path)).unwrap_err().to_string();
            assert!(error.starts_with("provider_ca_file ") && error.contains(".pem"), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn the_cause_of_a_failed_call_is_one_word() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // It accepts, says something that is neither TLS nor HTTP, and hangs up; the last time it says nothing.
        tokio::spawn(async move {
            for say in [&b"SSH-2.0-x\r\n"[..], b"SSH-2.0-x\r\n"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(say).await.unwrap();
            }
            let _silent = listener.accept().await.unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
        let closed = {
            let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        let (untrusted, _) = private_provider().await;
        let client = ProviderClient::new(true, None).unwrap();
        let public = ProviderClient::new(false, None).unwrap();
        let hasty = ProviderClient::with_timeout(true, None, Duration::from_millis(50)).unwrap();
        for (client, url, expected) in [
            (&public, "https://localhost/", "dns"),
            (&client, "https://no-such-name.invalid/", "dns"),
            (&client, &format!("http://{closed}/"), "connect"),
            (&client, &format!("https://{address}/"), "tls"),
            (&client, &untrusted, "tls"),
            (&client, &format!("http://{address}/"), "transfer"),
            (&hasty, &format!("http://{address}/"), "timeout"),
        ] {
            let error = client.http.post(url).send().await.unwrap_err();
            assert_eq!(cause(&error), expected, "{url} {error:?}");
        }
    }

    #[test]
    fn retry_after_in_both_forms_or_not_at_all() {
        let read = |value: &str| {
            let headers = [(RETRY_AFTER, HeaderValue::try_from(value).unwrap())];
            retry_after(&headers.into_iter().collect())
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        for more_than_fits in ["4294967295", "4294967296", "99999999999999999999999"] {
            assert_eq!(read(more_than_fits), Some(Duration::from_secs(u32::MAX.into())));
        }
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(read(&date).is_some_and(|wait| wait <= Duration::from_secs(60)));
        for nonsense in ["", "-1", "soon", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
