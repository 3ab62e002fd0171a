//! From a step's neutral names to the SDK's calls.

use std::fmt::Debug;
use std::future::IntoFuture;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, TryStreamExt, stream};
use pabbly_connect::bindings::{self, AnyPages, PreparedCall};
use pabbly_connect::{
    CallOptions, Client, Error, ExposeSecret, Item, List, Page, ProxyBody, ResponseBody, SecretString, Token,
};
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::report::{Prints, request_of, token_of};
use super::{Form, Handed};

type Ended = Result<Handed, Error>;

/// What a call has told so far; it stays when the call fails or is cancelled.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    items: Vec<Value>,
    polls: Vec<Value>,
    prints: Prints,
}

impl Told {
    fn item(&self, item: Value, debug: Option<&dyn Debug>) {
        let mut notes = self.notes();
        notes.items.push(item);
        if let Some(debug) = debug {
            notes.prints.debug("item", &debug);
        }
    }

    fn len(&self) -> usize {
        self.notes().items.len()
    }

    /// The items as JSON; their printed forms go to `prints`.
    pub(crate) fn items(&self, prints: &mut Prints) -> Value {
        let mut notes = self.notes();
        prints.0.append(&mut notes.prints.0);
        json!(notes.items)
    }

    pub(crate) fn polls(&self) -> Vec<Value> {
        self.notes().polls.clone()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The call that a step describes. Nothing is sent before it is polled.
pub(crate) fn begin<'a>(
    client: &'a Client,
    step: &'a Value,
    form: Form,
    told: &'a Told,
) -> Pin<Box<dyn Future<Output = Ended> + Send + 'a>> {
    Box::pin(async move {
        if form == Form::Json && step["call"] != "setApiKey" {
            return match step["call"].as_str() {
                Some("proxy") => proxy_by_name(client, step).await,
                _ => by_name(client, step, told).await,
            };
        }
        let with = &step["with"];
        let text = |name: &str| with[name].as_str().unwrap_or_default();
        let number = |name: &str| with[name].as_u64();
        let options = CallOptions {
            timeout: milliseconds(&step["options"]["timeoutMs"]),
            deadline: milliseconds(&step["options"]["deadlineMs"]),
            max_retries: step["options"]["maxRetries"].as_u64().map(|n| n as u32),
        };
        let customer = || client.customer(text("email"));
        match step["call"].as_str().unwrap_or_default() {
            "listApps" => {
                let mut list = paged(client.list_apps().options(options), with);
                if let Some(search) = with["search"].as_str() {
                    list = list.search(search);
                }
                run_list(list, "apps", step, told).await
            }
            "listConnections" => {
                let customer = customer()?;
                let mut list = paged(customer.list_connections().options(options), with);
                if let Some(app_id) = with["appId"].as_str() {
                    list = list.app_id(app_id);
                }
                if let Some(status) = with["status"].as_str() {
                    list = list.status(status.to_owned().into());
                }
                if let Some(customer_id) = with["customerId"].as_str() {
                    list = list.customer_id(customer_id);
                }
                if let Some(needs_reconnection) = with["needsReconnection"].as_bool() {
                    list = list.needs_reconnection(needs_reconnection);
                }
                run_list(list, "connections", step, told).await
            }
            "getApp" => {
                let call = client.get_app(text("appId")).options(options);
                call.await.map(|app| shown("App", &app))
            }
            "createRequestLink" => {
                let mut call = customer()?.create_request_link(text("appId"), text("name")).options(options);
                let texts = |name: &str| {
                    let texts = with[name].as_array().into_iter().flatten();
                    texts.map(|text| text.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
                };
                for name in with.as_object().into_iter().flat_map(|with| with.keys()) {
                    call = match name.as_str() {
                        "email" | "appId" | "name" => call,
                        "connectionId" => call.connection_id(text(name)),
                        "authOptionKey" => call.auth_option_key(text(name)),
                        "allowedApps" => call.allowed_apps(texts(name)),
                        "returnUrl" => call.return_url(text(name)),
                        "allowedOrigin" => call.allowed_origin(text(name)),
                        "displayName" => call.display_name(text(name)),
                        "expiresIn" => call.expires_in(Duration::from_secs(number(name).unwrap_or_default())),
                        "allowMultipleConnections" => call.allow_multiple_connections(with[name] == true),
                        "scopes" => call.scopes(texts(name)),
                        "confirm" => call.confirm(with[name] == true),
                        "allowAccountChange" => call.allow_account_change(with[name] == true),
                        "customerId" => call.customer_id(text(name)),
                        "customerName" => call.customer_name(text(name)),
                        "metadata" => call.metadata(object(&with[name])),
                        "organization" => call.organization(object(&with[name])),
                        "webhookUrl" => call.webhook_url(text(name)),
                        "idempotencyKey" => call.idempotency_key(text(name)),
                        unknown => panic!("createRequestLink has no option {unknown}"),
                    };
                }
                call.await.map(|link| shown("RequestLink", &link))
            }
            "getConnection" => {
                let customer = customer()?;
                let call = customer.get_connection(text("id")).options(options);
                call.await.map(|connection| {
                    let mut handed = shown("Connection", &connection);
                    handed.prints.debug("customer", &customer);
                    handed
                })
            }
            "confirmConnection" => {
                let call = customer()?.confirm_connection(text("id"), text("code")).options(options);
                call.await.map(|connection| shown("Connection", &connection))
            }
            "waitForConnection" => {
                let mut wait = customer()?.wait_for_connection(text("id"));
                if let Some(interval) = milliseconds(&with["intervalMs"]) {
                    wait = wait.interval(interval);
                }
                if let Some(timeout) = milliseconds(&with["timeoutMs"]) {
                    wait = wait.timeout(timeout);
                }
                if with["onPoll"] == true {
                    let told = told.clone();
                    wait = wait.on_poll(move |poll| {
                        let next_in = poll.next_in.as_millis() as u64;
                        let poll = json!({ "status": poll.status, "phase": poll.phase, "nextInMs": next_in });
                        told.notes().polls.push(poll);
                    });
                }
                wait.await.map(|connection| shown("Connection", &connection))
            }
            "getToken" => {
                let mut call = customer()?.get_token(text("id")).options(options);
                if let Some(rejected) = with.get("rejected") {
                    call = call.rejected(&serde_json::from_value(rejected.clone()).expect("a token"));
                }
                handed_token(call.await?, &with["apply"])
            }
            "proxy" => {
                let method = with["method"].as_str().unwrap_or("GET");
                let mut call = customer()?.proxy(text("id"), method, text("path")).options(options);
                for (name, value) in with["query"].as_object().into_iter().flatten() {
                    call = call.query(name, value.as_str().unwrap_or_default());
                }
                let mut length = None;
                for (name, value) in with["headers"].as_object().into_iter().flatten() {
                    let value = value.as_str().unwrap_or_default();
                    match name.as_str() {
                        "content-length" => length = value.parse().ok(),
                        _ => call = call.header(name, value),
                    }
                }
                let parts = stream::iter(parts(with).into_iter().map(Ok::<_, std::io::Error>));
                let call = match (&with["bodyParts"], length) {
                    (Value::Null, _) if with["body"].is_string() => call.body(text("body").to_owned()),
                    (Value::Null, _) => call,
                    (_, Some(length)) => call.body(ProxyBody::sized_stream(length, parts)),
                    _ => call.body(ProxyBody::stream(parts)),
                };
                handed_response(call.await?).await
            }
            "updateConnection" => {
                let mut call = customer()?.update_connection(text("id")).options(options);
                for (name, value) in with.as_object().into_iter().flatten() {
                    call = match (name.as_str(), value) {
                        ("email" | "id", _) => call,
                        ("name", _) => call.name(text(name)),
                        ("customerId", Value::Null) => call.clear_customer_id(),
                        ("customerId", _) => call.customer_id(text(name)),
                        ("customerName", Value::Null) => call.clear_customer_name(),
                        ("customerName", _) => call.customer_name(text(name)),
                        ("metadata", _) => call.metadata(object(value)),
                        (unknown, _) => panic!("updateConnection has no option {unknown}"),
                    };
                }
                call.await.map(|connection| shown("Connection", &connection))
            }
            "importConnection" => {
                let mut call = customer()?.import_connection(text("appId"), text("name")).options(options);
                let value = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                for (name, given) in with.as_object().into_iter().flatten() {
                    call = match name.as_str() {
                        "email" | "appId" | "name" => call,
                        "authOptionKey" => call.auth_option_key(text(name)),
                        "fields" => {
                            let fields = given.as_object().into_iter().flatten();
                            call.fields(fields.map(|(name, text)| (name, value(text))))
                        }
                        "accessToken" => call.access_token(text(name)),
                        "tokenType" => call.token_type(text(name)),
                        "expiresIn" => call.expires_in(Duration::from_secs(number(name).unwrap_or_default())),
                        "scopes" => call.scopes(given.as_array().into_iter().flatten().map(value)),
                        "providerData" => call.provider_data(object(given)),
                        "customerId" => call.customer_id(text(name)),
                        "customerName" => call.customer_name(text(name)),
                        "metadata" => call.metadata(object(given)),
                        "idempotencyKey" => call.idempotency_key(text(name)),
                        unknown => panic!("importConnection has no option {unknown}"),
                    };
                }
                call.await.map(|connection| shown("Connection", &connection))
            }
            "verifyConnection" => {
                let call = customer()?.verify_connection(text("id")).options(options);
                call.await.map(|verification| shown("Verification", &verification))
            }
            "addUsage" => {
                let call = customer()?.add_usage(text("id"), text("usageId")).options(options);
                call.await.map(|_| nothing())
            }
            "removeUsage" => {
                let call = customer()?.remove_usage(text("id"), text("usageId")).options(options);
                call.await.map(|_| nothing())
            }
            "listAuthOptions" => {
                let call = client.list_auth_options(text("id"), text("requestToken")).options(options);
                call.await.map(|list| shown("AuthOptionList", &list))
            }
            "submitCredentials" => {
                let key = text("authOptionKey");
                let mut call =
                    client.submit_credentials(text("id"), text("requestToken"), key).options(options);
                if let Some(app_id) = with["appId"].as_str() {
                    call = call.app_id(app_id);
                }
                if let Some(fields) = with["fields"].as_object() {
                    let value = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    call = call.fields(fields.iter().map(|(name, text)| (name, value(text))));
                }
                call.await.map(|submission| shown("Submission", &submission))
            }
            "listKeys" => {
                let call = client.list_keys().options(options);
                call.await.map(|list| shown("KeyList", &list))
            }
            "rotateKey" => {
                let mut call = client.rotate_key().options(options);
                if let Some(key_id) = with["keyId"].as_str() {
                    call = call.key_id(key_id);
                }
                call.await.map(|key| {
                    let mut prints = Prints::default();
                    prints.debug("RotatedKey", &key);
                    let mut value = json!(key.extra);
                    value["key_id"] = json!(key.key_id);
                    value["api_key"] = json!(key.api_key.expose_secret());
                    value["replaces"] = json!(key.replaces);
                    Handed { value, prints }
                })
            }
            "promoteKey" => {
                let mut call = client.promote_key().options(options);
                if let Some(key_id) = with["keyId"].as_str() {
                    call = call.key_id(key_id);
                }
                call.await.map(|key| shown("PromotedKey", &key))
            }
            "deleteConnection" => {
                let call = customer()?.delete_connection(text("id")).options(options);
                call.await.map(|_| nothing())
            }
            "events" => {
                let mut events = client.events().options(options);
                for (name, given) in with.as_object().into_iter().flatten() {
                    events = match name.as_str() {
                        "after" => events.after(text(name)),
                        "types" => {
                            let types = given.as_array().into_iter().flatten();
                            events.types(types.map(|name| name.as_str().unwrap_or_default()))
                        }
                        "connectionId" => events.connection_id(text(name)),
                        "limit" => events.limit(number(name).unwrap_or_default()),
                        "waitMs" => events.wait(milliseconds(given).unwrap_or_default()),
                        unknown => panic!("events has no option {unknown}"),
                    };
                }
                let most = step["take"].as_u64().map_or(usize::MAX, |n| n as usize);
                iterate(events.stream(), most, told).await?;
                Ok(nothing())
            }
            "setApiKey" => client.set_api_key(text("apiKey")).map(|()| nothing()),
            unknown => panic!("no method is called {unknown}"),
        }
    })
}

fn milliseconds(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_millis)
}

