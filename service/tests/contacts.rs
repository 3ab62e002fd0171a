//! `GET /contacts`: every contact of every CRM once, and what becomes of connections that fail. The CRMs are emulated
//! as their documentation shows them; see `dev/crm.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_service::catalogue::AuthType;
use connect_service::config::Config;
use connect_service::dev::crm::{self, CrmRequest, Person};
use connect_service::store::{Capability, Details, Grant, GrantOutcome, Origin, Tokens, VendingFilter};
use http::StatusCode;
use serde_json::{Value, json};
use support::{ALICE, Answer, Api, Platform, Provider, Reply, SeenCall, text};
use url::form_urlencoded;

const CRMS: [&str; 5] = ["hubspot", "zoho-crm", "pipedrive", "gohighlevel", "monday-crm"];

/// A service whose CRMs are here.
struct Stage {
    api: Api,
    provider: Provider,
    platform: Platform,
}

impl Stage {
    async fn start() -> Self {
        let mut config = Config::default();
        config.budgets.proxy = 100_000;
        config.budgets.default = 100_000;
        Self::with(config).await
    }

    async fn with(mut config: Config) -> Self {
        let (api, provider) = (Api::start().await, Provider::start().await);
        for app in CRMS.into_iter().chain(["gmail"]) {
            config.apps.insert(app.into(), provider.registration());
        }
        let platform = Platform::with_apis(config, &api.url).await;
        Self { api, provider, platform }
    }

    /// Lets all CRMs have these people.
    fn has(&self, people: &[Person]) {
        let people = Arc::new(people.to_vec());
        self.api.will(move |call| crm_response(&people, call));
    }

    async fn connect(&self, app: &str) -> String {
        self.connect_with(app, "canary-access-0").await
    }

    /// An active connection of Alice's with this token; gives its id.
    async fn connect_with(&self, app: &str, access_token: &str) -> String {
        let link = self
            .platform
            .link(json!({"app_id": app, "name": "CRM", "allow_multiple_connections": true}))
            .await;
        let now = self.platform.clock.now();
        let data = [
            ("portal_id", "4711"),
            ("location_id", "ve9EPM428h8vShlRW1KT"),
            ("api_domain", "https://acme.pipedrive.com"),
        ];
        let known = &self.platform.app.catalogue.get(app).unwrap().auth_options[0].provider_data;
        let data = data.into_iter().filter(|(name, _)| known.contains_key(*name));
        let grant = Grant {
            app_id: app.into(),
            auth_type: AuthType::OAuth,
            auth_option_key: "oauth".into(),
            comparable_options: Vec::new(),
            account_digest: None,
            oauth_client: None,
            origin: Origin::Link,
            inputs: BTreeMap::new(),
            tokens: Some(Tokens {
                access_token: access_token.into(),
                refresh_token: Some("canary-refresh-0".into()),
                token_type: "Bearer".into(),
                obtained_at: now,
                expires_at: Some(now + 3_600_000),
            }),
            details: Details {
                provider_data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                ..Details::default()
            },
        };
        let link_of = self.platform.stored_link(&link).await;
        assert_eq!(
            self.platform.app.store.finish_link(&link_of, &grant).await.unwrap(),
            GrantOutcome::Stored
        );
        text(&link["connection_id"])
    }

    async fn get(&self, query: &str) -> Answer {
        self.platform.call("GET", &format!("/contacts?{query}")).send().await
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self.get(query).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["data"].clone()
    }

    /// All contacts and errors.
    async fn all(&self, query: &str) -> (Vec<Value>, Vec<Value>) {
        self.from(query, String::new()).await
    }

