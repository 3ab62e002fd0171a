//! How fast polls may follow each other, whatever else allows them. Pure: the clock is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// At most so many within so long.
#[derive(Debug)]
pub(crate) struct Pace {
    most: u32,
    within: Duration,
    /// When the current stretch began, and how many were sent in it.
    began: Instant,
    sent: u32,
}

impl Pace {
    pub(crate) fn new(most: u32, within: Duration, now: Instant) -> Self {
        Self { most, within, began: now, sent: 0 }
    }

    /// When the next may be sent; not later than `now` means at once.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        if self.sent >= self.most { now.max(self.began + self.within) } else { now }
    }

    /// One was sent.
    pub(crate) fn count(&mut self, now: Instant) {
        if now >= self.began + self.within {
            (self.began, self.sent) = (now, 0);
        }
        self.sent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_sent_until_the_stretch_is_over() {
        let start = Instant::now();
        let within = Duration::from_secs(1);
        let mut pace = Pace::new(3, within, start);
        for stretch in 0..2 {
            let now = start + within * stretch;
            for _ in 0..3 {
                assert_eq!(pace.next(now), now);
                pace.count(now);
            }
            assert_eq!(pace.next(now), now + within);
            pace.count(now);
            assert_eq!(pace.next(now), now + within, "also where more were sent");
            assert_eq!(pace.next(now + within / 2), now + within);
        }
        // What was not sent is not saved up.
        let later = start + within * 9;
        (0..3).for_each(|_| pace.count(later));
        assert_eq!(pace.next(later), later + within);
    }
}
