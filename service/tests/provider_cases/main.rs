//! What real providers were reported to do: each situation driven through the service, with a provider that sends these
//! bytes. The table is printed: `cargo test --test provider_cases -- --nocapture`.
//!
//! A row's source names a public report; the situation is told in our own words.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod authorization;
mod callback;
#[path = "../connect_support/mod.rs"]
mod connect_support;
mod failures;
mod grants;
mod refresh;
mod scenarios;
mod world;

use std::fmt::Write;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

/// The numbers of all rows.
const ROWS: [u32; 48] = [
    1, 2, 4, 6, 7, 9, 10, 13, 15, 17, 18, 20, 22, 24, 25, 27, 28, 29, 31, 32, 34, 35, 36, 37, 38, 39, 41, 42,
    43, 45, 46, 48, 49, 50, 51, 52, 54, 55, 56, 58, 59, 60, 62, 63, 64, 65, 67, 68,
];

/// A situation at a provider.
#[derive(Clone, Copy)]
struct Case {
    row: u32,
    source: &'static str,
    situation: &'static str,
    /// Fails where the service does not do what is right.
    test: fn() -> LocalBoxFuture<'static, ()>,
}

/// `row, source, situation => test;`
macro_rules! cases {
    ($($row:literal, $source:literal, $situation:literal => $test:path;)*) => {
        pub(crate) const CASES: &[crate::Case] = &[
            $(crate::Case { row: $row, source: $source, situation: $situation, test: || Box::pin($test()) }),*
        ];
    };
}
use cases;

#[tokio::test]
async fn every_row_is_right() {
    let mut cases = [
        failures::CASES,
        refresh::CASES,
        grants::CASES,
        authorization::CASES,
        callback::CASES,
        scenarios::CASES,
    ]
    .concat();
    cases.sort_by_key(|case| case.row);
    let rows: Vec<_> = cases.iter().map(|case| case.row).collect();
    assert_eq!(rows, ROWS, "each row once");
    let mut table = String::from("| row | source | situation | result |\n|---|---|---|---|\n");
    let mut wrong = Vec::new();
    for Case { row, source, situation, test } in cases {
        let result = match AssertUnwindSafe(test()).catch_unwind().await {
            Ok(()) => "right",
            Err(_) => {
                wrong.push(row);
                "WRONG"
            }
        };
        writeln!(table, "| {row} | {source} | {situation} | {result} |").unwrap();
    }
    println!("{table}");
    assert!(wrong.is_empty(), "rows {wrong:?}\n{table}");
}
