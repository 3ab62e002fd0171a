//! Log lines on their way to stderr. Whoever reads stderr may stall, and a write would then block: so requests only put
//! their lines into a bounded queue, and one thread writes what is there in one piece. A line that finds the queue full is
//! dropped and counted, and the count is logged once there is room again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::clock::{Clock, rfc3339};

/// Time that a process which ends gives stderr to take the lines that are still queued.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause after a write. Under load, requests would otherwise wake the thread for each line, which costs them more than the
/// line itself.
const PAUSE: Duration = Duration::from_millis(5);

/// A write takes no more than this and one line.
const MAX_WRITE: usize = 64 * 1024;

/// Number of lines that this process had no room for.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// A bounded queue of lines, written by a thread of its own.
#[derive(Debug)]
pub(super) struct LogQueue {
    messages: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Everything before this was written; the sender is told by being hung up on.
    Flush(SyncSender<()>),
}

/// Writes what is still queued when dropped, for a second at most.
#[derive(Debug)]
pub struct LogFlush(SyncSender<Message>);

impl LogQueue {
    /// Starts the thread. `capacity` is how many lines wait at most; `dropped_line` says how many were dropped.
    pub(super) fn start(
        writer: impl Write + Send + 'static,
        capacity: usize,
        dropped_line: fn(u64) -> String,
    ) -> io::Result<Self> {
        let (messages, queued) = sync_channel(capacity);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = dropped.clone();
        thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(writer, &queued, &counter, dropped_line))?;
        Ok(Self { messages, dropped })
    }

    pub(super) fn flush_on_drop(&self) -> LogFlush {
        LogFlush(self.messages.clone())
    }
}

/// `tracing` writes each line with one call.
impl Write for &LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogFlush {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        let (done, flushed) = sync_channel(0);
        let mut message = Message::Flush(done);
        loop {
            match self.0.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(_)) if Instant::now() >= deadline => return,
                Err(TrySendError::Full(unsent)) => message = unsent,
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Either the thread hangs up, or it took too long.
        let _ = flushed.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// Writes lines until there can be no more. A write that fails has nowhere to be reported.
fn write_all(
    mut writer: impl Write,
    queued: &Receiver<Message>,
    dropped: &AtomicU64,
    dropped_line: fn(u64) -> String,
) {
    let mut lines = Vec::new();
    while let Ok(message) = queued.recv() {
        // Hung up on once everything before it is written.
        let mut flushes = Vec::new();
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                Message::Line(line) => lines.extend_from_slice(&line),
                Message::Flush(flush) => flushes.push(flush),
            }
            next = if lines.len() < MAX_WRITE { queued.try_recv().ok() } else { None };
        }
        let _ = writer.write_all(&lines);
        lines.clear();
        let dropped = dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writer.write_all(dropped_line(dropped).as_bytes());
        }
        if flushes.is_empty() {
            thread::sleep(PAUSE);
        }
    }
}

/// Number of lines that this process had no room for since it started.
pub(crate) fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Written as `tracing` would, but past the queue, which may be full again.
pub(super) fn dropped_as_json(dropped: u64) -> String {
    let line = json!({
        "timestamp": rfc3339(Clock::default().now()),
        "level": "WARN",
        "fields": { "message": "log lines were dropped", "dropped": dropped },
        "target": module_path!(),
    });
    format!("{line}\n")
}

/// The same for people.
pub(super) fn dropped_as_text(dropped: u64) -> String {
    format!("{}  WARN log lines were dropped dropped={dropped}\n", rfc3339(Clock::default().now()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    use serde_json::Value;

    use super::*;

    /// Takes a line only when it is let.
    struct Stalled {
        started: Sender<()>,
        resume: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.started.send(());
            // Once the other end is gone nothing stalls any more.
            let _ = self.resume.recv();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_reader_blocks_nobody_and_drops_are_counted() {
        let (started, begun) = channel();
        let (resume, stalled) = channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Stalled { started, resume: stalled, written: written.clone() };
        let queue = LogQueue::start(writer, 2, dropped_as_json).unwrap();
        let mut log = &queue;
        log.write_all(b"{\"n\":1}\n").unwrap();
        begun.recv().unwrap();
        // The first is being written, two wait, and seven have no place.
        for n in 2..=10 {
            log.write_all(format!("{{\"n\":{n}}}\n").as_bytes()).unwrap();
        }
        // Nor does it block the end.
        drop(queue.flush_on_drop());

        drop(resume);
        drop(queue.flush_on_drop());
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!([&lines[0]["n"], &lines[2]["n"], &lines[3]["n"]], [1, 2, 3], "{text}");
        assert_eq!(lines[1]["fields"]["dropped"], 7, "{text}");
    }
}
