//! Organisations whose first person enters an OAuth client: the form, what comes of it, and everybody else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use connect_service::revocation::revoke_due;
use fixture_support::{Answer, Platform, Provider, Visit, param, text};
use serde_json::{Value, json};

const APP: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.account]
    id = "token:/user"
    [auth.revoke]
    url = "PROVIDER/revoke"
"#;

const REDIRECT_URI: &str = "http://127.0.0.1:8080/platform/v1/oauth/callback/fixture";

fn tokens(name: &str) -> Value {
    json!({
        "access_token": format!("canary-at-{name}"),
        "refresh_token": format!("canary-rt-{name}"),
        "expires_in": 3600,
        "user": name,
    })
}

/// A service where each organisation brings its client.
async fn managed(provider: &Provider, settings: Value) -> Platform {
    let platform = provider.platform(APP).await;
    let mut body = json!({"managed_by": "organization", "instructions": "Open [it](https://crm.example/)."});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    platform.call("PUT", "/apps/fixture/settings").json(&body).await.data();
    platform
}

async fn ask(platform: &Platform, customer: &str, body: Value) -> Answer {
    platform.call("POST", "/connections/request-link").customer(customer).json(&body).await
}

/// A link for a customer of an organisation.
async fn link(platform: &Platform, customer: &str, organization: &str) -> Value {
    let organization = json!({"id": organization, "name": format!("{organization} Ltd"), "role": "member"});
    let body = json!({"app_id": "fixture", "name": "Work", "organization": organization});
    ask(platform, customer, body).await.data().clone()
}

async fn visit<'a>(platform: &'a Platform, customer: &str, organization: &str) -> Visit<'a> {
    Visit::open(platform, &link(platform, customer, organization).await).await
}

fn client<'a>(id: &'a str, secret: &'a str) -> [(&'static str, &'a str); 2] {
    [("oauth_client_id", id), ("oauth_client_secret", secret)]
}

async fn connection(platform: &Platform, customer: &str, visit: &Visit<'_>) -> Value {
    let path = format!("/connections/{}", visit.connection_id);
    platform.call("GET", &path).customer(customer).send().await.data().clone()
}

async fn client_of(platform: &Platform, organization: &str) -> Answer {
    platform.call("GET", &client_path(organization)).send().await
}

fn client_path(organization: &str) -> String {
    format!("/organizations/{organization}/apps/fixture/oauth-client")
}

/// Two organisations with three people each: one form each, and an edit ends the sessions of one of them alone.
#[tokio::test]
async fn only_the_first_person_of_an_organization_sees_the_form() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let mut connected = Vec::new();
    for organization in ["north", "south"] {
        let own = format!("client-{organization}");
        for person in ["ann", "bo", "cy"] {
            let customer = format!("{person}@{organization}.example");
            let visit = visit(&platform, &customer, organization).await;
            let asks = visit.html.contains("oauth_client_id");
            assert_eq!(asks, person == "ann", "{customer}");
            provider.will_say(&[(200, tokens(person))]);
            let fields = client(&own, "canary-secret");
            let left = visit.to_provider(if asks { &fields } else { &[] }).await;
            assert_eq!(param(&left, "client_id").unwrap(), own);
            if asks {
                for shown in ["Client ID", "Client secret", REDIRECT_URI, "href=\"https://crm.example/\""] {
                    assert!(visit.html.contains(shown), "{shown}: {}", visit.html);
                }
                client_of(&platform, organization).await.is_error(404, "oauth_client_not_found");
            } else {
                assert!(
                    visit.html.contains(&format!("client of <strong>{organization} Ltd")),
                    "{}",
                    visit.html
                );
            }
            let page = visit.come_back(&left, &[("code", "c0de")]).await;
            let tells = page.text.contains("is stored: everybody else");
            assert_eq!(tells, asks, "{}", page.text);
            let token_request = &provider.seen()[0];
            assert_eq!(token_request.form["client_secret"], "canary-secret");
            let found = connection(&platform, &customer, &visit).await;
            assert_eq!(
                (&found["status"], &found["client_source"]),
                (&json!("active"), &json!("organization"))
            );
            let shape = json!({"id": organization, "name": format!("{organization} Ltd")});
            assert_eq!(found["organization"], shape);
            connected.push((organization, customer, visit));
        }
        let stored = client_of(&platform, organization).await;
        assert_eq!(stored.data()["set_by"], format!("ann@{organization}.example"));
        assert_eq!(stored.data()["connections"], 3);
    }
    let contents = platform.database.contents().await;
    assert!(!contents.windows(6).any(|bytes| bytes == b"canary"));
    let events = platform.call("GET", "/events?types=oauth_client.changed").send().await;
    let events = events.data()["events"].as_array().unwrap();
    let by: Vec<_> = events.iter().map(|event| event["data"]["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["ann@north.example", "ann@south.example"]);

    let body = json!({"client_id": "client-new", "client_secret": "canary-new"});
    platform.call("PUT", &client_path("north")).json(&body).await.data();
    for (organization, customer, visit) in &connected {
        let found = connection(&platform, customer, visit).await;
        let reason = &found["reconnection"]["reason"];
        let expected = if *organization == "north" { json!("client_changed") } else { json!(null) };
        assert_eq!(*reason, expected, "{customer}");
    }
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|request| request.form["client_id"] == "client-north"));
}

