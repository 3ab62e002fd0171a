//! Whatever comes, the answer is the contract's, and repeats nothing of what came.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Platform};

async fn create(platform: &Platform, body: &Value) -> Answer {
    platform.call("POST", "/connections/request-link").json(body).await
}

#[tokio::test]
async fn addresses_and_methods_that_do_not_exist() {
    let platform = Platform::start().await;
    for path in [
        "/",
        "/nope",
        "/apps/",
        "/connections/",
        "/connections/x/y/z",
        "//",
        "//platform",
        "//readyz/",
        "//healthz",
    ] {
        platform.call("GET", path).send().await.is_error(404, "not_found");
    }
    for (method, path, allow) in [
        ("POST", "/apps", "GET,HEAD"),
        ("PUT", "/connections", "GET,HEAD"),
        ("GET", "/connections/request-link/", ""),
        ("POST", "/connections/x", "DELETE,GET,HEAD,PATCH"),
        ("GET", "/connections/x/token", "POST"),
        ("GET", "/connections/x/usages/y", "DELETE,PUT"),
        ("POST", "/connections/x/status", "GET,HEAD,OPTIONS"),
        ("TRACE", "/connections/x/submit", "OPTIONS,POST"),
        ("POST", "//livez", "GET,HEAD"),
        ("POST", "//readyz", "GET,HEAD"),
    ] {
        // Who asks does not matter.
        for call in [platform.call(method, path), platform.bare(method, path)] {
            let answer = call.send().await;
            if allow.is_empty() {
                answer.is_error(404, "not_found");
                continue;
            }
            answer.is_error(405, "method_not_allowed");
            let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), allow, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_none() {
    let platform = Platform::start().await;
    let good = format!("Bearer {}", platform.key);
    let unknown = "x".repeat(100_000);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer pk_live_unknown",
        "Basic cGs6",
        &platform.key,
        &good[..good.len() - 1],
        &unknown,
    ] {
        let answer = platform.call("GET", "/apps").header("authorization", value).send().await;
        answer.is_error(401, "invalid_api_key");
    }
    platform.bare("GET", "/apps").send().await.is_error(401, "invalid_api_key");
    let twice = platform.call("GET", "/apps").also("authorization", &good).send().await;
    twice.is_error(401, "invalid_api_key");
    let bytes = platform.call("GET", "/apps").header_bytes("authorization", b"Bearer \xff\xfe").send().await;
    bytes.is_error(401, "invalid_api_key");
}

#[tokio::test]
async fn emails_that_are_none() {
    let platform = Platform::start().await;
    let without = platform.call("GET", "/connections").without("x-user-email").send().await;
    without.is_error(400, "invalid_user_email");
    let twice = platform.call("GET", "/connections").also("x-user-email", "bob@example.com").send().await;
    twice.is_error(400, "invalid_user_email");
    for email in [&b""[..], b"alice", b"@", b"a@b@c", b"a b@c", b"a@b, c@d", b"a@b..c", b"\xff@b", b"a\t@b"] {
        let answer = platform.call("GET", "/connections").header_bytes("x-user-email", email).send().await;
        answer.is_error(400, "invalid_user_email");
    }
    let utf8 =
        platform.call("GET", "/connections").header_bytes("x-user-email", "josé@exämple.de".as_bytes());
    utf8.send().await.data();
    // The email comes before everything else about the request.
    let answer = platform.call("DELETE", "/connections/nonsense").customer("nobody").send().await;
    answer.is_error(400, "invalid_user_email");
    // The catalogue needs none.
    platform.call("GET", "/apps").without("x-user-email").send().await.data();
}

#[tokio::test]
async fn bodies_that_are_none() {
    let platform = Platform::start().await;
    let call = || platform.call("POST", "/connections/request-link");
    let json = || call().header("content-type", "application/json");
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"canary\"",
        "{\"app_id\": canary}",
        "{\"name\": \"\\ud800\"}",
        "{\"app_id\": \"brevo\", \"name\": \"canary\", \"name\": \"canary\"}",
        &"[".repeat(60_000),
    ] {
        let answer = json().body(body).send().await;
        answer.is_error(400, "invalid_request");
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
    json().body(b"\xff\xfe".to_vec()).send().await.is_error(400, "invalid_request");

    let large = json!({"app_id": "brevo", "name": "x".repeat(64 * 1024)}).to_string();
    json().body(large).send().await.is_error(413, "payload_too_large");
    let padded = format!("{}{}", json!({"app_id": "brevo", "name": "x"}), " ".repeat(60_000));
    json().body(padded).send().await.data();

    call().body("{}").send().await.is_error(415, "unsupported_media_type");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", ""] {
        let answer = call().header("content-type", content_type).body("{}").send().await;
        answer.is_error(415, "unsupported_media_type");
    }
    let twice = json().also("content-type", "application/json").body("{}").send().await;
    twice.is_error(400, "invalid_request");
    let parameters = call().header("content-type", "application/json; charset=utf-8");
    parameters.body(json!({"app_id": "brevo", "name": "x"}).to_string()).send().await.data();
}

