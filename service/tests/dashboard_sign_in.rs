//! Signing in to the dashboard: one-time links, codes, sessions, and what nobody learns from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::{Config, SmtpConfig, SmtpTls};
use connect_service::mail::{Mail, Mailer};
use connect_service::store::{Asker, NewSignIn};
use support::{ALICE, Answer, Browser, MailServer, Platform, between, csrf_token};

const OWNER: &str = "owner@acme.example";

async fn with_mail() -> (Platform, MailServer) {
    let server = MailServer::start().await;
    (Platform::with(mail_config(&server)).await, server)
}

fn mail_config(server: &MailServer) -> Config {
    let smtp = SmtpConfig {
        host: Some("127.0.0.1".into()),
        port: server.port,
        tls: SmtpTls::None,
        from: Some("Connect <connect@example.com>".into()),
        ..SmtpConfig::default()
    };
    Config { smtp, trusted_proxies: 1, ..Config::default() }
}

async fn ask(browser: &mut Browser, email: &str) -> Answer {
    browser.submit("/dashboard/sign-in", "/dashboard/sign-in", &[("email", email)]).await
}

/// Whether the browser is signed in.
async fn is_in(browser: &mut Browser) -> bool {
    let answer = browser.get("/dashboard/sessions").await;
    assert!(answer.status == 200 || answer.header("location").starts_with("/dashboard/sign-in"));
    answer.status == 200
}

fn path(link: &str) -> &str {
    link.strip_prefix('/').unwrap()
}

#[tokio::test]
async fn a_link_signs_in_the_browser_that_asked_once() {
    let (platform, server) = with_mail().await;
    let mut browser = platform.browser();
    let answer = ask(&mut browser, " Owner@ACME.example ").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/dashboard/sign-in/sent"));
    let mail = server.wait_for(1).await.remove(0);
    assert_eq!(mail.to, OWNER);
    assert!(mail.text.contains("Auto-Submitted: auto-generated"), "{}", mail.text);
    let link = mail.link();
    let link = path(&link);

    // Looking changes nothing, however often.
    for _ in 0..3 {
        let page = browser.get(link).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(OWNER) && page.text.contains(">Sign in</button>"), "{}", page.text);
        assert!(!is_in(&mut browser).await);
    }
    let before = browser.cookies.clone();
    let answer = browser.submit(link, link, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/dashboard"));
    let cookie = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(is_in(&mut browser).await);

    // The link is used up, for everybody.
    let mut former = platform.browser();
    former.cookies = before;
    for mut other in [browser.clone(), platform.browser(), former] {
        assert_eq!(other.get(link).await.status, 410);
    }
    let token = csrf_token(&browser.get("/dashboard/sessions").await);
    let replayed = browser.post(link, &[("csrf_token", &token)]).await;
    assert!([403, 410].contains(&replayed.status), "{}", replayed.text);
}

#[tokio::test]
async fn another_browser_shows_a_code_for_the_first() {
    let (platform, server) = with_mail().await;
    let (mut browser, mut phone) = (platform.browser(), platform.browser());
    ask(&mut browser, OWNER).await;
    let link = server.wait_for(1).await.remove(0).link();
    let page = phone.get(path(&link)).await;
    assert!(page.text.contains("Show the code"), "{}", page.text);
    let code = shown_code(&mut phone, &link).await;
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert!(!is_in(&mut phone).await && !is_in(&mut browser).await);
    // The link shows it once.
    assert_eq!(phone.get(path(&link)).await.status, 410);

    // A third browser has nothing to type it for.
    let stranger = enter(&mut platform.browser(), &code).await;
    assert_eq!(stranger.status, 410, "{}", stranger.text);
    let answer = enter(&mut browser, &format!(" {} {} ", &code[..3], &code[3..])).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/dashboard"), "{}", answer.text);
    assert!(is_in(&mut browser).await && !is_in(&mut phone).await);
}

/// The code that another browser than the one that asked shows.
async fn shown_code(browser: &mut Browser, link: &str) -> String {
    let shown = browser.submit(path(link), path(link), &[]).await;
    between(&shown.text, "<p class=\"code\">", "</p>").unwrap().to_owned()
}