#[tokio::test]
async fn a_failure_comes_back_to_the_form_with_a_reason() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let link = link(&platform, "ann@north.example", "north").await;
    let first = Visit::open(&platform, &link).await;
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    let left = first.to_provider(&client("client-north", "canary-wrong")).await;
    let back = first.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(back.status, 303, "{}", back.text);
    client_of(&platform, "north").await.is_error(404, "oauth_client_not_found");

    let second = Visit::open(&platform, &link).await;
    assert!(second.html.contains("The provider did not accept the OAuth client"), "{}", second.html);
    assert!(second.html.contains("value=\"client-north\"") && !second.html.contains("canary"));
    // The secret that failed is not used again.
    let refused = second.submit(&client("client-north", "")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);

    provider.will_say(&[(200, tokens("ann"))]);
    let left = second.to_provider(&client("client-north", "canary-right")).await;
    second.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(client_of(&platform, "north").await.data()["client_id"], "client-north");
    assert_eq!(connection(&platform, "ann@north.example", &second).await["status"], "active");
}

#[tokio::test]
async fn what_is_no_client_stays_in_the_form() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let visit = visit(&platform, "ann@north.example", "north").await;
    let long = "canary".repeat(1700);
    for (id, secret) in [
        ("", "canary"),
        ("client", ""),
        ("client", "canary\u{7}"),
        ("client", "can\nary"),
        ("client", "can\u{e9}ary"),
        ("client", long.as_str()),
        ("cli\u{e9}nt", "canary"),
    ] {
        let page = visit.submit(&client(id, secret)).await;
        assert_eq!(page.status, 400, "{id} {secret:.20}");
        assert!(page.text.contains("oauth_client_secret") && !page.text.contains("canary"), "{}", page.text);
    }
    let page = visit.submit(&[("oauth_client_id", "<script>"), ("oauth_client_secret", "")]).await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn where_it_takes_an_admin_others_are_told_so() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({"admin_role_required": true})).await;
    let made = link(&platform, "bo@north.example", "north").await;
    let path = |link: &Value| format!("//{}", url_path(&text(&link["request_link"])));
    let page = platform.bare("GET", &path(&made)).send().await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("north Ltd") && page.text.contains("ask an admin"), "{}", page.text);
    assert!(!page.text.contains("oauth_client_id"));

    // A member who guesses what the form would send is told the same.
    let status = format!("/connections/{}", text(&made["connection_id"]));
    let token = text(&made["request_token"]);
    let options = platform.public("GET", &format!("{status}/auth-options"), &token).send().await;
    let option = &options.data()["auth_options"][0];
    assert_eq!(option["client_setup"]["allowed"], false);
    assert_eq!(option["input_schema"]["properties"], json!({}));
    let fields = json!({"oauth_client_id": "evil", "oauth_client_secret": "canary"});
    let body = json!({"auth_option_key": "main", "fields": fields});
    let guessed = platform.public("POST", &format!("{status}/submit"), &token).json(&body).await;
    guessed.is_error(409, "app_not_configured");
    assert!(text(&guessed.json["message"]).contains("admin"));
    let clients = platform.database.connect().await.text("SELECT COUNT(*) FROM oauth_clients").await;
    assert_eq!(clients, "0");

    let organization = json!({"id": "north", "name": "North", "role": "admin"});
    let body = json!({"app_id": "fixture", "name": "Work", "organization": organization});
    let admin = ask(&platform, "ann@north.example", body).await;
    let admin = Visit::open(&platform, admin.data()).await;
    provider.will_say(&[(200, tokens("ann"))]);
    let left = admin.to_provider(&client("client-north", "canary")).await;
    admin.come_back(&left, &[("code", "c0de")]).await;

    let member = Visit::open(&platform, &made).await;
    provider.will_say(&[(200, tokens("bo"))]);
    let left = member.to_provider(&[]).await;
    member.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(connection(&platform, "bo@north.example", &member).await["status"], "active");
}

