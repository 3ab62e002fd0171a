//! Members of a tenant, self-service, and what owners are told by mail.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::{Config, SmtpConfig, SmtpTls};
use connect_service::store::{Actor, MemberChange, OwnTenant, Role};
use serde_json::json;
use support::{ALICE, Home, MailServer, Platform, between};

const OWNER: &str = "owner@acme.example";

async fn with_mail() -> (Platform, MailServer) {
    let server = MailServer::start().await;
    let smtp = SmtpConfig {
        host: Some("127.0.0.1".into()),
        port: server.port,
        tls: SmtpTls::None,
        from: Some("connect@example.com".into()),
        ..SmtpConfig::default()
    };
    (Platform::with(Config { smtp, ..Config::default() }).await, server)
}

fn page(platform: &Platform) -> String {
    format!("/dashboard/tenants/{}/members", platform.tenant)
}

#[tokio::test]
async fn members_are_invited_changed_and_removed() {
    let (platform, server) = with_mail().await;
    let (mut owner, page) = (platform.signed_in(OWNER).await, page(&platform));
    let answer = owner.submit(&page, &page, &[("email", "New@acme.example"), ("role", "owner")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let mut mails = server.wait_for(2).await;
    mails.sort_by(|one, other| one.to.cmp(&other.to));
    assert_eq!((mails[0].to.as_str(), mails[1].to.as_str()), ("new@acme.example", OWNER));
    assert!(
        mails[0].text.contains("Subject: You are invited to Connect\r\n")
            && mails[0].text.contains("/dashboard"),
        "{}",
        mails[0].text
    );
    assert!(mails[1].text.contains("New member: Acme") && mails[1].text.contains(OWNER), "{}", mails[1].text);
    assert_eq!(owner.get(&page).await.text.matches("has not signed in yet").count(), 1);

    let mut second = platform.signed_in("new@acme.example").await;
    let members = platform.call("GET", "/tenant/members").without("x-user-email").send().await;
    let members = members.data()["members"].as_array().unwrap().clone();
    assert_eq!(members.len(), 2);
    assert!(
        members.iter().all(|member| member["role"] == "owner" && member["joined_at"].is_string()),
        "{members:?}"
    );

    // The former owner is a viewer from the next request on.
    let answer = second.submit(&page, &page, &[("email", OWNER), ("role", "viewer")]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(owner.get(&page).await.status, 403);
    let remove = format!("{page}/remove");
    assert_eq!(second.submit(&page, &remove, &[("email", OWNER)]).await.status, 303);
    assert_eq!(owner.get(&page).await.status, 404);
    // Who it was taken from hears of both.
    let mails = server.wait_for(6).await;
    for subject in ["Subject: Role changed: Acme", "Subject: Member removed: Acme"] {
        let mut to: Vec<_> =
            mails.iter().filter(|mail| mail.text.contains(subject)).map(|mail| mail.to.as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["new@acme.example", OWNER], "{subject}");
    }

    // The last owner stays, in whatever way.
    for (action, fields) in [
        (&page, vec![("email", "new@acme.example"), ("role", "member")]),
        (&remove, vec![("email", "new@acme.example")]),
    ] {
        let answer = second.submit(&page, action, &fields).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("The last owner stays"), "{}", answer.text);
    }
    let audit = platform.app.store.audit(&platform.tenant).await.unwrap();
    let actions: Vec<_> = audit.iter().filter(|line| line.action.starts_with("member.")).collect();
    assert_eq!(
        actions.iter().map(|line| line.action.as_str()).collect::<Vec<_>>(),
        ["member.added", "member.changed", "member.removed"]
    );
}

/// Two owners who remove each other at the same moment leave one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_owner_is_left_whoever_is_faster() {
    let platform = Platform::start().await;
    let (store, tenant) = (&platform.app.store, &platform.tenant);
    for _ in 0..20 {
        store.put_member(tenant, OWNER, Role::Owner, Actor::CommandLine).await.unwrap();
        store.put_member(tenant, ALICE, Role::Owner, Actor::CommandLine).await.unwrap();
        let (one, other) = tokio::join!(
            store.remove_member(tenant, OWNER, Actor::Account(ALICE)),
            store.put_member(tenant, ALICE, Role::Viewer, Actor::Account(OWNER)),
        );
        let mut changes = [one.unwrap(), other.unwrap()];
        changes.sort_by_key(|change| *change == MemberChange::LastOwner);
        assert_eq!(changes[1], MemberChange::LastOwner);
        let owners =
            store.members(tenant).await.unwrap().into_iter().filter(|member| member.role == Role::Owner);
        assert_eq!(owners.count(), 1);
    }
}

/// Members are nobody's way to have mail sent to others.
#[tokio::test]
async fn invitations_are_limited() {
    let (platform, server) = with_mail().await;
    let (mut owner, page) = (platform.signed_in(OWNER).await, page(&platform));
    let (remove, fields) = (format!("{page}/remove"), [("email", "a@example.com"), ("role", "viewer")]);
    for action in [&page, &remove, &page] {
        assert_eq!(owner.submit(&page, action, &fields).await.status, 303);
    }
    // Changed as somebody who has never signed in.
    let fields = [("email", "a@example.com"), ("role", "member")];
    assert_eq!(owner.submit(&page, &page, &fields).await.status, 303);
    server.wait_for(5).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mails = server.mails();
    assert_eq!(mails.iter().filter(|mail| mail.to == "a@example.com").count(), 1);
    assert_eq!(mails.len(), 5);

    let (store, tenant) = (&platform.app.store, &platform.tenant);
    for number in 0..19 {
        let email = format!("{number}@example.com");
        let change = store.put_member(tenant, &email, Role::Viewer, Actor::Account(OWNER)).await.unwrap();
        let expected = if number < 18 { MemberChange::Added } else { MemberChange::TooManyAdded };
        assert_eq!(change, expected, "{number}");
    }
    let refused = owner.submit(&page, &page, &[("email", "b@example.com"), ("role", "viewer")]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("20 members were added within a day"), "{}", refused.text);
    let change = store.put_member(tenant, "c@example.com", Role::Viewer, Actor::CommandLine).await.unwrap();
    assert_eq!(change, MemberChange::Added);
    platform.advance(24 * 60 * 60);
    let change =
        store.put_member(tenant, "b@example.com", Role::Viewer, Actor::Account(OWNER)).await.unwrap();
    assert_eq!(change, MemberChange::Added);
}

#[tokio::test]
async fn owners_hear_of_new_keys_without_the_key() {
    let (platform, server) = with_mail().await;
    let mut owner = platform.signed_in(OWNER).await;
    let keys = format!("/dashboard/tenants/{}/keys", platform.tenant);
    let made = owner.submit(&keys, &keys, &[("name", "Production"), ("capabilities", "token")]).await;
    let key = between(&made.text, "<input id=\"secret\" value=\"", "\"").unwrap().to_owned();
    let mail = server.wait_for(1).await.remove(0);
    assert_eq!(mail.to, OWNER);
    assert!(
        mail.text.contains("Subject: New API key: Acme") && mail.text.contains("\"Production\""),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains(&key));
    // By a key, too.
    let body = json!({"name": "Second", "capabilities": ["apps"]});
    platform.call("POST", "/tenant/keys").json(&body).await.data();
    platform.call("POST", "/keys/rotate").send().await.data();
    let mails = server.wait_for(3).await;
    assert!(mails.iter().any(|mail| mail.text.contains("was made by the key key_")));
    assert!(mails.iter().any(|mail| mail.text.contains("Subject: API key rotated: Acme")));
}

#[tokio::test]
async fn self_service_is_off_unless_configured() {
    let platform = Platform::start().await;
    let mut somebody = platform.signed_in("somebody@example.com").await;
    let before = platform.app.store.tenants().await.unwrap().len();
    let refused = somebody.submit("/dashboard/sessions", "/dashboard/tenants", &[("name", "Mine")]).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(platform.app.store.tenants().await.unwrap().len(), before);

    let mut config = Config::default();
    config.dashboard.self_service = true;
    let platform = Platform::with(config).await;
    let mut somebody = platform.signed_in("somebody@example.com").await;
    for number in 0..6 {
        let name = format!("Product {number}");
        let made = somebody.submit("/dashboard", "/dashboard/tenants", &[("name", &name)]).await;
        assert_eq!(made.status, if number < 5 { 303 } else { 400 }, "{}", made.text);
        if number == 0 {
            let keys = format!("{}/keys", made.header("location"));
            assert_eq!(somebody.get(&keys).await.status, 200);
            let tenant = made.header("location").rsplit_once('/').unwrap().1;
            let members = platform.app.store.members(tenant).await.unwrap();
            assert!(members[0].joined_at.is_some());
        }
    }
    // Nobody passes for another product.
    let mut other = platform.signed_in("other@example.com").await;
    for name in ["acme", " AC ME", "A\u{a0}cme", "Ac\u{200b}me", "Acme\u{3164}", "Acme\u{fe0f}"] {
        let refused = other.submit("/dashboard", "/dashboard/tenants", &[("name", name)]).await;
        assert_eq!(refused.status, 400, "{name}");
    }
    assert!(platform.app.store.memberships("other@example.com").await.unwrap().is_empty());
}

/// As many at once as there are, an account owns five, each with a name of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_counted_when_they_are_made() {
    let platform = Platform::start().await;
    let make = |name: String| {
        let store = platform.app.store.clone();
        tokio::spawn(async move { store.create_own_tenant(&name, ALICE, 5).await.unwrap() })
    };
    let same: Vec<_> = (0..8).map(|_| make("Same".into())).collect();
    let mut made = 0;
    for one in same {
        made += usize::from(matches!(one.await.unwrap(), OwnTenant::Created(_)));
    }
    assert_eq!(made, 1);
    let different: Vec<_> = (0..8).map(|number| make(format!("Product {number}"))).collect();
    for one in different {
        made += usize::from(matches!(one.await.unwrap(), OwnTenant::Created(_)));
    }
    assert_eq!(made, 5);
}

