//! How the hosted page looks: what a tenant sets of it, and what it cannot touch.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_service::store::{Capability, LinkOptions};
use connect_support::{Browser, Seen, Stage};
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A tenant's backend.
struct Backend<'a> {
    stage: &'a Stage,
    key: String,
}

impl<'a> Backend<'a> {
    async fn new(stage: &'a Stage) -> Self {
        Self::with(stage, &stage.owner.tenant, &Capability::ALL).await
    }

    async fn with(stage: &'a Stage, tenant: &str, capabilities: &[Capability]) -> Self {
        let key = stage.app.store.create_key(tenant, capabilities).await.unwrap().unwrap();
        Self { stage, key }
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
        let url = format!("{}{path}", self.stage.app.base_url());
        let request = self.stage.http().request(method.parse().unwrap(), url).bearer_auth(&self.key);
        let response = request.header("content-type", content_type).body(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn call(&self, method: &str, body: &Value) -> (u16, Value) {
        self.send(method, "/tenant/sdk-config", "application/json", body.to_string().into_bytes()).await
    }

    async fn set(&self, body: &Value) -> Value {
        let (status, body) = self.call("PUT", body).await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    async fn upload(&self, content_type: &str, file: Vec<u8>) -> (u16, Value) {
        self.send("PUT", "/tenant/sdk-config/logo", content_type, file).await
    }
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height)).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// The style sheets of a page, each of which its policy must name.
fn styles(page: &Seen) -> Vec<String> {
    let sheets = page.html.split("<style>").skip(1).filter_map(|rest| rest.split_once("</style>"));
    let sheets: Vec<_> = sheets.map(|(sheet, _)| sheet.to_owned()).collect();
    let sources: Vec<_> =
        sheets.iter().map(|sheet| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(sheet)))).collect();
    let directive = format!("style-src {};", sources.join(" "));
    assert!(page.policy.contains(&directive), "{directive} is not in {}", page.policy);
    sheets
}

#[tokio::test]
async fn what_is_set_is_on_the_page_and_in_the_response() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    let (status, body) = backend.call("GET", &Value::Null).await;
    assert_eq!(
        (status, &body["data"]["accent_color"], &body["data"]["updated_at"]),
        (200, &Value::Null, &Value::Null)
    );
    let made = stage.link("insightly").await;
    let plain = Browser::new().get(&made.url).await;
    assert_eq!(styles(&plain).len(), 1, "nothing is set");
    assert!(plain.policy.contains("img-src data:;"), "{}", plain.policy);

    let set = backend
        .set(&json!({
            "accent_color": "#B00020",
            "background_color": "#ffe9ec",
            "corner_radius": 3,
            "tagline": "Questions? <b>Write</b> to us.",
            "links": [{"label": "Privacy \"&\" terms", "url": "https://acme.example/privacy?a=1&b=2"}],
        }))
        .await;
    assert_eq!(set["accent_color"], "#b00020");
    assert_eq!((&set["languages"], &set["logo"]), (&json!([]), &Value::Null));
    let (_, read) = backend.call("GET", &Value::Null).await;
    assert_eq!(read["data"], set);
    assert_eq!(backend.set(&set).await["tagline"], set["tagline"], "what is read can be sent back");

    let page = Browser::new().get(&made.url).await;
    let sheets = styles(&page);
    assert_eq!(sheets.len(), 2);
    assert!(
        sheets[1].contains("--radius:3px;") && sheets[1].contains("--color-accent:#b00020;"),
        "{}",
        sheets[1]
    );
    assert!(sheets[1].contains("prefers-color-scheme:dark"), "dark has the nearest accent that can be read");
    assert!(
        page.html.contains("<strong>Acme</strong>: Questions? &#60;b&#62;Write&#60;/b&#62; to us."),
        "{}",
        page.html
    );
    let link =
        r#"<a href="https://acme.example/privacy?a=1&#38;b=2" target="_blank" rel="noopener noreferrer">"#;
    assert!(page.html.contains(link), "{}", page.html);

    let nothing = backend.set(&json!({})).await;
    assert_eq!((&nothing["accent_color"], &nothing["links"]), (&Value::Null, &json!([])));
    assert_eq!(styles(&Browser::new().get(&made.url).await).len(), 1);
}

/// Everything that says who asks, for whom, of whom.
#[tokio::test]
async fn name_account_and_provider_always_stand_on_the_page() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    backend.upload("image/png", picture(300, 80, ImageFormat::Png)).await;
    let everything = json!({
        "accent_color": "#000000", "accent_color_dark": "#ffffff", "background_color": "#ffffff",
        "background_color_dark": "#191c24", "corner_radius": 24, "tagline": "x".repeat(200),
        "links": vec![json!({"label": "y".repeat(60), "url": "https://acme.example/"}); 4],
    });
    for config in [json!({}), everything] {
        backend.set(&config).await;
        let options = LinkOptions { display_name: Some("Nicer name".into()), ..LinkOptions::default() };
        let made = stage.link_with(Some("github"), options).await;
        let page = Browser::new().get(&made.url).await;
        for part in [
            "a product of <strong>Acme</strong>",
            "<strong>alice@example.com</strong> at Acme. Only go on if that is your account.",
            "You sign in at <strong>127.0.0.1</strong>",
        ] {
            assert!(page.html.contains(part), "{part}: {}", page.html);
        }
    }
}

