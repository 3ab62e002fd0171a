//! What a runner does in any language: make a client, make the calls, report how they ended and what was printed.

mod calls;
pub(crate) mod logs;
mod report;

use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use connect_tests::scripted::http;
use pabbly_connect::{Client, Error};
use serde_json::{Value, json};

use calls::{Told, begin};
use report::{Prints, error_of};

/// The environment variable that makes this program play one scenario and end.
pub(crate) const CHILD: &str = "SCENARIO_CHILD";

/// Which of the SDK's two forms of answers is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Typed,
    Json,
}

/// What a call handed out.
pub(crate) struct Handed {
    pub value: Value,
    pub prints: Prints,
}

/// Plays a task and gives the report of it.
pub(crate) async fn play(address: SocketAddr, task: &Value, form: Form) -> Value {
    let mut prints = Prints::default();
    let logged_before = logs::count();
    let client = match client(&task["client"]) {
        Ok(client) => client,
        Err(error) => {
            prints.error(&error);
            return json!({ "refused": error_of(&error), "prints": prints.0 });
        }
    };
    prints.debug("client", &client);
    let mut outcomes = Vec::new();
    for (i, step) in task["steps"].as_array().into_iter().flatten().enumerate() {
        pause(address, &task["session"], &step["pause"]).await;
        outcomes.push(perform(address, &task["session"], i, step, &client, form, &mut prints).await);
    }
    logs::since(logged_before).into_iter().for_each(|line| prints.add("log", "line", line));
    json!({ "outcomes": outcomes, "prints": prints.0 })
}

/// Until the server has done what it does unasked after the responses so far.
async fn pause(address: SocketAddr, session: &Value, how: &Value) {
    let settled = format!("/sessions/{session}/settled");
    match how.as_str() {
        None => {}
        Some("idle") => {
            let settled = http::call(address, "GET", &settled, &Value::Null).await;
            settled.expect("the server tells when it has settled");
        }
        Some(_) => std::thread::scope(|scope| {
            let ask = || alone(http::call(address, "GET", &settled, &Value::Null));
            let settled = scope.spawn(ask).join().expect("no panic");
            settled.expect("the server tells when it has settled");
        }),
    }
}

/// Runs to the end on this thread, which does nothing else meanwhile.
pub(crate) fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(work)
}

async fn perform(
    address: SocketAddr,
    session: &Value,
    number: usize,
    step: &Value,
    client: &Client,
    form: Form,
    prints: &mut Prints,
) -> Value {
    let callers = step["callers"].as_u64().unwrap_or(1);
    let moment = format!("/sessions/{session}/moment?step={number}");
    let calls = (0..callers).map(|_| async {
        let start = Instant::now();
        let told = Told::default();
        // A call does nothing until it is polled, and is cancelled by being dropped.
        let call = begin(client, step, form, &told);
        let ended = match step["cancel"].as_str() {
            Some("before_start") => {
                drop(call);
                None
            }
            Some(_) => tokio::select! {
                ended = call => Some(ended),
                moment = http::call(address, "GET", &moment, &Value::Null) => {
                    moment.expect("the server tells the moment");
                    None
                }
            },
            None => {
                let exchange_the_key = async {
                    if let Some(key) = step["rekey"].as_str() {
                        let moment = http::call(address, "GET", &moment, &Value::Null).await;
                        moment.expect("the server tells the moment");
                        client.set_api_key(key).expect("the scenario has a key");
                    }
                };
                // The call goes on meanwhile; should it end before the moment, its requests show that.
                let mut call = pin!(call);
                tokio::select! {
                    ended = &mut call => Some(ended),
                    () = exchange_the_key => Some(call.await),
                }
            }
        };
        (ended, told, start.elapsed().as_millis() as u64)
    });
    let mut outcomes = Vec::new();
    for (ended, told, ms) in futures_util::future::join_all(calls).await {
        let mut outcome = json!({ "ms": ms, "polls": told.polls() });
        match ended {
            None => outcome["cancelled"] = json!(true),
            Some(Ok(handed)) => {
                outcome["value"] = handed.value;
                prints.0.extend(handed.prints.0);
            }
            Some(Err(error)) => {
                prints.error(&error);
                outcome["error"] = error_of(&error);
            }
        }
        if step["iterate"] == true {
            outcome["items"] = told.items(prints);
        }
        outcomes.push(outcome);
    }
    let mut first = outcomes.remove(0);
    first["others"] = json!(outcomes);
    first
}

fn client(options: &Value) -> Result<Client, Error> {
    let text = |name: &str| options[name].as_str().map(str::to_owned);
    let milliseconds = |name: &str| options[name].as_u64().map(Duration::from_millis);
    let mut builder = Client::builder();
    for name in options.as_object().into_iter().flat_map(|options| options.keys()) {
        builder = match name.as_str() {
            "apiKey" => builder.api_key(text(name).unwrap_or_default()),
            "baseUrl" => builder.base_url(text(name).unwrap_or_default()),
            "maxRetries" => builder.max_retries(options[name].as_u64().unwrap_or_default() as u32),
            "timeoutMs" => builder.timeout(milliseconds(name).unwrap_or_default()),
            "backoffMs" => builder.backoff(milliseconds(name).unwrap_or_default()),
            "allowInsecureHttp" => builder.allow_insecure_http(options[name] == true),
            "proxy" => builder.proxy(text(name).unwrap_or_default()),
            "caCertificates" => builder.ca_certificates(text(name).unwrap_or_default()),
            "systemTrustStore" => builder.system_trust_store(options[name] == true),
            "requestsPerMinute" => {
                builder.requests_per_minute(options[name].as_u64().unwrap_or_default() as u32)
            }
            "userAgent" => builder.user_agent(text(name).unwrap_or_default()),
            unknown => panic!("no client option is called {unknown}"),
        };
    }
    builder.on_event(|event| logs::add(&format!("{event:?}"))).build()
}