#[test]
fn the_command_line_manages_members_and_signs_in() {
    let home = Home::new();
    let tenant = home.print(&["tenant", "create", "Acme"]);
    let sign_in = |email: &str| {
        let mut command = home.command(&["sign-in", email]);
        command.env("CONNECT_PUBLIC_URL", "https://connect.example.com");
        command
    };
    let refused = home.fail(&mut sign_in("ann@example.com"));
    assert!(refused.contains("nobody knows this email here"), "{refused}");
    home.print(&["member", "add", &tenant, "Ann@example.com", "--role", "owner"]);
    home.print(&["member", "add", &tenant, "bob@example.com"]);
    let members = home.json(&["member", "list", &tenant]);
    assert_eq!(members.len(), 2);
    assert_eq!((&members[0]["email"], &members[0]["role"]), (&json!("ann@example.com"), &json!("owner")));
    assert_eq!((&members[1]["role"], &members[1]["joined_at"]), (&json!("member"), &json!(null)));
    let stays = home.fail(&mut home.command(&["member", "remove", &tenant, "ann@example.com"]));
    assert!(stays.contains("it is the last owner"), "{stays}");
    home.print(&["member", "remove", &tenant, "bob@example.com"]);
    let unknown = home.fail(&mut home.command(&["member", "add", "ten_unknown", "bob@example.com"]));
    assert!(unknown.contains("no such tenant"), "{unknown}");
    let output = sign_in("ann@example.com").output().unwrap();
    let link = String::from_utf8(output.stdout).unwrap();
    assert!(link.starts_with("https://connect.example.com/dashboard/sign-in/link/"), "{link}");
}
