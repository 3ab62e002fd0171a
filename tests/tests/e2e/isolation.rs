//! Every endpoint of the contract, called by whoever must not get anything from it. The matrix is made from the
//! contract itself, so that a new endpoint is in it, or fails here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use connect_tests::service_process::{Home, Service, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ALICE, Answer, KEY_APP, Raw, answer};

const BOB: &str = "bob@example.com";
const ALL: [&str; 8] = ["apps", "connections", "token", "delete", "admin", "import", "events", "proxy"];

/// Public by their nature: pages that a customer's browser visits (their links are secrets of their own), CORS
/// preflights, which look at nothing, and the probes. The MCP URL is a secret of its own, too; the clients of
/// tests/mcp try it.
const PUBLIC: [&str; 15] = [
    "getLogo",
    "openAdminPage",
    "submitAdminPage",
    "openConnectPage",
    "submitConnectPage",
    "authorize",
    "authorizeFromForm",
    "oauthCallback",
    "openOauthResult",
    "getLiveness",
    "getReadiness",
    "preflightConnectionStatus",
    "preflightAuthOptions",
    "preflightSubmit",
    "callMcpByUrl",
];

/// An error for its owner, too: there is no newer key, nobody has consented, and the client was removed in Bob's name.
const NEEDS_A_STATE: [&str; 5] =
    ["promoteKey", "confirmConnection", "deleteOAuthClient", "deleteOrganizationOAuthClient", "setLogo"];

/// They would end the key that asks, or change what it opens; tests of the service have them.
const OF_THE_KEY: [&str; 3] = ["revokeKey", "createMcpUrl", "revokeMcpUrl"];

/// One endpoint, as the contract describes it.
struct Operation {
    id: String,
    method: Method,
    path: String,
    /// `tenantKey`, `requestToken`, or nothing.
    security: Option<String>,
    /// Whether it is about a customer.
    customer: bool,
    /// What it needs, as its description says.
    capability: Option<String>,
    /// The members of its body.
    body: Option<Vec<String>>,
    statuses: Vec<String>,
}

impl Operation {
    /// Whether it is about one connection or key, which can be anothers'.
    fn names_one(&self) -> bool {
        let member = |name: &str| self.body.iter().flatten().any(|member| member == name);
        self.path.contains("{connectionId}")
            || self.path.contains("{webhookId}")
            || member("connection_id")
            || member("key_id")
    }
}

fn contract() -> Vec<Operation> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/platform.yaml");
    let contract: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let resolve = |value: &Value| -> Value {
        match value["$ref"].as_str() {
            Some(reference) => contract.pointer(&reference[1..]).unwrap().clone(),
            None => value.clone(),
        }
    };
    let mut operations = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let security = operation.get("security").unwrap_or(&contract["security"]);
            let schemes = security.as_array().unwrap().first().and_then(Value::as_object);
            let parameters = [&item["parameters"], &operation["parameters"]];
            let mut parameters = parameters.iter().filter_map(|list| list.as_array()).flatten();
            let description = operation["description"].as_str().unwrap_or_default();
            let needs = description.split("Needs the capability `").nth(1);
            let body = operation.get("requestBody").map(|body| {
                let schema = resolve(&resolve(body)["content"]["application/json"]["schema"]);
                let members = schema["properties"].as_object();
                members.into_iter().flat_map(|members| members.keys().cloned()).collect()
            });
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                security: schemes.and_then(|schemes| schemes.keys().next().cloned()),
                customer: parameters.any(|parameter| resolve(parameter)["name"] == "x-user-email"),
                capability: needs.map(|rest| rest.split('`').next().unwrap_or_default().to_owned()),
                body,
                statuses: operation["responses"].as_object().unwrap().keys().cloned().collect(),
            });
        }
    }
    operations
}

/// A tenant with a key for everything.
struct Tenant {
    raw: Raw,
    key: String,
    id: String,
}

struct Stage {
    home: Home,
    service: Service,
    acme: Tenant,
    other: Tenant,
}

impl Stage {
    async fn start() -> Self {
        // No real provider is asked about the credentials that are made up here.
        let environment = vec![("CONNECT_BUDGETS_VERIFICATION", "0".to_owned())];
        let home = Home::new(&Settings { environment, ..Settings::default() }).unwrap();
        let service = home.start().await.unwrap();
        let acme = Self::tenant(&home, &service).await;
        let other = Self::tenant(&home, &service).await;
        Self { home, service, acme, other }
    }

