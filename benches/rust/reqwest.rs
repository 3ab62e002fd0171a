//! reqwest, used as well as it can be: addresses parsed and headers prepared once.

use http::{HeaderMap, HeaderValue, Method};
use reqwest::{Client, Request, Url};

use crate::answers;
use crate::job::{self, Outcome, POLL_INTERVAL, Settings};

#[derive(Clone)]
pub(crate) struct Peer {
    client: Client,
    base_url: Url,
    token_url: Url,
    list_url: Url,
    headers: HeaderMap,
}

impl job::Peer for Peer {
    fn new(settings: &Settings) -> Outcome<Self> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", settings.key))?);
        headers.insert("accept", HeaderValue::from_static("application/json"));
        headers.insert("x-user-email", HeaderValue::from_static("alice@example.com"));
        let base = &settings.base_url;
        Ok(Self {
            client: Client::builder().tls_backend_preconfigured(settings.tls()?).build()?,
            base_url: base.parse()?,
            token_url: format!("{base}/connections/{}/token", settings.connection).parse()?,
            list_url: format!("{base}/apps?limit=50").parse()?,
            headers,
        })
    }

    async fn share(&self) -> Outcome<Self> {
        Ok(self.clone())
    }

    async fn token(&mut self) -> Outcome<()> {
        let request = self.request(Method::POST, &self.token_url);
        answers::check_token(&self.client.execute(request).await?.bytes().await?)
    }

    async fn list(&mut self) -> Outcome<()> {
        let request = self.request(Method::GET, &self.list_url);
        answers::check_list(&self.client.execute(request).await?.bytes().await?)
    }

    async fn wait(&mut self, number: u64) -> Outcome<()> {
        let url: Url = format!("{}/connections/conn_{number}", self.base_url).parse()?;
        let email = HeaderValue::from_str(&format!("customer-{number}@example.com"))?;
        loop {
            let mut request = self.request(Method::GET, &url);
            request.headers_mut().insert("x-user-email", email.clone());
            if answers::is_active(&self.client.execute(request).await?.bytes().await?)? {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Peer {
    fn request(&self, method: Method, url: &Url) -> Request {
        let mut request = Request::new(method, url.clone());
        *request.headers_mut() = self.headers.clone();
        request
    }
}
