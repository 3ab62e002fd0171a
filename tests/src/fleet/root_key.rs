//! The root key is rotated under load, in the steps that docs/operators.md has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::figures::Figures;
use super::installation::{Installation, Processes};
use super::load::Load;
use super::plan::Plan;
use super::{upgrade, wait};
use crate::{Error, random};

/// The id of the new root key; that of the first one is `default`.
const NEXT: &str = "next";

/// Rotates the root key while the load lasts. `None` where the service has no such command.
pub(super) async fn rotate(
    plan: &Plan,
    installation: &Installation<'_>,
    processes: &mut Processes,
    load: &Arc<Load>,
) -> Result<Option<(Figures, Duration)>, Error> {
    let home = &installation.home;
    if home.run(&["root-key", "help"]).await.is_err() {
        return Ok(None);
    }
    let file = home.path("next.key");
    fs::write(&file, STANDARD.encode(random::text(32)))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    home.configure(&format!("\n[root_keys.{NEXT}]\nkey_file = \"{}\"\n", file.display()))?;
    let rotating = async {
        // All processes have to know the new key before anything is sealed by it.
        upgrade(plan, installation, processes).await?;
        home.run(&["root-key", "rotate", NEXT]).await?;
        // That is refused while anything is sealed by it.
        home.run(&["root-key", "remove", "default"]).await?;
        wait(plan.around).await
    };
    load.during(rotating).await.map(Some)
}
