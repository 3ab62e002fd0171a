//! `with-postgres COMMAND…`: starts a PostgreSQL server with an empty database, prints its URL, runs the command with the
//! URL in `CONNECT_TEST_POSTGRES_URL`, and ends the server.

use std::io::Write as _;
use std::process::ExitCode;

use connect_tests::Error;
use connect_tests::postgres::{Durability, Postgres};
use tokio::process::Command;

#[tokio::main]
async fn main() -> Result<ExitCode, Error> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("usage: with-postgres COMMAND…")?;
    let postgres = Postgres::start(Durability::Volatile).await?;
    let url = postgres.create_database().await?;
    writeln!(std::io::stdout(), "{url}")?;
    let status = Command::new(program).args(arguments).env("CONNECT_TEST_POSTGRES_URL", url).status().await?;
    drop(postgres);
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
