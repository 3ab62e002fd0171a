//! How many of something there are at once.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many there are now, and the most that there were.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// One of them, until it is dropped.
pub(super) struct Entry<'a>(&'a Gauge);

impl Gauge {
    pub(super) fn enter(&self) -> Entry<'_> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
        Entry(self)
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
