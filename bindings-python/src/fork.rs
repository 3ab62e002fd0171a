//! A forked child has its parent's memory but none of its threads: whatever needs one must be made anew there, and
//! what the parent was using must be left alone, not even be dropped, since a thread that is no more may have held
//! its locks.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

use crate::ending::forget_other_threads;

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that loaded the module.
#[pyfunction]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Registered with `os.register_at_fork`.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    forget_other_threads();
}

/// Something that belongs to the process that made it. A child that inherits it leaks it instead of dropping it.
pub(crate) struct Owned<T> {
    generation: u64,
    /// `None` only while it is dropped or taken out.
    value: Option<T>,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { generation: generation(), value: Some(value) }
    }

    /// Whether this process inherited it from its parent.
    pub(crate) fn is_inherited(&self) -> bool {
        self.generation != generation()
    }

    /// The thing itself; `None` where it is another process's.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| !self.is_inherited())
    }

    /// Takes the thing out; `None` where it is another process's.
    pub(crate) fn into_inner(mut self) -> Option<T> {
        if self.is_inherited() { None } else { self.value.take() }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.is_inherited() {
            std::mem::forget(self.value.take());
        }
    }
}