#[tokio::test]
async fn members_of_the_wrong_type_or_size() {
    let platform = Platform::start().await;
    let long = "x".repeat(201);
    for (member, values) in [
        ("app_id", json!([1, null, true, [], {}, "", "a/b", "a b", "../gmail", "ä"])),
        ("name", json!([1, null, {}, "", "a\nb", "a\u{0}b", long])),
        ("connection_id", json!([1, null, "", "a/b", "?"])),
        ("auth_option_key", json!([1, null, "", "a b"])),
        ("allowed_apps", json!(["gmail", [], [1], [""], {}, null, vec!["brevo"; 51]])),
        (
            "return_url",
            json!([1, "", "javascript:alert(1)", "http://app.example.com/", "//x", "https://a b/"]),
        ),
        ("allowed_origin", json!([1, "*", "null", "https://app.example.com/", "https://app.example.com/x"])),
        ("display_name", json!([1, "", "a\rb", "x".repeat(121)])),
        ("expires_in", json!([59, 86401, 0, -1, "600", 600.5, null, 1e300, true])),
        ("allow_multiple_connections", json!([0, "true", null])),
        ("scopes", json!(["a", [1], [""], ["a b"], ["a\"b"], null, vec!["a"; 51]])),
        ("customer_id", json!([1, null, {}, "", "a\nb", "a\u{202e}b", "a\u{85}b", long])),
        ("customer_name", json!([1, null, [], "", "a\u{0}b", "a\u{2066}b", "a\u{2028}b", long])),
        ("metadata", bad_metadata()),
    ] {
        for value in values.as_array().unwrap() {
            let mut body = json!({"app_id": "brevo", "name": "x"});
            body[member] = value.clone();
            let answer = create(&platform, &body).await;
            answer.is_error(400, "invalid_request");
            let message = answer.json["message"].as_str().unwrap();
            assert!(message.contains(member), "{member} {value}: {message}");
        }
    }
    // Whole numbers may be written with a point.
    create(&platform, &json!({"app_id": "brevo", "name": "x", "expires_in": 600.0})).await.data();
}

/// Values that metadata must not have: other types, nested too deep, too large.
fn bad_metadata() -> Value {
    let nested = |depth: usize| {
        (0..depth).fold(
            json!(1),
            |inner, level| {
                if level % 2 == 0 { json!({"canary": inner}) } else { json!([inner]) }
            },
        )
    };
    // `nested` of an odd depth is an object, and so is this one around it.
    json!([1, null, "canary", true, [], [{}], {"a": nested(8)}, nested(101), {"a": "x".repeat(16 * 1024 - 7)}])
}

#[tokio::test]
async fn members_that_a_link_does_not_have_are_named() {
    let platform = Platform::start().await;
    for (member, shown) in [
        ("appId", "\"appId\""),
        ("customerId", "\"customerId\""),
        ("Name", "\"Name\""),
        ("", "\"\""),
        ("a\nb\u{202e}c", "\"abc\""),
        (&"x".repeat(999), &format!("\"{}\"", "x".repeat(60))),
    ] {
        let mut body = json!({"app_id": "brevo", "name": "x"});
        body[member] = json!("canary");
        let answer = create(&platform, &body).await;
        answer.is_error(400, "invalid_request");
        assert_eq!(answer.json["message"], format!("There is no member {shown}"));
    }
    // All that there are, and what the guide's own examples send.
    let all = json!({
        "app_id": "brevo", "name": "x", "auth_option_key": "header", "allowed_apps": ["brevo"],
        "return_url": "https://app.example.com/x", "allowed_origin": "https://app.example.com",
        "display_name": "Example", "confirm": true, "expires_in": 600, "allow_multiple_connections": true,
        "scopes": [], "customer_id": "cus_1", "customer_name": "Example Ltd", "metadata": {"a": {}},
    });
    let made = create(&platform, &all).await;
    let again = json!({"connection_id": made.data()["connection_id"]});
    create(&platform, &again).await.data();
    create(&platform, &json!({"app_id": "brevo", "name": "Work Gmail"})).await.data();
}