    /// Those from a cursor on.
    async fn from(&self, query: &str, mut cursor: String) -> (Vec<Value>, Vec<Value>) {
        let (mut contacts, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..1000 {
            let page = self.page(&format!("{query}&cursor={cursor}")).await;
            contacts.extend(page["contacts"].as_array().unwrap().clone());
            errors.extend(page["errors"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                None => return (contacts, errors),
                Some(next) => next.clone_into(&mut cursor),
            }
        }
        panic!("it never ends");
    }

    /// The only error of a request that brings no contact.
    async fn error(&self, query: &str) -> Value {
        let page = self.page(query).await;
        let errors = page["errors"].as_array().unwrap();
        assert!(errors.len() == 1 && page["contacts"] == json!([]), "{page}");
        errors[0].clone()
    }
}

/// What an emulated CRM responds to a call below the address of the APIs.
fn crm_response(people: &[Person], call: &SeenCall) -> Response {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let app = path.split('/').nth(1).unwrap();
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let request = CrmRequest { path, query: &query, version: Some(call.header("version")), body: &call.body };
    let (status, body) =
        crm::respond(app, people, &request).unwrap_or_else(|| panic!("no such request: {call:?}"));
    let status = StatusCode::from_u16(status).unwrap();
    body.map_or_else(|| status.into_response(), |body| (status, Json(body)).into_response())
}

fn people(count: usize) -> Vec<Person> {
    crm::people(count).collect()
}

/// What a person is on the wire, apart from ids and addresses.
fn expected(app: &str, person: &Person, is_found: bool) -> Value {
    let (is_pipedrive, is_monday) = (app == "pipedrive", app == "monday-crm");
    let knows_names = !(is_monday || is_pipedrive && is_found);
    json!({
        "first_name": person.first_name.filter(|_| knows_names),
        "last_name": knows_names.then_some(&person.last_name),
        "display_name": if app == "gohighlevel" { person.name().to_lowercase() } else { person.name() },
        "emails": person.emails,
        "phones": person.phones,
        "company": person.company.filter(|_| !is_pipedrive || is_found),
        "title": person.title.filter(|_| app != "gohighlevel" && !(is_pipedrive && is_found)),
        "created_at": (!(is_pipedrive && is_found)).then_some(&person.created_at),
        "updated_at": (!(is_pipedrive && is_found)).then_some(&person.created_at),
    })
}

fn url(app: &str, id: &str) -> Value {
    match app {
        "hubspot" => format!("https://app.hubspot.com/contacts/4711/record/0-1/{id}").into(),
        "pipedrive" => format!("https://acme.pipedrive.com/person/{id}").into(),
        "gohighlevel" => {
            format!("https://app.gohighlevel.com/v2/location/ve9EPM428h8vShlRW1KT/contacts/detail/{id}")
                .into()
        }
        "monday-crm" => Value::from(id),
        _ => Value::Null,
    }
}

/// Compares all that came with those of whom it should be.
fn compare(app: &str, connection: &str, contacts: &[Value], people: &[&Person], is_found: bool) {
    assert_eq!(contacts.len(), people.len(), "{app}");
    let ids: BTreeSet<_> = contacts.iter().map(|contact| text(&contact["id"])).collect();
    assert_eq!(ids.len(), people.len(), "{app}: doubles");
    // The number is the last word of a name.
    let number = |contact: &Value| -> usize {
        text(&contact["display_name"]).rsplit(' ').next().unwrap().parse().unwrap()
    };
    let by_number: BTreeMap<_, _> = contacts.iter().map(|contact| (number(contact), contact)).collect();
    for person in people {
        let mut contact = by_number[&person.number].clone();
        let members = contact.as_object_mut().unwrap();
        let id = text(&members.remove("id").unwrap());
        assert_eq!(members.remove("connection_id"), Some(connection.into()));
        assert_eq!(members.remove("app_id"), Some(app.into()));
        let (address, wanted) = (members.remove("url").unwrap(), url(app, &id));
        match app {
            "monday-crm" => assert!(text(&address).ends_with(&format!("/pulses/{id}"))),
            _ => assert_eq!(address, wanted),
        }
        assert_eq!(contact, expected(app, person, is_found), "{app}");
    }
}

#[tokio::test]
async fn ten_thousand_contacts_of_each_crm_come_once() {
    let (stage, people) = (Stage::start().await, people(10_000));
    stage.has(&people);
    let wanted: Vec<_> = people.iter().filter(|person| !person.is_archived).collect();
    for app in CRMS {
        let id = stage.connect(app).await;
        stage.api.seen();
        let (contacts, errors) = stage.all(&format!("app_id={app}&limit=100")).await;
        assert_eq!(errors, Vec::<Value>::new(), "{app}");
        compare(app, &id, &contacts, &wanted, false);
        let calls = stage.api.seen();
        let expected = if app == "pipedrive" { 100 } else { 91 };
        assert!((expected..=expected + 3).contains(&calls.len()), "{app}: {}", calls.len());
        let scheme = if app == "zoho-crm" { "Zoho-oauthtoken" } else { "Bearer" };
        let credential = format!("{scheme} canary-access-0");
        assert!(calls.iter().all(|call| call.header("authorization") == credential), "{app}");
    }
}

#[tokio::test]
async fn a_search_finds_the_same_in_each_crm() {
    let (stage, people) = (Stage::start().await, people(300));
    stage.has(&people);
    for app in CRMS {
        let id = stage.connect(app).await;
        let (contacts, errors) = stage.all(&format!("app_id={app}&limit=7&search=o%27neil%201")).await;
        assert_eq!(errors, Vec::<Value>::new(), "{app}");
        let found = |person: &&Person| !person.is_archived && person.name().contains("O'Neil 1");
        let wanted: Vec<_> = people.iter().filter(found).collect();
        assert!(wanted.len() > 14, "more than two pages");
        compare(app, &id, &contacts, &wanted, true);
        let (nobody, errors) = stage.all(&format!("connection_id={id}&search=nobody")).await;
        assert!(nobody.is_empty() && errors.is_empty(), "{app}");
    }
}

#[tokio::test]
async fn an_account_without_contacts_has_none() {
    let stage = Stage::start().await;
    stage.has(&[]);
    for app in CRMS {
        stage.connect(app).await;
        assert_eq!(stage.all(&format!("app_id={app}")).await, (vec![], vec![]), "{app}");
    }
}

#[tokio::test]
async fn all_crms_of_a_customer_follow_one_another() {
    let (stage, people) = (Stage::start().await, people(50));
    stage.has(&people);
    let mut wanted: Vec<(String, usize)> = Vec::new();
    for app in CRMS.into_iter().chain(["hubspot"]) {
        wanted.push((stage.connect(app).await, people.iter().filter(|person| !person.is_archived).count()));
    }
    // Neither of them has contacts to give.
    stage.platform.authorised(None, None).await;
    stage
        .platform
        .link(json!({"app_id": "hubspot", "name": "Pending", "allow_multiple_connections": true}))
        .await;
    let (contacts, errors) = stage.all("limit=20").await;
    assert_eq!(errors, Vec::<Value>::new());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for contact in &contacts {
        *counts.entry(text(&contact["connection_id"])).or_default() += 1;
    }
    assert_eq!(counts, wanted.into_iter().collect());
    let (of_hubspot, _) = stage.all("provider=hubspot").await;
    assert_eq!(of_hubspot.len(), 2 * (50 - 4));
}

#[tokio::test]
async fn a_connection_that_fails_hides_neither_itself_nor_others() {
    let (stage, people) = (Stage::start().await, people(40));
    let limited = stage.connect_with("hubspot", "canary-limited").await;
    let fine = stage.connect_with("hubspot", "canary-fine").await;
    let refused = stage.connect_with("pipedrive", "canary-refused").await;
    let (is_limited, shared) = (Arc::new(AtomicUsize::new(1)), Arc::new(people.clone()));
    let limit = is_limited.clone();
    stage.api.will(move |call| match call.header("authorization") {
        "Bearer canary-limited" if limit.load(Ordering::Relaxed) == 1 && call.target.contains("after=") => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "canary-text").into_response()
        }
        "Bearer canary-refused" => (StatusCode::FORBIDDEN, "canary-text").into_response(),
        _ => crm_response(&shared, call),
    });
    let (contacts, mut errors) = stage.all("limit=10").await;
    let of = |contacts: &[Value], id: &str| {
        contacts.iter().filter(|contact| contact["connection_id"] == id).count()
    };
    assert_eq!((of(&contacts, &limited), of(&contacts, &fine), of(&contacts, &refused)), (10, 37, 0));
    errors.sort_by_key(|error| error["code"] == "rate_limited");
    let [refusal, limit] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((&refusal["connection_id"], &refusal["app_id"]), (&json!(refused), &json!("pipedrive")));
    assert_eq!((&refusal["code"], &refusal["provider_status"]), (&json!("provider_refused"), &json!(403)));
    assert_eq!((&limit["connection_id"], &limit["provider_status"]), (&json!(limited), &json!(429)));
    assert_eq!(limit["retry_after"], 7);
    assert!(!format!("{errors:?}").contains("canary"));
    // Later it goes on where it was, with this connection alone.
    is_limited.store(0, Ordering::Relaxed);
    let (rest, errors) = stage.from("limit=10", text(&limit["cursor"])).await;
    assert_eq!(errors.len(), 0);
    assert_eq!((rest.len(), of(&rest, &limited)), (27, 27));
}

