//! `connect-service dev`, started as its users start it: exports, connections, control, and what it refuses.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connect_service::dev::presets;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use support::{folder, text};

/// A program of the command line in a folder of its own, with nothing of this environment.
fn program(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-service"));
    command
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("TMPDIR", home)
        .env("CONNECT_BUDGETS_DEFAULT", "100000")
        .env("CONNECT_BUDGETS_VERIFICATION", "100000")
        .env("RUST_LOG", "connect_service=trace,warn");
    command
}

/// What a command that must fail says.
#[track_caller]
fn refusal(home: &Path, arguments: &[&str]) -> String {
    let mut child = program(home, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that starts prints something and stays.
    let mut printed = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut printed).unwrap();
    if !printed.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success() && printed.is_empty(), "{printed}{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder for all instances of a test.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        Self(folder())
    }

    fn start(&self, arguments: &[&str]) -> Dev {
        self.run(program(&self.0, &[&["dev"], arguments].concat()))
    }

    /// With the apps of `tests/catalogue`.
    fn start_with_fixtures(&self) -> Dev {
        self.start_with("CONNECT_CATALOGUE_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalogue"))
    }

    /// With a setting of its own.
    fn start_with(&self, name: &str, value: &str) -> Dev {
        let mut command = program(&self.0, &["dev"]);
        command.env(name, value);
        self.run(command)
    }

    fn run(&self, mut command: Command) -> Dev {
        let log = self.0.join("log");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut exports = HashMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            match line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
                Some((name, value)) => drop(exports.insert(name.to_owned(), value.to_owned())),
                None if line.starts_with("# Ready") => break,
                None if line.starts_with("# The dashboard: http://127.0.0.1:") => {}
                None => panic!("{line}"),
            }
        }
        let dev = Dev { child, exports, http: http(), home: self.0.clone() };
        assert!(dev.export("PC_TENANT_KEY").starts_with("pk_test_"));
        dev
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.0.join("log")).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running instance.
struct Dev {
    child: Child,
    exports: HashMap<String, String>,
    http: reqwest::Client,
    home: PathBuf,
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn http() -> reqwest::Client {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls);
    let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.build().unwrap()
}

/// Status, header `retry-after` and JSON of a response.
struct Answer(u16, Option<String>, Value);

impl Dev {
    fn export(&self, name: &str) -> &str {
        &self.exports[name]
    }

    /// Ends it as Ctrl-C does.
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// `connect-service dev ctl …`: what it prints, or what it says where it fails.
    fn try_ctl(&self, arguments: &[&str]) -> Result<Value, String> {
        let arguments = [&["dev", "ctl"], arguments].concat();
        let mut command = program(&self.home, &arguments);
        let output = command.env("PC_DEV_URL", self.export("PC_DEV_URL")).output().unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        Err(String::from_utf8(output.stderr).unwrap())
    }

    #[track_caller]
    fn ctl(&self, arguments: &[&str]) -> Value {
        self.try_ctl(arguments).unwrap()
    }

