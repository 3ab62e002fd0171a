//! A tenant's backend that waits for customers, as it is told on standard input; `run.py` plays all the others.

use std::error::Error;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pabbly_connect::{Client, ClientEvent, ConnectionStatus};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

/// An app that takes an API key, so that a customer is done without a provider.
const APP: &str = "sendgrid";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct Settings {
    base_url: String,
    key: String,
}

/// One line of standard input; each is answered by one line.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
enum Command {
    /// Makes so many links, each for a customer of its own.
    Link { count: usize },
    /// Goes on with a client that knows nothing of the links made so far, perhaps at another address.
    Forget { base_url: Option<String> },
    /// Begins to wait for these, given by id and customer. What is noticed later is told by lines of their own.
    Wait {
        connections: Vec<(String, String)>,
        interval_ms: u64,
        /// Whether each wait has a timer of its own instead of the SDK's scheduler.
        naive: bool,
    },
    /// Makes calls of the backend's own from now on.
    Call { every_ms: u64 },
    /// What happened until now.
    Report,
}

/// What the client's listener and the backend's own calls count.
#[derive(Default)]
struct Counts {
    polls: AtomicU64,
    refused: AtomicU64,
    /// How long each own call took, in milliseconds, and the status of its answer.
    own: Mutex<Vec<(f64, u16)>>,
}

struct Backend {
    settings: Settings,
    client: Client,
    counts: Arc<Counts>,
}

impl Backend {
    fn new(settings: Settings) -> Outcome<Self> {
        let counts = Arc::default();
        Ok(Self { client: client(&settings, &counts)?, settings, counts })
    }

    async fn obey(&mut self, command: Command) -> Outcome<Value> {
        match command {
            Command::Link { count } => self.link(count).await,
            Command::Forget { base_url } => {
                self.settings.base_url = base_url.unwrap_or(self.settings.base_url.clone());
                self.counts = Arc::default();
                self.client = client(&self.settings, &self.counts)?;
                Ok(Value::Null)
            }
            Command::Wait { connections, interval_ms, naive } => {
                self.wait(connections, Duration::from_millis(interval_ms), naive)
            }
            Command::Call { every_ms } => {
                let (client, counts) = (self.client.clone(), self.counts.clone());
                tokio::spawn(call(client, counts, Duration::from_millis(every_ms)));
                Ok(Value::Null)
            }
            Command::Report => self.report(),
        }
    }

    async fn link(&self, count: usize) -> Outcome<Value> {
        let mut links = Vec::new();
        for number in 0..count {
            let email = format!("customer-{}-{number}@example.com", std::process::id());
            let link = self
                .client
                .customer(&email)?
                .create_request_link(APP, "bench")
                .expires_in(Duration::from_secs(7200))
                .await?;
            let token = link.request_token.expose_secret();
            links.push(json!([link.connection_id, email, token]));
        }
        Ok(json!(links))
    }

    fn wait(&self, connections: Vec<(String, String)>, interval: Duration, naive: bool) -> Outcome<Value> {
        for (id, email) in connections {
            let customer = self.client.customer(&email)?;
            if naive {
                tokio::spawn(async move {
                    let status = poll(&customer, &id, interval).await;
                    tell(&id, &status);
                });
            } else {
                tokio::spawn(async move {
                    let wait = customer.wait_for_connection(&id).interval(interval);
                    let status = wait.await.map(|connection| connection.status);
                    tell(&id, &status);
                });
            }
        }
        Ok(Value::Null)
    }

    fn report(&self) -> Outcome<Value> {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let own = self.counts.own.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(json!({
            "polls": self.counts.polls.load(Ordering::Relaxed),
            "refused": self.counts.refused.load(Ordering::Relaxed),
            "own": *own,
            "cpu": Duration::try_from(cpu)?.as_secs_f64(),
            "rss_kib": rss_kib()?,
        }))
    }
}

fn client(settings: &Settings, counts: &Arc<Counts>) -> Outcome<Client> {
    let counts = counts.clone();
    let client =
        Client::builder().api_key(settings.key.clone()).base_url(&settings.base_url).on_event(move |event| {
            if let ClientEvent::Response { call, status, .. } = event
                && !matches!(*call, "getApp" | "createRequestLink")
            {
                counts.polls.fetch_add(1, Ordering::Relaxed);
                if *status == Some(429) {
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    Ok(client.build()?)
}

/// What one would write without a scheduler: every answer that is no answer is tried again at the next tick.
async fn poll(
    customer: &pabbly_connect::Customer,
    id: &str,
    interval: Duration,
) -> Result<ConnectionStatus, pabbly_connect::Error> {
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        match customer.get_connection(id).await {
            Ok(connection) if connection.status != ConnectionStatus::Pending => return Ok(connection.status),
            _ => {}
        }
    }
}

/// The backend's own calls.
async fn call(client: Client, counts: Arc<Counts>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        let begin = Instant::now();
        let status = match client.get_app(APP).await {
            Ok(_) => 200,
            Err(error) => error.status().unwrap_or(0),
        };
        let milliseconds = begin.elapsed().as_secs_f64() * 1000.0;
        let mut own = counts.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.push((milliseconds, status));
    }
}

/// What a wait ended with.
fn tell(id: &str, status: &Result<ConnectionStatus, pabbly_connect::Error>) {
    match status {
        Ok(ConnectionStatus::Active) => print(&json!({ "noticed": id, "at": now() })),
        other => print(&json!({ "failed": id, "how": format!("{other:?}") })),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn rss_kib() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?)
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn print(line: &Value) {
    println!("{line}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let first = lines.next_line().await?.ok_or("no settings")?;
    let mut backend = Backend::new(serde_json::from_str(&first)?)?;
    while let Some(line) = lines.next_line().await? {
        let answer = backend.obey(serde_json::from_str(&line)?).await?;
        print(&json!({ "done": answer }));
    }
    Ok(())
}
