//! What takes several waits, or what is left when they are over, which a scenario does not have.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_tests::scripted::http;
use futures_util::FutureExt;
use pabbly_connect::{Client, ConnectionStatus, Customer, Error};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A service whose answers the test gives.
struct Service {
    base_url: String,
    requests: mpsc::UnboundedReceiver<Asked>,
    open_connections: watch::Receiver<usize>,
}

/// A request that waits for its answer.
struct Asked {
    /// Who asks, and for what.
    what: String,
    /// How long the answer may take.
    prefer: Option<String>,
    answer: oneshot::Sender<(u16, Value)>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("its address"));
        let (ask, requests) = mpsc::unbounded_channel();
        let (count, open_connections) = watch::channel(0);
        tokio::spawn(async move {
            let count = Arc::new(count);
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|open| *open += 1);
                let (ask, count) = (ask.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    serve(stream, ask).await;
                    count.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { base_url, requests, open_connections }
    }

    fn client(&self, requests_per_minute: u32) -> Client {
        let builder = Client::builder().api_key("pk_live_test").base_url(&self.base_url);
        builder.requests_per_minute(requests_per_minute).build().expect("a client")
    }

    async fn next(&mut self) -> Asked {
        let asked = timeout(SOON, self.requests.recv()).await;
        asked.expect("a request soon").expect("the service runs")
    }

    /// The next request, which must be this one.
    async fn asked(&mut self, what: &str) -> Asked {
        let asked = self.next().await;
        assert_eq!(asked.what, what);
        asked
    }

    /// The next requests, which must be these, ordered by their text, and each for one connection: it is active.
    async fn answers_active(&mut self, expected: &[&str]) {
        let mut seen = Vec::new();
        for _ in expected {
            let asked = self.next().await;
            let id = asked.what.rsplit('/').next().unwrap_or_default();
            let body = active(id);
            seen.push(asked.what);
            asked.answer.send((200, body)).expect("the client listens");
        }
        seen.sort_unstable();
        assert_eq!(seen, expected);
    }

    fn was_asked_no_more(&mut self) {
        let more = self.requests.try_recv().map(|asked| asked.what);
        assert!(more.is_err(), "{more:?} was asked for");
    }
}

