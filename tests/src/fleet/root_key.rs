//! `root-key rotate` under load.

use std::sync::Arc;
use std::time::Duration;

use super::figures::Figures;
use super::installation::{Installation, Processes};
use super::load::Load;
use super::plan::Plan;
use super::wait;
use crate::Error;

/// Rotates the root key while the load lasts. `None` where the service has no such command.
pub(super) async fn rotate(
    plan: &Plan,
    installation: &Installation<'_>,
    _processes: &mut Processes,
    load: &Arc<Load>,
) -> Result<Option<(Figures, Duration)>, Error> {
    if installation.home.run(&["root-key", "help"]).await.is_err() {
        return Ok(None);
    }
    let rotating = async {
        wait(plan.around).await?;
        installation.home.run(&["root-key", "rotate"]).await?;
        wait(plan.around).await
    };
    load.during(rotating).await.map(Some)
}