    async fn tenant(home: &Home, service: &Service) -> Tenant {
        let id = home.run(&["tenant", "create", "Acme"]).await.unwrap();
        let key = home.key(&id, &ALL.join(",")).await.unwrap();
        let raw = Raw::new(service, &key);
        Tenant { raw, key, id }
    }

    /// The id of the key that the tenant calls with.
    async fn key_id(&self, tenant: &Tenant) -> String {
        let keys = tenant.raw.get("/keys").await.data();
        let mut keys = keys["keys"].as_array().unwrap().iter();
        let current = keys.find(|key| key["current"] == true).unwrap();
        current["id"].as_str().unwrap().to_owned()
    }

    /// A new connection of Alice's: its id and request token. It is active where it is to be so.
    async fn connection(&self, tenant: &Tenant, active: bool) -> (String, String) {
        let body = json!({"app_id": KEY_APP, "name": "Mail"});
        let link = tenant.raw.request(Method::POST, "/connections/request-link");
        let link = answer(link.json(&body)).await.data();
        let text = |name: &str| link[name].as_str().unwrap().to_owned();
        let (id, token) = (text("connection_id"), text("request_token"));
        if active {
            let form = self.form(&id, &token).await;
            let submit = tenant.raw.keyless(Method::POST, &format!("/connections/{id}/submit"));
            let submitted = answer(submit.header("x-request-token", &token).json(&form)).await;
            assert_eq!(submitted.data()["status"], "active", "{}", submitted.text);
        }
        (id, token)
    }

    /// A new webhook endpoint's id.
    async fn webhook(&self, tenant: &Tenant) -> String {
        let new = tenant.raw.request(Method::POST, "/webhooks");
        let new = answer(new.json(&json!({"url": "http://127.0.0.1:1/"}))).await;
        new.data()["id"].as_str().unwrap_or_else(|| panic!("{}", new.text)).to_owned()
    }

    /// Clients to look at and to remove.
    async fn enter_clients(&self) {
        for path in ["/apps/gmail/oauth-client", "/organizations/org_1/apps/gmail/oauth-client"] {
            let put = self.acme.raw.request(Method::PUT, path);
            let client = json!({"client_id": "acmes-client", "client_secret": "canary-secret"});
            answer(put.json(&client)).await.data();
        }
    }

    /// A filled-in form of the app.
    async fn form(&self, id: &str, token: &str) -> Value {
        let options = self.acme.raw.keyless(Method::GET, &format!("/connections/{id}/auth-options"));
        let options = answer(options.header("x-request-token", token)).await.data();
        let option = &options["auth_options"][0];
        let fields = option["input_schema"]["required"].as_array().unwrap();
        let fields: BTreeMap<_, _> =
            fields.iter().map(|name| (name.as_str().unwrap(), "canary-field")).collect();
        json!({"auth_option_key": option["key"], "fields": fields})
    }
}

/// Who calls, and about what.
#[derive(Clone)]
struct Call<'a> {
    key: Option<&'a str>,
    customer: &'a str,
    id: &'a str,
    key_id: &'a str,
    webhook_id: &'a str,
    token: Option<&'a str>,
    form: Value,
}

async fn call(stage: &Stage, operation: &Operation, call: &Call<'_>) -> Answer {
    let path = operation
        .path
        .replace("{appId}", "gmail")
        .replace("{organizationId}", "org_1")
        .replace("{connectionId}", call.id)
        .replace("{webhookId}", call.webhook_id)
        .replace("{usageId}", "workflow-1")
        .replace("{path}", "x");
    assert!(!path.contains('{'), "{path}: a parameter that this test does not know");
    // Other endpoints have left usages.
    let path = if operation.id == "deleteCustomer" { path + "?force=true" } else { path };
    let mut request = stage.acme.raw.keyless(operation.method.clone(), &path);
    if let Some(key) = call.key {
        request = request.bearer_auth(key);
    }
    if operation.customer {
        request = request.header("x-user-email", call.customer);
    }
    if let Some(token) = call.token {
        request = request.header("x-request-token", token);
    }
    if let Some(members) = &operation.body {
        let has = |name: &str| members.iter().any(|member| member == name);
        let body = match () {
            () if has("jsonrpc") => json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
            () if has("connection_id") => json!({"connection_id": call.id}),
            () if has("code") => json!({"code": "c"}),
            () if has("access_token") => {
                json!({"app_id": KEY_APP, "name": "Mail", "fields": {"api_key": "canary-field"}})
            }
            () if has("rejected_token_sha256") => json!({"rejected_token_sha256": "0".repeat(64)}),
            () if has("metadata") => json!({"name": "Theirs", "metadata": {"a": 1}}),
            () if has("url") => json!({"url": "http://127.0.0.1:1/"}),
            () if has("event_id") => json!({"since": "2026-11-29T12:00:00Z"}),
            () if has("capabilities") => json!({"name": "Another", "capabilities": ["apps"]}),
            () if members == &["name"] || has("accent_color") => json!({}),
            () if has("managed_by") => json!({}),
            () if has("client_secret") => json!({"client_id": "c", "client_secret": "canary-secret"}),
            () if has("key_id") => json!({"key_id": call.key_id}),
            () => call.form.clone(),
        };
        request = request.json(&body);
    }
    let answer = answer(request).await;
    assert!(!answer.text.contains("canary-secret"), "{}: {}", operation.id, answer.text);
    answer
}