#[tokio::test]
async fn each_crms_limit_is_told_with_its_time() {
    let stage = Stage::start().await;
    let exhausted = json!({"errors": [{"message": "Complexity budget exhausted", "extensions": {
        "code": "COMPLEXITY_BUDGET_EXHAUSTED", "retry_in_seconds": 42}}]});
    for (app, response, retry_after) in [
        ("hubspot", (StatusCode::TOO_MANY_REQUESTS, [("x-none", "1")], Json(json!({}))), json!(null)),
        ("zoho-crm", (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], Json(json!({}))), json!(1)),
        (
            "pipedrive",
            (StatusCode::TOO_MANY_REQUESTS, [("x-ratelimit-reset", "2")], Json(json!({}))),
            json!(2),
        ),
        ("monday-crm", (StatusCode::OK, [("x-none", "1")], Json(exhausted.clone())), json!(42)),
        (
            "gohighlevel",
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "99999999999")], Json(json!({}))),
            json!(86_400),
        ),
    ] {
        stage.connect(app).await;
        stage.api.will(move |_| response.clone());
        let error = stage.error(&format!("app_id={app}")).await;
        assert_eq!(
            (&error["code"], &error["retry_after"]),
            (&json!("rate_limited"), &retry_after),
            "{app}: {error}"
        );
    }
}

