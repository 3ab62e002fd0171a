//! Events and `kill -9`: each change has its event and each event its change, in the order of the connection, and a reader
//! that goes on from its cursor misses none.
//!
//! Workers connect, rename and delete without pause, each connection by one of them, and note what was acknowledged. What
//! a kill cut off may have happened or not; its event must say the same as the service does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_tests::postgres::{Durability, Postgres};
use connect_tests::random;
use connect_tests::service_process::{Home, Service, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Answer, KEY_APP, Raw, try_answer};

const KILLS: usize = 20;
const WORKERS: usize = 6;
/// How many changes are acknowledged before each kill.
const MIN_CHANGES: usize = 2 * WORKERS;
/// How often a connection is renamed before it is deleted.
const RENAMES: usize = 4;

/// How far the service acknowledged the changes of one connection, which all connections go through in the same order:
/// connect, rename to 1, 2, …, delete.
#[derive(Debug, Clone, Copy)]
struct Progress {
    acknowledged: usize,
    /// Whether one more was asked for and never answered.
    in_doubt: bool,
}

fn acknowledged(journal: &HashMap<String, Progress>) -> usize {
    journal.values().map(|progress| progress.acknowledged).sum()
}

type Journal = Arc<Mutex<HashMap<String, Progress>>>;

/// An installation of one process, or of several over one database.
struct Installation {
    home: Home,
    processes: Vec<Service>,
    key: String,
}

impl Installation {
    async fn start(database_url: Option<String>, processes: usize) -> Self {
        let environment = vec![("CONNECT_BUDGETS_EVENTS", "1000000".to_owned())];
        let home = Home::new(&Settings { database_url, environment, ..Settings::default() }).unwrap();
        let mut started = vec![home.start().await.unwrap()];
        while started.len() < processes {
            started.push(home.start_another().await.unwrap());
        }
        let tenant = home.run(&["tenant", "create", "Acme"]).await.unwrap();
        let key = home.key(&tenant, "apps,connections,delete,events").await.unwrap();
        Self { home, processes: started, key }
    }

    fn raw(&self, process: usize) -> Raw {
        Raw::new(&self.processes[process], &self.key)
    }

    /// Runs the load for a random while and kills one process in the middle of it; it comes back.
    async fn kill_one_under_load(&mut self, journal: &Journal) {
        let ending = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let process = worker % self.processes.len();
                let load = Load { raw: self.raw(process), journal: journal.clone(), ending: ending.clone() };
                (process, tokio::spawn(load.work()))
            })
            .collect();
        let changes = || acknowledged(&journal.lock().unwrap());
        let enough = changes() + MIN_CHANGES;
        while changes() < enough && workers.iter().any(|(_, worker)| !worker.is_finished()) {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(random::below(200))).await;
        let victim = usize::try_from(random::below(self.processes.len() as u64)).unwrap();
        ending.store(true, Ordering::SeqCst);
        self.processes.swap_remove(victim).kill().await.unwrap();
        for (process, worker) in workers {
            let failed = worker.await.unwrap();
            assert!(failed.is_none() || process == victim, "nothing else goes wrong: {failed:?}");
        }
        let back = match victim {
            0 => self.home.start().await.unwrap(),
            _ => self.home.start_another().await.unwrap(),
        };
        self.processes.push(back);
        let last = self.processes.len() - 1;
        self.processes.swap(victim, last);
    }
}

/// One worker.
struct Load {
    raw: Raw,
    journal: Journal,
    ending: Arc<AtomicBool>,
}

impl Load {
    /// Takes one connection after the other through all changes; gives what went wrong.
    async fn work(self) -> Option<String> {
        while !self.ending.load(Ordering::SeqCst) {
            if let Err(failure) = self.one().await {
                return Some(failure);
            }
        }
        None
    }

    async fn one(&self) -> Result<(), String> {
        let body = json!({"app_id": KEY_APP, "name": "0", "expires_in": 86400});
        let link = self.raw.request(Method::POST, "/connections/request-link").json(&body);
        let link = taken(try_answer(link).await)?.data();
        let (id, token) = (link["connection_id"].as_str().unwrap(), link["request_token"].as_str().unwrap());
        let path = format!("/connections/{id}");
        let submit = json!({"auth_option_key": "api_key", "fields": {"api_key": "canary-field"}});
        let submit = self.raw.keyless(Method::POST, &format!("{path}/submit")).json(&submit);
        self.change(id, submit.header("x-request-token", token)).await?;
        for name in 1..=RENAMES {
            if self.ending.load(Ordering::SeqCst) {
                return Ok(());
            }
            let rename = self.raw.request(Method::PATCH, &path).json(&json!({"name": name.to_string()}));
            self.change(id, rename).await?;
        }
        self.change(id, self.raw.request(Method::DELETE, &path)).await
    }

