//! `make fleet`: several processes over PostgreSQL behind nginx, under load, while processes are killed and upgraded
//! and the root key is rotated. Prints the figures; the exit code says whether every promise was kept.
//! [`Plan::from_environment`] says what can be chosen; `FLEET_JSON` names a file for the figures.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who runs it")]

use std::process::ExitCode;

use connect_tests::Error;
use connect_tests::fleet::{Plan, Report, run};

#[tokio::main]
async fn main() -> ExitCode {
    match fleet().await {
        Ok(report) => {
            print!("{report}");
            if report.all_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("fleet could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn fleet() -> Result<Report, Error> {
    let started = std::time::Instant::now();
    let progress = |what: &str| println!("{:>4} s  {what}", started.elapsed().as_secs());
    let report = run(&Plan::from_environment()?, progress).await?;
    if let Some(path) = std::env::var_os("FLEET_JSON") {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    Ok(report)
}
