//! What a provider grants, and what it says beside the token.

use std::sync::Arc;

use connect_service::store::{LinkOptions, Target};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::cases;
use crate::connect_support::ApiReply;
use crate::world::{ENDED, RawProvider, World, ok};

cases! {
    37, "NangoHQ/nango#3988", "the token has another name, or is nested" => token_elsewhere;
    38, "swagger-api/swagger-ui#5591", "other spellings of Bearer" => token_types;
    39, "NangoHQ/nango#328", "QuickBooks names the company in the callback" => company_of_the_callback;
    41, "NangoHQ/nango#328", "calls need the host that the customer typed" => host_that_was_typed;
    42, "trycompai/comp#3229", "Zoho names its API's host beside the token" => host_beside_the_token;
    43, "NangoHQ/nango#814", "the customer took the wrong data centre of Zoho" => wrong_data_centre;
    45, "vercel/vercel#16578", "the provider refuses a token before its expiry" => refused_early;
    46, "omab/django-social-auth#299", "connecting again brings no refresh token" => no_new_refresh_token;
    64, "oauth2-proxy/oauth2-proxy#336", "a certificate of the operator's own authority" => private_authority;
}

async fn token_elsewhere() {
    for (pointer, body) in [
        ("/token", r#"{"token":"at-1","expires_in":60}"#),
        ("/accessToken", r#"{"accessToken":"at-1","expiresIn":60}"#),
        ("/data/access_token", r#"{"data":{"access_token":"at-1","expires_in":60}}"#),
    ] {
        let world = World::with_fixture(&format!("token_pointer = \"{pointer}\"")).await;
        let made = world.connected_by("fixture", ok(body)).await;
        let token = world.vend(&made).await.1;
        assert_eq!(token["access_token"], "at-1", "{body}");
        assert!(token["expires_in"].as_i64().is_some(), "{body}");
    }
}

async fn token_types() {
    let world = World::new().await;
    for (said, vended) in [
        ("BearerToken", "Bearer"),
        ("jwt-bearer", "Bearer"),
        ("Bearer ", "Bearer"),
        // It is nobody's guess what that means.
        ("mac", "mac"),
    ] {
        let body = format!(r#"{{"access_token":"at-1","token_type":"{said}"}}"#);
        let made = world.connected_by("gmail", ok(&body)).await;
        assert_eq!(world.vend(&made).await.1["token_type"], vended, "{said}");
    }
}

async fn company_of_the_callback() {
    let world = World::new().await;
    let company = json!({"CompanyInfo": {"CompanyName": "Acme"}});
    let path = "/quickbooks/v3/company/4620816365/companyinfo/4620816365";
    world.stage.provider.api_will_say(path, ApiReply::Json(200, company));
    let made = world.stage.link("quickbooks").await;
    world.consent(&made, "quickbooks", &[], &[("code", "c"), ("realmId", "4620816365")]).await;
    let token = world.vend(&made).await.1;
    assert_eq!(token["provider_data"], json!({"realm_id": "4620816365"}));
    assert!(token["api_base_url"].as_str().unwrap().ends_with("/v3/company/4620816365"), "{token}");
}

async fn host_that_was_typed() {
    let world = World::new().await;
    let made = world.connected_by("zendesk", ok(r#"{"access_token":"at-1"}"#)).await;
    assert_eq!(world.vend(&made).await.1["provider_data"], json!({"subdomain": "acme"}));
}

async fn host_beside_the_token() {
    let world = World::new().await;
    let body = r#"{"access_token":"at-1","api_domain":"https://www.zohoapis.com"}"#;
    let made = world.connected_by("zoho-crm", ok(body)).await;
    assert_eq!(world.vend(&made).await.1["provider_data"]["api_domain"], "https://www.zohoapis.com");
}

async fn wrong_data_centre() {
    for (server, host) in
        [("https://accounts.zoho.eu", "zoho.eu"), ("https://accounts.zoho.evil.example", "zoho.com")]
    {
        let provider = RawProvider::start().await;
        let url = provider.url.replace("/token", "/{domain}/token");
        let world = World::with(provider, "", |config| {
            config.apps.get_mut("zoho-crm").unwrap().token_url = Some(url);
        })
        .await;
        let body = r#"{"access_token":"at-1","api_domain":"https://www.zohoapis.eu"}"#;
        world.provider.will_send(ok(body));
        let made = world.stage.link("zoho-crm").await;
        let said = [("code", "c"), ("location", "eu"), ("accounts-server", server)];
        world.consent(&made, "zoho-crm", &[], &said).await;
        let request = world.provider.last().head;
        assert!(request.starts_with(&format!("POST /{host}/token ")), "{server}: {request}");
    }
}

async fn refused_early() {
    let world = World::new().await;
    let tokens =
        |n: u32| ok(&format!(r#"{{"access_token":"at-{n}","refresh_token":"rt-{n}","expires_in":3600}}"#));
    let made = world.connected_by("gmail", tokens(1)).await;
    let before = world.provider.requests().len();
    world.provider.will_send(tokens(2));
    assert_eq!(world.vend(&made).await.1["access_token"], "at-1");
    let digest: String = Sha256::digest("at-1").iter().map(|byte| format!("{byte:02x}")).collect();
    for _ in 0..5 {
        let (_, data) = world.vend_with(&made, &json!({"rejected_token_sha256": digest})).await;
        assert_eq!(data["access_token"], "at-2");
    }
    assert_eq!(world.provider.requests().len(), before + 1, "one refresh for all who name it");
}

async fn no_new_refresh_token() {
    let account = "[auth.account]\nid = \"token:/account\"";
    for (account_again, expected) in [("1", "at-3"), ("2", ENDED)] {
        let world = World::with_fixture(account).await;
        let first = r#"{"access_token":"at-1","refresh_token":"rt-1","account":"1"}"#;
        let made = world.connected_by("fixture", ok(first)).await;
        let options = LinkOptions { allow_account_change: true, ..LinkOptions::default() };
        let target = Target::Existing { id: &made.connection_id, name: None };
        let again = world.stage.make(target, Some("fixture"), &options).await;
        let body = format!(r#"{{"access_token":"at-2","expires_in":60,"account":"{account_again}"}}"#);
        world.provider.will_send(ok(&body));
        let back = world.consent(&again, "fixture", &[], &[("code", "c")]).await;
        assert_eq!(back.status, 200, "{}", back.html);
        assert_eq!(world.vend(&made).await.1["access_token"], "at-2");
        world.stage.advance(61);
        world.provider.will_send(ok(r#"{"access_token":"at-3"}"#));
        let (_, data) = world.vend(&made).await;
        assert_eq!(data["access_token"].as_str().or(data["code"].as_str()), Some(expected));
        let presented = world.provider.last().form.get("refresh_token").cloned();
        assert_eq!(presented.as_deref(), (account_again == "1").then_some("rt-1"));
    }
}

/// A server for `localhost` with a certificate of an authority that nobody knows, and the authority's certificate.
fn private_authority_of_localhost() -> (TlsAcceptor, String) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

async fn private_authority() {
    let (acceptor, pem) = private_authority_of_localhost();
    let file = std::env::temp_dir().join(format!("provider-cases-{}.pem", std::process::id()));
    std::fs::write(&file, pem).unwrap();
    for (ca_file, error) in [(None, Some("provider_unavailable")), (Some(file.clone()), None)] {
        let provider = RawProvider::start_with(acceptor.clone()).await;
        let world = World::with(provider, "", |config| config.provider_ca_file = ca_file).await;
        let made = world.stage.link("gmail").await;
        world.consent(&made, "gmail", &[], &[("code", "c")]).await;
        let connection = world.stage.connection(&made).await;
        assert_eq!(connection["last_error"]["code"].as_str(), error);
    }
    std::fs::remove_file(file).unwrap();
}
