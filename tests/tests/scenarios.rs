//! Runs every scenario of `tests/scenarios/` against the Rust SDK, and fails unless all of the index has run.
//!
//! `cargo test -p connect-tests --test scenarios [-- TEXT]` runs those whose id holds TEXT.
//!
//! Each scenario runs twice: with typed answers, and with answers as JSON text, which is what other languages use.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a test program reports in print")]

mod rust_runner;

use std::collections::BTreeSet;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use connect_tests::scripted::{http, load, server};
use rust_runner::{CHILD, Form, alone, logs, play};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Address = std::net::SocketAddr;

/// Scenarios under way at once: they mostly wait.
const AT_ONCE: usize = 24;

#[tokio::main]
async fn main() -> ExitCode {
    logs::install();
    let result = match std::env::var(CHILD) {
        Ok(address) => child(&address).await,
        Err(_) => run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let server = server::start(&load::folder()).await?;
    let address = server.common.address;
    let index = http::call(address, "GET", "/scenarios?language=rust", &Value::Null).await?;
    let index: Vec<(String, bool)> = index
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["skip"].is_null())
        .map(|entry| (entry["id"].as_str().unwrap_or_default().to_owned(), entry["alone"] == true))
        .filter(|(id, _)| only.as_ref().is_none_or(|only| id.contains(only.as_str())))
        .collect();

    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (id, in_own_process) in index {
        for form in [Form::Typed, Form::Json] {
            let (id, places) = (id.clone(), Arc::clone(&places));
            running.spawn(async move {
                let _place = places.acquire().await;
                let failures = scenario(address, &id, form, in_own_process).await;
                (id, form, failures.unwrap_or_else(|problem| vec![problem]))
            });
        }
    }
    let (mut ran, mut failed) = (BTreeSet::new(), 0);
    while let Some(ended) = running.join_next().await {
        let (id, form, failures) = ended.map_err(|e| e.to_string())?;
        if !failures.is_empty() {
            failed += 1;
            println!("FAILED {id} ({form:?})");
            failures.iter().for_each(|failure| println!("    {failure}"));
        }
        ran.insert(id);
    }
    let end = http::call(address, "POST", "/finish", &json!({ "language": "rust", "ran": ran })).await?;
    println!("{}", end["text"].as_str().unwrap_or_default());
    let incomplete = end["failures"].as_array().cloned().unwrap_or_default();
    if only.is_none() && !incomplete.is_empty() {
        return Err(format!("the run is not whole: {}", Value::Array(incomplete)));
    }
    match failed {
        0 => Ok(()),
        n => Err(format!("{n} runs of scenarios failed")),
    }
}

/// Plays one scenario and gives what the server finds wrong with it.
async fn scenario(
    address: Address,
    id: &str,
    form: Form,
    in_own_process: bool,
) -> Result<Vec<String>, String> {
    let task = http::call(address, "POST", "/sessions", &json!({ "id": id, "language": "rust" })).await?;
    let blocks = |step: &Value| step["pause"] == "blocked";
    let report = if in_own_process {
        in_child(address, &task, form).await?
    } else if task["steps"].as_array().into_iter().flatten().any(blocks) {
        // On a runtime of its own, whose only thread it may block.
        let task = task.clone();
        let playing = tokio::task::spawn_blocking(move || alone(play(address, &task, form)));
        playing.await.map_err(|e| e.to_string())?
    } else {
        play(address, &task, form).await
    };
    let verdict = format!("/sessions/{}/verdict", task["session"]);
    let verdict = http::call(address, "POST", &verdict, &report).await?;
    serde_json::from_value(verdict["failures"].clone()).map_err(|e| e.to_string())
}

/// An environment of its own takes a process of its own: this program once more.
async fn in_child(address: Address, task: &Value, form: Form) -> Result<Value, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.env(CHILD, format!("{address} {form:?}")).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (name, value) in task["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap_or_default());
    }
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(task.to_string().as_bytes()).await.map_err(|e| e.to_string())?;
    }
    let output = child.wait_with_output().await.map_err(|e| e.to_string())?;
    serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("the child process ended with {}: {e}", output.status))
}

async fn child(address: &str) -> Result<(), String> {
    let (address, form) = address.split_once(' ').ok_or("not started by this program")?;
    let address: Address = address.parse().map_err(|_| "not an address")?;
    let form = if form == "Json" { Form::Json } else { Form::Typed };
    let task = std::io::read_to_string(std::io::stdin()).map_err(|e| e.to_string())?;
    let task = serde_json::from_str(&task).map_err(|e| e.to_string())?;
    println!("{}", play(address, &task, form).await);
    Ok(())
}
