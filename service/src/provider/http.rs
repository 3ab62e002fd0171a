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
    pub fn new(allow_private_networks: bool) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(concat!("connect-service/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
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
