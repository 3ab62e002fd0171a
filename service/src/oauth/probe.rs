//! Whether a provider can be reached from here, for `connect-service doctor`.

use std::time::SystemTime;

use http::header::DATE;
use url::Url;

use super::ProviderClient;
use super::guard::may_call;
use super::http::cause;

impl ProviderClient {
    /// Asks the host of this address for its first page; gives the time that it tells. Any response will do. Nothing of the
    /// service's own is sent.
    ///
    /// # Errors
    ///
    /// What prevented a response, in a word.
    pub(crate) async fn probe(&self, url: &Url) -> Result<Option<SystemTime>, &'static str> {
        if !self.allow_private_networks && !may_call(url) {
            return Err("refused: it is not a public https address");
        }
        let mut page = url.clone();
        page.set_path("/");
        page.set_query(None);
        let response = self.http.head(page).send().await.map_err(|error| cause(&error))?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| httpdate::parse_http_date(date).ok()))
    }
}
