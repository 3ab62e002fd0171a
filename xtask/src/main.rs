//! `cargo xtask generate` writes what is generated, `cargo xtask check` fails where it is stale, and `cargo xtask tables`
//! prints the manifest's tables as JSON.

use std::error::Error;
use std::process::ExitCode;

use xtask::{generate, manifest};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        "generate" | "check" => files(command == "generate"),
        "tables" => {
            println(&format!("{:#}", generate::tables()?))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("say generate, check or tables".into()),
    }
}

/// Writes or compares all files.
fn files(write: bool) -> Result<ExitCode, Box<dyn Error>> {
    let mut code = ExitCode::SUCCESS;
    for (path, text) in generate::files()? {
        let there = manifest::root().join(&path);
        if std::fs::read_to_string(&there).is_ok_and(|found| found == text) {
            continue;
        }
        if write {
            std::fs::write(there, text)?;
            println(&format!("wrote {path}"))?;
        } else {
            println(&format!("{path} is stale: run `cargo xtask generate`"))?;
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn println(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")
}
