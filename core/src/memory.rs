//! For tests: what this process's memory still holds, freed or not.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

/// While one test searches, its buffer holds copies of what another one looks for.
static SEARCH: Mutex<()> = Mutex::new(());

/// A text that no test holds in one piece until [`Needle::write`] writes it.
pub(crate) struct Needle([u8; Needle::LENGTH]);

impl Needle {
    pub(crate) const LENGTH: usize = 96;
    /// What is searched for is its end: allocators write into the beginning of what is freed.
    const SEARCHED: usize = 32;
    const MASK: u8 = 0x80;

    /// A random one.
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| fastrand::alphanumeric() as u8 ^ Self::MASK))
    }

    /// Appends the text to a buffer that has room for it.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        assert!(to.capacity() - to.len() >= Self::LENGTH, "growing would leave a copy behind");
        to.extend(self.0.iter().map(|byte| byte ^ Self::MASK));
    }

    /// How often it is in the writable memory of this process.
    pub(crate) fn count(&self) -> usize {
        let _alone = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = File::open("/proc/self/mem").expect("Linux");
        let mut piece = vec![0; 1 << 20];
        let own = piece.as_ptr() as u64..piece.as_ptr() as u64 + piece.len() as u64;
        let mut count = 0;
        for (start, end) in writable() {
            // Everything but the buffer that is read into.
            for (start, end) in [(start, end.min(own.start)), (start.max(own.end), end)] {
                let mut at = start;
                while at < end {
                    let length = (end - at).min(piece.len() as u64) as usize;
                    let Ok(read) = memory.read_at(&mut piece[..length], at) else {
                        break;
                    };
                    count += self.count_in(&piece[..read]);
                    piece.fill(0);
                    if read < length || at + length as u64 == end {
                        break;
                    }
                    // The next one overlaps, for what lies across the border.
                    at += (length - Self::SEARCHED + 1) as u64;
                }
            }
        }
        count
    }

    fn count_in(&self, piece: &[u8]) -> usize {
        let end = &self.0[Self::LENGTH - Self::SEARCHED..];
        let is_end = |at: &usize| {
            let found = piece.get(*at..at + Self::SEARCHED);
            found
                .is_some_and(|found| found.iter().zip(end).all(|(byte, masked)| byte ^ Self::MASK == *masked))
        };
        memchr::memchr_iter(end[0] ^ Self::MASK, piece).filter(is_end).count()
    }
}

/// The address ranges that can be written to.
fn writable() -> Vec<(u64, u64)> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((hex(start)?, hex(end)?))
    };
    maps.lines().filter_map(range).collect()
}

#[test]
fn what_was_freed_without_being_zeroed_is_found() {
    let needle = Needle::new();
    assert_eq!(needle.count(), 0);
    let mut text = Vec::with_capacity(Needle::LENGTH);
    needle.write(&mut text);
    assert_eq!(needle.count(), 1);
    drop(text);
    assert_eq!(needle.count(), 1);
}
