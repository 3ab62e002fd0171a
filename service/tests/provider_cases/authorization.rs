//! The authorization request and the token request, as providers want them.

use crate::cases;
use crate::connect_support::Browser;
use crate::world::{RawProvider, World};
use connect_service::store::LinkOptions;

cases! {
    48, "benavlabs/crudauth#13", "a public client has no secret" => no_empty_secret;
    49, "zapier/zapier-platform-cli#176", "a plus sign in the operator's own address" => plus_sign;
    50, "sbomify/sbomify#1501", "servers that read %20 as a space, and no plus sign" => space;
    51, "RFC 6749, section 3.1", "an address with a query, an empty one, or a fragment" => query_of_the_address;
    52, "PostHog/posthog#62418", "the customer pastes a whole address" => pasted_address;
}

/// Where a customer of Gmail is sent, if the operator's address of it is this.
async fn sent_to(address: &str, scopes: &[&str]) -> String {
    let world = World::with(RawProvider::start().await, "", |config| {
        config.apps.get_mut("gmail").unwrap().authorization_url = Some(address.to_owned());
    })
    .await;
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let made = world.stage.link_with(Some("gmail"), LinkOptions { scopes, ..LinkOptions::default() }).await;
    world.leave(&Browser::new(), &made, &[]).await.location.unwrap().into()
}

async fn no_empty_secret() {
    let world = World::with(RawProvider::start().await, "", |config| {
        config.apps.get_mut("gmail").unwrap().client_secret = "".into();
    })
    .await;
    let made = world.stage.link("gmail").await;
    world.consent(&made, "gmail", &[], &[("code", "c")]).await;
    let request = world.provider.last();
    assert_eq!(request.form["client_id"], "the-client");
    assert!(!request.form.contains_key("client_secret"));
    assert!(!request.head.to_ascii_lowercase().contains("authorization:"), "{}", request.head);
}

async fn plus_sign() {
    let url = sent_to("https://id.example/authorize?audience=a+b", &[]).await;
    assert!(url.starts_with("https://id.example/authorize?audience=a+b&"), "{url}");
}

async fn space() {
    let url = sent_to("https://id.example/authorize", &["one", "two"]).await;
    assert!(url.contains("&scope=one%20two&"), "{url}");
}

async fn query_of_the_address() {
    for (address, start, end) in [
        ("https://id.example/a?tenant=t&resource=r", "https://id.example/a?tenant=t&resource=r&", ""),
        ("https://id.example/a?", "https://id.example/a?", ""),
        ("https://id.example/a#top", "https://id.example/a?", "#top"),
    ] {
        let url = sent_to(address, &[]).await;
        assert!(url.starts_with(start) && url.ends_with(end), "{address}: {url}");
        for parameter in ["response_type=code", "client_id=the-client", "state="] {
            assert_eq!(url.matches(parameter).count(), 1, "{address}: {url}");
        }
    }
}

async fn pasted_address() {
    let world = World::new().await;
    let made = world.stage.link("zendesk").await;
    let left =
        world.leave(&Browser::new(), &made, &[("subdomain", "https://acme.zendesk.com")]).await.location;
    assert_eq!(left.unwrap().host_str(), Some("acme.zendesk.com"));
}
