//! The hosted page itself: forms, choices, and what it refuses.

mod connect_support;

use connect_service::catalogue::Inputs;
use connect_service::hosted::{auth_options, submit_custom};
use connect_service::store::{LinkOptions, Status};
use connect_support::{Browser, Seen, Stage};

const KEY: [(&str, &str); 2] = [("api_key", " k3y "), ("api_url", "https://api.na1.insightly.com/v3.1")];

#[tokio::test]
async fn what_is_entered_is_what_is_stored() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    assert!(page.html.contains("please go to Insightly User Settings"));
    let done = browser.post(&made.url, &page, &KEY).await;
    assert_eq!(done.status, 200);
    assert!(done.html.contains("Insightly is connected"));
    let (inputs, token) = stage.stored(&made).await.unwrap();
    assert_eq!(inputs["api_key"], "k3y");
    assert_eq!(inputs["api_url"], "https://api.na1.insightly.com/v3.1");
    assert!(token.is_none());
}

#[tokio::test]
async fn constants_are_stored_with_what_is_entered() {
    let stage = Stage::start().await;
    let made = stage.link("brevo").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    browser.post(&made.url, &page, &[("api_key", "xkeysib-1")]).await;
    let (inputs, _) = stage.stored(&made).await.unwrap();
    assert_eq!(inputs["header_name"], "api-key");
    assert_eq!(inputs["api_key"], "xkeysib-1");
}

#[tokio::test]
async fn wrong_values_are_explained_and_secrets_not_repeated() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let bad = [("api_key", "s3cret-value"), ("api_url", "\"><script>alert(1)</script>")];
    let page = browser.post(&made.url, &page, &bad).await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("API URL must be an address that starts with https://"));
    assert!(page.html.contains(r#"aria-describedby="hint-api_url error-api_url""#));
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert!(!page.html.contains("s3cret-value"));
    assert_eq!(stage.status(&made).await, "pending");

    let done = browser.post(&made.url, &page, &KEY).await;
    assert_eq!(done.status, 200, "the page with the errors works, too");
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn the_first_of_two_submits_counts() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let first = browser.post(&made.url, &page, &KEY).await;
    let other = [("api_key", "other"), ("api_url", "https://api.example.com")];
    let second = browser.post(&made.url, &page, &other).await;
    assert_eq!((second.status, &second.html), (200, &first.html));
    let declined = browser.post(&made.url, &page, &[("action", "decline")]).await;
    assert_eq!(declined.html, first.html);
    assert_eq!(stage.stored(&made).await.unwrap().0["api_key"], "k3y");
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let stage = Stage::start().await;
    let (made, other) = (stage.link("insightly").await, stage.link("insightly").await);
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let others = browser.get(&other.url).await.hidden("csrf_token").unwrap();
    for token in ["", "nonsense", &others] {
        let fields: Vec<_> = KEY.into_iter().chain([("csrf_token", token)]).collect();
        assert_eq!(browser.post(&made.url, &page, &fields).await.status, 403);
        let decline = [("action", "decline"), ("csrf_token", token)];
        assert_eq!(browser.post(&made.url, &page, &decline).await.status, 403);
    }
    let elsewhere = Browser::new();
    assert_eq!(elsewhere.post(&made.url, &page, &KEY).await.status, 403, "no cookie");
    elsewhere.get(&made.url).await;
    assert_eq!(elsewhere.post(&made.url, &page, &KEY).await.status, 403, "another cookie");
    assert_eq!(stage.status(&made).await, "pending");
}

#[tokio::test]
async fn a_lapsed_link_shows_and_takes_nothing() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    stage.advance(601);
    assert_eq!(browser.get(&made.url).await.status, 410);
    let late = browser.post(&made.url, &page, &KEY).await;
    assert_eq!(late.status, 410);
    assert!(late.html.contains("expired"));
    assert_eq!(stage.status(&made).await, "expired");
    assert!(stage.stored(&made).await.is_none());
}

#[tokio::test]
async fn cancelling_rejects() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let done = browser.post(&made.url, &page, &[("action", "decline")]).await;
    assert_eq!(done.status, 200);
    assert!(done.html.contains("Insightly was not connected"));
    assert_eq!(stage.status(&made).await, "rejected");
}

