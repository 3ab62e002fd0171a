//! A thousand waits in one process, half of which are cancelled at once.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connect_tests::scripted::http;
use pabbly_connect::{Client, ConnectionStatus};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const WAITS: usize = 1000;
/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A service whose connections are pending until they are all active; it counts the polls of each.
struct Service {
    base_url: String,
    polls: watch::Receiver<HashMap<String, usize>>,
    is_done: Arc<AtomicBool>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("its address"));
        let (count, polls) = watch::channel(HashMap::new());
        let is_done = Arc::new(AtomicBool::new(false));
        let (count, done) = (Arc::new(count), is_done.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, count.clone(), done.clone()));
            }
        });
        Self { base_url, polls, is_done }
    }

    /// Waits until each of these was polled so many times more than `before`, and gives all counts as they are then.
    async fn polled(
        &mut self,
        ids: &[String],
        before: &HashMap<String, usize>,
        times: usize,
    ) -> HashMap<String, usize> {
        let of = |polls: &HashMap<String, usize>, id| polls.get(id).copied().unwrap_or(0);
        let enough =
            |polls: &HashMap<String, usize>| ids.iter().all(|id| of(polls, id) >= of(before, id) + times);
        let polls = timeout(SOON, self.polls.wait_for(enough)).await;
        polls.expect("polled soon").expect("the service runs").clone()
    }
}

async fn answer(
    mut stream: TcpStream,
    count: Arc<watch::Sender<HashMap<String, usize>>>,
    is_done: Arc<AtomicBool>,
) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = http::read_request(&mut stream, &mut buffer).await {
        let id = request.target.rsplit('/').next().unwrap_or_default().to_owned();
        count.send_modify(|polls| *polls.entry(id.clone()).or_default() += 1);
        let is_done = is_done.load(Ordering::Relaxed);
        let status = if is_done { "active" } else { "pending" };
        let answer = json!({ "data": { "id": id, "status": status } });
        if http::write_json(&mut stream, 200, &answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn half_of_a_thousand_waits_are_cancelled_at_once_and_polled_no_more() {
    // Both ends of a thousand connections are in this process.
    let files = getrlimit(Resource::Nofile);
    let most = Rlimit { current: files.maximum, ..files };
    setrlimit(Resource::Nofile, most).unwrap();

    let mut service = Service::start().await;
    let client = Client::builder()
        .api_key("pk_live_test")
        .base_url(&service.base_url)
        .requests_per_minute(1_000_000)
        .build()
        .unwrap();
    let ids: Vec<_> = (0..WAITS).map(|number| format!("conn_{number}")).collect();
    let mut waits = JoinSet::new();
    let handles: Vec<_> = ids
        .iter()
        .map(|id| {
            let customer = client.customer(&format!("{id}@example.com")).unwrap();
            let wait = customer.wait_for_connection(id).interval(Duration::from_secs(1));
            waits.spawn(wait.into_future())
        })
        .collect();
    service.polled(&ids, &HashMap::new(), 1).await;

    let (cancelled, others) = ids.split_at(WAITS / 2);
    for handle in &handles[..WAITS / 2] {
        handle.abort();
    }
    for _ in cancelled {
        let ended = timeout(SOON, waits.join_next()).await.unwrap().unwrap();
        assert!(ended.unwrap_err().is_cancelled());
    }
    let at_first = service.polls.borrow().clone();
    let before = service.polled(others, &at_first, 2).await;
    let after = service.polled(others, &before, 4).await;
    for id in cancelled {
        // A request that was already on its way may have arrived meanwhile, but no other.
        assert!(after[id] <= before[id] + 1, "{id} was polled after it was cancelled");
    }

    service.is_done.store(true, Ordering::Relaxed);
    assert_eq!(waits.len(), others.len());
    while let Some(ended) = timeout(SOON, waits.join_next()).await.unwrap() {
        assert_eq!(ended.unwrap().unwrap().status, ConnectionStatus::Active);
    }
}