/// A member has the form's address, and the form of a time when members could enter a client: neither opens anything.
#[tokio::test]
async fn a_member_who_guesses_the_form_enters_nothing() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let member = visit(&platform, "bo@north.example", "north").await;
    assert!(member.html.contains("oauth_client_id"));
    let settings = json!({"managed_by": "organization", "admin_role_required": true});
    platform.call("PUT", "/apps/fixture/settings").json(&settings).await.data();
    let fields = client("evil", "canary-evil");
    let refused = member.submit(&fields).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("ask an admin") && !refused.text.contains("canary"), "{}", refused.text);

    // Nor is a role of the member's own invention one, nor a form without the page that it belongs to.
    let refused = member.submit(&[&fields[..], &[("role", "admin")]].concat()).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let made = link(&platform, "cy@north.example", "north").await;
    let path = format!("//{}", url_path(&text(&made["request_link"])));
    let form = "action=connect&app_id=fixture&oauth_client_id=evil&oauth_client_secret=canary&csrf_token=x";
    let call = platform.bare("POST", &path).header("cookie", &member.cookie);
    let guessed = call.header("content-type", "application/x-www-form-urlencoded").body(form).send().await;
    assert_eq!(guessed.status, 403, "{}", guessed.text);
    let clients = platform.database.connect().await.text("SELECT COUNT(*) FROM oauth_clients").await;
    assert_eq!(clients, "0");
    assert!(provider.seen().is_empty());
}

/// A form that was opened for one link does not enter a client for another one, in whatever pair.
#[tokio::test]
async fn credentials_do_not_move_between_pending_links() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let ann = visit(&platform, "ann@north.example", "north").await;
    let sue = visit(&platform, "sue@south.example", "south").await;
    let anns = ann.to_provider(&client("client-ann", "canary-ann")).await;
    let sues = sue.to_provider(&client("client-sue", "canary-sue")).await;

    // What ann authorized does not come back to sue's browser.
    let (_, state) = anns.query_pairs().find(|(name, _)| name == "state").unwrap();
    let path = format!("/oauth/callback/fixture?code=c0de&state={state}");
    let crossed = platform.bare("GET", &path).header("cookie", &sue.cookie).send().await;
    assert_ne!(crossed.status, 303, "{}", crossed.text);
    assert!(provider.seen().is_empty());

    // Nor does a sealed secret open in another row.
    let database = platform.database.connect().await;
    let sealed = database.text("SELECT sealed FROM oauth_clients WHERE client_id = 'client-ann'").await;
    database
        .execute(&format!("UPDATE oauth_clients SET sealed = '{sealed}' WHERE client_id = 'client-sue'"))
        .await;
    let (_, state) = sues.query_pairs().find(|(name, _)| name == "state").unwrap();
    let path = format!("/oauth/callback/fixture?code=c0de&state={state}");
    let failed = platform.bare("GET", &path).header("cookie", &sue.cookie).send().await;
    assert_eq!(failed.status, 500, "{}", failed.text);
    assert!(provider.seen().is_empty(), "no code is redeemed with it");
    client_of(&platform, "south").await.is_error(404, "oauth_client_not_found");

    provider.will_say(&[(200, tokens("ann"))]);
    ann.come_back(&anns, &[("code", "c0de")]).await;
    assert_eq!(client_of(&platform, "north").await.data()["client_id"], "client-ann");
}