    async fn change(&self, id: &str, request: reqwest::RequestBuilder) -> Result<(), String> {
        let set = |change: fn(&mut Progress)| {
            let mut journal = self.journal.lock().unwrap();
            change(journal.entry(id.to_owned()).or_insert(Progress { acknowledged: 0, in_doubt: false }));
        };
        set(|progress| progress.in_doubt = true);
        taken(try_answer(request).await)?;
        set(|progress| *progress = Progress { acknowledged: progress.acknowledged + 1, in_doubt: false });
        Ok(())
    }
}

/// A success, or what there was instead.
fn taken(answer: reqwest::Result<Answer>) -> Result<Answer, String> {
    match answer {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(format!("{} {}", answer.status, answer.text)),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads the feed at one address, and goes on from its cursor after each failure, until it is asked to end and there is no
/// more.
async fn read_on(raw: Raw, ending: Arc<AtomicBool>) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let is_ending = ending.load(Ordering::SeqCst);
        let request = raw.request(Method::GET, &format!("/events?limit=50&after={cursor}"));
        match try_answer(request.header("prefer", "wait=1")).await {
            Ok(answer) if answer.status == 200 => {
                let data = answer.data();
                let page = data["events"].as_array().unwrap();
                if is_ending && page.is_empty() {
                    return events;
                }
                events.extend(page.iter().cloned());
                cursor = data["next_cursor"].as_str().unwrap().to_owned();
            }
            Ok(answer) => answer.assert_error(503, "upstream_unavailable"),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// The event of each change, by its number.
fn brief(event: &Value) -> String {
    let connection = &event["data"]["connection"];
    format!("{} {}", event["type"].as_str().unwrap(), connection["name"].as_str().unwrap())
}

fn expected() -> Vec<String> {
    let mut all = vec!["connection.active 0".to_owned()];
    all.extend((1..=RENAMES).map(|name| format!("connection.updated {name}")));
    all.push(format!("connection.deleted {RENAMES}"));
    all
}

/// Each change has its event, and each event its change. Tells how many there were.
async fn each_change_has_its_event(mut installation: Installation) -> String {
    let journal = Journal::default();
    let ending = Arc::new(AtomicBool::new(false));
    // The first process is always at the same address.
    let reader = tokio::spawn(read_on(installation.raw(0), ending.clone()));
    for _ in 0..KILLS {
        installation.kill_one_under_load(&journal).await;
    }
    ending.store(true, Ordering::SeqCst);
    let events = reader.await.unwrap();

    let mut by_connection: HashMap<&str, Vec<&Value>> = HashMap::new();
    for event in events.iter().filter(|event| event["data"]["connection"].is_object()) {
        let id = event["data"]["connection"]["id"].as_str().unwrap();
        by_connection.entry(id).or_default().push(event);
    }
    let journal = journal.lock().unwrap().clone();
    let raw = installation.raw(0);
    let mut in_doubt = 0;
    for (id, progress) in &journal {
        let events = by_connection.remove(id.as_str()).unwrap_or_default();
        let briefs: Vec<_> = events.iter().map(|event| brief(event)).collect();
        let all = expected();
        let is_as_acknowledged = briefs == all[..progress.acknowledged];
        let is_one_more = progress.in_doubt && briefs == all[..=progress.acknowledged];
        assert!(is_as_acknowledged || is_one_more, "{id}: {progress:?}, but {briefs:?}");
        in_doubt += usize::from(progress.in_doubt);
        // The service says the same as the latest event.
        let answer = raw.get(&format!("/connections/{id}")).await;
        match events.last() {
            Some(event) if event["type"] == "connection.deleted" => assert_eq!(answer.status, 404, "{id}"),
            Some(event) => {
                let connection = &event["data"]["connection"];
                let of = |value: &Value| (value["status"].clone(), value["name"].clone());
                assert_eq!(of(&answer.data()), of(connection), "{id}");
            }
            None => assert_eq!(answer.data()["status"], "pending", "{id}"),
        }
    }
    assert!(by_connection.is_empty(), "of nothing that was done: {by_connection:?}");
    let changes = acknowledged(&journal);
    assert!(in_doubt > 0, "the kills came between two changes");
    // Nothing came twice, and nothing is missing between two events.
    let cursors: Vec<_> = events.iter().map(|event| event["cursor"].as_str().unwrap()).collect();
    let places: Vec<_> =
        cursors.iter().map(|cursor| i64::from_str_radix(&cursor[4..], 16).unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
    format!("{changes} changes were acknowledged, and {in_doubt} cut off, in {KILLS} kills")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_has_its_event_in_twenty_kills() {
    let summary = each_change_has_its_event(Installation::start(None, 1).await).await;
    println!("{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_has_its_event_in_kills_of_two_processes() {
    let postgres = Postgres::start(Durability::Durable).await.unwrap();
    let url = postgres.create_database().await.unwrap();
    let summary = each_change_has_its_event(Installation::start(Some(url), 2).await).await;
    println!("{summary}");
}