/// All that can be seen of an answer, but for its own id, when it was given, and how the caller's own budget stands.
fn seen(answer: &Answer) -> (u16, BTreeMap<String, String>, String) {
    let own = ["x-request-id", "date", "ratelimit"];
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !own.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, headers.collect(), answer.text.clone())
}

#[tokio::test]
async fn every_endpoint_of_the_contract_keeps_to_its_caller() {
    let stage = Stage::start().await;
    let (own_key_id, others_key_id) = (stage.key_id(&stage.acme).await, stage.key_id(&stage.other).await);
    let others_webhook_id = stage.webhook(&stage.other).await;
    let mut lacking = BTreeMap::new();
    for missing in ALL {
        let rest: Vec<_> = ALL.into_iter().filter(|capability| *capability != missing).collect();
        let key = stage.home.key(&stage.acme.id, &rest.join(",")).await.unwrap();
        lacking.insert(missing, key);
    }
    let unknown = "conn_000000000000000000000000";
    let mut cells = 0;
    for operation in contract() {
        if PUBLIC.contains(&operation.id.as_str()) || OF_THE_KEY.contains(&operation.id.as_str()) {
            continue;
        }
        let at = format!("{} {}", operation.method, operation.path);
        let public = operation.security.as_deref() == Some("requestToken");
        stage.enter_clients().await;
        let (id, token) = stage.connection(&stage.acme, !public).await;
        let (others_id, others_token) = stage.connection(&stage.other, false).await;
        let webhook_id = match operation.path.contains("{webhookId}") {
            true => stage.webhook(&stage.acme).await,
            false => String::new(),
        };
        let own = Call {
            key: (!public).then_some(stage.acme.key.as_str()),
            customer: ALICE,
            id: &id,
            key_id: &own_key_id,
            webhook_id: &webhook_id,
            token: public.then_some(token.as_str()),
            form: if public { stage.form(&id, &token).await } else { Value::Null },
        };
        let others_key = own.key.map(|_| stage.other.key.as_str());

        // Whoever is not let in at all.
        if !public {
            assert_eq!(operation.security.as_deref(), Some("tenantKey"), "{at}");
            for key in [None, Some("pk_live_unknown"), Some(token.as_str())] {
                call(&stage, &operation, &Call { key, ..own.clone() })
                    .await
                    .assert_error(401, "invalid_api_key");
                cells += 1;
            }
            if operation.id != "callMcp" {
                let capability = operation.capability.as_deref();
                let capability =
                    capability.unwrap_or_else(|| panic!("{at}: the contract names no capability"));
                let key = Some(lacking[capability].as_str());
                call(&stage, &operation, &Call { key, ..own.clone() })
                    .await
                    .assert_error(403, "capability_disabled");
                cells += 1;
            }
        }

        // Whoever is let in, but not to this. What is unknown, and what is anothers', is the same answer.
        if operation.names_one() {
            let nobodys =
                Call { id: unknown, key_id: "key_unknown", webhook_id: "whe_unknown", ..own.clone() };
            let nobodys = call(&stage, &operation, &nobodys).await;
            assert_eq!(nobodys.status, 404, "{at}: {}", nobodys.text);
            let mut strangers = vec![if public {
                Call { token: Some(&others_token), ..own.clone() }
            } else {
                Call { key: others_key, ..own.clone() }
            }];
            if public {
                strangers.push(Call { token: None, ..own.clone() });
                strangers.push(Call { key: Some(&stage.acme.key), token: None, ..own.clone() });
            } else if operation.customer {
                strangers.push(Call { customer: BOB, ..own.clone() });
                strangers.push(Call { key: others_key, customer: BOB, ..own.clone() });
            } else {
                let (key_id, webhook_id) = (others_key_id.as_str(), others_webhook_id.as_str());
                let others = Call { id: &others_id, key_id, webhook_id, ..own.clone() };
                strangers.push(others);
            }
            for stranger in &strangers {
                let answer = call(&stage, &operation, stranger).await;
                assert_eq!(seen(&answer), seen(&nobodys), "{at}");
                cells += 1;
            }
        } else if !public {
            for stranger in [Call { key: others_key, ..own.clone() }, Call { customer: BOB, ..own.clone() }] {
                let answer = call(&stage, &operation, &stranger).await;
                let foreign = [id.as_str(), &own_key_id, "acmes-client"]
                    .into_iter()
                    .any(|own| answer.text.contains(own));
                // Keys and OAuth clients are the tenant's, not the customer's.
                assert!(!foreign || (!operation.customer && stranger.key == own.key), "{at}");
                cells += 1;
            }
        }

        // With the owner's own call a real provider would be called; tests of the service do that with another.
        if operation.id.starts_with("proxy") {
            continue;
        }

        // After all that, its owner finds it as it was.
        let answer = call(&stage, &operation, &own).await;
        assert!(
            operation.statuses.contains(&answer.status.to_string())
                && (answer.status < 300 || NEEDS_A_STATE.contains(&operation.id.as_str())),
            "{at}: {}",
            answer.text
        );
        cells += 1;
    }
    println!("{cells} cells of the matrix");
    assert!(cells >= 100, "{cells}");
    drop(stage.service);
}

