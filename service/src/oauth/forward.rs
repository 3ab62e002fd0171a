//! Requests of tenants' backends that the service passes on to a provider's API. They are as large and take as long as they
//! do, so nothing here limits either; a caller does, by dropping what it was given.

use http::{HeaderMap, Method};
use url::Url;

use super::ProviderClient;
use super::guard::may_call;
use super::http::cause;

/// A request to a provider's API.
pub(crate) struct ForwardRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: reqwest::Body,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum ForwardError {
    /// The provider was not reached, or must not be: nothing was sent.
    NotSent,
    /// The request or its response broke off: the provider may have carried the request out.
    BrokeOff(reqwest::Error),
}

impl ProviderClient {
    /// Sends a request once, and gives the response with its body still to come. A redirect is a response like any other.
    pub(crate) async fn forward(&self, request: ForwardRequest) -> Result<reqwest::Response, ForwardError> {
        let ForwardRequest { method, url, headers, body } = request;
        let host = url.host_str().unwrap_or_default().to_owned();
        if !self.allow_private_networks && !may_call(&url) {
            tracing::warn!(host, "refused to call an API");
            return Err(ForwardError::NotSent);
        }
        let sent = self.streaming.request(method, url).headers(headers).body(body).send().await;
        // The error's own text is left out: it may hold the address with what was filled in.
        sent.map_err(|error| {
            tracing::warn!(host, cause = cause(&error), "the API did not answer");
            if error.is_connect() || error.is_builder() {
                ForwardError::NotSent
            } else {
                ForwardError::BrokeOff(error)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    fn request(url: &str) -> ForwardRequest {
        ForwardRequest {
            method: Method::GET,
            url: Url::parse(url).unwrap(),
            headers: HeaderMap::new(),
            body: reqwest::Body::default(),
        }
    }

    /// A name can lead inside the network at any time, whatever it led to when the customer connected.
    #[tokio::test]
    async fn no_call_is_forwarded_inside_the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = ProviderClient::new(false, None).unwrap();
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}/"),
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            format!("https://2130706433:{port}/"),
            format!("https://0x7f.1:{port}/"),
            format!("https://localhost:{port}/"),
            format!("https://localhost.:{port}/"),
            "https://169.254.169.254/".to_owned(),
        ] {
            let outcome = client.forward(request(&url)).await;
            assert!(matches!(outcome, Err(ForwardError::NotSent)), "{url}");
        }
        let knocked = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (listener, metadata) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let elsewhere = format!("http://{}/", metadata.local_addr().unwrap());
        let response = format!("HTTP/1.1 307 x\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(response.as_bytes()).await.unwrap();
        });
        let response = ProviderClient::new(true, None).unwrap().forward(request(&url)).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (307, &elsewhere.parse().unwrap())
        );
        let knocked = tokio::time::timeout(Duration::ZERO, metadata.accept()).await;
        assert!(knocked.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn what_broke_off_may_have_been_carried_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = ProviderClient::new(true, None).unwrap();
        let closing = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
        });
        assert!(matches!(client.forward(request(&url)).await, Err(ForwardError::BrokeOff(_))));
        closing.await.unwrap();
        // Nobody listens there any more.
        assert!(matches!(client.forward(request(&url)).await, Err(ForwardError::NotSent)));
    }
}
