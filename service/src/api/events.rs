//! `GET /events`: the tenant's feed.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::long_poll::{LongPoll, applied, wait_until};
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::header::Wait;
use crate::extract::path::is_id;
use crate::extract::query::Query;
use crate::state::AppState;
use crate::store::{Caller, Event, EventType, Feed, FeedFilter, FeedPage, FeedStart};

/// The word for what comes from now on.
const LATEST: &str = "latest";

#[derive(Serialize)]
struct EventList {
    events: Vec<Event>,
    next_cursor: String,
    has_more: bool,
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Wait(wait): Wait,
    query: Query,
) -> Result<Response, ApiError> {
    let (start, filter, limit) = (start(&query)?, filter(&query)?, query.limit()?);
    let tenant = &caller.tenant;
    let cursor = app.store.feed_start(tenant, start).await?;
    let long_poll = LongPoll::begin(&app, wait, tenant, None);
    let read = async |before: Option<FeedPage>| {
        // What the filter left out is not read again at each event that it leaves out.
        let after = before.map_or(cursor, |page| page.next);
        match app.store.events(tenant, after, &filter, limit).await? {
            Feed::Page(page) => Ok(page),
            Feed::Expired { oldest } => Err(ApiError::CursorExpired { oldest_cursor: oldest.to_string() }),
        }
    };
    let waiter = || app.store.feed_waiter(tenant);
    let is_news = |page: &FeedPage| page.has_more || !page.events.is_empty();
    let page = wait_until(long_poll.as_ref(), waiter, is_news, read).await?;
    let list = EventList { events: page.events, next_cursor: page.next.to_string(), has_more: page.has_more };
    Ok(applied(long_poll.as_ref(), Success::new(list)))
}

fn start(query: &Query) -> Result<FeedStart, ApiError> {
    match query.get("after")? {
        None => Ok(FeedStart::Oldest),
        Some(LATEST) => Ok(FeedStart::Latest),
        Some(cursor) => {
            let cursor = cursor.parse().map_err(|_| {
                ApiError::invalid("after must be a cursor as an earlier response gave it, or latest")
            })?;
            Ok(FeedStart::After(cursor))
        }
    }
}

fn filter(query: &Query) -> Result<FeedFilter<'_>, ApiError> {
    let words = query.get("types")?.into_iter().flat_map(|types| types.split(','));
    let types: Result<Vec<EventType>, _> = words.map(str::parse).collect();
    let types = types.map_err(|_| {
        let known = EventType::ALL.map(EventType::as_str).join(", ");
        ApiError::invalid(format!("types must be some of these with commas between them: {known}"))
    })?;
    let connection_id = query.get("connection_id")?;
    if !connection_id.is_none_or(is_id) {
        return Err(ApiError::invalid("connection_id must be a connection's id"));
    }
    Ok(FeedFilter { types, connection_id })
}