#[tokio::test]
async fn a_grant_that_is_broken_is_that_connections_error() {
    let (stage, people) = (Stage::start().await, people(3));
    stage.has(&people);
    let broken = stage.connect("hubspot").await;
    stage.provider.will(Reply::Say(400, "application/json", r#"{"error":"invalid_grant"}"#));
    stage.platform.advance(3601);
    stage.platform.token(&broken).await.is_error(401, "needs_reconnection");
    let fine = stage.connect("hubspot").await;
    let (contacts, errors) = stage.all("app_id=hubspot").await;
    assert!(contacts.len() == 3 && contacts.iter().all(|contact| contact["connection_id"] == *fine));
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (&errors[0]["connection_id"], &errors[0]["code"]),
        (&json!(broken), &json!("needs_reconnection"))
    );
    let named = stage.error(&format!("connection_id={broken}")).await;
    assert_eq!(named["code"], "needs_reconnection");
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let stage = Stage::start().await;
    let id = stage.connect("hubspot").await;
    let people = Arc::new(people(3));
    let response = people.clone();
    stage.api.will(move |call| match call.header("authorization") {
        "Bearer canary-access-1" => crm_response(&response, call),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    });
    assert_eq!(stage.all("app_id=hubspot").await.0.len(), 3);
    assert_eq!((stage.api.seen().len(), stage.provider.seen().len()), (2, 1));
    stage.api.will(|_| StatusCode::UNAUTHORIZED);
    let error = stage.error(&format!("connection_id={id}")).await;
    assert_eq!((&error["code"], &error["provider_status"]), (&json!("provider_refused"), &json!(401)));
    assert!(stage.api.seen().len() <= 2);
}

#[tokio::test]
async fn a_cursor_is_for_one_customer_and_query_and_tells_nothing() {
    let (stage, people) = (Stage::start().await, people(30));
    stage.has(&people);
    let id = stage.connect("hubspot").await;
    let page = stage.page("app_id=hubspot&limit=5").await;
    let cursor = text(&page["next_cursor"]);
    let bytes = String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(&cursor).unwrap()).into_owned();
    for secret in [&id[5..], "hubspot", "after", ALICE, "canary"] {
        assert!(!cursor.contains(secret) && !bytes.contains(secret), "{secret}");
    }
    assert_ne!(text(&stage.page("app_id=hubspot&limit=5").await["next_cursor"]), cursor);
    stage.api.seen();
    let mut garbled = cursor.clone().into_bytes();
    garbled[40] ^= 1;
    let garbled = String::from_utf8(garbled).unwrap();
    for query in [
        format!("cursor={cursor}"),
        format!("app_id=pipedrive&cursor={cursor}"),
        format!("connection_id={id}&cursor={cursor}"),
        format!("app_id=hubspot&search=x&cursor={cursor}"),
        format!("app_id=hubspot&cursor={garbled}"),
        format!("app_id=hubspot&cursor={}", &cursor[1..]),
        "app_id=hubspot&cursor=https%3A%2F%2Fevil.example%2F".to_owned(),
        format!("app_id=hubspot&cursor={}", "A".repeat(9_000)),
        "app_id=hubspot&cursor=%00".to_owned(),
    ] {
        stage.get(&query).await.is_error(400, "invalid_request");
    }
    let path = format!("/contacts?app_id=hubspot&cursor={cursor}");
    stage
        .platform
        .call("GET", &path)
        .customer("bob@example.com")
        .send()
        .await
        .is_error(400, "invalid_request");
    let other = stage.platform.another_key(&Capability::ALL).await;
    stage.platform.call("GET", &path).key(&other).send().await.is_error(400, "invalid_request");
    assert!(stage.api.seen().is_empty());
    // Another limit is no other query.
    let next = stage.page(&format!("app_id=hubspot&limit=3&cursor={cursor}")).await;
    assert_eq!(next["contacts"].as_array().unwrap().len(), 3);
    assert_eq!(next["contacts"][0]["id"], "506");
}

