//! Serves the scenarios on loopback. Prints its address as the only line, and ends with its standard input.

use std::io::Write;

use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> Result<(), String> {
    let folder = std::env::args_os().nth(1).map_or_else(connect_tests::scripted::load::folder, Into::into);
    let server = connect_tests::scripted::server::start(&folder).await?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", server.common.address).map_err(|e| e.to_string())?;
    out.flush().map_err(|e| e.to_string())?;
    // Runners hold the other end: when they are gone, so is the server.
    let mut ignored = Vec::new();
    tokio::io::stdin().read_to_end(&mut ignored).await.map_err(|e| e.to_string())?;
    Ok(())
}