/// Sessions end, whatever was under way; a new secret lets what is under way finish.
#[tokio::test]
async fn an_edit_while_refreshes_run_leaves_no_session_of_the_old_client() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let put = async |id: &str, secret: &str| {
        let body = json!({"client_id": id, "client_secret": secret});
        platform.call("PUT", &client_path("north")).json(&body).await.data();
    };
    put("client-old", "canary-old").await;
    let mut visits = Vec::new();
    for person in ["ann", "bo", "cy"] {
        provider.will_say(&[(200, tokens(person))]);
        let customer = format!("{person}@north.example");
        let visit = visit(&platform, &customer, "north").await;
        let left = visit.to_provider(&[]).await;
        visit.come_back(&left, &[("code", "c0de")]).await;
        visits.push((customer, visit));
    }
    provider.seen();
    let refreshing = "SELECT COUNT(*) FROM credentials WHERE lease_owner IS NOT NULL";
    let token = async |customer: &str, visit: &Visit<'_>| {
        let path = format!("/connections/{}/token", visit.connection_id);
        platform.call("POST", &path).customer(customer).send().await
    };
    // While the first edit is tried at the provider, too.
    for (new_id, secret, survives) in
        [("client-old", "canary-newer", true), ("client-new", "canary-new", false)]
    {
        platform.advance(3600);
        provider.will_say(&[(200, tokens("late"))]);
        let gate = provider.pause().await;
        let edit = async {
            while platform.database.connect().await.text(refreshing).await != "3" {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let seen = async {
                while survives && provider.seen().iter().all(|seen| seen.form["client_secret"] != secret) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                if survives {
                    drop(gate);
                    return None;
                }
                Some(gate)
            };
            let (gate, ()) = tokio::join!(seen, put(new_id, secret));
            drop(gate);
        };
        let tokens = async {
            let (a, b, c) = tokio::join!(
                token(&visits[0].0, &visits[0].1),
                token(&visits[1].0, &visits[1].1),
                token(&visits[2].0, &visits[2].1)
            );
            [a, b, c]
        };
        let (answers, ()) = tokio::join!(tokens, edit);
        platform.refreshes_end().await;
        for (answer, (customer, visit)) in answers.iter().zip(&visits) {
            let found = connection(&platform, customer, visit).await;
            if survives {
                assert_eq!(answer.data()["access_token"], "canary-at-late");
                assert_eq!(found["needs_reconnection"], false);
            } else {
                answer.is_error(401, "needs_reconnection");
                assert_eq!(found["reconnection"]["reason"], "client_changed");
                token(customer, visit).await.is_error(401, "needs_reconnection");
            }
        }
    }
    // All that the old client got is revoked by it, that of the refreshes included.
    provider.seen();
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    assert!(seen.iter().all(|request| request.form["client_id"] == "client-old"), "{seen:?}");
    assert!(!seen.is_empty());
}

fn url_path(url: &str) -> String {
    url.split_once("127.0.0.1:8080/").unwrap().1.to_owned()
}

#[tokio::test]
async fn of_two_admins_at_once_one_wins_and_both_are_told() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let (ann, bo) = (
        visit(&platform, "ann@north.example", "north").await,
        visit(&platform, "bo@north.example", "north").await,
    );
    let left_ann = ann.to_provider(&client("client-ann", "canary-ann")).await;
    let left_bo = bo.to_provider(&client("client-bo", "canary-bo")).await;

    provider.will_say(&[(200, tokens("ann"))]);
    let won = ann.come_back(&left_ann, &[("code", "c0de")]).await;
    assert!(won.text.contains("The OAuth client that you entered is stored"), "{}", won.text);
    provider.will_say(&[(200, tokens("bo"))]);
    let lost = bo.come_back(&left_bo, &[("code", "c0de")]).await;
    assert_eq!(lost.status, 409, "{}", lost.text);
    assert!(lost.text.contains("Somebody else was first"), "{}", lost.text);
    assert_eq!(client_of(&platform, "north").await.data()["client_id"], "client-ann");
    let found = connection(&platform, "bo@north.example", &bo).await;
    assert_eq!(found["last_error"]["code"], "oauth_client_taken", "{found}");
    assert_eq!(found["status"], "pending");

    // What was granted to the other client is withdrawn by that one.
    provider.seen();
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((&*seen[0].form["client_id"], &*seen[0].form["token"]), ("client-bo", "canary-rt-bo"));

    // A form that is still open says so as well, and the link goes on with the client that there is.
    let late = bo.submit(&client("client-bo", "canary-bo")).await;
    assert_eq!(late.status, 409, "{}", late.text);
    let left = bo.to_provider(&[]).await;
    assert_eq!(param(&left, "client_id").unwrap(), "client-ann");
    provider.will_say(&[(200, tokens("bo"))]);
    bo.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(connection(&platform, "bo@north.example", &bo).await["status"], "active");
}