#[tokio::test]
async fn the_customer_picks_among_the_allowed_apps() {
    let stage = Stage::start().await;
    // Slack has no client here, so it is not offered.
    let allowed_apps = ["gmail", "insightly", "slack"].map(str::to_owned).to_vec();
    let options = LinkOptions { allowed_apps, ..LinkOptions::default() };
    let made = stage.link_with(None, options).await;
    let browser = Browser::new();
    let picker = browser.get(&made.url).await;
    assert!(picker.html.contains("Choose an app"));
    assert!(picker.href("Slack").is_none());
    assert!(browser.get(&format!("{}?app=stripe", made.url)).await.html.contains("Choose an app"));

    let form = browser.get(&format!("{}{}", made.url, picker.href("Insightly").unwrap())).await;
    assert_eq!(form.href("another app").unwrap(), "?");
    let chosen = |form: &Seen, app: &str| {
        let key = form.hidden("auth_option_key").unwrap();
        let own = [("app_id", app), ("auth_option_key", key.as_str())];
        let fields: Vec<_> = KEY.into_iter().chain(own).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        fields
    };
    let fields = chosen(&form, "stripe");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(&made.url, &form, &fields).await.status, 400, "not among the allowed");

    let fields = chosen(&form, "insightly");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(&made.url, &form, &fields).await.status, 200);
    let connection = stage.app.store.connection(&stage.owner, &made.connection_id).await.unwrap().unwrap();
    assert_eq!(connection.app_id.unwrap(), "insightly");
}

#[tokio::test]
async fn a_picker_can_lead_to_a_provider() {
    let stage = Stage::start().await;
    let allowed_apps = ["gmail", "github"].map(str::to_owned).to_vec();
    let made = stage.link_with(None, LinkOptions { allowed_apps, ..LinkOptions::default() }).await;
    let browser = Browser::new();
    let form = browser.get(&format!("{}?app=github", made.url)).await;
    let fields = [("app_id", "github"), ("auth_option_key", "oauth")];
    let state = browser.post(&made.url, &form, &fields).await.param("state").unwrap();
    browser.get(&stage.callback_of("github", &[("code", "c"), ("state", &state)])).await;
    let connection = stage.app.store.connection(&stage.owner, &made.connection_id).await.unwrap().unwrap();
    assert_eq!((connection.app_id.unwrap().as_str(), connection.status), ("github", Status::Active));
}

#[tokio::test]
async fn another_way_to_connect_is_offered() {
    let stage = Stage::start().await;
    let made = stage.link("github").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let other = page.href("Personal access token").unwrap();
    let form = browser.get(&format!("{}{other}", made.url)).await;
    let fields = [("auth_option_key", "token"), ("token", "github_pat_1")];
    assert_eq!(browser.post(&made.url, &form, &fields).await.status, 200);
    assert_eq!(stage.stored(&made).await.unwrap().0["header_prefix"], "Bearer ");
}

#[tokio::test]
async fn a_customers_host_is_asked_for_and_checked() {
    let stage = Stage::start().await;
    let made = stage.link("zendesk").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    assert!(page.html.contains("You sign in at <strong>Zendesk</strong>"));
    assert!(page.policy.contains("form-action 'self' https:"), "the host is not known yet: {}", page.policy);
    let evil = browser.post(&made.url, &page, &[("subdomain", "evil.example/#")]).await;
    assert_eq!(evil.status, 400);
    assert!(evil.location.is_none());
    let left = browser.post(&made.url, &page, &[("subdomain", "ACME")]).await;
    assert_eq!(left.location.unwrap().host_str(), Some("acme.zendesk.com"));
}

#[tokio::test]
async fn an_app_without_a_client_says_so() {
    let stage = Stage::start().await;
    let made = stage.link("slack").await;
    let page = Browser::new().get(&made.url).await;
    assert_eq!(page.status, 409);
    assert!(page.html.contains("Not available right now"));
}

#[tokio::test]
async fn pages_run_nothing_load_nothing_and_tell_nobody() {
    let stage = Stage::start().await;
    let product = "<img src=x onerror=alert(1)>\"'";
    let options = LinkOptions {
        display_name: Some(product.into()),
        return_url: Some("com.example.app:/done".into()),
        ..LinkOptions::default()
    };
    let made = stage.link_with(Some("github"), options).await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    assert!(!page.html.contains("<img") && !page.html.contains("<script"));
    assert!(page.html.contains("&#60;img"), "{}", page.html);
    for part in [
        "default-src 'none'",
        "style-src 'sha256-",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self' com.example.app: https: http://127.0.0.1:",
    ] {
        assert!(page.policy.contains(part), "{part} is not in {}", page.policy);
    }
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
    assert!(
        !browser.get(&made.url).await.headers.contains_key("set-cookie"),
        "a known browser keeps its own"
    );
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let json = browser.post_raw(&made.url, "application/json", "{}".into()).await;
    assert_eq!(json.status, 415);
    let huge = browser.post_raw(&made.url, "application/x-www-form-urlencoded", "a".repeat(70 * 1024)).await;
    assert_eq!(huge.status, 413);
    let unknown = format!("{}x", made.url);
    assert_eq!(browser.get(&unknown).await.status, 404);
    let page = browser.get(&made.url).await;
    assert_eq!(browser.post(&unknown, &page, &KEY).await.status, 404);
    assert_eq!(browser.post(&made.url, &page, &[("action", "explode")]).await.status, 400);
    assert_eq!(stage.status(&made).await, "pending");
}