#[tokio::test]
async fn a_connection_that_is_deleted_meanwhile_is_told() {
    let (stage, people) = (Stage::start().await, people(30));
    stage.has(&people);
    let mut ids = [stage.connect("hubspot").await, stage.connect("hubspot").await];
    ids.sort();
    let page = stage.page("app_id=hubspot&limit=5").await;
    assert_eq!(page["contacts"][0]["connection_id"], *ids[0]);
    stage.platform.call("DELETE", &format!("/connections/{}", ids[0])).send().await.data();
    let (contacts, errors) = stage.from("app_id=hubspot&limit=5", text(&page["next_cursor"])).await;
    assert!(contacts.len() == 28 && contacts.iter().all(|contact| contact["connection_id"] == *ids[1]));
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((&error["connection_id"], &error["app_id"]), (&json!(ids[0]), &json!("hubspot")));
    assert_eq!((&error["code"], &error["cursor"]), (&json!("connection_deleted"), &Value::Null));
}

#[tokio::test]
async fn hostile_responses_are_errors_of_their_connection() {
    let stage = Stage::start().await;
    let id = stage.connect("hubspot").await;
    let record = json!({"id": "1", "properties": {}});
    let records = |count: usize| json!({"results": vec![record.clone(); count]}).to_string();
    let with = |member: &str, value: Value| {
        let mut body = json!({"results": [record.clone()]});
        body[member] = value;
        body.to_string()
    };
    let deep = format!("{}{}", r#"{"results":["#.repeat(200), "]}".repeat(200));
    for (name, body) in [
        ("huge", format!("{{\"results\":[{}1]}}", "1,".repeat(3 * 1024 * 1024))),
        ("too many", records(1001)),
        ("deep", deep),
        ("deep lists", format!("{{\"results\":{}", "[".repeat(100_000))),
        ("no JSON", "<html>".into()),
        ("empty", String::new()),
        ("a list", "[]".into()),
        ("null", "null".into()),
        ("no records", "{}".into()),
        ("records of another type", r#"{"results":{"0":{"id":"1"}}}"#.into()),
        ("a record that is none", r#"{"results":[1]}"#.into()),
        ("a record without an id", r#"{"results":[{"id":null}]}"#.into()),
        ("an id of another type", r#"{"results":[{"id":{"$ne":1}}]}"#.into()),
        ("a long id", json!({"results": [{"id": "x".repeat(300)}]}).to_string()),
        ("a cursor of another type", with("paging", json!({"next": {"after": {"a": 1}}}))),
        ("a long cursor", with("paging", json!({"next": {"after": "x".repeat(3000)}}))),
    ] {
        let body = Arc::new(body);
        stage.api.will(move |_| body.to_string());
        let error = stage.error(&format!("connection_id={id}")).await;
        assert_eq!(error["code"], "provider_response_invalid", "{name}: {error}");
        assert!(!error.to_string().contains("xxx"), "{error}");
    }
    for (status, code) in
        [(302, "provider_refused"), (404, "provider_refused"), (500, "upstream_unavailable")]
    {
        let status = StatusCode::from_u16(status).unwrap();
        stage.api.seen();
        stage.api.will(move |_| (status, [("location", "http://169.254.169.254/")]));
        let error = stage.error(&format!("connection_id={id}")).await;
        assert_eq!((&error["code"], &error["provider_status"]), (&json!(code), &json!(status.as_u16())));
        assert_eq!(stage.api.seen().len(), 1, "neither followed nor repeated");
    }
}

#[tokio::test]
async fn values_of_wrong_types_are_left_out() {
    let stage = Stage::start().await;
    stage.connect("hubspot").await;
    let record = json!({
        "id": 7, "createdAt": 5, "updatedAt": "soon", "archived": "no",
        "properties": {"firstname": ["x"], "lastname": {"a": 1}, "email": true, "phone": 4930, "company": "",
            "jobtitle": "a\u{202e}b\n", "mobilephone": null, "hs_additional_emails": ";;a@b.c; a@b.c"},
    });
    stage.api.will(move |_| Json(json!({"results": [record.clone()], "paging": []})));
    let page = stage.page("app_id=hubspot").await;
    let contact = &page["contacts"][0];
    assert_eq!(contact["id"], "7");
    for name in ["first_name", "last_name", "company", "created_at", "updated_at"] {
        assert_eq!(contact[name], Value::Null, "{name}");
    }
    assert_eq!((&contact["emails"], &contact["phones"]), (&json!(["true", "a@b.c"]), &json!(["4930"])));
    assert_eq!((&contact["title"], &page["next_cursor"]), (&json!("ab"), &Value::Null));
}

#[tokio::test]
async fn pages_that_go_round_in_a_circle_end() {
    let stage = Stage::start().await;
    let id = stage.connect("hubspot").await;
    for length in [1, 2, 5] {
        let count = AtomicUsize::new(0);
        stage.api.will(move |_| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            let after = format!("cursor-{}", number % length);
            Json(json!({"results": [{"id": number.to_string(), "properties": {}}], "paging": {"next": {"after": after}}}))
        });
        let (contacts, errors) = stage.all(&format!("connection_id={id}")).await;
        assert!(contacts.len() < 30, "{}", contacts.len());
        assert_eq!(errors[0]["code"], "provider_response_invalid");
    }
    // And empty pages without an end do not keep a request.
    let count = AtomicUsize::new(0);
    stage.api.seen();
    stage.api.will(move |_| {
        let after = count.fetch_add(1, Ordering::Relaxed).to_string();
        Json(json!({"results": [], "paging": {"next": {"after": after}}}))
    });
    let page = stage.page(&format!("connection_id={id}")).await;
    assert!(page["next_cursor"].is_string() && page["errors"] == json!([]));
    assert_eq!(stage.api.seen().len(), 10);
}

#[tokio::test]
async fn a_cursor_that_is_an_address_leads_nowhere() {
    let stage = Stage::start().await;
    stage.connect("hubspot").await;
    stage.api.will(|_| {
        let after = "https://evil.example/x?a=b&limit=1#c";
        Json(json!({"results": [{"id": "1", "properties": {}}], "paging": {"next": {"after": after}}}))
    });
    let page = stage.page("app_id=hubspot").await;
    stage.api.seen();
    stage.page(&format!("app_id=hubspot&cursor={}", text(&page["next_cursor"]))).await;
    let seen = stage.api.seen_one();
    let (path, query) = seen.target.split_once('?').unwrap();
    assert_eq!(path, "/hubspot/crm/objects/2026-03/contacts");
    let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!((&*query["after"], &*query["limit"]), ("https://evil.example/x?a=b&limit=1#c", "20"));
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up() {
    let stage = Stage::start().await;
    let id = stage.connect("hubspot").await;
    stage.api.hold();
    let begin = Instant::now();
    let error = stage.error(&format!("connection_id={id}")).await;
    assert_eq!((&error["code"], &error["retry_after"]), (&json!("upstream_unavailable"), &json!(1)));
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
    stage.api.release();
}

#[tokio::test]
async fn every_call_is_in_the_audit() {
    let (stage, people) = (Stage::start().await, people(3));
    stage.has(&people);
    let id = stage.connect("monday-crm").await;
    stage.all("app_id=monday-crm&search=lovelace").await;
    stage.connect("hubspot").await;
    stage.all("app_id=hubspot&search=canary-search").await;
    let store = &stage.platform.app.store;
    store.write_vendings().await.unwrap();
    let lines = store.vendings(&stage.platform.tenant, &VendingFilter::default(), 100).await.unwrap();
    let told: BTreeSet<_> = lines
        .iter()
        .map(|line| (line.outcome.as_str(), line.calls, line.request.as_ref().unwrap().to_string()))
        .collect();
    // The list of boards, and the two boards.
    let monday = ("proxied", 3, "POST 127.0.0.1/monday-crm/v2 200".to_owned());
    let path = "POST 127.0.0.1/hubspot/crm/objects/*/contacts/search 200".to_owned();
    assert_eq!(told, BTreeSet::from([monday, ("proxied", 1, path)]));
    assert_eq!(lines.iter().filter(|line| line.connection == id).count(), 1);
    assert!(!format!("{lines:?}").contains("canary"));
}

#[tokio::test]
async fn contacts_need_the_capability_of_the_proxy_and_spend_its_budget() {
    let mut config = Config::default();
    config.budgets.proxy = 3;
    let (stage, people) = (Stage::with(config).await, people(3));
    stage.has(&people);
    stage.connect("monday-crm").await;
    stage.connect("monday-crm").await;
    let key = async |capabilities: &[Capability]| {
        stage.platform.app.store.create_key(&stage.platform.tenant, capabilities).await.unwrap().unwrap()
    };
    let others: Vec<_> = Capability::ALL.into_iter().filter(|other| *other != Capability::Proxy).collect();
    let call = |key: &str| stage.platform.call("GET", "/contacts?app_id=monday-crm").key(key);
    call(&key(&others).await).send().await.is_error(403, "capability_disabled");
    // Two calls: the boards, and the contacts of the first.
    let only = key(&[Capability::Proxy]).await;
    let answer = call(&only).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("ratelimit").starts_with("\"proxy\";r=1"), "{:?}", answer.headers);
    // One is left: the other board is empty, and what comes after it is not asked for.
    let next = text(&answer.json["data"]["next_cursor"]);
    let path = format!("/contacts?app_id=monday-crm&cursor={next}");
    let answer = stage.platform.call("GET", &path).key(&only).send().await;
    assert!(answer.json["data"]["contacts"] == json!([]) && answer.json["data"]["next_cursor"].is_string());
    call(&only).send().await.is_error(429, "rate_limited");
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let stage = Stage::start().await;
    let hubspot = stage.connect("hubspot").await;
    let gmail = stage.platform.authorised(None, None).await;
    let link =
        stage.platform.link(json!({"app_id": "hubspot", "name": "x", "allow_multiple_connections": true}));
    let pending = text(&link.await["connection_id"]);
    let unknown = format!("conn_{}", "0".repeat(hubspot.len() - 5));
    for (query, status, code) in [
        ("app_id=nothing".to_owned(), 404, "app_not_found"),
        ("app_id=gmail".to_owned(), 400, "invalid_request"),
        (format!("connection_id={gmail}"), 400, "invalid_request"),
        (format!("connection_id={unknown}"), 404, "connection_deleted"),
        ("connection_id=x".to_owned(), 404, "connection_deleted"),
        (format!("connection_id={pending}"), 409, "connection_not_active"),
        (format!("app_id=hubspot&connection_id={hubspot}"), 400, "invalid_request"),
        ("app_id=hubspot&provider=hubspot".to_owned(), 400, "invalid_request"),
        ("app_id=hubspot&app_id=hubspot".to_owned(), 400, "invalid_request"),
        ("limit=0".to_owned(), 400, "invalid_request"),
        ("limit=101".to_owned(), 400, "invalid_request"),
        ("search=a%0ab".to_owned(), 400, "invalid_request"),
        (format!("search={}", "x".repeat(201)), 400, "invalid_request"),
    ] {
        let answer = stage.get(&query).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        answer.is_error(status, code);
    }
    let answer = stage.get("app_id=gmail").await;
    assert!(answer.text.contains("gohighlevel, hubspot, monday-crm, pipedrive, zoho-crm"), "{}", answer.text);
    let bobs = stage.platform.call("GET", &format!("/contacts?connection_id={hubspot}"));
    bobs.customer("bob@example.com").send().await.is_error(404, "connection_deleted");
    let bobs = stage.platform.call("GET", "/contacts").customer("bob@example.com").send().await;
    assert_eq!(*bobs.data(), json!({"contacts": [], "next_cursor": null, "errors": []}));
    stage
        .platform
        .call("GET", "/contacts")
        .without("x-user-email")
        .send()
        .await
        .is_error(400, "invalid_user_email");
    assert!(stage.api.seen().is_empty());
}
