//! The one thread that works on the calls of all environments of the process (the main one and all workers).

use std::sync::OnceLock;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Job = Box<dyn FnOnce() + Send>;

/// Started with the first call; its thread ends with the process.
static JOBS: OnceLock<UnboundedSender<Job>> = OnceLock::new();

/// Runs a short job on the runtime's thread, where it may spawn tasks.
///
/// Jobs go through a channel and not through tokio's own `spawn`, which makes a system call for each to wake the
/// thread; the channel makes one for all that are sent until it wakes.
///
/// # Errors
/// When the system gives no thread; the next call tries again.
pub(crate) fn run(job: Job) -> std::io::Result<()> {
    let jobs = match JOBS.get() {
        Some(jobs) => jobs,
        None => start()?,
    };
    jobs.send(job).map_err(|_| std::io::Error::other("the runtime has ended"))
}

fn start() -> std::io::Result<&'static UnboundedSender<Job>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new()
        .name("pabbly-connect".to_owned())
        .spawn(move || runtime.block_on(work(receiver)))?;
    // Two environments may have come here at once: one runtime is used, the other ends with its sender.
    Ok(JOBS.get_or_init(|| sender))
}

async fn work(mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job();
    }
}
