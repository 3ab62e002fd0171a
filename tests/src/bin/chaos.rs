//! `make chaos`: the service under load while everything around it fails. Prints the figures as a table; the exit code
//! says whether every promise was kept. `CHAOS_SECONDS` is the length of the run (default: 600).

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who runs it")]

use std::process::ExitCode;
use std::time::Duration;

use connect_tests::Error;
use connect_tests::chaos::{Plan, Report, run};

const DEFAULT_SECONDS: u64 = 600;

#[tokio::main]
async fn main() -> ExitCode {
    match chaos().await {
        Ok(report) => {
            print!("{report}");
            if report.all_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("chaos could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn chaos() -> Result<Report, Error> {
    let seconds = match std::env::var("CHAOS_SECONDS") {
        Ok(seconds) => seconds.parse().map_err(|_| "CHAOS_SECONDS must be a whole number")?,
        Err(_) => DEFAULT_SECONDS,
    };
    run(Plan::new(Duration::from_secs(seconds))).await
}