async fn enter(browser: &mut Browser, code: &str) -> Answer {
    let token = csrf_token(&browser.get("/dashboard/sign-in").await);
    browser.post("/dashboard/sign-in/code", &[("csrf_token", &token), ("code", code)]).await
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_is_too_late() {
    let (platform, server) = with_mail().await;
    let (mut browser, mut phone) = (platform.browser(), platform.browser());
    ask(&mut browser, OWNER).await;
    let link = server.wait_for(1).await.remove(0).link();
    let code = shown_code(&mut phone, &link).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (1..5).rev() {
        let answer = enter(&mut browser, wrong).await;
        assert_eq!(answer.status, 400, "{left}: {}", answer.text);
    }
    assert_eq!(enter(&mut browser, wrong).await.status, 410);
    assert_eq!(enter(&mut browser, &code).await.status, 410);
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn a_link_and_a_code_work_for_ten_minutes() {
    let (platform, server) = with_mail().await;
    let (mut browser, mut phone) = (platform.browser(), platform.browser());
    ask(&mut browser, OWNER).await;
    let link = server.wait_for(1).await.remove(0).link();
    platform.advance(599);
    assert_eq!(browser.get(path(&link)).await.status, 200);
    let code = shown_code(&mut phone, &link).await;
    platform.advance(2);
    assert_eq!(browser.get(path(&link)).await.status, 410);
    assert_eq!(enter(&mut browser, &code).await.status, 410);
}

/// Nobody learns which emails are known here, and nobody without anything here gets mail.
#[tokio::test]
async fn every_email_gets_the_same_response() {
    let (platform, server) = with_mail().await;
    platform.connected().await;
    let mut seen = Vec::new();
    for email in [OWNER, ALICE, "nobody@example.com"] {
        let mut browser = platform.browser();
        let answer = ask(&mut browser, email).await;
        let page = browser.get("/dashboard/sign-in/sent").await;
        let token = csrf_token(&page);
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        seen.push((
            answer.status,
            answer.header("location").to_owned(),
            names,
            page.text.replace(&token, ""),
        ));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    let mails = server.wait_for(2).await;
    let mut to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, [ALICE, OWNER]);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn links_are_limited_per_email_and_network() {
    let (platform, _server) = with_mail().await;
    // For one email, known or not: five from one network, and thirty from everywhere.
    for email in [OWNER, "nobody@example.com"] {
        for network in 0..7 {
            for number in 0..6 {
                let mut browser = platform.browser();
                browser.address = format!("198.51.100.{network}");
                let answer = ask(&mut browser, email).await;
                let expected = if number < 5 && network < 6 { 303 } else { 429 };
                assert_eq!(answer.status, expected, "{email} {network} {number}");
            }
        }
    }
    // None of that keeps an owner who is signed in from a fresh sign-in.
    let mut owner = platform.signed_in(OWNER).await;
    for number in 0..6 {
        let answer = owner.submit("/dashboard/sessions", "/dashboard/sign-in/again", &[]).await;
        assert_eq!(answer.status, if number < 5 { 303 } else { 429 }, "{number}");
    }
    // From one network, for many emails. What is written before the proxy's word counts for nothing.
    for number in 0..31 {
        let mut browser = platform.browser();
        browser.address = format!("203.0.113.{number}, 192.0.2.99");
        let answer = ask(&mut browser, &format!("{number}@example.com")).await;
        assert_eq!(answer.status, if number < 30 { 303 } else { 429 }, "{number}");
        if number == 30 {
            assert_eq!(answer.header("retry-after"), "600");
        }
    }
    platform.advance(601);
    assert_eq!(ask(&mut platform.browser(), OWNER).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_however_many_ask_at_once() {
    let platform = Platform::start().await;
    let asks = (0..16).map(|number| {
        let store = platform.app.store.clone();
        tokio::spawn(async move {
            let (secret, browser) = (connect_service::ids::secret(), format!("browser {number}"));
            let asker = Some(Asker { browser: &browser, network: Some("192.0.2.1") });
            let new = NewSignIn { email: OWNER, secret: &secret, asker, return_to: "" };
            store.create_sign_in(&new).await.unwrap()
        })
    });
    let mut made = 0;
    for ask in asks.collect::<Vec<_>>() {
        made += usize::from(ask.await.unwrap());
    }
    assert_eq!(made, 5);
}

/// Neither a server without TLS nor somebody in between gets to see a link.
#[tokio::test]
async fn no_mail_goes_out_unencrypted_unless_configured() {
    let server = MailServer::start().await;
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let smtp = SmtpConfig { tls, ..mail_config(&server).smtp };
        let mail = Mail { to: OWNER.into(), subject: "Sign in".into(), text: "canary".into() };
        let error = Mailer::new(&smtp).unwrap().send(&mail).await.unwrap_err().to_string();
        assert!(!error.contains("canary") && !error.contains(OWNER), "{error}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn without_mail_the_page_says_so_and_makes_no_link() {
    let platform = Platform::start().await;
    let mut browser = platform.browser();
    let page = browser.get("/dashboard/sign-in").await;
    assert!(
        page.text.contains("Mail is not configured") && page.text.contains("connect-service sign-in EMAIL")
    );
    assert!(!page.text.contains("name=\"email\""));
    let connection = platform.database.connect().await;
    assert_eq!(connection.text("SELECT COUNT(*) FROM sign_ins").await, "0");
}

/// A cookie that somebody else put into the browser is not what it is signed in by.
#[tokio::test]
async fn a_session_is_never_one_that_the_browser_brought() {
    let platform = Platform::start().await;
    let fixed = "A".repeat(43);
    let mut browser = platform.browser();
    browser.cookies.insert("connect-session".into(), fixed.clone());
    platform.sign_in(&mut browser, OWNER).await;
    assert_ne!(browser.cookies["connect-session"], fixed);
    let mut attacker = platform.browser();
    attacker.cookies.insert("connect-session".into(), fixed);
    assert!(!is_in(&mut attacker).await);

    // Nor is it the one from before a further sign-in.
    let former = browser.clone();
    platform.sign_in(&mut browser, OWNER).await;
    assert!(is_in(&mut browser).await && !is_in(&mut former.clone()).await);
}

#[tokio::test]
async fn sessions_end_when_idle_old_or_revoked() {
    let platform = Platform::start().await;
    let (mut one, mut other) = (platform.signed_in(OWNER).await, platform.signed_in(OWNER).await);
    let mut stranger = platform.signed_in(ALICE).await;
    let page = one.get("/dashboard/sessions").await;
    assert_eq!(page.text.matches("Test Browser").count(), 2, "{}", page.text);
    let id = between(&page.text, "/dashboard/sessions/ses_", "/end").map(|id| format!("ses_{id}")).unwrap();
    let end = format!("/dashboard/sessions/{id}/end");
    assert_eq!(stranger.submit("/dashboard/sessions", &end, &[]).await.status, 404);
    assert!(is_in(&mut other).await);
    assert_eq!(one.submit("/dashboard/sessions", &end, &[]).await.status, 303);
    assert!(is_in(&mut one).await && !is_in(&mut other).await);

    // Idle for 12 hours, or used for 7 days.
    let mut busy = platform.signed_in(OWNER).await;
    platform.advance(11 * 3600);
    assert!(is_in(&mut busy).await);
    platform.advance(3600 + 1);
    assert!(is_in(&mut busy).await && !is_in(&mut one).await);
    for _ in 0..14 {
        platform.advance(11 * 3600);
        is_in(&mut busy).await;
    }
    assert!(is_in(&mut busy).await);
    platform.advance(3 * 3600);
    assert!(!is_in(&mut busy).await);
    platform.app.store.clean_up().await.unwrap();
    let connection = platform.database.connect().await;
    assert_eq!(connection.text("SELECT COUNT(*) FROM sessions").await, "0");
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let platform = Platform::start().await;
    let mut browser = platform.signed_in(OWNER).await;
    let mut copied = browser.clone();
    let answer = browser.submit("/dashboard/sessions", "/dashboard/sign-out", &[]).await;
    assert_eq!(answer.header("location"), "/dashboard/sign-in");
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert!(!is_in(&mut copied).await);
}

/// The cookie names are those that browsers protect; over plain HTTP they cannot be.
#[tokio::test]
async fn cookies_are_host_only_over_https() {
    let config = Config { public_url: "https://connect.example.com".parse().ok(), ..Config::default() };
    let platform = Platform::with(config).await;
    let browser = platform.signed_in(OWNER).await;
    let names: Vec<_> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(names, ["__Host-connect", "__Host-connect-session"]);
}

#[tokio::test]
async fn neither_secret_nor_link_nor_code_is_stored() {
    let (platform, server) = with_mail().await;
    let (mut browser, mut phone) = (platform.browser(), platform.browser());
    ask(&mut browser, OWNER).await;
    let link = server.wait_for(1).await.remove(0).link();
    let code = shown_code(&mut phone, &link).await;
    enter(&mut browser, &code).await;
    assert!(is_in(&mut browser).await);
    let stored = String::from_utf8_lossy(&platform.database.contents().await).into_owned();
    let (_, secret) = link.rsplit_once('/').unwrap();
    for secret in [secret, &browser.cookies["connect-session"], &browser.cookies["connect"]] {
        assert!(!stored.contains(secret));
    }
    assert!(stored.contains(OWNER));
}

/// A sign-in leads back to the page that was asked for, and nowhere else.
#[tokio::test]
async fn a_sign_in_leads_back_to_the_page() {
    let (platform, server) = with_mail().await;
    let wanted = format!("/dashboard/tenants/{}/keys", platform.tenant);
    let mut browser = platform.browser();
    let answer = browser.get(&wanted).await;
    let expected = format!("/dashboard/sign-in?to=/tenants/{}/keys", platform.tenant);
    assert_eq!(answer.header("location"), expected);
    let page = browser.get(&expected).await;
    let to = between(&page.text, "name=\"return_to\" value=\"", "\"").unwrap().to_owned();
    browser
        .post(
            "/dashboard/sign-in",
            &[("csrf_token", &csrf_token(&page)), ("email", OWNER), ("return_to", &to)],
        )
        .await;
    let link = server.wait_for(1).await.remove(0).link();
    let answer = browser.submit(path(&link), path(&link), &[]).await;
    assert_eq!(answer.header("location"), wanted);

    for to in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/a%0d%0ax:y"] {
        let page = platform.browser().get(&format!("/dashboard/sign-in?to={to}")).await;
        assert!(page.text.contains("name=\"return_to\" value=\"\""), "{}", page.text);
    }
}