/// How likely it is that a value of `a` is larger than one of `b`: a half where they cannot be told apart.
fn likelihood(a: &[Duration], b: &[Duration]) -> f64 {
    let score = |x: &Duration, y: &Duration| match x.cmp(y) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let sum: f64 = a.iter().map(|x| b.iter().map(|y| score(x, y)).sum::<f64>()).sum();
    sum / (a.len() * b.len()) as f64
}

#[test]
fn the_likelihood_tells_a_small_shift() {
    // Noise of up to a millisecond, and a shift of three tenths of one.
    let noise = |seed: u64| (0..200).map(move |i| Duration::from_micros((i * 7919 + seed) % 1000));
    let (a, b): (Vec<_>, Vec<_>) = (noise(0).collect(), noise(500).collect());
    assert!((likelihood(&a, &b) - 0.5).abs() < 0.05);
    let shifted: Vec<_> = a.iter().map(|time| *time + Duration::from_micros(300)).collect();
    assert!(likelihood(&shifted, &b) > 0.5 + TOLERANCE);
}

/// Five standard errors of the likelihood with so many pairs.
const PAIRS: u32 = 200;
const TOLERANCE: f64 = 0.15;
/// A real difference shows every time; noise does not.
const TRIES: u32 = 3;

#[tokio::test]
async fn what_is_anothers_takes_as_long_as_what_is_unknown() {
    let stage = Stage::start().await;
    let (id, _) = stage.connection(&stage.acme, true).await;
    let (_, others_token) = stage.connection(&stage.other, false).await;
    let unknown = "conn_000000000000000000000000";
    for operation in contract() {
        if !operation.path.contains("{connectionId}") || PUBLIC.contains(&operation.id.as_str()) {
            continue;
        }
        let public = operation.security.as_deref() == Some("requestToken");
        let anothers = Call {
            key: (!public).then_some(stage.other.key.as_str()),
            customer: ALICE,
            id: &id,
            key_id: "",
            webhook_id: "",
            token: public.then_some(others_token.as_str()),
            form: json!({"auth_option_key": "oauth", "fields": {}}),
        };
        let nobodys = Call { id: unknown, ..anothers.clone() };
        let timed = async |one: &Call<'_>| {
            let start = Instant::now();
            let answer = call(&stage, &operation, one).await;
            assert_eq!(answer.status, 404);
            start.elapsed()
        };
        let mut found = Vec::new();
        for _ in 0..TRIES {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            for pair in 0..PAIRS {
                // In turns, so that whatever else the machine does strikes both alike.
                if pair % 2 == 0 {
                    a.push(timed(&anothers).await);
                    b.push(timed(&nobodys).await);
                } else {
                    b.push(timed(&nobodys).await);
                    a.push(timed(&anothers).await);
                }
            }
            found.push(likelihood(&a, &b));
            if (found[found.len() - 1] - 0.5).abs() <= TOLERANCE {
                break;
            }
        }
        println!("{} {}: {found:.3?}", operation.method, operation.path);
        let last = found[found.len() - 1];
        assert!((last - 0.5).abs() <= TOLERANCE, "{}: {found:?}", operation.id);
    }
}
