//! The address of a proxied call: exactly the host of the connection's API, and a path below its own.

use http::HeaderMap;
use url::Url;

use super::address::join;
use super::path::{ProxyPath, pattern};
use crate::catalogue::ApiCall;
use crate::error::ApiError;
use crate::oauth::OAuthClient;
use crate::provider_api::ApiAccess;
use crate::state::Service;
use crate::store::{ProxiedRequest, Vended};

/// Where a call goes, and what it carries. All of it may be secret.
pub(super) struct Target {
    pub(super) url: Url,
    /// With the credential.
    pub(super) headers: HeaderMap,
    /// The credential, where the query carries it.
    pub(super) in_query: Vec<String>,
    /// The path for the audit.
    pattern: String,
}

impl Target {
    /// The target of a call with a credential that is about to be used, and the OAuth client that it was obtained with.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] where the API's address is not known, or the catalogue denies the path.
    pub(super) fn new(
        service: &Service,
        tenant: &str,
        (vended, client): (&Vended, Option<&OAuthClient>),
        path: &ProxyPath<'_>,
        query: Option<&str>,
    ) -> Result<Self, ApiError> {
        let unknown = || ApiError::invalid("The catalogue does not tell where this app's API is");
        let access = ApiAccess::of_vended(service, tenant, vended, client).ok_or_else(unknown)?;
        // Providers differ in whether an encoded slash separates two segments.
        if access.option.denies(path.decoded.split('/'))
            || access.option.denies(path.segments.iter().map(String::as_str))
        {
            return Err(ApiError::invalid("This path gives credentials out and is not called by the proxy"));
        }
        let call = access.call(&vended.details.all_provider_data());
        let base = call.base_url.as_deref().and_then(|base| Url::parse(base).ok()).ok_or_else(unknown)?;
        let url = join(&base, path.raw, query, &call.query).ok_or_else(unknown)?;
        let base_path = base.path().trim_end_matches('/');
        let pattern = pattern(&format!("{base_path}/{}", path.decoded));
        let headers = headers(&call).ok_or_else(unknown)?;
        Ok(Self { url, headers, in_query: call.query.into_values().collect(), pattern })
    }

    /// What the audit notes of the call.
    pub(super) fn note(&self, request: &mut ProxiedRequest) {
        request.host = self.url.host_str().unwrap_or_default().to_owned();
        request.path.clone_from(&self.pattern);
    }
}

/// What is placed in headers; `None` where a value cannot stand in one.
fn headers(call: &ApiCall) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let mut value = http::HeaderValue::from_bytes(value.as_bytes()).ok()?;
        value.set_sensitive(true);
        headers.insert(http::HeaderName::try_from(name).ok()?, value);
    }
    Some(headers)
}
