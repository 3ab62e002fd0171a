//! Where a proxied call goes: exactly the connection's own host, and below its API's path (server-side request forgery).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use axum::response::IntoResponse;
use connect_service::config::Config;
use connect_service::server;
use http::StatusCode;
use support::{Api, Platform, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A service that listens, with a connection whose API is here.
struct Stage {
    api: Api,
    platform: Platform,
    id: String,
    address: String,
}

impl Stage {
    /// The same with one more app, `x`, whose `[auth.api]` has these lines.
    async fn with_catalogue(api_lines: &str) -> Self {
        let (api, folder) = (Api::start().await, support::folder());
        let app = format!(
            "id = \"x\"\nname = \"X\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"k\"\ntitle = \"T\"\n\
             type = \"header\"\nconstants = {{ header_name = \"x-key\" }}\n[[auth.fields]]\nname = \"api_key\"\n\
             title = \"K\"\nformat = \"password\"\n[auth.api]\n{api_lines}"
        );
        std::fs::write(folder.join("x.toml"), app).unwrap();
        let config = Config { catalogue_dir: Some(folder.clone()), ..Config::default() };
        let platform = Platform::with_apis(config, &api.url).await;
        std::fs::remove_dir_all(folder).unwrap();
        let link = platform.link(serde_json::json!({"app_id": "x", "name": "x"})).await;
        let (id, token) = (support::text(&link["connection_id"]), support::text(&link["request_token"]));
        let body = serde_json::json!({"auth_option_key": "k", "fields": {"api_key": "canary-key"}});
        let submitted =
            platform.public("POST", &format!("/connections/{id}/submit"), &token).json(&body).await;
        assert_eq!(submitted.json["data"]["status"], "active", "{}", submitted.text);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(server::serve(platform.app.clone(), listener));
        Self { api, platform, id, address }
    }

    /// Sends a request line as it is; gives the status and what else came.
    async fn raw(&self, line: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nx-user-email: {}\r\nconnection: close\r\n\r\n",
            self.address,
            self.platform.key,
            support::ALICE
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        (response[9..12].parse().unwrap(), response)
    }

    fn proxy(&self) -> String {
        format!("/platform/v1/connections/{}/proxy", self.id)
    }
}

const API: &str = "base_url = \"https://api.x.example/v1\"\nheaders = { X-Key = \"{api_key}\" }\n";

#[tokio::test]
async fn no_path_leaves_the_host_of_the_connection() {
    let stage = Stage::with_catalogue(API).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = elsewhere.local_addr().unwrap();
    for path in [
        format!("//{other}/x"),
        format!("/http://{other}/x"),
        format!("/http:/{other}/x"),
        format!("/http%3A%2F%2F{other}/x"),
        format!("/@{other}/x"),
        format!("/:80@{other}/x"),
        format!("/x?@{other}"),
        format!("/x?url=http://{other}/"),
        format!("/%2F%2F{other}/x"),
        format!("/;@{other}/x"),
    ] {
        let (status, response) = stage.raw(&format!("GET {}{path}", stage.proxy())).await;
        assert_eq!(status, 200, "{path}: {response}");
        let seen = stage.api.seen_one();
        assert_eq!(seen.target, format!("/x/v1{path}"), "as it was written, below the API's path");
        assert_eq!(seen.header("host"), stage.api.url.strip_prefix("http://").unwrap());
    }
    // In absolute form, its host is not looked at.
    let (status, _) = stage.raw(&format!("GET http://{other}{}/x", stage.proxy())).await;
    assert_eq!((status, &*stage.api.seen_one().target), (200, "/x/v1/x"));
    let knocked = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(knocked.is_err(), "a connection was made");
}

#[tokio::test]
async fn no_path_leaves_the_path_of_the_api() {
    let stage = Stage::with_catalogue(API).await;
    for path in [
        "/../x",
        "/a/../../x",
        "/./x",
        "/%2e%2e/x",
        "/%2E%2E%2Fx",
        "/a%2f..%2f..%2fx",
        "/%252e%252e%252fx",
        "/..;/x",
        "/..%3Bx",
        "/..%20/x",
        "/\\x",
        "/..\\x",
        "/..%5cx",
        "/%5c%5cevil.example/x",
        "/a%0d%0aX-Key:%20evil",
        "/a%0aGET%20/x",
        "/a%00b",
    ] {
        let (status, response) = stage.raw(&format!("GET {}{path}", stage.proxy())).await;
        assert_eq!(status, 400, "{path}: {response}");
        assert!(response.contains("x-connect-source: platform"), "{path}: {response}");
    }
    // What is no UTF-8 is no path of the contract at all.
    for path in ["/%ff", "/%c0%ae%c0%ae/x"] {
        let (status, _) = stage.raw(&format!("GET {}{path}", stage.proxy())).await;
        assert!((400..500).contains(&status), "{path}");
    }
    assert!(stage.api.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_given_back_and_not_followed() {
    let stage = Stage::with_catalogue(API).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/latest/meta-data/", elsewhere.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let (status, to) = (StatusCode::from_u16(status).unwrap(), location.clone());
        stage.api.will(move |_| (status, [("location", to.clone())], "").into_response());
        let (got, response) = stage.raw(&format!("GET {}/x", stage.proxy())).await;
        assert_eq!(got, status.as_u16());
        assert!(response.contains(&format!("location: {location}")), "{response}");
    }
    let knocked = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(knocked.is_err(), "a connection was made");
}

#[tokio::test]
async fn paths_that_give_credentials_out_are_not_called() {
    let denied = "deny_paths = [\"/oauth/**\", \"/users/*/token\"]\n";
    let stage = Stage::with_catalogue(&format!("{API}{denied}")).await;
    for path in [
        "/oauth",
        "/oauth/token",
        "/OAuth//token",
        "/%6fauth/token",
        "/oauth;a/token?x",
        "/oauth%2Ftoken",
        "/users/me/token/",
        "/users/group%2Fme/token",
        "/users/me/token.json",
    ] {
        let (status, response) = stage.raw(&format!("POST {}{path}", stage.proxy())).await;
        assert_eq!(status, 400, "{path}: {response}");
    }
    assert!(stage.api.seen().is_empty());
    let (status, _) = stage.raw(&format!("GET {}/users/me", stage.proxy())).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_api_without_an_address_is_not_called() {
    let stage = Stage::with_catalogue("headers = { X-Key = \"{api_key}\" }\n").await;
    let answer = stage.platform.call("GET", &format!("/connections/{}/proxy/x", stage.id)).send().await;
    answer.is_error(400, "invalid_request");
    assert!(stage.api.seen().is_empty());
}

/// Each customer's connection leads to the shop that this customer connected.
#[tokio::test]
async fn no_call_reaches_the_shop_of_another() {
    let (api, provider) = (Api::start().await, Provider::start().await);
    let mut config = Config::default();
    config.apps.insert("gmail".into(), provider.registration());
    let platform = Platform::with_apis(config, &api.url).await;
    let id = platform.authorised(None, Some(3600)).await;
    let key = platform.another_key(&connect_service::store::Capability::ALL).await;
    let unknown = platform.call("GET", "/connections/conn_000000000000000000000000/proxy/x").send().await;
    for call in [
        platform.call("GET", &format!("/connections/{id}/proxy/x")).key(&key),
        platform.call("GET", &format!("/connections/{id}/proxy/x")).customer("bob@example.com"),
        platform
            .call("GET", &format!("/connections/{id}/proxy/x?x-user-email=alice@example.com"))
            .customer("bob@x.org"),
    ] {
        let answer = call.send().await;
        answer.is_error(404, "connection_deleted");
        assert_eq!(answer.text, unknown.text);
    }
    assert!(api.seen().is_empty());
}