#[tokio::test]
async fn two_admins_who_enter_the_same_client_both_connect() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let (ann, bo) = (
        visit(&platform, "ann@north.example", "north").await,
        visit(&platform, "bo@north.example", "north").await,
    );
    let left_ann = ann.to_provider(&client("client-north", "canary")).await;
    let left_bo = bo.to_provider(&client("client-north", "canary")).await;
    for (visit, left, customer) in [(&ann, left_ann, "ann@north.example"), (&bo, left_bo, "bo@north.example")]
    {
        provider.will_say(&[(200, tokens(customer))]);
        visit.come_back(&left, &[("code", "c0de")]).await;
        assert_eq!(connection(&platform, customer, visit).await["status"], "active");
    }
    assert_eq!(client_of(&platform, "north").await.data()["connections"], 2);
}

/// Until it succeeded, a client is for its link alone, and then it is gone after a day.
#[tokio::test]
async fn a_client_that_waits_is_for_its_link_alone() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let ann = visit(&platform, "ann@north.example", "north").await;
    let left = ann.to_provider(&client("client-ann", "canary-ann")).await;
    let bo = visit(&platform, "bo@north.example", "north").await;
    assert!(bo.html.contains("oauth_client_id") && !bo.html.contains("client-ann"), "{}", bo.html);
    assert_eq!(bo.submit(&[]).await.status, 400);

    // Not even for somebody who can write to the database.
    let database = platform.database.connect().await;
    let bos = bo.to_provider(&client("client-bo", "canary-bo")).await;
    let swap = "UPDATE oauth_clients SET link_id = (SELECT link_id FROM connections WHERE customer = 'bo@north.example')
        WHERE client_id = 'client-ann'";
    database.execute(swap).await;
    provider.will_say(&[(200, tokens("x"))]);
    provider.seen();
    ann.come_back(&left, &[("code", "c0de")]).await;
    assert!(provider.seen().is_empty(), "no code is redeemed with it");
    client_of(&platform, "north").await.is_error(404, "oauth_client_not_found");
    drop(bos);

    platform.advance(24 * 3600 + 1);
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(database.text("SELECT COUNT(*) FROM oauth_clients").await, "0");
}

/// A grant that was never confirmed is ended by the client that the customer entered for it, however it is given up.
#[tokio::test]
async fn an_unconfirmed_grant_is_ended_by_its_client() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let store = &platform.app.store;
    let ann = "ann@north.example";
    let body = json!({
        "app_id": "fixture",
        "name": "Work",
        "organization": {"id": "north"},
        "confirm": true,
        "return_url": "https://product.example/",
    });
    for given_up in ["/customers", "/organizations/north/apps/fixture", "never"] {
        let link = ask(&platform, ann, body.clone()).await.data().clone();
        let visit = Visit::open(&platform, &link).await;
        let left = visit.to_provider(&client("client-ann", "canary-ann")).await;
        provider.will_say(&[(200, tokens("ann"))]);
        visit.come_back(&left, &[("code", "c0de")]).await;
        provider.seen();
        if given_up == "never" {
            platform.advance(601);
            store.drop_unconfirmed().await.unwrap();
            // The client is older than a day, and the revocation is not.
            platform.advance(24 * 3600 - 600);
        } else {
            platform.call("DELETE", given_up).customer(ann).send().await.data();
        }
        store.clean_up().await.unwrap();
        revoke_due(&platform.app).await.unwrap();
        let seen = provider.seen();
        assert_eq!(seen.len(), 1, "{given_up}");
        assert_eq!((&*seen[0].form["client_id"], &*seen[0].form["token"]), ("client-ann", "canary-rt-ann"));
        let whose =
            format!("SELECT COUNT(*) FROM oauth_clients WHERE set_by = '{ann}' AND state <> 'pending'");
        assert_eq!(platform.database.connect().await.text(&whose).await, "0");
    }
    platform.advance(26 * 3600);
    store.clean_up().await.unwrap();
    assert_eq!(platform.database.connect().await.text("SELECT COUNT(*) FROM oauth_clients").await, "0");
}