fn paged<T: Item>(mut list: List<T>, with: &Value) -> List<T> {
    if let Some(page) = with["page"].as_u64() {
        list = list.page(page);
    }
    if let Some(limit) = with["limit"].as_u64() {
        list = list.limit(limit);
    }
    list
}

/// One page, or as many items as are wanted, under the wire's name for them.
async fn run_list<T: Item + Debug + Serialize>(
    list: List<T>,
    member: &str,
    step: &Value,
    told: &Told,
) -> Ended
where
    List<T>: IntoFuture<Output = Result<Page<T>, Error>>,
{
    if step["iterate"] == true {
        let most = step["take"].as_u64().map_or(usize::MAX, |n| n as usize);
        iterate(list.stream(), most, told).await?;
        return Ok(Handed { value: Value::Null, prints: Prints::default() });
    }
    let mut handed = shown("Page", &list.await?);
    if let Some(page) = handed.value.as_object_mut()
        && let Some(items) = page.remove("items")
    {
        page.insert(member.to_owned(), items);
    }
    Ok(handed)
}

async fn iterate<T: Debug + Serialize + Send>(
    stream: impl Stream<Item = Result<T, Error>> + Send,
    most: usize,
    told: &Told,
) -> Result<(), Error> {
    let mut stream = pin!(stream);
    while told.len() < most {
        let Some(item) = stream.try_next().await? else {
            break;
        };
        told.item(json!(item), Some(&item));
    }
    Ok(())
}

