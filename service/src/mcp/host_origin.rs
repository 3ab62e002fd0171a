//! Which hosts and origins the MCP server answers. A web page must not be able to reach a server on its visitor's
//! machine under a name of its own (DNS rebinding), nor any other server with a URL that it got hold of.

use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use url::Url;

use crate::server::MAX_BODY;
use crate::state::AppState;

/// Stateless, JSON answers only, and the checks: this machine and the public address, and what the operator adds.
pub(super) fn settings(app: &AppState) -> StreamableHttpServerConfig {
    let public = Url::parse(&app.public_url).ok();
    let mcp = &app.config.mcp;
    let own_host = public.as_ref().and_then(Url::host_str).map(str::to_owned);
    let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
    let hosts = loopback.into_iter().chain(own_host).chain(mcp.allowed_hosts.clone());
    let own_origin = public.as_ref().map(|url| url.origin().ascii_serialization());
    let origins = own_origin.into_iter().chain(mcp.allowed_origins.clone());
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins.map(|origin| with_port(&origin)))
        .enforce_origin_validation()
}

/// An origin without a port means the scheme's own one, and not any.
fn with_port(origin: &str) -> String {
    let url = Url::parse(origin).ok();
    let explicit = url.and_then(|url| {
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        Some(format!("{}://{host}:{port}", url.scheme()))
    });
    explicit.unwrap_or_else(|| origin.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_port() {
        assert_eq!(with_port("https://agents.example"), "https://agents.example:443");
        assert_eq!(with_port("http://localhost:6274"), "http://localhost:6274");
        assert_eq!(with_port("http://[::1]"), "http://[::1]:80");
        assert_eq!(with_port("null"), "null");
    }
}
