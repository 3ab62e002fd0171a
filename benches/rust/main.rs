//! One measurement of one Rust client, as the environment says (see `benches/README.md`).

mod answers;
mod core;
mod job;
mod raw_hyper;
mod reqwest;

use std::io::Write;

use job::{Job, Outcome};

fn main() -> Outcome<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let measured = match name.as_str() {
        "hyper" => Job::from_env()?.measure::<raw_hyper::Peer>(),
        "reqwest" => Job::from_env()?.measure::<reqwest::Peer>(),
        "core" => Job::from_env()?.measure::<core::Peer>(),
        _ => Err("usage: bench-rust hyper|reqwest|core".into()),
    }?;
    writeln!(std::io::stdout(), "{}", measured.report(&name)?)?;
    Ok(())
}
