//! Measures one Rust client, as the environment and standard input say (see `benches/README.md`).

mod answers;
mod core;
mod job;
mod raw_hyper;
mod reqwest;

use job::{Job, Outcome};

fn main() -> Outcome<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let job = Job::from_env()?;
    match name.as_str() {
        "hyper" => job.measure::<raw_hyper::Peer>(&name),
        "reqwest" => job.measure::<reqwest::Peer>(&name),
        "core" => job.measure::<core::Peer>(&name),
        _ => Err("usage: bench-rust hyper|reqwest|core".into()),
    }
}
