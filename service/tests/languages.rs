//! The language of the hosted page, and of what it says to those who enter something wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::sdk_config::SdkConfig;
use connect_service::store::{Actor, LinkOptions};
use connect_support::{Browser, Seen, Stage};

fn link_of(locale: Option<&str>) -> LinkOptions {
    LinkOptions { locale: locale.map(str::to_owned), ..LinkOptions::default() }
}

fn language(page: &Seen) -> &str {
    let (_, rest) = page.html.split_once("<html lang=\"").unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn the_link_decides_then_the_browser_then_the_tenant() {
    let stage = Stage::start().await;
    let offer = async |languages: &[&str]| {
        let languages = languages.iter().map(|tag| (*tag).to_owned()).collect();
        let config = SdkConfig { languages, ..SdkConfig::default() };
        stage.app.store.set_sdk_config(&stage.owner.tenant, &config, Actor::CommandLine).await.unwrap();
    };
    for (offered, locale, accepted, expected) in [
        (&[][..], None, "", "en"),
        (&[], None, "de-CH, en;q=0.5", "de"),
        (&[], Some("fr-CA"), "de", "fr"),
        (&[], Some("ja"), "es", "es"),
        (&["de", "en"], None, "fr, es", "de"),
        (&["de", "en"], None, "fr, en;q=0.1", "en"),
        (&["de", "en"], Some("fr"), "es", "de"),
        (&["de"], Some("en"), "en", "de"),
    ] {
        offer(offered).await;
        let made = stage.link_with(Some("insightly"), link_of(locale)).await;
        let page = Browser::new().get_with(&made.url, "accept-language", accepted).await;
        assert_eq!(language(&page), expected, "{offered:?} {locale:?} {accepted}");
    }
}

#[tokio::test]
async fn the_whole_way_is_in_one_language() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("insightly"), link_of(Some("de"))).await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    for part in [
        "<title>Insightly verbinden</title>",
        "<strong>Acme</strong> bittet um Zugriff auf Ihr Insightly-Konto.",
        "Verbunden wird mit dem Konto von <strong>alice@example.com</strong> bei Acme.",
        "Diese Seite ist noch ",
        ">Abbrechen</button>",
        "API-Schlüssel</label>",
    ] {
        assert!(page.html.contains(part), "{part}: {}", page.html);
    }
    let page = browser.post(&made.url, &page, &[("api_key", "k"), ("api_url", "http://x")]).await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("Bitte prüfen Sie Ihre Eingaben."), "{}", page.html);
    assert!(
        page.html.contains("API-Adresse muss eine Adresse sein, die mit https:// beginnt"),
        "{}",
        page.html
    );
    let page = browser.post(&made.url, &page, &[("action", "decline")]).await;
    assert!(page.html.contains("Insightly wurde nicht verbunden"), "{}", page.html);
    assert_eq!(language(&page), "de");
}

/// An app's backend reads English, whatever the customer reads.
#[tokio::test]
async fn the_contract_stays_english() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("insightly"), link_of(Some("de"))).await;
    let (status, body) = stage.submit(&made, "api_key", &serde_json::json!({"api_key": ""})).await;
    assert_eq!(status, 400);
    assert_eq!(body["data"]["fields"]["api_key"], "API key is required.", "{body}");
}

#[tokio::test]
async fn pages_of_no_link_are_in_the_browsers_language() {
    let stage = Stage::start().await;
    for (path, text) in
        [("connect/unknown", "Ce lien n’existe pas"), ("oauth/result/unknown", "n’appartient pas")]
    {
        let url = format!("{}/{path}", stage.app.base_url());
        let page = Browser::new().get_with(&url, "accept-language", "fr").await;
        assert_eq!(language(&page), "fr");
        assert!(page.html.contains(text), "{}", page.html);
    }
}

#[tokio::test]
async fn only_a_language_tag_is_a_locale() {
    let stage = Stage::start().await;
    let ask = async |locale: serde_json::Value| {
        let body = serde_json::json!({"app_id": "insightly", "name": "Work", "locale": locale});
        stage.post("/connections/request-link", &stage.owner, &body).await.0
    };
    for locale in ["de", "pt-BR", "zh-Hant-TW", "es-419", "DE"] {
        assert_eq!(ask(locale.into()).await, 200, "{locale}");
    }
    for locale in ["", "d", "german", "de-", "de_AT", "de;q=1", "de-DE-x-y", "\u{fc}\u{fc}"] {
        assert_eq!(ask(locale.into()).await, 400, "{locale}");
    }
    assert_eq!(ask(7.into()).await, 400);
}

#[tokio::test]
async fn the_time_that_is_left_is_told() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let page = Browser::new().get(&made.url).await;
    assert!(
        page.html.contains("This page works for 10 more minutes.")
            || page.html.contains("for 9 more minutes.")
    );
    stage.advance(9 * 60);
    let page = Browser::new().get(&made.url).await;
    let last = ["for one more minute.", "for less than a minute."];
    assert!(last.iter().any(|text| page.html.contains(text)), "{}", page.html);
}