#[tokio::test]
async fn a_form_of_the_products_own_enters_a_client_too() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let made = link(&platform, "ann@north.example", "north").await;
    let path = format!("/connections/{}", text(&made["connection_id"]));
    let token = text(&made["request_token"]);
    let options = platform.public("GET", &format!("{path}/auth-options"), &token).send().await;
    let option = &options.data()["auth_options"][0];
    let setup = json!({
        "organization": "north Ltd",
        "allowed": true,
        "redirect_uri": REDIRECT_URI,
        "instructions_html": "<p>Open <a href=\"https://crm.example/\" target=\"_blank\" rel=\"noopener noreferrer\">it</a>.</p>\n",
        "client_id": null,
        "secret_is_known": false,
    });
    assert_eq!(option["client_setup"], setup);
    let schema = &option["input_schema"];
    assert_eq!(schema["required"], json!(["oauth_client_id", "oauth_client_secret"]));
    assert_eq!(schema["properties"]["oauth_client_secret"]["format"], "password");

    let fields = json!({"oauth_client_id": "client-north", "oauth_client_secret": "canary-north"});
    let body = json!({"auth_option_key": "main", "fields": fields});
    let submitted = platform.public("POST", &format!("{path}/submit"), &token).json(&body).await;
    let next = text(&submitted.data()["authorize_url"]);
    assert!(!submitted.text.contains("canary"), "{}", submitted.text);

    // Without the product's origin the hosted page asks once more, but not for the secret.
    let next = platform.bare("GET", &format!("//{}", url_path(&next))).send().await;
    let page = json!({
        "request_link": next.header("location"), "connection_id": made["connection_id"], "request_token": token,
    });
    let visit = Visit::open(&platform, &page).await;
    assert!(
        visit.html.contains("value=\"client-north\"") && visit.html.contains("Leave it empty"),
        "{}",
        visit.html
    );
    provider.will_say(&[(200, tokens("ann"))]);
    let left = visit.to_provider(&client("client-north", "")).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(provider.seen()[0].form["client_secret"], "canary-north");
    assert_eq!(client_of(&platform, "north").await.data()["client_id"], "client-north");
}

