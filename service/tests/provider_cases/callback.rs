//! The way back from the provider.

use serde_json::json;

use crate::cases;
use crate::connect_support::Browser;
use crate::world::{World, returning};

cases! {
    54, "google/CodeCity#268", "codes with a slash, raw and encoded, and of 60 KB" => codes;
    55, "oauthlib/oauthlib#948", "code or state is there twice" => twice;
    56, "RFC 6749, section 4.1.2", "an unknown parameter is there twice" => unknown_twice;
    58, "google-gemini/gemini-cli#29117", "the issuer is missing, wrong, or has a slash at its end" => issuer;
    59, "nextauthjs/next-auth#7894", "two tabs at once, and back again" => two_tabs;
    60, "streamlit/streamlit#15589", "the callback is fetched twice" => fetched_twice;
    62, "InsForge/insforge-mcp#103", "access_denied, since an administrator has to approve" => denied;
}

async fn codes() {
    let world = World::new().await;
    let large = "c".repeat(60 * 1024);
    for (sent, code) in [("4/0AX4", "4/0AX4"), ("4%2F0AX4", "4/0AX4"), (large.as_str(), large.as_str())] {
        let made = world.stage.link("gmail").await;
        let browser = Browser::new();
        let state = world.leave(&browser, &made, &[]).await.param("state").unwrap();
        let url = format!("{}&code={sent}", world.stage.callback(&[("state", &state)]));
        browser.visit(&url).await;
        assert_eq!(world.provider.last().form["code"], code);
        assert_eq!(world.stage.status(&made).await, "active");
    }
}

async fn twice() {
    let world = World::new().await;
    for name in ["code", "state"] {
        let made = world.stage.link("gmail").await;
        let browser = Browser::new();
        let state = world.leave(&browser, &made, &[]).await.param("state").unwrap();
        let before = world.provider.requests().len();
        let params = [("code", "c"), ("state", state.as_str()), (name, "other")];
        assert_eq!(browser.visit(&world.stage.callback(&params)).await.status, 400, "{name}");
        assert_eq!(world.provider.requests().len(), before);
        let back = browser.visit(&world.stage.callback(&params[..2])).await;
        assert_eq!(back.status, 200, "nothing was used up: {}", back.html);
    }
}

async fn unknown_twice() {
    let world = World::new().await;
    let made = world.stage.link("gmail").await;
    let back = world.consent(&made, "gmail", &[], &[("code", "c"), ("hd", "a"), ("hd", "b")]).await;
    assert_eq!((back.status, world.stage.status(&made).await.as_str()), (200, "active"));
}

async fn issuer() {
    let world = World::with_fixture("issuer = \"https://id.example\"").await;
    for (issuer, status) in [
        (None, "pending"),
        (Some("https://evil.example"), "pending"),
        (Some("https://id.example"), "active"),
        (Some("https://id.example/"), "active"),
    ] {
        let made = world.stage.link("fixture").await;
        let said = issuer.map(|issuer| ("iss", issuer));
        let back: Vec<_> = [("code", "c")].into_iter().chain(said).collect();
        world.consent(&made, "fixture", &[], &back).await;
        assert_eq!(world.stage.status(&made).await, status, "{issuer:?}");
    }
}

async fn two_tabs() {
    let world = World::new().await;
    let (first, second) = (world.stage.link("gmail").await, world.stage.link("gmail").await);
    let browser = Browser::new();
    let mut states = Vec::new();
    // The first tab goes back and begins again.
    for made in [&first, &second, &first] {
        states.push(world.leave(&browser, made, &[]).await.param("state").unwrap());
    }
    for (state, made) in [(&states[2], &first), (&states[1], &second)] {
        let back = browser.visit(&world.stage.callback(&[("code", "c"), ("state", state)])).await;
        assert_eq!(back.status, 200, "{}", back.html);
        assert_eq!(world.stage.status(made).await, "active");
    }
}

async fn fetched_twice() {
    let world = World::new().await;
    let made = world.stage.link_with(Some("gmail"), returning()).await;
    let browser = Browser::new();
    let state = world.leave(&browser, &made, &[]).await.param("state").unwrap();
    let url = world.stage.callback(&[("code", "c"), ("state", &state)]);
    assert_eq!(browser.get_with(&url, "sec-purpose", "prefetch").await.status, 403);
    assert!(world.provider.requests().is_empty(), "who fetches in advance uses nothing up");
    for _ in 0..2 {
        let back = browser.visit(&url).await;
        assert_eq!((back.status, back.param("status").as_deref()), (303, Some("active")));
    }
    assert_eq!(world.provider.requests().len(), 1);
}

async fn denied() {
    let world = World::new().await;
    let said = [("error", "access_denied"), ("error_description", "<b>Admin</b> approval required")];
    let made = world.stage.link("gmail").await;
    let back = world.consent(&made, "gmail", &[], &said).await;
    assert!(back.html.contains("&#60;b&#62;Admin&#60;/b&#62; approval required"), "{}", back.html);
    assert!(!back.html.contains("cancelled"), "nobody is blamed: {}", back.html);
    let connection = world.stage.connection(&made).await;
    assert_eq!(connection["status"], "rejected");
    let expected = json!({
        "code": "access_denied",
        "message": "Access was not given",
        "provider_message": "<b>Admin</b> approval required",
    });
    assert_eq!(connection["last_error"], expected);

    let made = world.stage.link_with(Some("gmail"), returning()).await;
    let back = world.consent(&made, "gmail", &[], &said).await;
    assert_eq!(back.param("error").as_deref(), Some("access_denied"));
    assert!(
        !back.location.unwrap().as_str().contains("approval"),
        "the provider's words are not for addresses"
    );
}