/// The call as bindings make it: all names as they are in the step, and JSON for what it gives.
async fn by_name(client: &Client, step: &Value, told: &Told) -> Ended {
    let call = step["call"].as_str().unwrap_or_default();
    let names: &[&str] = match call {
        "listApps" | "createRequestLink" | "importConnection" | "listConnections" | "listKeys"
        | "rotateKey" | "promoteKey" | "events" => &[],
        "getApp" => &["appId"],
        "confirmConnection" => &["id", "code"],
        "addUsage" | "removeUsage" => &["id", "usageId"],
        "listAuthOptions" | "submitCredentials" => &["id", "requestToken"],
        _ => &["id"],
    };
    let with = &step["with"];
    let text = |name: &str| with[name].as_str().unwrap_or_default().to_owned();
    let members = |value: &'_ Value| value.as_object().cloned().into_iter().flatten();
    let options = members(with)
        .filter(|(name, _)| !names.contains(&name.as_str()))
        .filter(|(name, _)| !["email", "onPoll", "apply"].contains(&name.as_str()));
    let options = options.chain(members(&step["options"])).map(|(name, value)| (name, option(value)));
    let arguments: Vec<String> = names.iter().map(|name| text(name)).collect();
    let call = bindings::prepare(client, call, with["email"].as_str(), &arguments, options.collect())?;
    match call {
        call if step["iterate"] == true => {
            let member = match step["call"].as_str() {
                Some("listApps") => "apps",
                Some("events") => "events",
                _ => "connections",
            };
            let most = step["take"].as_u64().map_or(usize::MAX, |n| n as usize);
            iterate_json(call.pages().expect("it is iterated over"), member, most, told).await?;
            Ok(nothing())
        }
        PreparedCall::Wait(wait) if with["onPoll"] == true => {
            let told = told.clone();
            let wait = wait.on_poll(move |poll| {
                let poll = serde_json::from_str(&bindings::poll_json(poll)).unwrap_or_default();
                told.notes().polls.push(poll);
            });
            PreparedCall::Wait(wait).json().await.map(parsed)
        }
        PreparedCall::Token(call) if with["apply"].is_string() => handed_token(call.await?, &with["apply"]),
        PreparedCall::Nothing(call) => call.await.map(|_| nothing()),
        call => call.json().await.map(parsed),
    }
}