#[tokio::test]
async fn changes_of_a_connection_that_are_wrong() {
    let platform = Platform::start().await;
    let path = format!("/connections/{}", platform.connected().await);
    let before = platform.call("GET", &path).send().await;
    let long = "x".repeat(201);
    for (member, values) in [
        ("name", json!([1, null, "", "a\nb", long])),
        ("customer_id", json!([1, true, [], "", "a\tb", "a\u{200f}b", long])),
        ("customer_name", json!([1, {}, "", "a\u{9b}b", "a\u{202a}b", long])),
        ("metadata", bad_metadata()),
    ] {
        for value in values.as_array().unwrap() {
            // What is right beside it is not done either.
            let mut body = json!({"name": "New", "customer_id": "canary"});
            body[member] = value.clone();
            let answer = platform.call("PATCH", &path).json(&body).await;
            answer.is_error(400, "invalid_request");
            let message = answer.json["message"].as_str().unwrap();
            assert!(message.contains(member) && !message.contains("canary"), "{member} {value}: {message}");
        }
    }
    for member in ["status", "app_id", "id", "user_email", "created_at", "customerId", "usages"] {
        let answer = platform.call("PATCH", &path).json(&json!({"name": "New", member: "canary"})).await;
        answer.is_error(400, "invalid_request");
        assert_eq!(answer.json["message"], format!("There is no member \"{member}\""));
    }
    let json = || platform.call("PATCH", &path).header("content-type", "application/json");
    for body in
        ["", "null", "[]", r#"{"name": "a", "name": "b"}"#, r#"{"metadata": {"a": [{"b": 1, "b": 2}]}}"#]
    {
        json().body(body).send().await.is_error(400, "invalid_request");
    }
    json().body(" ".repeat(65 * 1024)).send().await.is_error(413, "payload_too_large");
    platform.call("PATCH", &path).body("{}").send().await.is_error(415, "unsupported_media_type");
    let after = platform.call("GET", &path).send().await;
    assert_eq!(after.text, before.text);
}

#[tokio::test]
async fn members_that_contradict_each_other_or_are_missing() {
    let platform = Platform::start().await;
    for body in
        [json!({}), json!({"app_id": "brevo"}), json!({"name": "x"}), json!({"allowed_apps": ["brevo"]})]
    {
        create(&platform, &body).await.is_error(400, "invalid_request");
    }
    let id = platform.connected().await;
    let other = create(&platform, &json!({"connection_id": id, "app_id": "github"})).await;
    other.is_error(400, "invalid_request");
    create(&platform, &json!({"connection_id": id, "app_id": "brevo"})).await.data();
}

#[tokio::test]
async fn apps_that_are_unknown_or_cannot_be_connected() {
    let platform = Platform::start().await;
    for path in ["/apps/nope", "/apps/GMAIL", "/apps/%FF", "/apps/..%2Fapps", "/apps/%00"] {
        platform.call("GET", path).send().await.is_error(404, "app_not_found");
    }
    for body in [
        json!({"app_id": "nope", "name": "x"}),
        json!({"allowed_apps": ["brevo", "nope"], "name": "x"}),
        json!({"app_id": "brevo", "name": "x", "auth_option_key": "nope"}),
    ] {
        create(&platform, &body).await.is_error(404, "app_not_found");
    }
    create(&platform, &json!({"app_id": "gmail", "name": "x"})).await.is_error(409, "app_not_configured");
}

#[tokio::test]
async fn queries_that_are_wrong() {
    let platform = Platform::start().await;
    let long = format!("/apps?search={}", "x".repeat(201));
    for path in [
        "/apps?page=0",
        "/apps?page=1000001",
        "/apps?page=-1",
        "/apps?page=x",
        "/apps?page=1.5",
        "/apps?page=%20",
        "/apps?limit=0",
        "/apps?limit=101",
        "/apps?limit=1&limit=2",
        "/apps?search=a&search=b",
        "/apps?search=%00",
        "/connections?page=0",
        "/connections?limit=101",
        "/connections?app_id=a%2Fb",
        "/connections?app_id=&app_id=gmail",
        &long,
        "/connections?app_id=gmail&app_id=slack",
        "/connections?status=Active",
        "/connections?status=broken",
        "/connections?status=active&status=active",
        "/connections?customer_id=a%0Ab",
        "/connections?customer_id=a%E2%80%AEb",
        &format!("/connections?customer_id={}", "x".repeat(201)),
        "/connections?needs_reconnection=1",
        "/connections?needs_reconnection=TRUE",
    ] {
        platform.call("GET", path).send().await.is_error(400, "invalid_request");
    }
    for path in [
        "/apps?page=1000000&limit=100",
        "/apps?search=&x=1&x=2",
        // As clients send what their user has not filled in.
        "/apps?search=&page=&limit=",
        "/connections?app_id=&page=&limit=&status=&customer_id=&needs_reconnection=",
        "/connections?state=active&statuses=x",
        "/connections?app_id=nope",
        "/apps?%zz&&=&%ff",
    ] {
        platform.call("GET", path).send().await.data();
    }
}

#[tokio::test]
async fn other_headers_and_ids_that_are_wrong() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let long = "x".repeat(256);
    for path in ["/connections/request-link", &format!("/connections/{id}/token")] {
        let call = || platform.call("POST", path).header("content-type", "application/json");
        for key in [&b""[..], b"a b", b"\xff", long.as_bytes()] {
            let answer = call().header_bytes("idempotency-key", key).body("{}").send().await;
            answer.is_error(400, "invalid_request");
        }
        let twice =
            call().header("idempotency-key", "a").also("idempotency-key", "b").body("{}").send().await;
        twice.is_error(400, "invalid_request");
    }
    for usage in ["-", "%20", "a%2Fb", &"x".repeat(129)] {
        let answer = platform.call("PUT", &format!("/connections/{id}/usages/{usage}")).send().await;
        answer.is_error(400, "invalid_request");
    }
    // RFC 7240: a preference that is not understood is ignored.
    let answer =
        platform.call("GET", &format!("/connections/{id}")).header("prefer", "wait=soon, x").send().await;
    answer.data();
    assert_eq!(answer.header("preference-applied"), "");
}