#[tokio::test]
async fn a_connection_keeps_its_organization() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let body = |organization: Value| json!({"app_id": "brevo", "name": "Mail", "organization": organization});
    let made = ask(&platform, "ann@north.example", body(json!({"id": "north"}))).await;
    let id = text(&made.data()["connection_id"]);
    let again = async |organization: Value| {
        let mut body = json!({"connection_id": id});
        if !organization.is_null() {
            body["organization"] = organization;
        }
        ask(&platform, "ann@north.example", body).await
    };
    let shown = async || {
        let path = format!("/connections/{id}");
        platform.call("GET", &path).customer("ann@north.example").send().await.data()["organization"].clone()
    };
    assert_eq!(shown().await, json!({"id": "north", "name": "north"}));
    again(json!(null)).await.data();
    again(json!({"id": "north", "name": "North Ltd", "role": "admin"})).await.data();
    assert_eq!(shown().await, json!({"id": "north", "name": "North Ltd"}));
    again(json!({"id": "south"})).await.is_error(400, "invalid_request");
    assert_eq!(shown().await, json!({"id": "north", "name": "North Ltd"}));

    // One that is for none does not become one for some.
    let made = ask(&platform, "ann@north.example", json!({"app_id": "brevo", "name": "Mail"})).await;
    let id = made.data()["connection_id"].clone();
    let body = json!({"connection_id": id, "organization": {"id": "north"}});
    ask(&platform, "ann@north.example", body).await.is_error(400, "invalid_request");

    for wrong in [
        json!("north"),
        json!({}),
        json!({"name": "North"}),
        json!({"id": "ann@north.example"}),
        json!({"id": ""}),
        json!({"id": "x".repeat(129)}),
        json!({"id": 7}),
        json!({"id": "north", "name": "a\nb"}),
        json!({"id": "north", "name": ""}),
        json!({"id": "north", "role": ["admin"]}),
        json!({"id": "north", "admin": true}),
        json!({"id": "north", "name": "x".repeat(5000)}),
    ] {
        let body = json!({"app_id": "brevo", "name": "Mail", "organization": wrong});
        ask(&platform, "ann@north.example", body).await.is_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn one_tenants_organization_is_not_anothers() {
    let provider = Provider::start().await;
    let platform = managed(&provider, json!({})).await;
    let ann = visit(&platform, "ann@north.example", "north").await;
    provider.will_say(&[(200, tokens("ann"))]);
    let left = ann.to_provider(&client("client-north", "canary")).await;
    ann.come_back(&left, &[("code", "c0de")]).await;

    let other = platform.another_key(&connect_service::store::Capability::ALL).await;
    let seen = platform.call("GET", &client_path("north")).key(&other).send().await;
    seen.is_error(404, "oauth_client_not_found");
    platform
        .call("DELETE", &client_path("north"))
        .key(&other)
        .send()
        .await
        .is_error(404, "oauth_client_not_found");
    let settings = platform.call("GET", "/apps/fixture/settings").key(&other).send().await;
    assert_eq!(settings.data()["managed_by"], json!(null));
    // A link of theirs for an organisation with the same id goes by the operator's client.
    let body = json!({"app_id": "fixture", "name": "Work", "organization": {"id": "north"}});
    let call = platform.call("POST", "/connections/request-link").key(&other);
    let visit = Visit::open(&platform, call.json(&body).await.data()).await;
    assert_eq!(param(&visit.to_provider(&[]).await, "client_id").unwrap(), "the client");
    assert_eq!(client_of(&platform, "north").await.data()["client_id"], "client-north");
}

#[tokio::test]
async fn settings_say_whether_organizations_bring_clients() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let path = "/apps/fixture/settings";
    let told = async || {
        let app = platform.call("GET", "/apps/fixture").send().await.data().clone();
        (app["connectable"].clone(), app["client_source"].clone())
    };
    assert_eq!(told().await, (json!(true), json!("operator")));
    let body = json!({"managed_by": "organization", "instructions": "# A\n\tb", "admin_role_required": true});
    let set = platform.call("PUT", path).json(&body).await;
    assert_eq!(set.data(), platform.call("GET", path).send().await.data());
    assert_eq!(set.data()["instructions"], "# A\n\tb");
    assert_eq!(told().await, (json!(true), json!("organization")));
    // Nobody knows whose client it should be.
    let refused = ask(&platform, "ann@north.example", json!({"app_id": "fixture", "name": "Work"})).await;
    refused.is_error(400, "invalid_request");
    assert!(text(&refused.json["message"]).contains("organization is missing"), "{}", refused.text);

    platform.call("PUT", path).json(&json!({"managed_by": null})).await.data();
    assert_eq!(told().await, (json!(true), json!("operator")));
    for wrong in [
        json!({"managed_by": "tenant"}),
        json!({"instructions": "a\u{0}b"}),
        json!({"instructions": "a\u{202e}b"}),
        json!({"instructions": "x".repeat(10_001)}),
        json!({"admin_role_required": "yes"}),
        json!({"instruction": "x"}),
    ] {
        platform.call("PUT", path).json(&wrong).await.is_error(400, "invalid_request");
    }
    let brevo = platform.call("PUT", "/apps/brevo/settings").json(&body).await;
    brevo.is_error(400, "invalid_request");
    platform.call("PUT", "/apps/nonsense/settings").json(&body).await.is_error(404, "app_not_found");
}
