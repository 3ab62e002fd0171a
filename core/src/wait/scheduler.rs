//! All waits of one client: one queue, and one task that polls for all of them while there are any.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::HeaderMap;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::entry::{Key, Outcome, Waiter};
use super::queue::Queue;
use super::{OnPoll, report};
use crate::client::Client;
use crate::customer::Customer;

/// The waits of one client.
pub(crate) struct Waits {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Waits {
    pub(crate) fn new(requests_per_minute: u32) -> Self {
        let queue = Queue::new(requests_per_minute, Instant::now());
        Self {
            queue: Mutex::new(queue),
            changed: Notify::new(),
        }
    }

    /// A call that is not a wait's was sent and counts against the budget.
    pub(crate) fn foreground_sent(&self) {
        self.lock().budget.foreground_sent(Instant::now());
    }

    /// An answer arrived that tells about the budget.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        self.lock().budget.observe(headers, Instant::now());
    }

    /// The budget is used up.
    pub(crate) fn refused(&self, retry_after: Option<Duration>) {
        self.lock().budget.refused(retry_after, Instant::now());
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes its waiter off the queue when dropped.
pub(super) struct Registration<'a> {
    client: &'a Client,
    key: &'a Arc<Key>,
    id: u64,
}

/// Joins those who wait, until the registration is dropped. The outcome fails where the runtime that polls for all of
/// them is shut down.
pub(super) fn join<'a>(
    customer: &'a Customer,
    key: &'a Arc<Key>,
    interval: Duration,
    deadline: Option<Instant>,
    on_poll: Option<OnPoll>,
) -> (Registration<'a>, oneshot::Receiver<Outcome>) {
    let client = customer.client();
    let (sender, receiver) = oneshot::channel();
    let mut queue = client.waits().lock();
    let id = queue.next_id();
    let waiter = Waiter {
        id,
        deadline,
        on_poll,
        sender,
    };
    queue.join(customer, key, interval, waiter);
    if !std::mem::replace(&mut queue.running, true) {
        tokio::spawn(poll_for_all(client.clone()));
    }
    drop(queue);
    client.waits().changed.notify_one();
    (Registration { client, key, id }, receiver)
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.client.waits().lock().leave(self.key, self.id);
        self.client.waits().changed.notify_one();
    }
}

/// The one task. It ends when nobody waits any more.
async fn poll_for_all(client: Client) {
    /// Where the runtime is shut down under the task, everybody who waits is told, so as to go on elsewhere.
    struct Running<'a>(&'a Client);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            self.0.waits().lock().stop();
        }
    }

    let running = Running(&client);
    let mut polls = FuturesUnordered::new();
    loop {
        let wake_at = {
            let mut queue = client.waits().lock();
            let now = Instant::now();
            queue.send_due(now, &polls);
            if queue.is_empty() {
                queue.stop();
                // From here on another task may run.
                std::mem::forget(running);
                return;
            }
            queue.wake_at(now)
        };
        tokio::select! {
            Some(first) = polls.next(), if !polls.is_empty() => {
                // All that has arrived, before the next are sent.
                let mut arrived = Some(first);
                while let Some(report) = arrived {
                    report.into_iter().for_each(|report| report::take_in(&client, report));
                    arrived = polls.next().now_or_never().flatten();
                }
            }
            () = sleep_until(wake_at) => {}
            () = client.waits().changed.notified() => {}
        }
    }
}
