//! Moves the clock forward. Between two times the service does a lot that nobody asks for, so this goes in steps and does
//! after each what would have been done by then: a grant that is kept alive at day 70 is not found dead at day 100.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Control, ControlError};
use crate::clock::{millis, rfc3339};
use crate::state::AppState;
use crate::store::StoreError;
use crate::{announcements, revocation, vending};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What is done unasked is due within days, not within hours.
const STEP: Duration = DAY;
/// Maximum advance of one command: more would take longer than a caller waits.
const MAX_ADVANCE: Duration = DAY.saturating_mul(366);
/// How far the clock can be ahead in all: a century.
const MAX_AHEAD: Duration = MAX_ADVANCE.saturating_mul(100);

/// Advances the clock of the service and of the provider.
pub(super) async fn advance(control: &Control, seconds: u64) -> Result<Value, ControlError> {
    let by = Duration::from_secs(seconds);
    if by > MAX_ADVANCE {
        return Err(ControlError::wrong("One command moves the clock by a year at most: repeat it"));
    }
    if control.provider.ledger().saved.ahead + millis(by) > millis(MAX_AHEAD) {
        return Err(ControlError::wrong("The clock would be ahead by more than a century"));
    }
    let (mut left, mut kept_alive) = (by, 0);
    while !left.is_zero() {
        let step = left.min(STEP);
        left -= step;
        control.provider.ledger().advance(millis(step));
        control.service.clock.advance(step);
        kept_alive += work_unasked(&control.service).await?;
    }
    control.service.budgets.advance(by);
    Ok(json!({ "now": rfc3339(control.service.clock.now()), "kept_alive": kept_alive }))
}

/// Does at once what the tasks of `server::serve` do from time to time; gives the number of grants that were kept alive.
async fn work_unasked(service: &AppState) -> Result<u64, StoreError> {
    service.store.drop_unconfirmed().await?;
    let kept_alive = vending::keep_alive_once(service, Duration::ZERO).await?;
    announcements::announce_once(service, true).await?;
    revocation::revoke_due(service).await?;
    service.store.clean_up().await?;
    Ok(kept_alive)
}
