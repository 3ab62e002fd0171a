//! From a request link over the provider to a grant, and all the ways in which that goes wrong.

mod connect_support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_service::store::{LinkOptions, Phase, Target};
use connect_support::{Browser, Made, Seen, Stage};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Options of a link that leads back to the product.
fn returning() -> LinkOptions {
    LinkOptions { return_url: Some("https://product.example/done?tab=1".into()), ..LinkOptions::default() }
}

/// Opens a link and presses the button that leads to the provider.
async fn to_provider(browser: &Browser, made: &Made) -> Seen {
    let page = browser.get(&made.url).await;
    assert_eq!(page.status, 200, "{}", page.html);
    let left = browser.post(&made.url, &page, &[("action", "connect")]).await;
    assert_eq!(left.status, 303, "{}", left.html);
    left
}

#[tokio::test]
async fn a_customer_who_consents_is_connected() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    assert_eq!(stage.stored_link(&made).await.phase, Phase::Created);
    let left = to_provider(&browser, &made).await;
    assert_eq!(stage.stored_link(&made).await.phase, Phase::AtProvider);
    assert_eq!(left.param("response_type").unwrap(), "code");
    assert_eq!(left.param("client_id").unwrap(), "the-client");
    assert_eq!(left.param("redirect_uri").unwrap(), stage.app.redirect_uri("gmail"));
    assert_eq!(left.param("access_type").unwrap(), "offline");

    let state = left.param("state").unwrap();
    let back = browser.visit(&stage.callback(&[("code", "c0de"), ("state", &state)])).await;
    assert_eq!(back.status, 200, "{}", back.html);
    assert!(back.html.contains("Gmail is connected"));
    assert_eq!(stage.status(&made).await, "active");
    assert_eq!(stage.stored(&made).await.unwrap().1.unwrap(), "at-1");

    let seen = stage.provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["grant_type"], "authorization_code");
    assert_eq!(seen[0]["code"], "c0de");
    assert_eq!(seen[0]["redirect_uri"], stage.app.redirect_uri("gmail"));
    assert_eq!(seen[0]["client_secret"], "the-secret");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&seen[0]["code_verifier"]));
    assert_eq!(left.param("code_challenge").unwrap(), challenge);

    let again = browser.get(&made.url).await;
    assert!(again.html.contains("Gmail is connected"), "the link tells how it ended");
}

#[tokio::test]
async fn a_customer_who_declines_is_rejected() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let back = browser.visit(&stage.callback(&[("error", "access_denied"), ("state", &state)])).await;
    assert_eq!(back.status, 200);
    assert!(back.html.contains("was not connected"));
    assert_eq!(stage.status(&made).await, "rejected");
    assert!(stage.provider.seen().is_empty());
}

/// Providers say `access_denied` where somebody else has to approve, too, so the page blames nobody.
#[tokio::test]
async fn a_provider_that_declines_gives_its_reason() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let reason = "Admin approval <b>required</b>\u{202e}\u{7}";
    let denied = [("error", "access_denied"), ("error_description", reason), ("state", &state)];
    let back = browser.visit(&stage.callback(&denied)).await;
    assert_eq!((back.status, stage.status(&made).await.as_str()), (200, "rejected"));
    assert!(!back.html.contains("You cancelled"), "{}", back.html);
    assert!(back.html.contains("Admin approval &#60;b&#62;required&#60;/b&#62;"), "{}", back.html);
    assert!(!back.html.contains(['\u{202e}', '\u{7}']));
    let expected = json!({
        "code": "access_denied",
        "message": "Access was not given",
        "provider_message": "Admin approval <b>required</b>",
    });
    assert_eq!(stage.connection(&made).await["last_error"], expected);
    let told = json!({"code": "access_denied", "message": "Access was not given"});
    assert_eq!(stage.public_status(&made).await["last_error"], told);
}