#[tokio::test]
async fn custom_forms_that_are_wrong() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let path = format!("/connections/{}/submit", support::text(&link["connection_id"]));
    let token = support::text(&link["request_token"]);
    for body in [
        json!({}),
        json!({"auth_option_key": 1}),
        json!({"auth_option_key": "nope", "fields": {}}),
        json!({"auth_option_key": "header"}),
        json!({"auth_option_key": "header", "fields": {"api_key": ""}}),
        json!({"auth_option_key": "header", "fields": {"api_key": 5}}),
        json!({"auth_option_key": "header", "fields": ["canary"]}),
        json!({"auth_option_key": "header", "fields": {"api_key": "canary\n"}, "x": 1})
            .to_string()
            .replace("\\n\"", "\\nx\"")
            .parse()
            .unwrap(),
        json!({"auth_option_key": "header", "fields": {"api_key": "canary", "more": "canary"}}),
        json!({"auth_option_key": "header", "fields": {"api_key": "x".repeat(8193)}}),
    ] {
        let answer = platform.public("POST", &path, &token).json(&body).await;
        answer.is_error(400, "invalid_request");
        assert!(!answer.text.contains("canary"), "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let large = json!({"x": "x".repeat(64 * 1024)});
    platform.public("POST", &path, &token).json(&large).await.is_error(413, "payload_too_large");
    platform.public("POST", &path, &token).body("{}").send().await.is_error(415, "unsupported_media_type");
    assert_eq!(platform.status(&support::text(&link["connection_id"])).await, "pending");
}
