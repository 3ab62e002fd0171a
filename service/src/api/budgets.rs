//! `GET /budgets`: what a tenant may call how often, and what is left of it.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::state::AppState;
use crate::store::Caller;

#[derive(Serialize)]
pub(super) struct Budgets {
    budgets: Vec<BudgetView>,
}

#[derive(Serialize)]
struct BudgetView {
    name: &'static str,
    limit: u32,
    window: u64,
    remaining: u32,
    resets_in: u64,
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<Budgets>, ApiError> {
    let standings = app.budgets.of_caller(&caller).await?;
    let budgets = standings.into_iter().map(|standing| {
        let (name, limit, window, remaining, resets_in) = standing.parts();
        BudgetView { name, limit, window, remaining, resets_in }
    });
    Ok(Success::new(Budgets { budgets: budgets.collect() }))
}
