//! The local provider is as strict as it says, and the browser as faithful: what stands on them can fail.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_tests::browser::{Browser, plain_http, query};
use connect_tests::provider::{Mode, Options, Provider, Reuse};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::api_status;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
const BACK: &str = "https://product.example/back";

async fn code(provider: &Provider) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let url = format!(
        "{}?response_type=code&client_id={}&redirect_uri={BACK}&state=s&scope=profile&code_challenge={challenge}\
         &code_challenge_method=S256",
        provider.authorization_url(),
        provider.options().client_id,
    );
    let browser = Browser::new().unwrap();
    let consent = browser.open(&url).await.unwrap();
    let back = browser.press(&consent, "allow", &[]).await.unwrap();
    assert!(back.left && back.url.as_str().starts_with(BACK), "{}", back.url);
    query(&back.url)["code"].clone()
}

async fn token(provider: &Provider, fields: &[(&str, &str)]) -> (u16, Value) {
    let client = provider.options();
    let request = plain_http().build().unwrap().post(provider.token_url());
    let mut form = vec![("client_id", &*client.client_id), ("client_secret", &*client.client_secret)];
    form.extend(fields);
    let response = request.form(&form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

async fn exchange(provider: &Provider, code: &str, verifier: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", verifier),
    ];
    token(provider, &fields).await
}

async fn refresh(provider: &Provider, refresh_token: &Value) -> (u16, Value) {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str().unwrap())];
    token(provider, &fields).await
}

#[tokio::test]
async fn a_code_works_once_and_with_its_verifier_only() {
    let provider = Provider::start(Options::default()).await.unwrap();
    assert_eq!(exchange(&provider, &code(&provider).await, "another-verifier").await.0, 400);
    let good = code(&provider).await;
    assert_eq!(exchange(&provider, &good, VERIFIER).await.0, 200);
    assert_eq!(exchange(&provider, &good, VERIFIER).await.0, 400);
    assert_eq!(provider.counts().exchanges, 1);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_back_ends_the_grant() {
    let provider = Provider::start(Options::default()).await.unwrap();
    let (_, first) = exchange(&provider, &code(&provider).await, VERIFIER).await;
    let (status, second) = refresh(&provider, &first["refresh_token"]).await;
    assert_eq!(status, 200);
    let access_token = second["access_token"].as_str().unwrap();
    assert_eq!(api_status(&provider, access_token).await, 200);
    assert_eq!(provider.generation(access_token), Some((1, 1)));

    assert_eq!(refresh(&provider, &first["refresh_token"]).await.0, 400);
    assert_eq!(refresh(&provider, &second["refresh_token"]).await.0, 400);
    assert_eq!(api_status(&provider, access_token).await, 401);
    assert_eq!((provider.counts().refreshes, provider.counts().reuses), (3, 1));
}

#[tokio::test]
async fn with_leeway_a_refresh_token_works_until_its_successor_was_used() {
    let options = Options { reuse: Reuse::UntilSuccessorUsed, ..Options::default() };
    let provider = Provider::start(options).await.unwrap();
    let (_, first) = exchange(&provider, &code(&provider).await, VERIFIER).await;
    provider.set_mode(Mode::LostAnswer);
    assert_eq!(refresh(&provider, &first["refresh_token"]).await.0, 500);
    provider.set_mode(Mode::Normal);
    let (status, third) = refresh(&provider, &first["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(refresh(&provider, &third["refresh_token"]).await.0, 200);
    assert_eq!(refresh(&provider, &first["refresh_token"]).await.0, 400);
}

#[tokio::test]
async fn tokens_run_out_and_can_be_revoked() {
    let provider = Provider::start(Options { lifetime: Duration::ZERO, ..Options::default() }).await.unwrap();
    let (_, expired) = exchange(&provider, &code(&provider).await, VERIFIER).await;
    assert_eq!(api_status(&provider, expired["access_token"].as_str().unwrap()).await, 401);

    provider.set_lifetime(Duration::from_secs(60));
    let (_, good) = exchange(&provider, &code(&provider).await, VERIFIER).await;
    assert_eq!(api_status(&provider, good["access_token"].as_str().unwrap()).await, 200);
    provider.revoke_all();
    assert_eq!(api_status(&provider, good["access_token"].as_str().unwrap()).await, 401);
}
