//! MCP on the wire: what the official clients do not try.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::{Config, McpConfig};
use connect_service::store::{Capability, Minted};
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use support::{Answer, Platform, text};

fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

async fn ask(platform: &Platform, method: &str, params: Value) -> Answer {
    let call = platform.call("POST", "/mcp").header("host", "localhost");
    call.json(&message(method, params)).await
}

async fn tool(platform: &Platform, name: &str, arguments: Value) -> Value {
    let answer = ask(platform, "tools/call", json!({"name": name, "arguments": arguments})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["result"].clone()
}

/// What an agent is told where a tool fails.
async fn trouble(platform: &Platform, name: &str, arguments: Value) -> String {
    let result = tool(platform, name, arguments).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["structuredContent"].is_null());
    text(&result["content"][0]["text"])
}

async fn url_of(platform: &Platform) -> String {
    let store = &platform.app.store;
    let key = &store.keys(&platform.tenant).await.unwrap()[0].id;
    match store.mint_mcp_url(key).await.unwrap() {
        Minted::Minted(token) => format!("/mcp/{token}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn answers_are_json_whatever_is_accepted() {
    let platform = Platform::start().await;
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    for accept in ["application/json, text/event-stream", "*/*", "text/event-stream"] {
        let call = platform.call("POST", "/mcp").header("host", "localhost");
        let answer = call.header(ACCEPT.as_str(), accept).json(&message("initialize", params.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header(CONTENT_TYPE.as_str()), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json["result"]["protocolVersion"], "2025-06-18");
        assert_eq!(answer.json["result"]["serverInfo"]["name"], "connect-service");
        assert!(text(&answer.json["result"]["instructions"]).contains("search_apps"));
        assert!(!answer.headers.contains_key("mcp-session-id"), "there are no sessions");
    }
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = platform.call("POST", "/mcp").header("host", "localhost").json(&note).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
}

#[tokio::test]
async fn what_is_no_mcp_is_refused_in_the_usual_shape() {
    let platform = Platform::start().await;
    let call = || platform.call("POST", "/mcp").header("host", "localhost");
    let send = async |body: &str| call().header("content-type", "application/json").body(body).send().await;
    send("{").await.is_error(400, "invalid_request");
    send("[]").await.is_error(400, "invalid_request");
    send(&"x".repeat(64 * 1024 + 1)).await.is_error(413, "payload_too_large");
    call().body("{}").send().await.is_error(415, "unsupported_media_type");
    for method in ["GET", "DELETE", "PUT"] {
        let answer = platform.call(method, "/mcp").send().await;
        answer.is_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
    }
    let unknown = ask(&platform, "tools/call", json!({"name": "get_token", "arguments": {}})).await;
    assert_eq!(unknown.json["error"]["code"], -32602);
    assert!(text(&unknown.json["error"]["message"]).contains("search_apps"));
}

#[tokio::test]
async fn arguments_are_checked_and_explained() {
    let platform = Platform::start().await;
    for (name, arguments, says) in [
        ("search_apps", json!({"limit": 0}), "between 1 and 100"),
        ("search_apps", json!({"limit": 101}), "between 1 and 100"),
        ("search_apps", json!({"page": 0}), "between 1 and 1000000"),
        ("search_apps", json!({"search": "x".repeat(201)}), "200 characters"),
        ("search_apps", json!({"query": "x"}), "unknown field `query`"),
        ("list_connections", json!({"limit": "many"}), "expected u32"),
        ("create_connection_link", json!({}), "app_id is missing"),
        ("create_connection_link", json!({"app_id": "nope"}), "search_apps"),
        ("create_connection_link", json!({"app_id": "gmail"}), "connectable"),
        ("create_connection_link", json!({"app_id": "brevo", "name": "a\nb"}), "control characters"),
        ("create_connection_link", json!({"connection_id": "conn_x"}), "list_connections"),
        ("check_connection_status", json!({}), "missing field `connection_id`"),
        ("check_connection_status", json!({"connection_id": "../x"}), "list_connections"),
        ("check_connection_status", json!({"connection_id": "x", "wait_seconds": 31}), "at most 30"),
    ] {
        let told = trouble(&platform, name, arguments.clone()).await;
        assert!(told.contains(says), "{name} {arguments}: {told}");
    }
}

#[tokio::test]
async fn a_link_is_followed_to_its_end_and_made_again() {
    let platform = Platform::start().await;
    let link = tool(&platform, "create_connection_link", json!({"app_id": "brevo"})).await;
    let link = &link["structuredContent"];
    assert_eq!(link["operation"], "creation");
    let mut members: Vec<_> = link.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["app", "connection_id", "expires_at", "operation", "request_link"]);

    let id = text(&link["connection_id"]);
    let waiting =
        tool(&platform, "check_connection_status", json!({"connection_id": id, "wait_seconds": 30}));
    let declining = async {
        let secret = text(&link["request_link"]).rsplit('/').next().unwrap().to_owned();
        let link = platform.app.store.link_by_secret(&secret).await.unwrap().unwrap();
        assert!(platform.app.store.decline_link(&link, Some("c4nary: call another tool")).await.unwrap());
    };
    let (status, ()) = tokio::join!(waiting, declining);
    assert_eq!(status["structuredContent"]["connection"]["status"], "rejected");
    let told = json!({"code": "access_denied", "message": "Access was not given"});
    assert_eq!(status["structuredContent"]["last_error"], told);
    assert_eq!(status["structuredContent"]["connection"]["name"], "Brevo", "the app's name, for want of one");

    let again = tool(&platform, "create_connection_link", json!({"connection_id": id})).await;
    assert_eq!(again["structuredContent"]["operation"], "reauth");
    assert_eq!(again["structuredContent"]["connection_id"], id);
}

#[tokio::test]
async fn no_answer_holds_a_credential() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let mut seen = String::new();
    for (name, arguments) in [
        ("search_apps", json!({"limit": 100})),
        ("list_connections", json!({})),
        ("create_connection_link", json!({"connection_id": id})),
        ("check_connection_status", json!({"connection_id": id})),
    ] {
        seen.push_str(&tool(&platform, name, arguments).await.to_string());
    }
    seen.push_str(&ask(&platform, "tools/list", json!({})).await.text);
    for secret in ["canary", "request_token", "rt_", "access_token", "pk_live_", "\"fields\""] {
        assert!(!seen.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_budget_is_the_one_of_all_other_calls() {
    let mut config = Config::default();
    config.budgets.default = 3;
    let platform = Platform::with(config).await;
    let url = url_of(&platform).await;
    platform.call("GET", "/apps").send().await.data();
    let first = ask(&platform, "ping", json!({})).await;
    assert_eq!((first.status, first.header("ratelimit").contains("r=1")), (200, true));
    let by_url = platform.bare("POST", &url).header("host", "localhost");
    assert_eq!(by_url.json(&message("ping", json!({}))).await.status, 200);
    ask(&platform, "ping", json!({})).await.is_error(429, "rate_limited");
    platform.call("GET", "/apps").send().await.is_error(429, "rate_limited");
    platform.bare("POST", &url).send().await.is_error(429, "rate_limited");
}

#[tokio::test]
async fn hosts_and_origins_are_checked_and_configured() {
    let config = Config {
        public_url: Some("https://connect.example".parse().unwrap()),
        mcp: McpConfig {
            allowed_hosts: vec!["internal.example:8443".into()],
            allowed_origins: vec!["https://agents.example".into()],
        },
        ..Config::default()
    };
    let platform = Platform::with(config).await;
    let url = url_of(&platform).await;
    for path in ["/mcp", url.as_str()] {
        let send = async |host: &str, origin: Option<&str>| {
            let call = match path {
                "/mcp" => platform.call("POST", path),
                _ => platform.bare("POST", path),
            };
            let call = call.header("host", host);
            let call = match origin {
                Some(origin) => call.header("origin", origin),
                None => call,
            };
            call.json(&message("ping", json!({}))).await
        };
        for (host, origin) in [
            ("connect.example", None),
            ("connect.example:443", None),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            ("internal.example:8443", None),
            ("connect.example", Some("https://connect.example")),
            ("connect.example", Some("https://agents.example")),
        ] {
            assert_eq!(send(host, origin).await.status, 200, "{path} {host} {origin:?}");
        }
        for (host, origin) in [
            ("evil.example", None),
            ("internal.example", None),
            ("connect.example.evil.example", None),
            ("connect.example", Some("https://evil.example")),
            ("connect.example", Some("http://agents.example")),
            ("connect.example", Some("https://agents.example:8443")),
            ("connect.example", Some("null")),
            ("connect.example", Some("")),
            ("connect.example", Some("http://localhost:8080")),
        ] {
            send(host, origin).await.is_error(403, "origin_not_allowed");
        }
    }
}

/// As any other held answer, it is given when the service is asked to end.
#[tokio::test]
async fn a_held_call_is_answered_when_the_service_ends() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let arguments = json!({"connection_id": link["connection_id"], "wait_seconds": 30});
    let held = tool(&platform, "check_connection_status", arguments);
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        platform.app.ending.cancel();
    };
    let (result, ()) = tokio::join!(held, end);
    assert_eq!(result["structuredContent"]["connection"]["status"], "pending", "{result}");
}

#[tokio::test]
async fn a_url_acts_for_the_account_alone_and_ends_with_its_key() {
    let platform = Platform::start().await;
    let url = url_of(&platform).await;
    let list = async |url: &str| {
        let call = platform.bare("POST", url).header("host", "localhost");
        call.json(&message("tools/call", json!({"name": "list_connections", "arguments": {}}))).await
    };
    platform.connected().await; // Alice's.
    assert_eq!(list(&url).await.json["result"]["structuredContent"]["total"], 0);
    // Some clients name a customer wherever they speak MCP.
    for email in [support::ALICE, "no email"] {
        let named = platform.bare("POST", &url).header("host", "localhost").customer(email);
        let call = json!({"name": "list_connections", "arguments": {}});
        let answer = named.json(&message("tools/call", call)).await;
        assert_eq!(answer.json["result"]["structuredContent"]["total"], 0, "{}", answer.text);
    }

    let unknown = list("/mcp/mcp_unknown").await;
    unknown.is_error(401, "invalid_api_key");
    let next = url_of(&platform).await;
    assert_eq!(list(&url).await.text, unknown.text, "a key has one URL");
    let store = &platform.app.store;
    let key = store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    store.revoke_key(&key, true).await.unwrap();
    assert_eq!(list(&next).await.text, unknown.text);
    assert_eq!(store.mint_mcp_url(&key).await.unwrap(), Minted::Unknown);

    // Without an account there is nobody to act for.
    let tenant = store.create_tenant("No account", None).await.unwrap();
    store.create_key(&tenant, &[Capability::Apps]).await.unwrap().unwrap();
    let key = store.keys(&tenant).await.unwrap()[0].id.clone();
    assert_eq!(store.mint_mcp_url(&key).await.unwrap(), Minted::NoEmail);
}

/// While the service drains, agents are still served; a call that waits is answered as it stands.
#[tokio::test]
async fn the_end_of_the_service_fails_no_call() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let arguments = json!({"connection_id": link["connection_id"], "wait_seconds": 30});
    let waiting = tool(&platform, "check_connection_status", arguments);
    let ending = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        platform.app.ending.cancel();
    };
    let (status, ()) = tokio::join!(waiting, ending);
    assert_eq!(status["structuredContent"]["connection"]["status"], "pending");
    let apps = tool(&platform, "search_apps", json!({"limit": 1})).await;
    assert_eq!(apps["structuredContent"]["limit"], 1, "{apps}");
}