/// The same of a proxied call, whose bodies pass part by part.
async fn proxy_by_name(client: &Client, step: &Value) -> Ended {
    let with = &step["with"];
    let text = |name: &str| with[name].as_str().unwrap_or_default();
    let members = |value: &Value| value.as_object().cloned().into_iter().flatten();
    let options = members(with)
        .filter(|(name, _)| !["email", "id", "body", "bodyParts"].contains(&name.as_str()))
        .chain(members(&step["options"]))
        .map(|(name, value)| (name, option(value)));
    let (sender, in_parts) = bindings::body_in_parts();
    let body = match (&with["bodyParts"], &with["body"]) {
        (Value::Null, Value::Null) => ProxyBody::default(),
        (Value::Null, _) => text("body").to_owned().into(),
        _ => in_parts,
    };
    let call = bindings::proxy(client, text("email"), text("id"), body, options.collect())?;
    let feed = async {
        for part in parts(with) {
            if !sender.send(part.into()).await {
                return;
            }
        }
        sender.finish();
    };
    let (response, ()) = tokio::join!(bindings::ProxyResponse::of(call), feed);
    let response = response?;
    let mut prints = Prints::default();
    let mut body = Vec::new();
    while let Some(part) = response.body.next().await? {
        body.extend_from_slice(&part);
    }
    let head: Value = serde_json::from_str(&response.head).expect("JSON");
    let pairs = head["headers"].as_array().into_iter().flatten();
    let headers: Map<_, _> =
        pairs.map(|pair| (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].clone())).collect();
    prints.add("ProxyResponse", "head", response.head);
    let body = String::from_utf8_lossy(&body);
    Ok(Handed { value: json!({ "status": head["status"], "headers": headers, "body": body }), prints })
}