async fn serve(mut stream: TcpStream, ask: mpsc::UnboundedSender<Asked>) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = http::read_request(&mut stream, &mut buffer).await {
        let email = request.header("x-user-email").unwrap_or_default();
        let name = email.split('@').next().unwrap_or_default();
        let what = format!("{name}: {}", request.target);
        let (answer, answered) = oneshot::channel();
        let prefer = request.header("prefer").map(str::to_owned);
        if ask.send(Asked { what, prefer, answer }).is_err() {
            return;
        }
        let mut nothing = [0; 1];
        tokio::select! {
            _hung_up = stream.read(&mut nothing) => return,
            answer = answered => {
                let Ok((status, body)) = answer else { return };
                let body = body.to_string();
                // From the first answer on the budget is ample.
                let head = format!(
                    "HTTP/1.1 {status} -\r\nratelimit-policy: \"default\";q=600;w=60\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all((head + &body).as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn active(id: &str) -> Value {
    json!({ "data": { "id": id, "status": "active" } })
}

/// Begins to wait.
fn begin(customer: &Customer, id: &str) -> JoinHandle<(String, ConnectionStatus)> {
    let wait = customer.wait_for_connection(id).interval(Duration::from_millis(100));
    tokio::spawn(async {
        let connection = wait.await.expect("a connection");
        (connection.id, connection.status)
    })
}

async fn is_settled(wait: JoinHandle<(String, ConnectionStatus)>, id: &str) {
    let settled = timeout(SOON, wait).await.expect("an end soon").expect("no panic");
    assert_eq!(settled, (id.to_owned(), ConnectionStatus::Active));
}

#[tokio::test]
async fn a_cancelled_wait_stops_its_poll_while_another_goes_on() {
    let mut service = Service::start().await;
    let alice = service.client(120).customer("alice@example.com").unwrap();
    let second = begin(&alice, "c2");
    let held = service.asked("alice: /connections/c2").await;
    let first = begin(&alice, "c1");
    let mut stopped = service.asked("alice: /connections/c1").await;
    assert_eq!([&held.prefer, &stopped.prefer], [&Some("wait=50".to_owned()); 2]);

    first.abort();
    timeout(SOON, stopped.answer.closed()).await.expect("hung up soon");
    assert!(!second.is_finished());
    held.answer.send((200, active("c2"))).unwrap();
    is_settled(second, "c2").await;
    service.was_asked_no_more();
}

#[tokio::test]
async fn who_waits_for_the_same_as_one_who_gives_up_gets_the_answer_of_the_poll_under_way() {
    let mut service = Service::start().await;
    let alice = service.client(120).customer("alice@example.com").unwrap();
    let first = begin(&alice, "c1");
    let held = service.asked("alice: /connections/c1").await;
    let second = begin(&alice, "c1");
    tokio::task::yield_now().await;

    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    held.answer.send((200, active("c1"))).expect("the poll goes on");
    is_settled(second, "c1").await;
    service.was_asked_no_more();
}

#[tokio::test]
async fn where_the_budget_is_short_one_list_call_serves_all_waits_of_a_customer() {
    let mut service = Service::start().await;
    let client = service.client(12);
    let [alice, bob] = ["alice@example.com", "bob@example.com"].map(|email| client.customer(email).unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let first = alice.wait_for_connection("c1").interval(Duration::from_millis(100));
    let first = first.on_poll(move |poll| tell.lock().unwrap().push(poll.next_in));
    let first = tokio::spawn(first.into_future());
    let [second, third] = ["c2", "c3"].map(|id| begin(&alice, id));

    let list = service.asked("alice: /connections?limit=100").await;
    let of_bob = begin(&bob, "b1");
    let listed = json!([{ "id": "c2", "status": "active" }, { "id": "c1", "status": "pending" }]);
    let answer = json!({ "data": { "connections": listed } });
    list.answer.send((200, answer)).unwrap();
    // What the list did not show is asked for by itself, and nobody is in the list of another customer.
    let singly = ["alice: /connections/c1", "alice: /connections/c3", "bob: /connections/b1"];
    service.answers_active(&singly).await;

    let first = timeout(SOON, first).await.expect("an end soon").unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.status), ("c1", ConnectionStatus::Active));
    is_settled(second, "c2").await;
    is_settled(third, "c3").await;
    is_settled(of_bob, "b1").await;
    service.was_asked_no_more();
    // Nine polls a second go round among two at least.
    assert!(told.lock().unwrap()[0] > Duration::from_millis(200), "{told:?}");
}

#[tokio::test]
async fn a_list_call_that_is_refused_ends_no_wait() {
    let mut service = Service::start().await;
    let alice = service.client(12).customer("alice@example.com").unwrap();
    let waits = ["c1", "c2"].map(|id| begin(&alice, id));
    let list = service.asked("alice: /connections?limit=100").await;
    list.answer.send((403, json!({}))).unwrap();
    service.answers_active(&["alice: /connections/c1", "alice: /connections/c2"]).await;
    let [first, second] = waits;
    is_settled(first, "c1").await;
    is_settled(second, "c2").await;
}

#[tokio::test]
async fn where_the_budget_is_ample_each_connection_is_asked_for_by_itself() {
    let mut service = Service::start().await;
    let alice = service.client(600).customer("alice@example.com").unwrap();
    let [first, second] = ["c1", "c2"].map(|id| begin(&alice, id));
    service.answers_active(&["alice: /connections/c1", "alice: /connections/c2"]).await;
    is_settled(first, "c1").await;
    is_settled(second, "c2").await;
}

#[tokio::test]
async fn nothing_runs_on_after_the_last_wait() {
    let mut service = Service::start().await;
    let client = service.client(120);
    let alice = client.customer("alice@example.com").unwrap();
    let wait = begin(&alice, "c1");
    service.answers_active(&["alice: /connections/c1"]).await;
    is_settled(wait, "c1").await;

    drop((client, alice));
    let all_closed = service.open_connections.wait_for(|open| *open == 0);
    timeout(SOON, all_closed).await.expect("closed soon").unwrap();
}

#[test]
fn a_wait_goes_on_where_the_runtime_that_polled_for_it_ends() {
    let (first, second) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    second.block_on(async {
        let mut service = Service::start().await;
        let alice = service.client(120).customer("alice@example.com").unwrap();
        first.spawn(alice.wait_for_connection("c1").into_future());
        let _held = service.asked("alice: /connections/c1").await;
        let wait = begin(&alice, "c2");
        let _lost = service.asked("alice: /connections/c2").await;

        first.shutdown_background();
        service.answers_active(&["alice: /connections/c2"]).await;
        is_settled(wait, "c2").await;
    });
}

#[test]
fn a_wait_goes_on_where_the_runtime_that_was_to_poll_for_it_never_ran() {
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = Runtime::new().unwrap();
    let mut service = second.block_on(Service::start());
    let alice = service.client(120).customer("alice@example.com").unwrap();
    let mut wait = alice.wait_for_connection("c1").into_future();
    first.block_on(async { assert!((&mut wait).now_or_never().is_none()) });
    drop(first);
    second.block_on(async {
        let other = begin(&alice, "c2");
        service.answers_active(&["alice: /connections/c2"]).await;
        is_settled(other, "c2").await;
        let wait = tokio::spawn(wait);
        service.answers_active(&["alice: /connections/c1"]).await;
        let connection = timeout(SOON, wait).await.expect("an end soon").unwrap().unwrap();
        assert_eq!(connection.id, "c1");
    });
}

#[test]
fn who_gave_up_on_a_runtime_that_is_driven_no_more_leaves_nobody_waiting() {
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = Runtime::new().unwrap();
    let mut service = second.block_on(Service::start());
    let alice = service.client(120).customer("alice@example.com").unwrap();
    let wait = alice.wait_for_connection("c1").into_future();
    first.block_on(async { assert!(wait.now_or_never().is_none()) });
    second.block_on(async {
        let other = begin(&alice, "c2");
        let asked = service.asked("alice: /connections/c2").await;
        // What was to poll for the first has no say any more.
        first.shutdown_background();
        asked.answer.send((200, active("c2"))).expect("the poll goes on");
        is_settled(other, "c2").await;
        service.was_asked_no_more();
    });
}

#[test]
fn a_runtime_without_timers_is_an_error() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let client = Client::builder().api_key("pk_live_test").build().unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let error = runtime.block_on(alice.wait_for_connection("c1").into_future()).unwrap_err();
    assert!(matches!(&error, Error::Other(_)), "{error:?}");
    assert!(error.to_string().contains("timers"), "{error}");
}
