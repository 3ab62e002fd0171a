//! Everything that the SDK and the libraries under it log, at the finest level, and the SDK's events.
//!
//! All scenarios share one log, since spawned tasks have no scenario. Only lines with a secret in them are kept;
//! every secret of every session holds the same word.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use connect_tests::scripted::session::CANARY;

static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Begins to listen.
pub(crate) fn install() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| Line)
        .init();
}

/// Adds one line.
pub(crate) fn add(line: &str) {
    if line.contains(CANARY) {
        kept().push(line.to_owned());
    }
}

/// How many lines with secrets there were so far.
pub(crate) fn count() -> usize {
    kept().len()
}

/// Those that came since there were `count`.
pub(crate) fn since(count: usize) -> Vec<String> {
    kept().iter().skip(count).cloned().collect()
}

fn kept() -> MutexGuard<'static, Vec<String>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The subscriber writes each event in one piece.
struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        add(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