    /// The same command without a process of its own.
    async fn control(&self, command: Value) -> Value {
        let request = self.http.post(self.export("PC_DEV_URL"));
        let request = request.header("content-type", "application/json").body(command.to_string());
        let Answer(status, _, json) = answer(request).await;
        assert_eq!(status, 200, "{command}: {json}");
        json
    }

    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.export("PC_BASE_URL"));
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.export("PC_TENANT_KEY"))
            .header("x-user-email", "alice@example.com");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        answer(request).await
    }

    /// A new link; gives its `data`.
    async fn link(&self, app: &str) -> Value {
        let body = json!({"app_id": app, "name": app, "allow_multiple_connections": true});
        let Answer(status, _, json) = self.api(Method::POST, "/connections/request-link", Some(body)).await;
        assert_eq!(status, 200, "{json}");
        json["data"].clone()
    }

    /// A new connection of a customer who consents; gives its id.
    async fn connected(&self, app: &str) -> String {
        let link = self.link(app).await;
        let request_link = &link["request_link"];
        let done = self.control(json!({"command": "connect", "request_link": request_link})).await;
        let expected = json!({
            "connection_id": link["connection_id"],
            "status": "active",
            "link_status": "active",
            "return_url": null,
        });
        assert_eq!(done, expected, "{app}");
        text(&link["connection_id"])
    }

    async fn token(&self, id: &str) -> Answer {
        self.api(Method::POST, &format!("/connections/{id}/token"), None).await
    }

    /// Calls the app's API below the base URL that came with a token.
    async fn call(&self, token: &Value, headers: &Value, query: &Value) -> Answer {
        let mut url: url::Url = format!("{}/things", text(&token["api_base_url"])).parse().unwrap();
        let pairs = |value: &Value| -> Vec<(String, String)> {
            let members = value.as_object().unwrap().iter();
            members.map(|(name, value)| (name.clone(), text(value))).collect()
        };
        url.query_pairs_mut().append_pair("page", "2").extend_pairs(pairs(query));
        let request = pairs(headers)
            .into_iter()
            .fold(self.http.get(url), |request, (name, value)| request.header(name, value));
        answer(request).await
    }

    async fn access_token(&self, id: &str) -> String {
        let Answer(status, _, json) = self.token(id).await;
        assert_eq!(status, 200, "{json}");
        text(&json["data"]["access_token"])
    }

    async fn status(&self, id: &str) -> String {
        let Answer(_, _, json) = self.api(Method::GET, &format!("/connections/{id}"), None).await;
        text(&json["data"]["status"])
    }

    /// What an app's API says to a token.
    async fn me(&self, app: &str, access_token: &str) -> u16 {
        let (origin, _) = self.export("PC_DEV_URL").split_once("/control/").unwrap();
        let request = self.http.get(format!("{origin}/provider/{app}/me"));
        answer(request.bearer_auth(access_token)).await.0
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    Answer(status, retry_after, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn connect_vend_expire_revoke() {
    let home = Home::new();
    let dev = home.start(&["--auto"]);
    let link = dev.link("gmail").await;
    let (id, request_link) = (text(&link["connection_id"]), text(&link["request_link"]));
    assert_eq!(dev.status(&id).await, "pending");
    assert_eq!(dev.ctl(&["connect", &request_link])["status"], "active");

    let first = dev.access_token(&id).await;
    assert_eq!(dev.me("gmail", &first).await, 200);
    assert_eq!(dev.me("slack", &first).await, 401);
    assert_eq!(dev.access_token(&id).await, first);

    dev.ctl(&["expire", &id]);
    assert_eq!(dev.me("gmail", &first).await, 401);
    let second = dev.access_token(&id).await;
    assert_ne!(second, first);
    assert_eq!(dev.me("gmail", &second).await, 200);

    dev.ctl(&["revoke", &id]);
    assert_eq!(dev.me("gmail", &second).await, 401);
    let Answer(status, _, json) = dev.token(&id).await;
    assert_eq!((status, text(&json["data"]["code"]).as_str()), (401, "needs_reconnection"));
    let error = dev.try_ctl(&["expire", &id]).unwrap_err();
    assert!(error.contains("needs reconnection already"), "{error}");
    for command in ["expire", "revoke"] {
        let error = dev.try_ctl(&[command, "conn_unknown"]).unwrap_err();
        assert_eq!(error, "error: There is no such connection\n", "for people, not for a log");
    }

    // Nothing that opens anything stands in the log, of `dev` or of `ctl`.
    let secrets = [
        dev.export("PC_TENANT_KEY"),
        dev.export("PC_DEV_URL").rsplit_once('/').unwrap().1,
        request_link.rsplit_once('/').unwrap().1,
        link["request_token"].as_str().unwrap(),
        "dev-access-",
        "dev-refresh-",
        "dev-code-",
    ]
    .map(str::to_owned);
    dev.end();
    let log = home.log();
    assert!(log.contains("answered"), "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret) && !error.contains(&secret), "{secret}");
    }
    let left: Vec<_> = std::fs::read_dir(&home.0).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["log"], "the temporary folder is gone");
}

/// Such a link says so to front ends, and a choice of apps comes on top.
#[tokio::test]
async fn a_link_that_leads_back_can_be_finished() {
    let home = Home::new();
    let dev = home.start(&[]);
    for body in [
        json!({"app_id": "gmail", "name": "Mail", "return_url": "https://app.example.com/back"}),
        json!({"allowed_apps": ["gmail", "slack"], "name": "One", "return_url": "https://app.example.com/back"}),
    ] {
        let Answer(status, _, json) = dev.api(Method::POST, "/connections/request-link", Some(body)).await;
        assert_eq!(status, 200, "{json}");
        let request_link = text(&json["data"]["request_link"]);
        assert!(request_link.contains('?'), "{request_link}");
        let done = dev.ctl(&["connect", &request_link]);
        assert_eq!(done["status"], "active");
        let id = text(&json["data"]["connection_id"]);
        let expected =
            format!("https://app.example.com/back?connection_id={id}&status=active&operation=creation");
        assert_eq!(done["return_url"], expected);
    }
}

/// What a product's own page is told by the address: failures, and the code that confirms.
#[tokio::test]
async fn connect_tells_the_return_address() {
    let home = Home::new();
    let dev = home.start(&[]);
    let link = async |more: Value| {
        let mut body = json!({"name": "Mail", "return_url": "https://app.example.com/back"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Answer(status, _, json) = dev.api(Method::POST, "/connections/request-link", Some(body)).await;
        assert_eq!(status, 200, "{json}");
        json["data"].clone()
    };
    let visit = async |link: &Value, deny: bool| {
        dev.control(json!({"command": "connect", "request_link": link["request_link"], "deny": deny})).await
    };
    let query = |visit: &Value| -> HashMap<String, String> {
        let url: url::Url = text(&visit["return_url"]).parse().unwrap();
        url.query_pairs().into_owned().collect()
    };

    // By OAuth and by a key.
    for app in ["gmail", "sendgrid"] {
        let denied = visit(&link(json!({"app_id": app})).await, true).await;
        assert_eq!((&denied["status"], &denied["link_status"]), (&json!("rejected"), &json!("rejected")));
        let query = query(&denied);
        assert_eq!((query["status"].as_str(), query["error"].as_str()), ("rejected", "access_denied"));
        let data: Value = serde_json::from_str(&query["errorData"]).unwrap();
        assert_eq!(data["code"], "access_denied", "{app}");
    }

    let held = link(json!({"app_id": "gmail", "confirm": true})).await;
    let visited = visit(&held, false).await;
    assert_eq!((&visited["status"], &visited["link_status"]), (&json!("pending"), &json!("pending")));
    let id = text(&held["connection_id"]);
    let code = json!({"code": query(&visited)["confirmation_code"]});
    let confirmed = dev.api(Method::POST, &format!("/connections/{id}/confirm"), Some(code)).await;
    assert_eq!((confirmed.0, &confirmed.2["data"]["status"]), (200, &json!("active")), "{}", confirmed.2);

    // The connection goes on working; its latest link was declined.
    let declined = visit(&link(json!({"connection_id": id})).await, true).await;
    assert_eq!((&declined["status"], &declined["link_status"]), (&json!("active"), &json!("rejected")));

    // A link that stays open leads nowhere.
    dev.ctl(&["fail", "authorize-error", "--times", "1"]);
    let open = visit(&link(json!({"app_id": "slack"})).await, false).await;
    assert_eq!((&open["link_status"], &open["return_url"]), (&json!("pending"), &Value::Null));
}

#[tokio::test]
async fn a_client_of_the_tenant_is_taken() {
    let home = Home::new();
    let dev = home.start(&[]);
    let put = async |id: &str, secret: &str| {
        let client = json!({"client_id": id, "client_secret": secret});
        dev.api(Method::PUT, "/apps/gmail/oauth-client", Some(client)).await.0
    };
    assert_eq!(put("1234.apps.example.com", "mine").await, 200);
    let id = dev.connected("gmail").await;
    assert_eq!(dev.token(&id).await.0, 200);
    let Answer(_, _, read) = dev.api(Method::GET, &format!("/connections/{id}"), None).await;
    assert_eq!(read["data"]["client_source"], "tenant");
    // A new secret of the same client is tried at once, another client with its first authorization.
    assert_eq!(put("1234.apps.example.com", "wrong").await, 400);
    assert_eq!(put("1234.apps.example.com", "newer").await, 200);
    assert_eq!(put("5678.apps.example.com", "wrong").await, 200);
    let link = dev.link("gmail").await;
    dev.ctl(&["connect", link["request_link"].as_str().unwrap()]);
    let path = format!("/connections/{}", link["connection_id"].as_str().unwrap());
    let Answer(_, _, read) = dev.api(Method::GET, &path, None).await;
    assert_eq!(read["data"]["last_error"]["code"], "client_refused");
}

#[tokio::test]
async fn a_key_with_fewer_capabilities_can_be_made() {
    let home = Home::new();
    let dev = home.start(&[]);
    let id = dev.connected("gmail").await;
    let made = dev.ctl(&["key", "--capabilities", "apps,connections"]);
    assert_eq!(made["capabilities"], json!(["apps", "connections"]));
    let key = text(&made["api_key"]);
    assert!(key.starts_with("pk_test_"));
    let token = format!("/connections/{id}/token");
    for (method, path, expected) in [(Method::GET, "/apps", 200), (Method::POST, token.as_str(), 403)] {
        let request = dev.http.request(method, format!("{}{path}", dev.export("PC_BASE_URL")));
        let request = request.bearer_auth(&key).header("x-user-email", "alice@example.com");
        let Answer(status, _, json) = answer(request).await;
        assert_eq!(status, expected, "{json}");
    }
    let error = dev.try_ctl(&["key", "--capabilities", "apps,everything"]).unwrap_err();
    assert!(error.contains("`everything` is none of"), "{error}");
}

/// A product that is being developed has no website; its pages are on this machine.
#[tokio::test]
async fn only_a_page_of_this_machine_leads_straight_to_the_provider() {
    let home = Home::new();
    let dev = home.start(&[]);
    for (origin, leads_to) in
        [("http://localhost:3000", "/authorize/"), ("https://app.example.com", "/connect/")]
    {
        let body = json!({"app_id": "gmail", "name": "Mail", "allowed_origin": origin});
        let Answer(status, _, json) = dev.api(Method::POST, "/connections/request-link", Some(body)).await;
        assert_eq!(status, 200, "{json}");
        let url = format!("{}/submit", text(&json["data"]["status_url"]).strip_suffix("/status").unwrap());
        let request = dev.http.post(url).header("x-request-token", text(&json["data"]["request_token"]));
        let request = request.header("origin", origin).header("content-type", "application/json");
        let Answer(status, _, json) = answer(request.body(r#"{"auth_option_key":"oauth"}"#)).await;
        assert_eq!(status, 200, "{json}");
        let url = text(&json["data"]["authorize_url"]);
        let response = dev.http.post(url).header("origin", origin).send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        assert!(response.status() == 303 && location.contains(leads_to), "{origin} {location}");
        assert_eq!(response.headers().contains_key("set-cookie"), leads_to == "/authorize/");
    }
}

/// A program that starts it with a pipe leaves nothing behind, however it ends itself.
#[test]
fn it_ends_when_its_standard_input_is_closed() {
    let home = Home::new();
    let mut command = program(&home.0, &["dev", "--watch-stdin"]);
    command.stdin(Stdio::piped());
    let mut dev = home.run(command);
    drop(dev.child.stdin.take());
    let begin = Instant::now();
    let status = loop {
        assert!(begin.elapsed() < Duration::from_secs(60), "it goes on");
        match dev.child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(status.success(), "{status}");
    let left: Vec<_> = std::fs::read_dir(&home.0).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["log"], "the temporary folder is gone");
}

/// What a program needs for a call is vended, and the emulated API takes it.
/// Whether the app's API still takes a token, once it was given time to end.
async fn ends(dev: &Dev, app: &str, token: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while dev.me(app, token).await == 200 {
        assert!(std::time::Instant::now() < deadline, "{app}: the grant was not ended");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

/// The provider is as strict about revocations as each app's file says.
#[tokio::test]
async fn a_deleted_connections_grant_ends_at_the_provider() {
    let home = Home::new();
    let dev = home.start(&[]);
    let delete = async |id: &str| {
        let Answer(status, _, body) = dev.api(Method::DELETE, &format!("/connections/{id}"), None).await;
        assert_eq!((status, &body["data"]["revocation"]), (200, &json!("requested")));
    };
    // By the client in the body, by Basic, by the token, as JSON, in the query; some with DELETE.
    for app in ["hubspot", "github", "slack", "notion", "zoho-crm", "zendesk", "salesforce"] {
        let id = dev.connected(app).await;
        let token = dev.access_token(&id).await;
        assert_eq!(dev.me(app, &token).await, 200, "{app}");
        delete(&id).await;
        ends(&dev, app, &token).await;
    }
    // One grant of the person's, which the other connection needs.
    let (first, second) = (dev.connected("gmail").await, dev.connected("gmail").await);
    let (one, two) = (dev.access_token(&first).await, dev.access_token(&second).await);
    delete(&first).await;
    let later = dev.connected("hubspot").await;
    let token = dev.access_token(&later).await;
    delete(&later).await;
    ends(&dev, "hubspot", &token).await;
    assert_eq!(dev.me("gmail", &one).await, 200, "the second connection needs the grant");
    delete(&second).await;
    ends(&dev, "gmail", &one).await;
    assert_eq!(dev.me("gmail", &two).await, 401);
}

#[tokio::test]
async fn an_api_can_be_called_with_what_is_vended() {
    let home = Home::new();
    let dev = home.start_with_fixtures();
    for (app, path, provider_data) in [
        ("demo", "/v1", json!({})),
        ("quickbooks", "/v3/company/sample-realm_id", json!({"realm_id": "sample-realm_id"})),
        ("salesforce", "/services/data/v60.0", json!({"instance_url": "https://example.salesforce.com"})),
        ("shopify", "/admin/api/2026-10", json!({"shop": "example"})),
        (
            "zoho-crm",
            "/crm/v7",
            json!({"api_domain": "https://example.zohoapis.com", "data_centre": "zoho.com", "location": "sample-location"}),
        ),
        ("jira", "/ex/jira/sample-cloud_id/rest/api/3", json!({"cloud_id": "sample-cloud_id"})),
        ("keyed", "/v1", json!({"region": "eu", "organization": "dev-organization", "hook": "sample-hook"})),
    ] {
        let id = dev.connected(app).await;
        let Answer(_, _, connection) = dev.api(Method::GET, &format!("/connections/{id}"), None).await;
        let connection = &connection["data"];
        let id_of = &connection["account"]["id"];
        assert!(id_of.as_str().unwrap().starts_with("sample-"), "{app}: {connection}");
        let token = dev.token(&id).await.2["data"].clone();
        assert_eq!(token["provider_data"], provider_data, "{app}");
        assert_eq!(token["api_base_url"], connection["api_base_url"], "{app}");

        let Answer(status, _, echo) = dev.call(&token, &token["api_headers"], &token["api_query"]).await;
        assert_eq!(status, 200, "{app}: {echo}");
        let called = ["app", "method", "path", "query"].map(|name| echo[name].clone());
        assert_eq!(called, [json!(app), json!("GET"), json!(format!("{path}/things")), json!({"page": "2"})]);
        for secret in ["dev-access-", "dev-api_key"] {
            assert!(!echo.to_string().contains(secret), "{app}: {echo}");
        }
        let damaged = |value: &Value| {
            serde_json::from_str::<Value>(&value.to_string().replace("dev-", "wrong-")).unwrap()
        };
        let refused = dev.call(&token, &damaged(&token["api_headers"]), &damaged(&token["api_query"])).await;
        assert_eq!(refused.0, 401, "{app}: {}", refused.2);
        let verified = dev.api(Method::POST, &format!("/connections/{id}/verify"), None).await;
        // Salesforce's file tells no way to check.
        let expected = if app == "salesforce" { "unknown" } else { "valid" };
        assert_eq!(verified.2["data"]["result"], expected, "{app}");
    }
}

/// Each app has its own way to authenticate the client, to write a request, and to use PKCE.
#[tokio::test]
async fn every_app_of_the_catalogue_can_be_connected() {
    let home = Home::new();
    let dev = home.start(&[]);
    let Answer(_, _, apps) = dev.api(Method::GET, "/apps?limit=100", None).await;
    let apps: Vec<_> = apps["data"]["apps"].as_array().unwrap().clone();
    assert!(apps.len() > 40 && apps.iter().any(|app| app["id"] == "demo"), "{}", apps.len());
    let mut built_in = 0;
    for app in apps {
        let name = text(&app["id"]);
        let id = dev.connected(&name).await;
        let Answer(status, _, json) = dev.token(&id).await;
        assert_eq!(status, 200, "{name}: {json}");
        if app["auth_type"] == "o_auth" {
            let token = text(&json["data"]["access_token"]);
            assert_eq!(dev.me(&name, &token).await, 200, "{name}");
        } else {
            assert!(json["data"]["fields"].is_object(), "{name}: {json}");
        }
        if app["docs_url"].is_string() {
            built_in += 1;
            let token = &json["data"];
            let Answer(status, _, echo) = dev.call(token, &token["api_headers"], &token["api_query"]).await;
            assert_eq!((status, &echo["app"]), (200, &app["id"]), "{json}");
        }
    }
    assert_eq!(built_in, 44);
}

#[tokio::test]
async fn each_preset_gives_what_the_page_says() {
    let home = Home::new();
    let dev = home.start(&["--auto"]);
    let presets = presets::load().unwrap();
    assert_eq!(dev.ctl(&["presets"])["presets"].as_array().unwrap().len(), presets.len());
    let (authorizing, refreshing): (Vec<_>, Vec<_>) =
        presets.iter().partition(|(_, preset)| ["rejected", "pending"].contains(&preset.result.as_str()));

    let refreshes = refreshing.into_iter().map(async |(name, preset)| {
        // A 429 holds back other connections of its app.
        let app = if name == "rate-limited" { "slack" } else { "gmail" };
        let id = dev.connected(app).await;
        let old = dev.access_token(&id).await;
        dev.control(json!({"command": "fail", "preset": name, "connection_id": id})).await;
        assert_eq!(dev.access_token(&id).await, old, "{name}: the token is still good");
        dev.control(json!({"command": "expire", "connection_id": id})).await;
        let Answer(status, retry_after, json) = dev.token(&id).await;
        let data = &json["data"];
        let result = if status == 200 { "token" } else { data["code"].as_str().unwrap() };
        assert_eq!(result, preset.result, "{name}");
        match (name.as_str(), retry_after.as_deref()) {
            ("rate-limited", wait) => assert_eq!(wait, Some("7")),
            ("maintenance", wait) => assert_eq!(wait, Some("60")),
            _ => {}
        }
        (app, id)
    });
    // All at once, one would wait longer for the disk, which others use, than the service does.
    let ids: Vec<_> = stream::iter(refreshes).buffered(4).collect().await;

    // What did not end a connection is over once it is over.
    dev.ctl(&["recover"]);
    for (app, id) in ids {
        if dev.status(&id).await == "active" {
            let token = dev.access_token(&id).await;
            assert_eq!(dev.me(app, &token).await, 200);
        }
    }

    for (name, preset) in authorizing {
        dev.ctl(&["fail", name, "--app", "slack", "--times", "1"]);
        let link = dev.link("slack").await;
        let request_link = text(&link["request_link"]);
        assert_eq!(dev.ctl(&["connect", &request_link])["status"], preset.result, "{name}");
        dev.connected("slack").await;
    }
    let link = text(&dev.link("demo").await["request_link"]);
    assert_eq!(dev.ctl(&["connect", &link, "--deny"])["status"], "rejected");
}

#[tokio::test]
async fn a_failure_has_its_scope_and_its_number() {
    let home = Home::new();
    let dev = home.start(&[]);
    let (gmail, other, slack) =
        (dev.connected("gmail").await, dev.connected("gmail").await, dev.connected("slack").await);
    let statuses = async || {
        let mut statuses = Vec::new();
        for id in [&gmail, &other, &slack] {
            dev.control(json!({"command": "expire", "connection_id": id})).await;
            statuses.push(dev.token(id).await.0);
        }
        statuses
    };
    for (arguments, expected) in [
        (&["--connection-id", gmail.as_str()][..], [503, 200, 200]),
        (&["--app", "gmail"][..], [503, 503, 200]),
        (&[][..], [503, 503, 503]),
        (&["--times", "1"][..], [503, 200, 200]),
    ] {
        dev.ctl(&[&["fail", "server-error"], arguments].concat());
        assert_eq!(statuses().await, expected, "{arguments:?}");
        dev.ctl(&["recover"]);
    }
    for (arguments, problem) in [
        (&["fail", "nonsense"][..], "no preset `nonsense`"),
        (&["fail", "away", "--app", "brevo"][..], "`brevo` is no OAuth app"),
        (&["fail", "away", "--times", "0"][..], "at least 1"),
        (&["connect", "http://127.0.0.1:1/x"][..], "no request link"),
        (&["fail", "declined", "--connection-id", &gmail][..], "name an app"),
    ] {
        let error = dev.try_ctl(arguments).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn the_clock_moves_forward_and_the_folder_is_kept() {
    let home = Home::new();
    let dev = home.start(&["--dir", "kept", "--auto"]);
    let id = dev.connected("gmail").await;
    let old = dev.access_token(&id).await;
    let pending = text(&dev.link("gmail").await["connection_id"]);
    dev.ctl(&["advance", "3600"]);
    assert_eq!(dev.status(&pending).await, "expired");
    assert_eq!(dev.me("gmail", &old).await, 401);
    let new = dev.access_token(&id).await;
    assert_ne!(new, old);
    let error = dev.try_ctl(&["advance", "99999999999"]).unwrap_err();
    assert!(error.contains("a year at most"), "{error}");

    let error = refusal(&home.0, &["dev", "--dir", "kept"]);
    assert!(error.contains("another `connect-service dev` runs"), "{error}");
    let status = program(&home.0, &["dev", "ctl", "--dir", "kept", "status"]).output().unwrap();
    assert!(status.status.success(), "{status:?}");
    let mut exports = dev.exports.clone();
    dev.end();
    let error = refusal(&home.0, &["dev", "ctl", "--dir", "kept", "status"]);
    assert!(error.contains("no `connect-service dev` runs in kept"), "{error}");
    let error = refusal(&home.0, &["dev", "ctl", "status"]);
    assert!(error.contains("PC_DEV_URL"), "{error}");
    let stopped = ["dev", "ctl", "--url", "http://127.0.0.1:1/control/x", "status"];
    let error = refusal(&home.0, &stopped);
    assert!(error.contains("still run"), "{error}");

    // Another program may have taken a port meanwhile, though not each time.
    let key = exports["PC_TENANT_KEY"].clone();
    let mut tries = 0;
    let dev = loop {
        let dev = home.start(&["--dir", "kept"]);
        let last = std::mem::replace(&mut exports, dev.exports.clone());
        if exports == last {
            break dev;
        }
        dev.end();
        tries += 1;
        assert!(tries < 10, "what was copied no longer leads here");
    };
    assert_eq!(exports["PC_TENANT_KEY"], key);
    assert_eq!(dev.access_token(&id).await, new, "the clock is still ahead");
    assert_eq!(dev.me("gmail", &new).await, 200);
    dev.ctl(&["expire", &id]);
    assert_ne!(dev.access_token(&id).await, new);

    // Where another program has a port meanwhile, another is taken.
    let address = dev.export("PC_BASE_URL").split('/').nth(2).unwrap().to_owned();
    dev.end();
    let _taken = std::net::TcpListener::bind(&address);
    let dev = home.start(&["--dir", "kept"]);
    assert_ne!(dev.export("PC_BASE_URL"), exports["PC_BASE_URL"]);
    assert_eq!(dev.status(&id).await, "active");
}

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

/// The tokens of QuickBooks die after 100 days without use.
#[tokio::test]
async fn time_that_is_advanced_is_worked_through() {
    let home = Home::new();
    let dev = home.start(&[]);
    let (id, other) = (dev.connected("quickbooks").await, dev.connected("gmail").await);
    let (old, of_other) = (dev.access_token(&id).await, dev.access_token(&other).await);
    let unfinished = text(&dev.link("gmail").await["connection_id"]);
    assert_eq!(dev.ctl(&["advance", &(130 * DAY).to_string()])["kept_alive"], 1);
    let new = dev.access_token(&id).await;
    assert_ne!(new, old);
    assert_eq!(dev.me("quickbooks", &new).await, 200);
    // What nobody finished is cleaned up.
    let gone = dev.api(Method::GET, &format!("/connections/{unfinished}"), None).await;
    assert_eq!((gone.0, &gone.2["data"]["code"]), (404, &json!("connection_deleted")));
    assert_ne!(dev.access_token(&other).await, of_other);
}

#[tokio::test]
async fn refresh_tokens_die_of_disuse() {
    let home = Home::new();
    let dev = home.start_with("CONNECT_KEEP_ALIVE_UNUSED_DAYS", "0");
    let (dying, lasting) = (dev.connected("quickbooks").await, dev.connected("gmail").await);
    dev.ctl(&["advance", &(99 * DAY).to_string()]);
    assert_eq!(dev.token(&dying).await.0, 200);
    assert_eq!(dev.ctl(&["advance", &(100 * DAY).to_string()])["kept_alive"], 0);
    let Answer(status, _, json) = dev.token(&dying).await;
    assert_eq!((status, &json["data"]["code"]), (401, &json!("needs_reconnection")));
    assert_eq!(dev.token(&lasting).await.0, 200);
}

#[tokio::test]
async fn time_that_is_advanced_gives_budgets_back() {
    let home = Home::new();
    let dev = home.start_with("CONNECT_BUDGETS_DEFAULT", "2");
    let list = async || dev.api(Method::GET, "/connections", None).await.0;
    // The minute may end between two of them.
    let mut used_up = false;
    for _ in 0..10 {
        used_up |= list().await == 429;
    }
    assert!(used_up);
    dev.ctl(&["advance", "60"]);
    assert_eq!(list().await, 200);
}

#[tokio::test]
async fn serve_and_dev_refuse_what_the_other_made() {
    let home = Home::new();
    home.start(&["--dir", "dev"]).end();
    std::fs::create_dir(home.0.join("serve")).unwrap();
    let made = program(&home.0.join("serve"), &["tenant", "create", "Acme"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");

    for arguments in [&["serve"][..], &["tenant", "list"]] {
        let error = refusal(&home.0.join("dev"), arguments);
        assert!(error.contains("was made by `connect-service dev`"), "{error}");
    }
    let error = refusal(&home.0, &["dev", "--dir", "serve"]);
    assert!(error.contains("was made by `connect-service serve`"), "{error}");
    assert!(!home.0.join("serve/dev.json").exists());

    let dev = home.start(&[]);
    let request = dev.http.get(format!("{}/apps", dev.export("PC_BASE_URL")));
    let Answer(status, _, json) = answer(request.bearer_auth("pk_live_x")).await;
    assert_eq!(status, 401);
    assert!(text(&json["message"]).contains("not a test key"), "{json}");
}

#[tokio::test]
async fn the_control_api_checks_token_host_and_origin() {
    let home = Home::new();
    let dev = home.start(&["--seed"]);
    let url = dev.export("PC_DEV_URL");
    let (origin, path) = url.split_once("/control/").unwrap();
    let address = origin.strip_prefix("http://").unwrap();
    let by_name = address.replace("127.0.0.1", "localhost");
    let post = |url: &str| {
        let request = dev.http.post(url).header("content-type", "application/json");
        request.body(r#"{"command":"status"}"#)
    };
    let status = async |request| answer(request).await.0;

    assert_eq!(status(post(url)).await, 200);
    assert_eq!(status(post(url).header("origin", origin)).await, 200);
    let named = post(url).header("host", &by_name).header("origin", format!("http://{by_name}"));
    assert_eq!(status(named).await, 200);
    for wrong in ["x", &path[1..], &format!("{path}x")] {
        assert_eq!(status(post(&format!("{origin}/control/{wrong}"))).await, 404);
    }
    for foreign in ["http://evil.example", "null", "http://127.0.0.1", dev.export("PC_BASE_URL")] {
        assert_eq!(status(post(url).header("origin", foreign)).await, 403, "{foreign}");
    }
    for foreign in ["evil.example", "127.0.0.1", "127.0.0.1:1"] {
        assert_eq!(status(post(url).header("host", foreign)).await, 403, "{foreign}");
        let authorize = format!("{origin}/provider/gmail/authorize");
        assert_eq!(status(dev.http.get(authorize).header("host", foreign)).await, 403);
    }
    for (body, expected) in [("", 400), ("{}", 400), (r#"{"command":"expire"}"#, 400)] {
        assert_eq!(status(post(url).body(body)).await, expected, "{body}");
    }
    assert_eq!(status(dev.http.post(url).body("{}")).await, 415);
    assert_eq!(status(dev.http.delete(url)).await, 405);

    // The page does the same with forms.
    let page = dev.http.get(url).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self';"), "{policy}");
    let page = page.text().await.unwrap();
    for part in ["Work Gmail", "expired, needs reconnection", "link pending, created"] {
        assert!(page.contains(part), "{page}");
    }
    let form = |body: &'static str| {
        let request = dev.http.post(url).header("origin", origin);
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    assert_eq!(status(form("command=fail&preset=away&app=slack&connection_id=&times=2")).await, 303);
    let failures = &dev.ctl(&["status"])["failures"];
    assert_eq!(*failures, json!([{"preset": "away", "scope": "slack", "times": 2}]));
    assert_eq!(status(form("command=advance&seconds=soon")).await, 400);

    let seeded = dev.ctl(&["status"]);
    let states: Vec<_> =
        seeded["connections"].as_array().unwrap().iter().map(|row| text(&row["status"])).collect();
    for state in ["active", "pending", "rejected", "expired"] {
        assert!(states.contains(&state.to_owned()), "{states:?}");
    }
}