#[tokio::test]
async fn a_form_of_the_products_own_does_the_same() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let link = stage.stored_link(&made).await;
    let keys: Vec<_> = auth_options(&stage.app, &link)
        .await
        .unwrap()
        .iter()
        .map(|choice| choice.option.key.clone())
        .collect();
    assert_eq!(keys, ["api_key"]);
    let fields: Inputs = KEY.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert!(submit_custom(&stage.app, &link, None, "oauth", &fields).await.is_err());
    assert!(submit_custom(&stage.app, &link, None, "api_key", &Inputs::new()).await.is_err());
    let done = submit_custom(&stage.app, &link, None, "api_key", &fields).await.unwrap();
    assert_eq!((done.status, done.authorize_url), (Status::Active, None));
    let again = submit_custom(&stage.app, &link, None, "api_key", &fields).await.unwrap();
    assert_eq!(again.status, Status::Active);
}

#[tokio::test]
async fn a_form_of_the_products_own_leads_to_the_provider() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let link = stage.stored_link(&made).await;
    let submitted = submit_custom(&stage.app, &link, None, "oauth", &Inputs::new()).await.unwrap();
    assert_eq!(submitted.status, Status::Pending);
    let browser = Browser::new();
    let page = browser.visit(&submitted.authorize_url.unwrap()).await;
    let left = browser.post(&page.url, &page, &[("action", "connect")]).await;
    let state = left.param("state").unwrap();
    let back = browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(back.status, 200);
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn a_choice_is_not_final_before_the_link_has_ended() {
    let stage = Stage::start().await;
    let made = stage.link("zendesk").await;
    let link = stage.stored_link(&made).await;
    let entered = |values: &[(&str, &str)]| -> Inputs {
        let own = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.collect()
    };
    let submitted =
        submit_custom(&stage.app, &link, None, "oauth", &entered(&[("subdomain", "acme")])).await.unwrap();
    let page = Browser::new().visit(&submitted.authorize_url.unwrap()).await;
    assert!(page.html.contains(r#"value="acme""#), "{}", page.html);
    assert_eq!(page.hidden("auth_option_key").as_deref(), Some("oauth"));
    assert!(page.href("Email and API token instead").is_some());

    let link = stage.stored_link(&made).await;
    let instead = entered(&[("subdomain", "acme"), ("username", "a@b.example/token"), ("password", "p")]);
    let done = submit_custom(&stage.app, &link, None, "api_token", &instead).await.unwrap();
    assert_eq!(done.status, Status::Active);
}

/// A customer who makes somebody else's browser open a link must not get their account without a word.
#[tokio::test]
async fn nobody_can_send_a_browser_to_the_provider_without_a_word() {
    let stage = Stage::start().await;
    for allowed_origin in [None, Some("https://product.example".to_owned())] {
        let options = LinkOptions { allowed_origin, ..LinkOptions::default() };
        let made = stage.link_with(Some("gmail"), options).await;
        let link = stage.stored_link(&made).await;
        let submitted = submit_custom(&stage.app, &link, None, "oauth", &Inputs::new()).await.unwrap();
        let url = submitted.authorize_url.unwrap();
        let browser = Browser::new();
        for url in [&url, &format!("{url}&start"), url.split('?').next().unwrap()] {
            for page in [
                browser.visit(url).await,
                browser.visit_from("https://product.example/", url).await,
                browser.visit_from("https://evil.example/", url).await,
            ] {
                assert_eq!((page.status, page.location), (200, None));
                assert!(page.html.contains(&link.owner.customer));
            }
        }
        let page = browser.visit(&url).await;
        let left = browser.post(&page.url, &page, &[("action", "connect")]).await;
        assert!(left.param("state").is_some(), "{}", left.html);
    }
}

#[tokio::test]
async fn a_display_name_does_not_hide_the_tenant() {
    let stage = Stage::start().await;
    for app in [Some("gmail"), Some("insightly"), None] {
        let options = LinkOptions {
            display_name: Some("Google Security".into()),
            allowed_apps: ["gmail", "insightly"].map(str::to_owned).to_vec(),
            ..LinkOptions::default()
        };
        let made = stage.link_with(app, options).await;
        let page = Browser::new().get(&made.url).await;
        assert!(page.html.contains("<strong>Google Security</strong>"), "{}", page.html);
        assert!(page.html.contains("<strong>Acme</strong>"), "{}", page.html);
    }
    let made = stage.link("gmail").await;
    let page = Browser::new().get(&made.url).await;
    assert!(page.html.contains("<strong>Acme</strong> asks"), "{}", page.html);
}

/// Whoever was sent somebody else's link must be able to tell before they press the button.
#[tokio::test]
async fn whose_account_it_is_stands_above_the_button() {
    let stage = Stage::start().await;
    for app in ["gmail", "insightly"] {
        let page = Browser::new().get(&stage.link(app).await.url).await;
        let (above, button) = page.html.split_once(r#"<div class="actions">"#).unwrap();
        assert!(button.contains("<button"));
        let (_, whose) = above.rsplit_once("<p").unwrap();
        assert!(whose.contains("<strong>alice@example.com</strong>"), "{whose}");
        assert!(whose.contains("Acme") && whose.contains("Only go on if"), "{whose}");
    }
}

#[tokio::test]
async fn an_address_with_other_letters_is_shown_in_ascii_too() {
    let mut stage = Stage::start().await;
    for (email, ascii) in [
        ("аlice@example.com", Some("xn--lice-43d@example.com")),
        ("alice@exаmple.com", Some("alice@xn--exmple-4nf.com")),
        ("alice@example.com", None),
        ("josé@exämple.de", Some("xn--jos-dma@xn--exmple-cua.de")),
        ("алиса@пример.рф", Some("xn--80aaxl5a@xn--e1afmkfd.xn--p1ai")),
    ] {
        stage.owner.customer = email.into();
        let page = Browser::new().get(&stage.link("gmail").await.url).await;
        assert!(page.html.contains(&format!("<strong>{email}</strong>")));
        match ascii {
            Some(ascii) => assert!(page.html.contains(&format!("<code>{ascii}</code>")), "{}", page.html),
            None => assert!(!page.html.contains("xn--"), "{}", page.html),
        }
    }
}

/// What is made up is not given back, neither by thousands nor in one piece.
#[tokio::test]
async fn a_page_does_not_grow_with_what_was_sent() {
    let stage = Stage::start().await;
    let made = stage.link("brevo").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let names: Vec<String> = (0..4000).map(|n| format!("unknown_{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let quotes = "\"".repeat(20_000);
    for fields in [many, vec![(quotes.as_str(), "x")], vec![("api_key", quotes.as_str())]] {
        let mut form = vec![("action", "connect")];
        form.extend(fields);
        let refused = browser.post(&made.url, &page, &form).await;
        assert_eq!(refused.status, 400);
        let grown = refused.html.len() - page.html.len();
        assert!(grown < 20_000, "{grown}");
    }
    let shown = stage.link("zendesk").await;
    let page = browser.get(&shown.url).await;
    let form = [("action", "connect"), ("subdomain", quotes.as_str())];
    let refused = browser.post(&shown.url, &page, &form).await;
    assert_eq!(refused.status, 400);
    assert!(refused.html.len() < page.html.len() + 20_000, "{}", refused.html.len());
}

#[tokio::test]
async fn a_pasted_address_is_as_good_as_its_name() {
    let stage = Stage::start().await;
    let made = stage.link("zendesk").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let form = [("action", "connect"), ("subdomain", "https://acme.zendesk.com/agent")];
    let left = browser.post(&made.url, &page, &form).await;
    assert_eq!(left.status, 303, "{}", left.html);
    let url = left.location.unwrap();
    assert_eq!(url.host_str(), Some("acme.zendesk.com"));

    let form = [("action", "connect"), ("subdomain", "https://acme.evil.example")];
    let refused = browser.post(&made.url, &page, &form).await;
    assert_eq!(refused.status, 400);
}

/// There is no script that could show what was typed: the page comes back with it.
#[tokio::test]
async fn a_secret_can_be_shown_and_hidden_without_a_script() {
    let stage = Stage::start().await;
    let made = stage.link("insightly").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let typed = |action| [("action", action), ("app_id", "insightly"), ("api_key", "s3cret\"&value"), KEY[1]];
    let input = |kind: &str| {
        format!(r#"<input id="field-api_key" name="api_key" type="{kind}" value="s3cret&#34;&#38;value""#)
    };
    assert!(page.html.contains(r#"aria-label="Show API key">Show</button>"#), "{}", page.html);
    let shown = browser.post(&made.url, &page, &typed("show")).await;
    assert_eq!(shown.status, 200);
    assert!(shown.html.contains(&input("text")), "{}", shown.html);
    assert!(shown.html.contains(r#"aria-label="Hide API key">Hide</button>"#), "{}", shown.html);
    assert_eq!(shown.headers["cache-control"], "no-store");
    let hidden = browser.post(&made.url, &shown, &typed("hide")).await;
    assert!(hidden.html.contains(&input("password")), "{}", hidden.html);
    assert_eq!(stage.status(&made).await, "pending", "nothing was submitted");
    let stored = stage.database_contents().await;
    assert!(!stored.windows(6).any(|part| part == b"s3cret"), "nothing is kept");
    // Whoever reloads the page, and whoever opens it elsewhere, gets an empty field.
    for other in [browser.get(&made.url).await, Browser::new().get(&made.url).await] {
        assert!(!other.html.contains("s3cret"));
    }
    let foreign = Browser::new().post(&made.url, &shown, &typed("show")).await;
    assert_eq!(foreign.status, 403);
    assert!(!foreign.html.contains("s3cret"));
    // The Enter key presses the first button of a form.
    let form = hidden.html.split("name=\"auth_option_key\"").nth(1).unwrap();
    let (_, first) = form.split_once("<button").unwrap();
    assert!(!first.split('>').next().unwrap().contains("value="), "{first}");
    assert_eq!(browser.post(&made.url, &hidden, &KEY).await.status, 200);
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn many_apps_can_be_searched() {
    let stage = Stage::start().await;
    let link = async |apps: &[&str]| {
        let allowed_apps = apps.iter().map(|app| (*app).to_owned()).collect();
        stage.link_with(None, LinkOptions { allowed_apps, ..LinkOptions::default() }).await
    };
    let apps = ["gmail", "github", "insightly", "twilio", "openai", "stripe", "sendgrid", "brevo"];
    let few = Browser::new().get(&link(&apps[..7]).await.url).await;
    assert!(!few.html.contains("role=\"search\""));
    let made = link(&apps).await;
    let all = Browser::new().get(&made.url).await;
    assert!(all.html.contains("role=\"search\"") && all.html.matches("<li><a href=\"?app=").count() == 8);
    let found = Browser::new().get(&format!("{}?q=%20GitH", made.url)).await;
    assert!(found.html.contains("?app=github") && !found.html.contains("?app=gmail"), "{}", found.html);
    assert!(found.html.contains("Show all apps"));
    let none = Browser::new().get(&format!("{}?q=%22%3E%3Cscript%3E", made.url)).await;
    assert_eq!(none.status, 200);
    assert!(none.html.contains("No app is called “&#34;&#62;&#60;script&#62;”."), "{}", none.html);
    assert!(!none.html.contains("<script"));
}

#[tokio::test]
async fn permissions_are_told_in_plain_words_and_in_the_providers_own() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let page = Browser::new().get(&made.url).await;
    for part in [
        "With it, Acme can",
        "<span>read, write, send and sort your email</span>",
        "<span>see your email address</span>",
        "<code>https://www.googleapis.com/auth/gmail.modify</code>",
    ] {
        assert!(page.html.contains(part), "{part}: {}", page.html);
    }
    // What has no words stands as it is, and is not left out.
    let scopes = vec!["https://www.googleapis.com/auth/gmail.modify".into(), "openid".into()];
    let made = stage.link_with(Some("gmail"), LinkOptions { scopes, ..LinkOptions::default() }).await;
    let page = Browser::new().get(&made.url).await;
    assert!(page.html.contains("<span>openid</span>"), "{}", page.html);
}

#[tokio::test]
async fn letters_stand_on_the_colour_of_the_app() {
    let stage = Stage::start().await;
    let page = Browser::new().get(&stage.link("gmail").await.url).await;
    assert!(page.html.contains("<rect width=\"40\" height=\"40\" fill=\"#ea4335\"/>"), "{}", page.html);
    assert!(!page.html.contains("style=\""), "the policy would not let it through");
}
