//! What the fields of a catalogue file take and show, on the page and in a form of the product's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use fixture_support::{Provider, Visit};
use serde_json::json;

const OAUTH: &str = r#"
    type = "o_auth"
    [[auth.fields]]
    name = "host"
    title = "Instance"
    format = "host"
    suffixes = [".my.example.com"]
    [[auth.fields]]
    name = "org"
    title = "Organisation"
    format = "segment"
    [auth.oauth]
    authorization_url = "https://{host}/{org}/authorize"
    token_url = "https://{host}/{org}/token"
"#;

const KEY: &str = r#"
    type = "api_key"
    [[auth.fields]]
    name = "account"
    title = "Account"
    prefix = "https://"
    suffix = ".example.com/<b>"
    example = "\"acme"
    help_url = "https://example.com/help?a=1&b=2"
    pattern = "^[a-z]+$"
    pattern_help = "Account is lower-case letters."
    [[auth.fields]]
    name = "key"
    title = "Key"
    secret = true
"#;

#[tokio::test]
async fn a_host_that_was_pasted_is_part_of_the_address() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[("host", "https://ACME.my.example.com/home?x=1"), ("org", "a~b")]).await;
    assert_eq!(left.host_str(), Some("acme.my.example.com"));
    assert_eq!(left.path(), "/a~b/authorize");
    for (host, org) in [
        ("evil.example", "a"),
        ("evil.example/.my.example.com", "a"),
        ("evil.example#.my.example.com", "a"),
        ("me@acme.my.example.com", "a"),
        ("acme.my.example.com:8443", "a"),
        ("acme.my.example.com", ".."),
        ("acme.my.example.com", "a/../b"),
        ("{org}.my.example.com", "a"),
    ] {
        let page = visit.submit(&[("host", host), ("org", org)]).await;
        assert_eq!(page.status, 400, "{host} {org}");
        assert!(page.text.contains("Please check what you entered"), "{host} {org}");
    }
}

#[tokio::test]
async fn the_page_shows_what_belongs_to_a_field() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(KEY).await;
    let visit = Visit::begin(&platform).await;
    for part in [
        r#"<span class="affix" id="prefix-account">https://</span>"#,
        r#"<span class="affix" id="suffix-account">.example.com/&#60;b&#62;</span>"#,
        r#"placeholder="&#34;acme""#,
        r#"href="https://example.com/help?a=1&#38;b=2""#,
        r#"aria-describedby="prefix-account suffix-account""#,
    ] {
        assert!(visit.html.contains(part), "{part} is not in {}", visit.html);
    }

    let page = visit.submit(&[("account", "Acme"), ("key", "canary-key")]).await;
    assert!(page.text.contains("Account is lower-case letters."), "{}", page.text);
    assert!(page.text.contains(r#"value="Acme""#) && !page.text.contains("canary-key"), "{}", page.text);
    let page = visit.submit(&[("account", "https://acme.example.com/<b>"), ("key", "canary-key")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let vended = platform.token(&visit.connection_id).await;
    assert_eq!(vended.data()["fields"], json!({"account": "acme", "key": "canary-key"}));
}

#[tokio::test]
async fn a_form_of_the_products_own_is_told_the_same() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(KEY).await;
    let visit = Visit::begin(&platform).await;
    let (id, token) = (&visit.connection_id, &visit.request_token);
    let options = platform.public("GET", &format!("/connections/{id}/auth-options"), token).send().await;
    let account = &options.data()["auth_options"][0]["input_schema"]["properties"]["account"];
    assert_eq!(
        *account,
        json!({
            "type": "string", "title": "Account", "minLength": 1, "maxLength": 2048, "pattern": "^[a-z]+$",
            "pattern_help": "Account is lower-case letters.", "prefix": "https://", "suffix": ".example.com/<b>",
            "examples": ["\"acme"], "help_url": "https://example.com/help?a=1&b=2",
        })
    );
    let key = &options.data()["auth_options"][0]["input_schema"]["properties"]["key"];
    assert_eq!((&key["writeOnly"], key.get("format")), (&json!(true), None));

    let body = json!({"auth_option_key": "main", "fields": {"account": "ACME", "key": "k"}});
    let refused = platform.public("POST", &format!("/connections/{id}/submit"), token).json(&body).await;
    refused.is_error(400, "invalid_request");
    assert!(refused.text.contains("Account is lower-case letters."), "{}", refused.text);
}