#[tokio::test]
async fn a_failure_is_told_to_the_backend_until_it_is_over() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    assert_eq!(stage.connection(&made).await["last_error"], json!(null));
    let said = [("error", "server_error"), ("error_description", "c4nary")];
    for (params, answer, code, provider_message) in [
        (&said[..], None, "provider_refused", json!("c4nary")),
        (&[("error", "c4nary")], None, "provider_refused", json!("c4nary")),
        (&[], None, "invalid_response", json!(null)),
        (&[("code", "c")], Some((500, r#"{"error":"server_error"}"#)), "provider_unavailable", json!(null)),
        (
            &[("code", "c")],
            Some((400, r#"{"error":"invalid_grant"}"#)),
            "authorization_code_refused",
            json!(null),
        ),
        (&[("code", "c")], Some((401, r#"{"error":"invalid_client"}"#)), "client_refused", json!(null)),
    ] {
        if let Some((status, body)) = answer {
            stage.provider.will_say(status, "application/json", body);
        }
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let params = [params, &[("state", &state)]].concat();
        let back = browser.visit(&stage.callback(&params)).await;
        assert_eq!(back.status, 502, "{code}");
        assert_eq!(stage.stored_link(&made).await.phase, Phase::Returned);
        let connection = stage.connection(&made).await;
        assert_eq!(connection["status"], "pending");
        assert_eq!(connection["last_error"]["code"], code);
        let message = connection["last_error"]["message"].as_str().unwrap();
        assert!(message.len() > 20 && !message.contains("c4nary"), "{message}");
        assert_eq!(connection["last_error"]["provider_message"], provider_message);
        let told = json!({"code": code, "message": message});
        assert_eq!(stage.public_status(&made).await["last_error"], told);
    }
    stage.provider.will_say(200, "application/json", r#"{"access_token":"at"}"#);
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    let connection = stage.connection(&made).await;
    assert_eq!((&connection["status"], &connection["last_error"]), (&json!("active"), &json!(null)));
    assert_eq!(stage.public_status(&made).await["last_error"], json!(null));
}

/// A page that still watches an earlier link must not take the later one's failure for its own.
#[tokio::test]
async fn a_failure_belongs_to_its_link() {
    let stage = Stage::start().await;
    let first = stage.link("gmail").await;
    let again = Target::Existing { id: &first.connection_id, name: None };
    let second = stage.make(again, Some("gmail"), &LinkOptions::default()).await;
    let browser = Browser::new();
    let state = to_provider(&browser, &second).await.param("state").unwrap();
    browser.visit(&stage.callback(&[("error", "server_error"), ("state", &state)])).await;
    assert_eq!(stage.public_status(&second).await["last_error"]["code"], "provider_refused");
    assert_eq!(stage.public_status(&first).await["last_error"], json!(null));
}

#[tokio::test]
async fn a_repeated_callback_shows_the_same_outcome() {
    let stage = Stage::start().await;
    for (outcome, status, words) in
        [("code", 200, "Gmail is connected"), ("error", 502, "Gmail could not be connected")]
    {
        let made = stage.link("gmail").await;
        let browser = Browser::new();
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let url = stage.callback(&[(outcome, "server_error"), ("state", &state)]);
        let before = stage.provider.seen().len();
        for _ in 0..3 {
            let page = browser.visit(&url).await;
            assert_eq!(page.status, status, "{}", page.html);
            assert!(page.html.contains(words), "{}", page.html);
            let reloaded = browser.get(&page.url).await;
            assert_eq!(reloaded.status, status, "a reload is harmless");
            assert!(reloaded.html.contains(words));
        }
        assert_eq!(stage.provider.seen().len() - before, usize::from(outcome == "code"));
    }
}

#[tokio::test]
async fn two_callbacks_at_once_both_reach_the_return_url() {
    let stage = Stage::start().await;
    let options =
        LinkOptions { return_url: Some("https://product.example/done".into()), ..LinkOptions::default() };
    let made = stage.link_with(Some("gmail"), options).await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let url = stage.callback(&[("code", "c"), ("state", &state)]);
    let pages = futures_util::future::join_all((0..4).map(|_| browser.visit(&url))).await;
    for page in pages {
        assert_eq!(page.status, 303, "{}", page.html);
        assert_eq!(page.param("status").unwrap(), "active");
    }
    assert_eq!(stage.provider.seen().len(), 1);
}

/// A browser that prefetches, a service worker and a scanner come before the customer does.
#[tokio::test]
async fn what_is_no_visit_redeems_nothing() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let url = stage.callback(&[("code", "c"), ("state", &state)]);
    for (header, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "Prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "iframe"),
    ] {
        let page = browser.get_with(&url, header, value).await;
        assert_eq!(page.status, 403, "{header}: {value}");
    }
    assert_eq!(browser.head(&url).await.status, 403);
    assert!(stage.provider.seen().is_empty());
    let page = browser.get_with(&url, "sec-fetch-dest", "document").await;
    assert_eq!(page.status, 303);
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn the_result_is_for_the_browser_that_began() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let (own, other) = (Browser::new(), Browser::new());
    let state = to_provider(&own, &made).await.param("state").unwrap();
    let unborn = format!("{}/oauth/result/{state}", stage.app.base_url());
    assert_eq!(own.get(&unborn).await.status, 400, "not back yet");
    let back = own.get(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    let result = back.location.unwrap().to_string();
    assert_eq!(other.get(&result).await.status, 400, "no cookie");
    other.get(&made.url).await;
    assert_eq!(other.get(&result).await.status, 400, "a cookie of its own");
    assert_eq!(own.get(&result).await.status, 200);
    let replayed = other.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(replayed.status, 400);
}

/// The process ended between the callback and its outcome.
#[tokio::test]
async fn an_interrupted_step_does_not_wait_for_ever() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let left = to_provider(&browser, &made).await;
    let state = left.param("state").unwrap();
    let cookie = browser.cookie();
    stage.app.store.take_authorization(&state, &cookie, "gmail", None).await.unwrap();
    let result = format!("{}/oauth/result/{state}", stage.app.base_url());
    let waiting = browser.get(&result).await;
    assert_eq!(waiting.status, 200);
    assert_eq!(waiting.headers["refresh"], "1");
    stage.advance(61);
    let failed = browser.get(&result).await;
    assert_eq!(failed.status, 502);
    assert!(failed.href("Try again").is_some());
}

#[tokio::test]
async fn a_failing_provider_leaves_the_link_open() {
    let stage = Stage::start().await;
    let huge = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(300 * 1024));
    for (status, content_type, body) in [
        (500, "application/json", r#"{"error":"server_error"}"#),
        (200, "text/html", "<html>access_token=at</html>"),
        (400, "application/json", r#"{"error":"invalid_grant"}"#),
        (401, "application/json", r#"{"error":"invalid_client"}"#),
        (200, "application/json", r#"{"error":"bad_verification_code"}"#),
        (200, "application/json", ""),
        (200, "application/json", &huge),
        (307, "application/json", r#"{"access_token":"at"}"#),
    ] {
        let made = stage.link("gmail").await;
        let browser = Browser::new();
        stage.provider.will_say(status, content_type, body);
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let back = browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
        assert_eq!(back.status, 502, "{status} {content_type}");
        assert_eq!(stage.status(&made).await, "pending");
        assert!(stage.stored(&made).await.is_none());
    }
}

#[tokio::test]
async fn after_a_failure_the_customer_can_try_again() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let failed = browser.visit(&stage.callback(&[("error", "server_error"), ("state", &state)])).await;
    assert_eq!(failed.status, 502);

    let again = Made { url: failed.href("Try again").unwrap(), ..made };
    let state = to_provider(&browser, &again).await.param("state").unwrap();
    let back = browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(back.status, 200);
    assert_eq!(stage.status(&again).await, "active");
}

#[tokio::test]
async fn a_reload_of_a_failure_keeps_every_tabs_way_on() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let mut results = Vec::new();
    for _ in 0..2 {
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let failed = stage.callback(&[("error", "server_error"), ("state", &state)]);
        let result = browser.get(&failed).await.location.unwrap().to_string();
        let again = browser.get(&result).await.href("Try again").unwrap();
        results.push((result, again));
    }
    for (result, _) in &results {
        assert_eq!(browser.get(result).await.status, 502);
    }
    for (_, again) in &results {
        assert_eq!(browser.get(again).await.status, 200, "{again}");
    }
}

/// Whoever knows of no authorization request must not make those wait who have one: SQLite has one writer.
#[tokio::test]
async fn an_invented_state_waits_for_no_writer() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let _other = stage.block_writers().await;
    for (app, state) in [("gmail", "invented"), ("github", &state)] {
        let callback = stage.callback_of(app, &[("code", "c"), ("state", state)]);
        assert_eq!(browser.get(&callback).await.status, 400, "{app}");
    }
    let own = stage.callback(&[("code", "c"), ("state", &state)]);
    assert_eq!(browser.get(&own).await.status, 503, "it is taken in the database");
}

#[tokio::test]
async fn a_forged_or_replayed_state_changes_nothing() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let forged = state.chars().rev().collect::<String>();
    let twice = format!("{}&state={forged}", stage.callback(&[("code", "c"), ("state", &state)]));
    for url in [
        stage.callback(&[("code", "c"), ("state", &forged)]),
        stage.callback(&[("code", "c"), ("state", "")]),
        stage.callback(&[("code", "c")]),
        stage.callback(&[]),
        twice,
    ] {
        let page = browser.get(&url).await;
        assert_eq!(page.status, 400, "{url}");
        assert!(!page.html.contains(&forged));
    }
    assert!(stage.provider.seen().is_empty());

    let real = stage.callback(&[("code", "c"), ("state", &state)]);
    assert_eq!(browser.visit(&real).await.status, 200);
    stage.provider.will_say(200, "application/json", r#"{"access_token":"at-2"}"#);
    assert_eq!(browser.visit(&real).await.status, 200);
    assert_eq!(stage.provider.seen().len(), 1);
    assert_eq!(stage.stored(&made).await.unwrap().1.unwrap(), "at-1");
}

#[tokio::test]
async fn another_browser_cannot_finish() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let (own, other) = (Browser::new(), Browser::new());
    let state = to_provider(&own, &made).await.param("state").unwrap();
    let url = stage.callback(&[("code", "c"), ("state", &state)]);
    assert_eq!(other.get(&url).await.status, 400, "no cookie");
    other.get(&made.url).await;
    assert_eq!(other.get(&url).await.status, 400, "a cookie of its own");
    assert_eq!(stage.status(&made).await, "pending");
    assert_eq!(own.visit(&url).await.status, 200, "and the attempt has spoilt nothing");
}

#[tokio::test]
async fn an_issuer_that_is_known_must_be_sent_and_fit() {
    let stage = Stage::start().await;
    for (iss, status) in [
        (Some("https://evil.example"), 502),
        (None, 502),
        (Some("https://strict.example"), 200),
        (Some("https://strict.example/"), 200),
    ] {
        let made = stage.link("strict").await;
        let browser = Browser::new();
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let mut params = vec![("code", "c"), ("state", state.as_str())];
        params.extend(iss.map(|iss| ("iss", iss)));
        let back = browser.visit(&stage.callback_of("strict", &params)).await;
        assert_eq!(back.status, status, "{iss:?}");
        let last_error = &stage.connection(&made).await["last_error"];
        let code = (status != 200).then_some("issuer_mismatch");
        assert_eq!(last_error["code"].as_str(), code, "{iss:?}");
    }
    assert_eq!(stage.provider.seen().len(), 2);
}

/// Only a parameter that is read must not be there twice (RFC 6749, section 4.1.2).
#[tokio::test]
async fn what_the_provider_adds_may_be_there_twice() {
    let stage = Stage::start().await;
    for (twice, status) in [("scope", 200), ("hd", 200), ("iss", 400), ("error", 400)] {
        let made = stage.link("gmail").await;
        let browser = Browser::new();
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let params = [("code", "c"), ("state", state.as_str()), (twice, "a"), (twice, "b")];
        let back = browser.visit(&stage.callback(&params)).await;
        assert_eq!(back.status, status, "{twice}");
    }
}

/// A provider could make the customer's browser bring it another provider's code.
#[tokio::test]
async fn what_came_to_another_apps_address_is_refused() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    let params = [("code", "c"), ("state", state.as_str())];
    for other in ["github", "unknown", "%00"] {
        let back = browser.get(&stage.callback_of(other, &params)).await;
        assert_eq!(back.status, 400, "{other}");
    }
    assert!(stage.provider.seen().is_empty());
    assert_eq!(browser.visit(&stage.callback(&params)).await.status, 200);
}

#[tokio::test]
async fn the_latest_journeys_of_a_link_are_remembered() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let mut states = Vec::new();
    for _ in 0..11 {
        states.push(to_provider(&browser, &made).await.param("state").unwrap());
        stage.advance(1);
    }
    let back =
        async |state| browser.visit(&stage.callback(&[("error", "server_error"), ("state", state)])).await;
    assert_eq!(back(&states[0]).await.status, 400, "forgotten");
    for state in &states[1..] {
        assert_eq!(back(state).await.status, 502);
    }
}

#[tokio::test]
async fn a_link_that_lapsed_meanwhile_stays_lapsed() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    stage.advance(601);
    let back = browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(back.status, 410);
    assert_eq!(stage.status(&made).await, "expired");
    assert!(stage.provider.seen().is_empty());
}

#[tokio::test]
async fn the_return_url_gets_the_outcome_and_no_secret() {
    let stage = Stage::start().await;
    for (outcome, status, why) in [
        ("code", "active", ""),
        (
            "error",
            "rejected",
            "&error=access_denied&error_description=Access+was+not+given\
             &errorData=%7B%22code%22%3A%22access_denied%22%2C%22message%22%3A%22Access+was+not+given%22%7D",
        ),
    ] {
        let made = stage.link_with(Some("gmail"), returning()).await;
        let browser = Browser::new();
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        let said = [(outcome, "access_denied"), ("error_description", "c4nary"), ("state", &state)];
        let back = browser.visit(&stage.callback(&said)).await;
        assert_eq!(back.status, 303);
        let expected = format!(
            "https://product.example/done?tab=1&connection_id={}&status={status}&operation=creation{why}",
            made.connection_id
        );
        assert_eq!(back.location.unwrap().as_str(), expected);
    }
}

/// The page of an expired link leads back with the failure that kept the customer from finishing, if there was one.
#[tokio::test]
async fn the_return_url_of_an_expired_link_says_why() {
    let stage = Stage::start().await;
    for (fails, code) in [(false, "link_expired"), (true, "provider_refused")] {
        let made = stage.link_with(Some("gmail"), returning()).await;
        let browser = Browser::new();
        let state = to_provider(&browser, &made).await.param("state").unwrap();
        if fails {
            let said = [("error", "server_error"), ("error_description", "c4nary"), ("state", &state)];
            browser.visit(&stage.callback(&said)).await;
        }
        stage.advance(601);
        let back = browser.get(&made.url).await.href("Go back").unwrap().replace("&#38;", "&");
        let url = url::Url::parse(&back).unwrap();
        let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!((query["status"].as_str(), query["error"].as_str()), ("expired", code), "{back}");
        let data: serde_json::Value = serde_json::from_str(&query["errorData"]).unwrap();
        assert_eq!(data, json!({"code": code, "message": query["error_description"]}));
        assert!(!back.contains("c4nary"));
    }
}

#[tokio::test]
async fn reauthorising_keeps_the_connection_and_declining_it_too() {
    let stage = Stage::start().await;
    let first = stage.link("gmail").await;
    let browser = Browser::new();
    let state = to_provider(&browser, &first).await.param("state").unwrap();
    browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;

    let again = || Target::Existing { id: &first.connection_id, name: None };
    let declined = stage.make(again(), Some("gmail"), &LinkOptions::default()).await;
    let page = browser.get(&declined.url).await;
    assert!(page.html.contains("Reconnect Gmail"));
    browser.post(&declined.url, &page, &[("action", "decline")]).await;
    assert_eq!(stage.status(&first).await, "active");
    assert_eq!(stage.connection(&first).await["last_error"]["code"], "access_denied");

    stage.provider.will_say(200, "application/json", r#"{"access_token":"at-2"}"#);
    let made = stage.make(again(), Some("gmail"), &LinkOptions::default()).await;
    let state = to_provider(&browser, &made).await.param("state").unwrap();
    browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(stage.stored(&first).await.unwrap().1.unwrap(), "at-2");
}

#[tokio::test]
async fn the_links_scopes_are_asked_for() {
    let stage = Stage::start().await;
    let options = LinkOptions { scopes: vec!["one".into(), "two".into()], ..LinkOptions::default() };
    let made = stage.link_with(Some("gmail"), options).await;
    let left = to_provider(&Browser::new(), &made).await;
    assert_eq!(left.param("scope").unwrap(), "one two");
}
