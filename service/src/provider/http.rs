//! The HTTP client for providers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer;
use super::guard::{PublicOnly, may_call};
use super::{Endpoint, Pkce, ProviderError, Tokens};
use crate::catalogue::{ClientAuth, TokenRequest};
use crate::state::SetupError;

/// No token answer is larger.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// For the whole exchange, from the name's resolution to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls token endpoints, and only public ones unless told otherwise. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProviderClient {
    http: reqwest::Client,
    allow_private_networks: bool,
}

impl ProviderClient {
    /// A client that refuses plain HTTP and addresses inside the network, unless `allow_private_networks`.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(allow_private_networks: bool) -> Result<Self, SetupError> {
        Self::with_timeout(allow_private_networks, TIMEOUT)
    }

    fn with_timeout(allow_private_networks: bool, timeout: Duration) -> Result<Self, SetupError> {
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(concat!("connect-service/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(timeout)
            .no_proxy();
        if !allow_private_networks {
            http = http.https_only(true).dns_resolver(PublicOnly);
        }
        Ok(Self {
            http: http.build()?,
            allow_private_networks,
        })
    }

    /// Redeems the code that the provider sent to the callback.
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
        self.request(endpoint, endpoint.code_params(code, redirect_uri, pkce))
            .await
    }

    /// Gets the next access token, and perhaps the next refresh token.
    ///
    /// # Errors
    ///
    /// See [`ProviderError`].
    pub async fn refresh(
        &self,
        endpoint: &Endpoint,
        refresh_token: &SecretString,
    ) -> Result<Tokens, ProviderError> {
        let params = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        self.request(endpoint, params).await
    }

    async fn request(
        &self,
        endpoint: &Endpoint,
        mut params: Vec<(&'static str, &str)>,
    ) -> Result<Tokens, ProviderError> {
        if !self.allow_private_networks && !may_call(&endpoint.token_url) {
            tracing::warn!(
                host = endpoint.token_url.host_str(),
                "refused to call a token endpoint"
            );
            return Err(ProviderError::Misconfigured);
        }
        let mut request = self
            .http
            .post(endpoint.token_url.clone())
            .header(ACCEPT, "application/json");
        match endpoint.client_auth() {
            ClientAuth::Basic => request = request.header(AUTHORIZATION, basic(endpoint)?),
            ClientAuth::Body => {
                params.push(("client_id", &endpoint.client_id));
                params.push(("client_secret", endpoint.client_secret.expose_secret()));
            }
        }
        let (content_type, body) = match endpoint.token_request() {
            TokenRequest::Form => {
                let form = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(params)
                    .finish();
                ("application/x-www-form-urlencoded", form)
            }
            TokenRequest::Json => {
                let object: std::collections::BTreeMap<_, _> = params.into_iter().collect();
                let json = serde_json::to_string(&object).map_err(|_| ProviderError::UNAVAILABLE)?;
                ("application/json", json)
            }
        };
        let sent = request.header(CONTENT_TYPE, content_type).body(body).send().await;
        let mut response = sent.map_err(|error| unreachable(endpoint, &error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());

        let mut bytes = Zeroizing::new(Vec::new());
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unreachable(endpoint, &error))?
        {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(ProviderError::Unavailable { retry_after });
            }
            bytes.extend_from_slice(&chunk);
        }
        let outcome = answer::parse(status, &bytes, retry_after);
        if let Err(error) = &outcome {
            tracing::warn!(host = endpoint.token_url.host_str(), status, %error, "no tokens from the provider");
        }
        outcome
    }
}

/// RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
fn basic(endpoint: &Endpoint) -> Result<HeaderValue, ProviderError> {
    use base64::Engine;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!(
        "{}:{}",
        encode(&endpoint.client_id),
        encode(endpoint.client_secret.expose_secret())
    ));
    let value = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())
    );
    let mut value = HeaderValue::try_from(value).map_err(|_| ProviderError::Misconfigured)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The error's own text is left out: it may hold the address with what was filled in.
fn unreachable(endpoint: &Endpoint, error: &reqwest::Error) -> ProviderError {
    tracing::warn!(
        host = endpoint.token_url.host_str(),
        timeout = error.is_timeout(),
        connect = error.is_connect(),
        "the provider did not answer"
    );
    ProviderError::UNAVAILABLE
}

/// In seconds or as a date; nonsense is as good as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    httpdate::parse_http_date(value)
        .ok()?
        .duration_since(SystemTime::now())
        .ok()
}

/// rustls on ring with the roots built in: no system library and nothing global.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::catalogue::{Catalogue, Inputs};
    use crate::provider::Registration;

    fn endpoint(app: &str, token_url: &str) -> Endpoint {
        let registration = Registration {
            client_id: "an id".into(),
            client_secret: "s3cret:".into(),
            scopes: None,
            authorization_url: None,
            token_url: Some(token_url.into()),
        };
        let catalogue = Catalogue::load(None).unwrap();
        Endpoint::new(
            &catalogue.get(app).unwrap().auth_options[0],
            &registration,
            &Inputs::new(),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn nothing_inside_the_network_is_called() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = ProviderClient::new(false).unwrap();
        for (url, outcome) in [
            (format!("http://127.0.0.1:{port}/"), ProviderError::Misconfigured),
            (format!("https://127.0.0.1:{port}/"), ProviderError::Misconfigured),
            (
                format!("https://[::ffff:127.0.0.1]:{port}/"),
                ProviderError::Misconfigured,
            ),
            (
                "https://169.254.169.254/".to_owned(),
                ProviderError::Misconfigured,
            ),
            (format!("https://localhost:{port}/"), ProviderError::UNAVAILABLE),
        ] {
            let refused = client
                .refresh(&endpoint("gmail", &url), &"rt".into())
                .await
                .unwrap_err();
            assert_eq!(refused, outcome, "{url}");
        }
        let knocked = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn a_provider_that_hangs_or_drips_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut dripping, _) = listener.accept().await.unwrap();
            dripping
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")
                .await
                .unwrap();
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if dripping.write_all(b" ").await.is_err() {
                    return;
                }
            }
        });
        let client = ProviderClient::with_timeout(true, Duration::from_millis(100)).unwrap();
        let given_up = client
            .refresh(&endpoint("gmail", &url), &"rt".into())
            .await
            .unwrap_err();
        assert_eq!(given_up, ProviderError::UNAVAILABLE);
    }

    #[test]
    fn basic_credentials_are_encoded_before_they_are_joined() {
        let header = basic(&endpoint("notion", "https://example.com/")).unwrap();
        assert!(header.is_sensitive());
        // an+id:s3cret%3A
        assert_eq!(header, "Basic YW4raWQ6czNjcmV0JTNB");
    }

    #[test]
    fn retry_after_in_both_forms_or_not_at_all() {
        let read = |value: &str| {
            let headers = [(RETRY_AFTER, HeaderValue::try_from(value).unwrap())];
            retry_after(&headers.into_iter().collect())
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(read(&date).is_some_and(|wait| wait <= Duration::from_secs(60)));
        for nonsense in ["", "-1", "soon", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
