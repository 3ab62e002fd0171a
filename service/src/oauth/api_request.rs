//! Calls of the service's own to a provider's API, as the catalogue describes them. Responses are JSON, bounded in size and
//! time.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::header::ACCEPT;
use serde_json::Value;
use url::Url;

use super::ProviderClient;
use super::guard::may_call;
use super::http::{body, cause};

/// Small responses, and little patience, since a customer waits.
const FOR_CUSTOMERS: Bounds = Bounds { max_response: 64 * 1024, timeout: Duration::from_secs(5) };

/// What is read of a response at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// In bytes, unpacked.
    pub(crate) max_response: usize,
    /// For the whole call, from the name's resolution to the last byte.
    pub(crate) timeout: Duration,
}

/// A call to an API.
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Headers in the order in which they are set: later ones replace earlier ones of the same name.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) query: &'a BTreeMap<String, String>,
    pub(crate) json: Option<&'a Value>,
}

/// What an API responded.
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ApiBody,
}

/// Why there is no response that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The request cannot be made, or must not be: nothing was sent.
    NotSent,
    /// The API was not reached, or its response did not arrive whole in time.
    NoResponse,
    /// The response is larger than is read.
    TooLarge,
}

/// The body of a response, as far as it is of use.
pub(crate) enum ApiBody {
    Empty,
    Json(Value),
    /// HTML and the like.
    Other,
}

impl ProviderClient {
    /// Makes one call while a customer waits; `None` where there is no response that can be used. A redirect is not followed.
    pub(crate) async fn call_api(&self, request: ApiRequest<'_>) -> Option<ApiResponse> {
        self.read_api(request, FOR_CUSTOMERS).await.ok()
    }

    /// The same within other bounds.
    pub(crate) async fn read_api(
        &self,
        request: ApiRequest<'_>,
        bounds: Bounds,
    ) -> Result<ApiResponse, ApiError> {
        let ApiRequest { method, mut url, headers, query, json } = request;
        let host = url.host_str().unwrap_or_default().to_owned();
        if !self.allow_private_networks && !may_call(&url) {
            tracing::warn!(host, "refused to call an API");
            return Err(ApiError::NotSent);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let headers = header_map(&headers).ok_or(ApiError::NotSent)?;
        let mut call = self.http.request(method, url).timeout(bounds.timeout).headers(headers);
        if let Some(json) = json {
            call = call.header(reqwest::header::CONTENT_TYPE, "application/json").body(json.to_string());
        }
        match self.measured("api", receive(call, bounds.max_response)).await {
            Ok(response) => response.ok_or(ApiError::TooLarge),
            Err(error) => {
                // The error's own text is left out: it may hold the address with what was filled in.
                tracing::warn!(host, cause = cause(&error), "the API did not answer");
                Err(ApiError::NoResponse)
            }
        }
    }
}

async fn receive(call: reqwest::RequestBuilder, max: usize) -> Result<Option<ApiResponse>, reqwest::Error> {
    let mut response = call.send().await?;
    let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
    let Some(bytes) = body(&mut response, max).await? else {
        return Ok(None);
    };
    let body = match serde_json::from_slice(&bytes) {
        Ok(value) => ApiBody::Json(value),
        Err(_) if bytes.trim_ascii().is_empty() => ApiBody::Empty,
        Err(_) => ApiBody::Other,
    };
    Ok(Some(ApiResponse { status, headers, body }))
}

/// `None` where a value cannot stand in a header.
fn header_map(headers: &[(&str, &str)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    for (name, value) in headers {
        let mut value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        value.set_sensitive(true);
        map.insert(HeaderName::try_from(*name).ok()?, value);
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A customer can have typed these hosts, or a response named them.
    #[tokio::test]
    async fn no_api_inside_the_network_is_called() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = ProviderClient::new(false, None).unwrap();
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}/"),
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            format!("https://localhost:{port}/"),
            "https://169.254.169.254/".to_owned(),
        ] {
            let request = ApiRequest {
                method: Method::GET,
                url: Url::parse(&url).unwrap(),
                headers: vec![("authorization", "Bearer at")],
                query: &BTreeMap::new(),
                json: None,
            };
            assert!(client.call_api(request).await.is_none(), "{url}");
        }
        let knocked = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[test]
    fn later_headers_replace_earlier_ones_and_odd_ones_end_the_call() {
        let map = header_map(&[("Authorization", "a"), ("authorization", "b"), ("X", "{é}")]).unwrap();
        assert_eq!((map.len(), &map["authorization"]), (3, &HeaderValue::from_static("b")));
        assert!(map["authorization"].is_sensitive());
        assert!(header_map(&[("X", "a\r\nY: b")]).is_none());
    }
}