#[tokio::test]
async fn a_colour_that_cannot_be_read_is_refused_with_one_that_can() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    let (status, body) = backend.call("PUT", &json!({"accent_color": "#ffee00"})).await;
    assert_eq!((status, &body["data"]["code"]), (400, &json!("invalid_request")), "{body}");
    let message = body["data"]["fields"]["accent_color"].as_str().unwrap();
    let nearest = message.split("passes is ").nth(1).unwrap().trim_end_matches('.');
    assert_eq!(backend.set(&json!({ "accent_color": nearest })).await["accent_color"], nearest);
}

#[tokio::test]
async fn a_logo_is_served_as_a_picture_and_nothing_else() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    let mut addresses = Vec::new();
    for (content_type, format) in [
        ("image/png", ImageFormat::Png),
        ("image/jpeg", ImageFormat::Jpeg),
        ("image/webp", ImageFormat::WebP),
    ] {
        let width = 800 + 8 * addresses.len() as u32;
        let (status, body) = backend.upload(content_type, picture(width, 200, format)).await;
        assert_eq!(status, 200, "{content_type}: {body}");
        let logo = &body["data"]["logo"];
        assert_eq!(logo["width"], 400);
        addresses.push(logo["url"].as_str().unwrap().to_owned());
    }
    let page = Browser::new().get(&stage.link("insightly").await.url).await;
    let address = addresses.last().unwrap();
    assert!(
        page.html.contains(&format!(r#"<img class="logo" src="{address}" width="200" height=""#)),
        "{}",
        page.html
    );
    assert!(page.policy.contains("img-src data: 'self';"), "{}", page.policy);

    let response = stage.http().get(address).send().await.unwrap();
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cache-control", "public, max-age=31536000, immutable"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    let bytes = response.bytes().await.unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(address.ends_with(&format!("/logos/{digest}")), "the address is that of the content");
    assert_eq!(image::guess_format(&bytes).unwrap(), ImageFormat::Png);

    let gone = format!("{}/logos/", stage.app.base_url());
    for address in
        [addresses[0].clone(), format!("{gone}x"), format!("{gone}{}", "0".repeat(64)), format!("{gone}%00")]
    {
        assert_eq!(stage.http().get(&address).send().await.unwrap().status(), 404, "{address}");
    }
    let (status, body) = backend.send("DELETE", "/tenant/sdk-config/logo", "", Vec::new()).await;
    assert_eq!((status, &body["data"]["logo"]), (200, &Value::Null));
    assert_eq!(stage.http().get(address).send().await.unwrap().status(), 404);
    let (status, _) = backend.send("DELETE", "/tenant/sdk-config/logo", "", Vec::new()).await;
    assert_eq!(status, 200, "once more is no error");
    assert!(!Browser::new().get(&stage.link("insightly").await.url).await.html.contains("class=\"logo\""));
}

#[tokio::test]
async fn what_is_no_logo_is_refused_and_the_old_one_stays() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    let (_, before) = backend.upload("image/png", picture(10, 10, ImageFormat::Png)).await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for (content_type, file, status) in [
        ("image/svg+xml", svg.clone(), 415),
        ("text/plain", picture(10, 10, ImageFormat::Png), 415),
        ("image/png", svg, 400),
        ("image/png", Vec::new(), 400),
        ("image/png", b"GIF89a".to_vec(), 400),
        ("image/png", picture(5000, 1, ImageFormat::Png), 400),
        ("image/png", vec![0; 1024 * 1024 + 1], 413),
    ] {
        let length = file.len();
        let (found, body) = backend.upload(content_type, file).await;
        assert_eq!(found, status, "{content_type}, {length} bytes: {body}");
    }
    let (_, after) = backend.call("GET", &Value::Null).await;
    assert_eq!(after["data"]["logo"], before["data"]["logo"]);
}

#[tokio::test]
async fn another_tenant_and_a_key_without_admin_change_nothing() {
    let stage = Stage::start().await;
    let backend = Backend::new(&stage).await;
    backend.set(&json!({"tagline": "Ours"})).await;
    let tenant = stage.app.store.create_tenant("Other", None).await.unwrap();
    let other = Backend::with(&stage, &tenant, &Capability::ALL).await;
    let (_, theirs) = other.call("GET", &Value::Null).await;
    assert_eq!(theirs["data"]["tagline"], Value::Null);
    other.set(&json!({"tagline": "Theirs"})).await;
    let capabilities: Vec<_> = Capability::ALL.into_iter().filter(|one| *one != Capability::Admin).collect();
    let weak = Backend::with(&stage, &stage.owner.tenant, &capabilities).await;
    for (status, body) in [
        weak.call("GET", &Value::Null).await,
        weak.call("PUT", &json!({})).await,
        weak.upload("image/png", picture(9, 9, ImageFormat::Png)).await,
        weak.send("DELETE", "/tenant/sdk-config/logo", "", Vec::new()).await,
    ] {
        assert_eq!((status, &body["data"]["code"]), (403, &json!("capability_disabled")));
    }
    let (_, ours) = backend.call("GET", &Value::Null).await;
    assert_eq!((&ours["data"]["tagline"], &ours["data"]["logo"]), (&json!("Ours"), &Value::Null));
    let audit = stage.app.store.audit(&stage.owner.tenant).await.unwrap();
    assert_eq!(audit.iter().filter(|line| line.action == "sdk_config.changed").count(), 1);
}
