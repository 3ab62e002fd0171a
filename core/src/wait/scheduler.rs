//! All waits of one client: one queue, and one task that polls for all of them while there are any.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::entry::{Key, Outcome, Waiter};
use super::queue::Queue;
use super::{OnPoll, poll_result};
use crate::client::Client;
use crate::customer::Customer;
use crate::error::{Error, ErrorKind};

/// The waits of one client.
pub(crate) struct Waits(Mutex<Queue>);

impl Waits {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Queue::new(Instant::now())))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes its waiter off the queue when dropped.
pub(super) struct WaitGuard<'a> {
    client: &'a Client,
    key: &'a Arc<Key>,
    id: u64,
}

/// Joins those who wait, until the guard is dropped. The outcome fails where the runtime that polls for all of
/// them is shut down.
pub(super) fn join<'a>(
    customer: &'a Customer,
    key: &'a Arc<Key>,
    interval: Duration,
    deadline: Option<Instant>,
    on_poll: Option<OnPoll>,
) -> (WaitGuard<'a>, oneshot::Receiver<Outcome>) {
    let client = customer.client();
    let (sender, receiver) = oneshot::channel();
    let mut queue = client.waits().lock();
    let id = queue.next_id();
    let waiter = Waiter { id, interval, deadline, on_poll, sender };
    queue.join(customer, key, waiter);
    let task = match &queue.task {
        Some(changed) => {
            changed.notify_one();
            None
        }
        None => Some(Task { client: client.clone(), changed: queue.task.insert(Arc::default()).clone() }),
    };
    drop(queue);
    let guard = WaitGuard { client, key, id };
    if let Some(task) = task {
        tokio::spawn(poll_for_all(task));
    }
    (guard, receiver)
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        let mut queue = self.client.waits().lock();
        queue.leave(self.key, self.id);
        // Whoever comes after the last has a task of their own: this one's runtime may be driven no more.
        let task = if queue.is_empty() { queue.task.take() } else { queue.task.clone() };
        if let Some(changed) = task {
            changed.notify_one();
        }
    }
}

/// The task that polls for all who wait. It is made before it is spawned, so that it is dropped also where it never runs.
struct Task {
    client: Client,
    /// Notified when the queue has changed.
    changed: Arc<Notify>,
}

impl Task {
    /// Whether it still is the one that polls.
    fn is_wanted(&self, queue: &Queue) -> bool {
        queue.task.as_ref().is_some_and(|task| Arc::ptr_eq(task, &self.changed))
    }
}

impl Drop for Task {
    /// Where the runtime is shut down under it, everybody who waits learns it and continues elsewhere.
    fn drop(&mut self) {
        let mut queue = self.client.waits().lock();
        if self.is_wanted(&queue) {
            let panicked = std::thread::panicking().then(|| {
                let message = "the task that polls for all waits panicked: does its runtime have timers?";
                Error::local(ErrorKind::Other, message)
            });
            queue.stop(panicked);
        }
    }
}

/// Polls for all, until nobody waits any more.
async fn poll_for_all(task: Task) {
    let mut polls = FuturesUnordered::new();
    loop {
        let wake_at = {
            let mut queue = task.client.waits().lock();
            if !task.is_wanted(&queue) {
                return;
            }
            let now = Instant::now();
            let mut budget = task.client.rate_budget();
            queue.send_due(now, &mut budget, &polls);
            if queue.is_empty() {
                queue.task = None;
                return;
            }
            queue.wake_at(now, &mut budget)
        };
        tokio::select! {
            Some(first) = polls.next(), if !polls.is_empty() => {
                // All that has arrived, before the next are sent.
                let mut arrived = Some(first);
                while let Some(result) = arrived {
                    result.into_iter().for_each(|result| poll_result::apply(&task.client, result));
                    arrived = polls.next().now_or_never().flatten();
                }
            }
            () = sleep_until(wake_at) => {}
            () = task.changed.notified() => {}
        }
    }
}
