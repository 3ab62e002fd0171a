//! `connect-service doctor`.

use connect_service::config::Config;
use connect_service::doctor::{Verdict, examine};
use connect_service::state::SetupError;

use super::Output;

/// Prints what was found; fails where the service could not work.
pub(crate) async fn doctor(config: &Config, output: Output) -> Result<(), SetupError> {
    let checks = examine(config).await;
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
    let rows = checks
        .into_iter()
        .map(|check| [check.verdict.as_str().into(), check.name.into(), check.detail.into()]);
    output.table(["verdict", "check", "detail"], rows)?;
    if failed > 0 { Err(format!("checks that failed: {failed}").into()) } else { Ok(()) }
}
