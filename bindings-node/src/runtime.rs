//! The one thread that works on the calls of all environments of the process (the main one and all workers).

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};

static RUNTIME: OnceLock<Handle> = OnceLock::new();

/// The runtime, started with the first call. Its thread ends with the process.
///
/// # Errors
/// When the system gives no thread; the next call tries again.
pub(crate) fn handle() -> std::io::Result<&'static Handle> {
    if let Some(handle) = RUNTIME.get() {
        return Ok(handle);
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("pabbly-connect".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    // Two environments may have come here at once: one runtime is used, the other has nothing to do.
    Ok(RUNTIME.get_or_init(|| handle))
}
