//! What calls through the proxy leave in the audit.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use connect_service::config::{AuditMode, Config};
use connect_service::store::{VendingFilter, VendingLine};
use http::StatusCode;
use support::{Api, Platform};

struct Stage {
    api: Api,
    platform: Platform,
    id: String,
}

impl Stage {
    async fn start(audit: AuditMode) -> Self {
        let api = Api::start().await;
        let platform = Platform::with_apis(Config { audit, ..Config::default() }, &api.url).await;
        let id = platform.connected().await;
        api.seen();
        Self { api, platform, id }
    }

    fn call(&self, method: &str, path: &str) -> support::Call {
        self.platform.call(method, &format!("/connections/{}/proxy{path}", self.id))
    }

    async fn lines(&self) -> Vec<VendingLine> {
        let store = &self.platform.app.store;
        store.write_vendings().await.unwrap();
        store.vendings(&self.platform.tenant, &VendingFilter::default(), 100).await.unwrap()
    }
}

#[tokio::test]
async fn each_call_leaves_its_method_host_path_and_status() {
    let stage = Stage::start(AuditMode::Batched).await;
    stage.api.will(|call| if call.method == "GET" { StatusCode::OK } else { StatusCode::CONFLICT });
    for n in 0..3 {
        let path = format!("/contacts/{n}?q=canary-query");
        assert_eq!(stage.call("GET", &path).send().await.status, 200);
    }
    let call = stage.call("PUT", "/contacts/canary@example.com");
    assert_eq!(call.header("x-secret", "canary-header").body("canary-body").send().await.status, 409);
    stage.call("GET", "/../x").send().await.is_error(400, "invalid_request");

    let mut lines = stage.lines().await;
    lines.sort_by_key(|line| std::cmp::Reverse(line.calls));
    let brief: Vec<_> = lines
        .iter()
        .map(|line| (line.outcome.as_str(), line.calls, line.request.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(brief[0], ("proxied", 3, "GET 127.0.0.1/brevo/v3/contacts/* 200".to_owned()));
    assert!(brief.contains(&("proxied", 1, "PUT 127.0.0.1/brevo/v3/contacts/* 409".to_owned())), "{brief:?}");
    assert!(brief.contains(&("invalid_request", 1, "GET ".to_owned())), "{brief:?}");
    assert_eq!(brief.len(), 3);
    let used = stage.platform.call("GET", &format!("/connections/{}", stage.id)).send().await;
    assert!(used.data()["last_used_at"].is_string(), "{}", used.text);
    let stored = String::from_utf8_lossy(&stage.platform.database.contents().await).into_owned();
    assert!(!stored.contains("canary-query") && !stored.contains("canary-header"));
    assert!(!stored.contains("canary-body") && !stored.contains("canary@example.com"));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_a_line() {
    let stage = Stage::start(AuditMode::Batched).await;
    stage.api.hold();
    let call = tokio::spawn(stage.call("POST", "/x").send());
    stage.api.has_seen(1).await;
    call.abort();
    assert!(call.await.is_err());
    let written = async {
        loop {
            let lines = stage.lines().await;
            if let [line] = &lines[..] {
                return (line.outcome.clone(), line.request.as_ref().unwrap().to_string());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let line = tokio::time::timeout(Duration::from_secs(60), written).await.unwrap();
    assert_eq!(line, ("cancelled".to_owned(), "POST 127.0.0.1/brevo/v3/x".to_owned()));
}

/// The provider has been asked: nobody may be told to try again.
#[tokio::test]
async fn without_its_line_a_call_has_failed_for_good() {
    let stage = Stage::start(AuditMode::Sync).await;
    assert_eq!(stage.call("GET", "/x").send().await.status, 200);
    let other = stage.platform.database.open(&stage.platform.clock).await;
    let written = other.vendings(&stage.platform.tenant, &VendingFilter::default(), 100).await.unwrap();
    assert_eq!(written.len(), 1, "before the response");
    stage.platform.database.connect().await.execute("DROP TABLE vendings").await;
    stage.call("GET", "/x").send().await.is_error(500, "internal_error");
}
