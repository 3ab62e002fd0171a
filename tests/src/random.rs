//! Random names and numbers.

use std::fmt::Write as _;

/// Random hexadecimal text of this length (an even number).
///
/// # Panics
/// When the operating system gives no random bytes.
pub fn text(length: usize) -> String {
    let mut bytes = vec![0; length / 2];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().fold(String::with_capacity(length), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random number below `end`, near enough to even for choosing moments and victims.
///
/// # Panics
/// When the operating system gives no random bytes.
pub fn below(end: u64) -> u64 {
    getrandom::u64().expect("the operating system gives random bytes") % end.max(1)
}

/// One of several at random.
///
/// # Panics
/// When there is none.
pub fn choose<T>(from: &[T]) -> &T {
    let chosen = usize::try_from(below(from.len() as u64)).expect("below the length");
    &from[chosen]
}

/// A random number from 0 to 1.
///
/// # Panics
/// When the operating system gives no random bytes.
pub fn fraction() -> f64 {
    below(1_000) as f64 / 999.0
}
