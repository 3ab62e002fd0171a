//! The one background thread, on which all calls of all event loops run. It never touches Python, so it can stay
//! behind when the interpreter ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::fork::Owned;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Calls on their way to the thread. Those that come while it is busy are taken over in one go, with one wake-up.
#[derive(Default)]
struct Inbox {
    tasks: Mutex<Vec<Task>>,
    arrived: Notify,
}

/// While calls are made the thread wakes up this often.
const PULSE: Duration = Duration::from_secs(1);

static INBOX: Mutex<Option<Owned<Arc<Inbox>>>> = Mutex::new(None);

/// Runs a task on the background thread, which is started by the first one.
pub(crate) fn spawn(task: Task) -> PyResult<()> {
    let inbox = inbox()?;
    let was_empty = {
        let mut tasks = inbox.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task);
        tasks.len() == 1
    };
    if was_empty {
        inbox.arrived.notify_one();
    }
    Ok(())
}

fn inbox() -> PyResult<Arc<Inbox>> {
    let mut inbox = INBOX.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(inbox) = inbox.as_ref().and_then(Owned::get) {
        return Ok(inbox.clone());
    }
    let new = Arc::new(Inbox::default());
    start(new.clone())?;
    *inbox = Some(Owned::new(new.clone()));
    Ok(new)
}

fn start(inbox: Arc<Inbox>) -> PyResult<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || runtime.block_on(work(&inbox));
    std::thread::Builder::new().name("pabbly-connect".to_owned()).spawn(run)?;
    Ok(())
}

async fn work(inbox: &Inbox) {
    // Tokio wakes its own thread up for each timer that is due before all others, as the timeout of a lone call is.
    // Where calls follow one another a timer that is due even sooner saves them that.
    let mut pulse = None;
    let mut busy = false;
    loop {
        tokio::select! {
            () = inbox.arrived.notified() => {
                let tasks = std::mem::take(&mut *inbox.tasks.lock().unwrap_or_else(PoisonError::into_inner));
                for task in tasks {
                    tokio::spawn(task);
                }
                busy = true;
                pulse.get_or_insert_with(|| Box::pin(sleep(PULSE)));
            }
            () = async { if let Some(pulse) = &mut pulse { pulse.await } }, if pulse.is_some() => {
                pulse = std::mem::take(&mut busy).then(|| Box::pin(sleep(PULSE)));
            }
        }
    }
}