/// The parts of a proxied request's body.
fn parts(with: &Value) -> Vec<String> {
    let parts = with["bodyParts"].as_array().into_iter().flatten();
    parts.map(|part| part.as_str().unwrap_or_default().to_owned()).collect()
}

async fn handed_response(response: axum::http::Response<ResponseBody>) -> Ended {
    let mut prints = Prints::default();
    prints.debug("Response", &response);
    let text = |value: &HeaderValue| json!(String::from_utf8_lossy(value.as_bytes()));
    let headers: Map<_, _> =
        response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let status = response.status().as_u16();
    let body = response.into_body().text().await?;
    Ok(Handed { value: json!({ "status": status, "headers": headers, "body": body }), prints })
}

/// The value of an option.
fn option(value: Value) -> bindings::Value {
    match value {
        Value::Null => bindings::Value::Null,
        Value::Bool(flag) => bindings::Value::Flag(flag),
        Value::Number(number) => bindings::Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => bindings::Value::Text(text),
        Value::Array(texts) => {
            let texts = texts.into_iter().map(|text| text.as_str().unwrap_or_default().to_owned());
            bindings::Value::Texts(texts.collect())
        }
        Value::Object(_) => bindings::Value::Object(value.to_string()),
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A token, or the request that applying it makes.
fn handed_token(token: Token, path: &Value) -> Ended {
    let mut prints = Prints::default();
    prints.debug("Token", &token);
    let Some(path) = path.as_str() else {
        return Ok(Handed { value: token_of(&token), prints });
    };
    let request = token.apply(path)?;
    prints.debug("ApiRequest", &request);
    Ok(Handed { value: request_of(&request), prints })
}

fn nothing() -> Handed {
    Handed { value: Value::Null, prints: Prints::default() }
}

async fn iterate_json(mut pages: AnyPages, member: &str, most: usize, told: &Told) -> Result<(), Error> {
    while told.len() < most
        && let Some(page) = pages.next_json().await?
    {
        let page: Value = parsed(page).value;
        for item in page[member].as_array().into_iter().flatten() {
            if told.len() < most {
                told.item(item.clone(), None);
            }
        }
    }
    Ok(())
}

fn shown(of: &str, object: &(impl Debug + Serialize)) -> Handed {
    let mut prints = Prints::default();
    prints.debug(of, object);
    prints.json(of, object);
    Handed { value: json!(object), prints }
}

/// The JSON text is a secret, whose printed form says nothing.
fn parsed(text: SecretString) -> Handed {
    let mut prints = Prints::default();
    prints.debug("SecretString", &text);
    let value = serde_json::from_str(text.expose_secret()).expect("the SDK hands out JSON");
    Handed { value, prints }
}
