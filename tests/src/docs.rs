//! The examples of the pages in `docs/`, compiled by the documentation tests.

#[doc = include_str!("../../docs/rust.md")]
#[cfg(doctest)]
pub struct RustPage;
