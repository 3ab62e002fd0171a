//! hyper without a pool, a redirect or a proxy: one connection for each caller. The practical limit.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::answers;
use crate::job::{self, Outcome, POLL_INTERVAL, Settings};

pub(crate) struct Peer {
    /// `None` in the one that the callers' are made from.
    connection: Option<SendRequest<Empty<Bytes>>>,
    origin: Uri,
    tls: TlsConnector,
    path: String,
    token: Uri,
    list: Uri,
    headers: HeaderMap,
}

impl job::Peer for Peer {
    fn new(settings: &Settings) -> Outcome<Self> {
        let origin: Uri = settings.base_url.parse()?;
        let path = origin.path().to_owned();
        let mut headers = HeaderMap::new();
        let authority = origin.authority().ok_or("the base URL has no host")?;
        headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", settings.key))?);
        headers.insert("accept", HeaderValue::from_static("application/json"));
        headers.insert("x-user-email", HeaderValue::from_static("alice@example.com"));
        Ok(Self {
            connection: None,
            token: uri(format!("{path}/connections/{}/token", settings.connection))?,
            list: uri(format!("{path}/apps?limit=50"))?,
            path,
            origin,
            tls: TlsConnector::from(Arc::new(settings.tls()?)),
            headers,
        })
    }

    async fn share(&self) -> Outcome<Self> {
        let host = self.origin.host().ok_or("the base URL has no host")?;
        let port = self.origin.port_u16().ok_or("the base URL has no port")?;
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let connection = if self.origin.scheme_str() == Some("https") {
            let name = ServerName::try_from(host.to_owned())?;
            open(self.tls.connect(name, stream).await?).await?
        } else {
            open(stream).await?
        };
        Ok(Self {
            connection: Some(connection),
            origin: self.origin.clone(),
            tls: self.tls.clone(),
            path: self.path.clone(),
            token: self.token.clone(),
            list: self.list.clone(),
            headers: self.headers.clone(),
        })
    }

    async fn token(&mut self) -> Outcome<()> {
        let request = self.request(Method::POST, &self.token);
        answers::check_token(&self.send(request).await?)
    }

    async fn list(&mut self) -> Outcome<()> {
        let request = self.request(Method::GET, &self.list);
        answers::check_list(&self.send(request).await?)
    }

    async fn wait(&mut self, number: u64) -> Outcome<()> {
        let uri = uri(format!("{}/connections/conn_{number}", self.path))?;
        while !answers::is_active(&self.send(self.request(Method::GET, &uri)).await?)? {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}

impl Peer {
    fn request(&self, method: Method, uri: &Uri) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }

    async fn send(&mut self, request: Request<Empty<Bytes>>) -> Outcome<Bytes> {
        let connection = self.connection.as_mut().ok_or("there is no connection")?;
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        if !response.status().is_success() {
            return Err(format!("the server answered {}", response.status()).into());
        }
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

async fn open(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Outcome<SendRequest<Empty<Bytes>>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn uri(path_and_query: String) -> Outcome<Uri> {
    Ok(PathAndQuery::try_from(path_and_query)?.into())
}
