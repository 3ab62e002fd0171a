//! The one thread that works on the calls of all environments of the process (the main one and all workers).

use std::pin::Pin;
use std::sync::OnceLock;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Started with the first call; its thread ends with the process.
static TASKS: OnceLock<UnboundedSender<Task>> = OnceLock::new();

/// Runs a task on the runtime's thread.
///
/// Tasks go through a channel and not through tokio's own `spawn`, which makes a system call for each to wake the
/// thread; the channel makes one for all that are sent until it wakes.
///
/// # Errors
/// When the system gives no thread; the next call tries again.
pub(crate) fn spawn(task: Task) -> std::io::Result<()> {
    let tasks = match TASKS.get() {
        Some(tasks) => tasks,
        None => start()?,
    };
    tasks
        .send(task)
        .map_err(|_| std::io::Error::other("the runtime has ended"))
}

fn start() -> std::io::Result<&'static UnboundedSender<Task>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new()
        .name("pabbly-connect".to_owned())
        .spawn(move || runtime.block_on(run(receiver)))?;
    // Two environments may have come here at once: one runtime is used, the other ends with its sender.
    Ok(TASKS.get_or_init(|| sender))
}

async fn run(mut tasks: UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        tokio::spawn(task);
    }
}
