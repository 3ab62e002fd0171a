//! `ANY /connections/{id}/proxy/{path}`: what a provider sees of a call, what the caller gets, and who answered.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::Config;
use connect_service::store::Capability;
use futures_util::future::join_all;
use http::StatusCode;
use support::{Answer, Api, Platform, Provider, Reply};

/// A service whose apps' APIs are here, and a Gmail connection whose token can be refreshed.
struct Stage {
    api: Api,
    provider: Provider,
    platform: Platform,
    id: String,
}

impl Stage {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(mut config: Config) -> Self {
        let (api, provider) = (Api::start().await, Provider::start().await);
        config.apps.insert("gmail".into(), provider.registration());
        let platform = Platform::with_apis(config, &api.url).await;
        let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
        Self { api, provider, platform, id }
    }

    fn call(&self, method: &str, path: &str) -> support::Call {
        self.platform.call(method, &format!("/connections/{}/proxy{path}", self.id))
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    /// Lets the API accept this token alone.
    fn accepts(&self, token: &str) {
        let wanted = format!("Bearer {token}");
        self.api.will(move |call| match call.header("authorization") == wanted {
            true => (StatusCode::OK, "accepted"),
            false => (StatusCode::UNAUTHORIZED, "rejected"),
        });
    }
}

#[track_caller]
fn answered_by(answer: &Answer, source: &str) {
    assert_eq!(answer.header("x-connect-source"), source, "{} {}", answer.status, answer.text);
}

#[tokio::test]
async fn a_call_reaches_the_api_with_the_credential() {
    let stage = Stage::start().await;
    stage.api.will(|_| (StatusCode::CREATED, [("x-theirs", "1"), ("set-cookie", "a=b")], r#"{"id":1}"#));
    let call = stage.call("POST", "/gmail/v1/users/me%40x/messages/?q=a%20b&q=%2e%2e");
    let answer = call
        .header("content-type", "application/json")
        .header("idempotency-key", "k1")
        .header("cookie", "canary-cookie")
        .body(r#"{"raw":"x"}"#)
        .send()
        .await;
    assert_eq!((answer.status, &*answer.text), (201, r#"{"id":1}"#));
    assert_eq!((answer.header("x-theirs"), answer.header("set-cookie")), ("1", ""));
    assert_eq!(answer.header("content-security-policy"), "sandbox");
    assert_eq!(answer.header("ratelimit"), "", "this service's budget is nothing of the provider's");
    assert!(!answer.header("x-request-id").is_empty());
    answered_by(&answer, "provider");

    let seen = stage.api.seen_one();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.target, "/gmail/gmail/v1/users/me%40x/messages/?q=a%20b&q=%2e%2e");
    assert_eq!(seen.body, br#"{"raw":"x"}"#);
    assert_eq!(seen.header("authorization"), "Bearer canary-access-0");
    assert_eq!((seen.header("content-length"), seen.header("idempotency-key")), ("11", "k1"));
    let text = format!("{:?}", seen.headers);
    for secret in ["pk_live", "pk_test", "alice", "canary-cookie", "x-user-email"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn every_method_reaches_the_api() {
    let stage = Stage::start().await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] {
        let answer = stage.call(method, "/x").send().await;
        assert_eq!(answer.status, 200, "{method}");
        answered_by(&answer, "provider");
        let seen = stage.api.seen_one();
        assert_eq!(seen.method, method);
        let length = if matches!(method, "POST" | "PUT" | "PATCH") { "0" } else { "" };
        assert_eq!(seen.header("content-length"), length, "{method}");
    }
    // Its response would be the request with the credential.
    for method in ["TRACE", "trace", "TRACK", "Track", "connect"] {
        stage.call(method, "/x").send().await.is_error(400, "invalid_request");
    }
    assert!(stage.api.seen().is_empty());
}

#[tokio::test]
async fn the_api_itself_has_the_shortest_path() {
    let stage = Stage::start().await;
    for path in ["", "/", "?a=1"] {
        assert_eq!(stage.get(path).await.status, 200, "{path}");
        let expected = format!("/gmail{}", path.trim_start_matches('/'));
        assert_eq!(stage.api.seen_one().target, expected);
    }
}

/// A status of the provider's is no error of this service.
#[tokio::test]
async fn what_the_provider_says_is_given_back() {
    let stage = Stage::start().await;
    for status in [204, 302, 400, 403, 404, 409, 429, 500, 502, 503] {
        let code = StatusCode::from_u16(status).unwrap();
        let headers =
            [("location", "http://169.254.169.254/"), ("retry-after", "9"), ("x-connect-source", "platform")];
        stage.api.will(move |_| (code, headers));
        let answer = stage.get("/x").await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, "9"));
        assert_eq!(answer.header("location"), "http://169.254.169.254/");
        answered_by(&answer, "provider");
        assert_eq!(stage.api.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn what_the_service_says_is_told_apart() {
    let stage = Stage::start().await;
    let id = &stage.id;
    let path = format!("/connections/{id}/proxy/x");
    let key = stage.platform.another_key(&Capability::ALL).await;
    let answers = [
        (stage.platform.bare("GET", &path).send().await, 401, "invalid_api_key"),
        (stage.call("GET", "/x").key(&key).send().await, 404, "connection_deleted"),
        (stage.call("GET", "/x").without("x-user-email").send().await, 400, "invalid_user_email"),
        (stage.get("/a/../x").await, 400, "invalid_request"),
    ];
    for (answer, status, code) in answers {
        answer.is_error(status, code);
        answered_by(&answer, "platform");
    }
    answered_by(&stage.platform.token(id).await, "");
    assert!(stage.api.seen().is_empty());
}

#[tokio::test]
async fn the_proxy_has_a_capability_of_its_own() {
    let stage = Stage::start().await;
    let key = async |capabilities: &[Capability]| {
        stage.platform.app.store.create_key(&stage.platform.tenant, capabilities).await.unwrap().unwrap()
    };
    let only = key(&[Capability::Proxy]).await;
    assert_eq!(stage.call("GET", "/x").key(&only).send().await.status, 200);
    let token =
        stage.platform.call("POST", &format!("/connections/{}/token", stage.id)).key(&only).send().await;
    token.is_error(403, "capability_disabled");
    let others: Vec<_> = Capability::ALL.into_iter().filter(|other| *other != Capability::Proxy).collect();
    let refused = stage.call("GET", "/x").key(&key(&others).await).send().await;
    refused.is_error(403, "capability_disabled");
    answered_by(&refused, "platform");
}

#[tokio::test]
async fn the_proxy_has_a_budget_of_its_own() {
    let mut config = Config::default();
    config.budgets.proxy = 2;
    let stage = Stage::with(config).await;
    assert_eq!((stage.get("/x").await.status, stage.get("/x").await.status), (200, 200));
    let refused = stage.get("/x").await;
    refused.is_error(429, "rate_limited");
    answered_by(&refused, "platform");
    assert!(refused.header("ratelimit").starts_with("\"proxy\";r=0"));
    stage.platform.token(&stage.id).await.data();
    assert_eq!(stage.api.seen().len(), 2);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let stage = Stage::start().await;
    stage.accepts("canary-access-1");
    let answer = stage.call("POST", "/x?a=1").body("once more").send().await;
    assert_eq!((answer.status, &*answer.text), (200, "accepted"));
    let seen = stage.api.seen();
    let told: Vec<_> =
        seen.iter().map(|call| (call.target.as_str(), &*call.body, call.header("authorization"))).collect();
    let attempt = |authorization| ("/gmail/x?a=1", &b"once more"[..], authorization);
    assert_eq!(told, [attempt("Bearer canary-access-0"), attempt("Bearer canary-access-1")]);
    assert_eq!(stage.provider.seen().len(), 1);
    // The new one is kept.
    assert_eq!(stage.get("/x").await.status, 200);
    assert_eq!((stage.api.seen().len(), stage.provider.seen().len()), (1, 1));
}

#[tokio::test]
async fn many_rejected_calls_cause_one_refresh() {
    let stage = Stage::start().await;
    stage.accepts("canary-access-1");
    stage.api.hold();
    let calls = join_all((0..10).map(|_| stage.get("/x")));
    let released = async {
        stage.api.has_seen(10).await;
        stage.api.release();
    };
    let (answers, ()) = tokio::join!(calls, released);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!((stage.api.seen().len(), stage.provider.seen().len()), (20, 1));
}

#[tokio::test]
async fn a_401_that_a_new_token_does_not_cure_is_given_back() {
    let stage = Stage::start().await;
    stage.accepts("another");
    let answer = stage.get("/x").await;
    assert_eq!((answer.status, &*answer.text), (401, "rejected"));
    answered_by(&answer, "provider");
    assert_eq!((stage.api.seen().len(), stage.provider.seen().len()), (2, 1));
    assert_eq!(stage.platform.status(&stage.id).await, "active");
}

#[tokio::test]
async fn a_large_body_is_not_repeated() {
    let stage = Stage::start().await;
    stage.accepts("canary-access-1");
    let large = vec![b'x'; 1024 * 1024 + 1];
    let answer = stage.call("POST", "/x").body(large.clone()).send().await;
    assert_eq!((answer.status, &*answer.text), (401, "rejected"));
    answered_by(&answer, "provider");
    assert_eq!(stage.api.seen_one().body.len(), large.len());
    let answer = stage.call("POST", "/x").body(&large[1..]).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(stage.api.seen().len(), 2);
}

#[tokio::test]
async fn a_grant_that_is_gone_is_told_by_the_service() {
    let stage = Stage::start().await;
    stage.accepts("another");
    stage.provider.will(Reply::Say(503, "application/json", "{}"));
    let answer = stage.get("/x").await;
    assert_eq!(
        (answer.status, &*answer.text),
        (401, "rejected"),
        "the provider's, while nobody knows better"
    );
    answered_by(&answer, "provider");

    stage.platform.advance(120);
    stage.provider.will(Reply::Say(400, "application/json", r#"{"error":"invalid_grant"}"#));
    for _ in 0..2 {
        let answer = stage.get("/x").await;
        answer.is_error(401, "needs_reconnection");
        answered_by(&answer, "platform");
    }
    assert_eq!(stage.api.seen().len(), 2, "the second call is not made any more");
}

#[tokio::test]
async fn an_expired_token_is_refreshed_before_the_call() {
    let stage = Stage::start().await;
    stage.platform.advance(3600);
    assert_eq!(stage.get("/x").await.status, 200);
    assert_eq!(stage.api.seen_one().header("authorization"), "Bearer canary-access-1");
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_was_not_asked() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let platform = Platform::with_apis(Config::default(), &url).await;
    let id = platform.connected().await;
    let answer = platform.call("POST", &format!("/connections/{id}/proxy/x")).body("x").send().await;
    answer.is_error(503, "upstream_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    answered_by(&answer, "platform");
}

#[tokio::test]
async fn an_api_that_breaks_off_may_have_been_asked() {
    let api = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", api.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = api.accept().await.unwrap();
            stream.readable().await.unwrap();
        }
    });
    let mut config = Config::default();
    config.apps.insert("gmail".into(), Provider::start().await.registration());
    let platform = Platform::with_apis(config, &url).await;
    let id = platform.authorised(None, Some(3600)).await;
    let answer = platform.call("POST", &format!("/connections/{id}/proxy/x")).body("x").send().await;
    answer.is_error(502, "provider_no_response");
    answered_by(&answer, "platform");
}

#[tokio::test]
async fn a_connection_has_so_many_calls_at_once() {
    let mut config = Config::default();
    config.limits.max_proxied_calls_per_connection = 2;
    let stage = Stage::with(config).await;
    let other = stage.platform.authorised(None, Some(3600)).await;
    stage.api.hold();
    let both = async { tokio::join!(stage.get("/x"), stage.get("/x")) };
    let one_more = async {
        stage.api.has_seen(2).await;
        let refused = stage.get("/x").await;
        refused.is_error(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
        answered_by(&refused, "platform");
        let (of_other, ()) = tokio::join!(
            stage.platform.call("GET", &format!("/connections/{other}/proxy/x")).send(),
            async {
                stage.api.has_seen(3).await;
                stage.api.release();
            }
        );
        assert_eq!(of_other.status, 200);
    };
    let ((one, two), ()) = tokio::join!(both, one_more);
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(stage.get("/x").await.status, 200, "those that have ended count no more");
}

/// Fields that a customer entered are placed as the catalogue says: in a header, as HTTP Basic, in the query.
#[tokio::test]
async fn each_app_takes_its_credential_where_it_wants_it() {
    let api = Api::start().await;
    let platform = Platform::with_apis(Config::default(), &api.url).await;
    for (app, option, fields, header, value, query) in [
        ("brevo", "header", &[("api_key", "canary-key")][..], "api-key", "canary-key", ""),
        (
            "trello",
            "api_key",
            &[("api_key", "k"), ("token", "canary")][..],
            "authorization",
            "",
            "&key=k&token=canary",
        ),
        (
            "freshdesk",
            "basic",
            &[("subdomain", "acme"), ("username", "u")][..],
            "authorization",
            "Basic dTpY",
            "",
        ),
    ] {
        let link = platform.link(serde_json::json!({"app_id": app, "name": "x"})).await;
        let id = support::text(&link["connection_id"]);
        let fields: std::collections::BTreeMap<_, _> = fields.iter().copied().collect();
        let body = serde_json::json!({"auth_option_key": option, "fields": fields});
        let token = support::text(&link["request_token"]);
        let submitted =
            platform.public("POST", &format!("/connections/{id}/submit"), &token).json(&body).await;
        assert_eq!(submitted.json["data"]["status"], "active", "{app}: {}", submitted.text);
        api.seen();
        // A redirect to the same path with a slash, say, which repeats the query.
        api.will(|call| (StatusCode::OK, [("location", format!("https://x.example{}", call.target))], "{}"));
        let call = platform.call("GET", &format!("/connections/{id}/proxy/x?a=1&token=evil"));
        let answer = call.header(header, "evil").key(&platform.key).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let seen = api.seen_one();
        assert_eq!(seen.header(header), value, "{app}");
        assert_eq!(answer.header("location").is_empty(), !query.is_empty(), "{app}");
        let kept = if query.is_empty() { "&token=evil" } else { query };
        assert!(seen.target.ends_with(&format!("/x?a=1{kept}")), "{}", seen.target);
    }
}
