//! `GET /oauth/callback/{app}`: where an app's provider sends the customer back to.

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::browser::Browser;
use super::flow::{self, Choice};
use super::view;
use crate::page::PageResponse;
use crate::provider::Pkce;
use crate::state::{AppState, Service};
use crate::store::{Authorization, Status, StoreError};

/// What the provider says, each at most once.
struct Answer {
    state: Option<String>,
    code: Option<SecretString>,
    error: Option<String>,
    iss: Option<String>,
}

/// Ends a journey, well or badly. Anything that is not the way back of a journey that this browser began changes
/// nothing.
pub async fn callback(
    State(service): State<AppState>,
    app_id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> PageResponse {
    let app_id = app_id.map(|Path(id)| id).unwrap_or_default();
    // A customer who closes the window now has granted all the same: what was begun is finished without them.
    let task = service.tasks.spawn({
        let service = service.clone();
        async move {
            let answer = Answer::parse(query.as_deref().unwrap_or_default());
            finish(&service, &app_id, answer, &headers).await
        }
    });
    match task.await {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => {
            tracing::error!(%error, "internal error");
            view::failed()
        }
        Err(_) => view::failed(),
    }
}

async fn finish(
    service: &Service,
    app_id: &str,
    answer: Option<Answer>,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let browser = Browser::known(service, headers);
    let (Some(answer), Some(browser)) = (answer, browser) else {
        return Ok(view::unknown_journey());
    };
    let (Some(state), Some(app)) = (&answer.state, service.catalogue.get(app_id)) else {
        return Ok(view::unknown_journey());
    };
    let journey = service.store.take_authorization(state, browser.secret(), &app.id);
    let Some(journey) = journey.await? else {
        return Ok(view::unknown_journey());
    };
    let link = &journey.link;
    let choice = flow::choose(
        service,
        link,
        Some(&journey.app_id),
        Some(&journey.auth_option_key),
    );
    let choice = match choice {
        _ if link.status != Status::Pending => return Ok(view::finished(service, link, None, link.status)),
        Ok(choice) => choice,
        Err(refusal) => return Ok(view::refused(&refusal)),
    };
    if answer.declined() {
        return Ok(if service.store.decline_link(link).await? {
            view::finished(service, link, Some(choice.app), Status::Rejected)
        } else {
            let link = flow::current(service, link).await?;
            view::finished(service, &link, None, link.status)
        });
    }
    match redeem(service, &journey, choice, &answer).await? {
        Some(page) => Ok(page),
        None => {
            let again = flow::hand_over(service, link, choice, &journey.inputs).await?;
            Ok(view::provider_failed(choice.app, again.as_deref()))
        }
    }
}

/// Turns the code into a grant; `None` where the provider does not play along.
async fn redeem(
    service: &Service,
    journey: &Authorization,
    choice: Choice<'_>,
    answer: &Answer,
) -> Result<Option<PageResponse>, StoreError> {
    let link = &journey.link;
    let Ok(endpoint) = flow::endpoint(service, link, choice, &journey.inputs) else {
        return Ok(None);
    };
    if let Some(error) = &answer.error {
        tracing::warn!(
            app = choice.app.id,
            error = known_error(error),
            "the provider refused to authorise"
        );
        return Ok(None);
    }
    if !endpoint.accepts_issuer(answer.iss.as_deref()) {
        tracing::warn!(app = choice.app.id, "the answer is from another issuer");
        return Ok(None);
    }
    let Some(code) = &answer.code else {
        return Ok(None);
    };
    let pkce = Pkce::from_verifier(journey.verifier.clone().unwrap_or_default());
    let asked_at = service.clock.now();
    let redirect_uri = service.redirect_uri(&choice.app.id);
    let code = code.expose_secret();
    let Ok(tokens) = service
        .providers
        .exchange_code(&endpoint, code, &redirect_uri, &pkce)
        .await
    else {
        return Ok(None);
    };
    let grant = flow::oauth_grant(choice, journey.inputs.clone(), tokens, asked_at);
    if service.store.finish_link(link, &grant).await? {
        return Ok(Some(view::finished(
            service,
            link,
            Some(choice.app),
            Status::Active,
        )));
    }
    let link = flow::current(service, link).await?;
    Ok(Some(view::finished(service, &link, None, link.status)))
}

impl Answer {
    /// `None` where a parameter is there twice: whichever were taken, the other could be meant.
    fn parse(query: &str) -> Option<Self> {
        let mut params = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if params.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let mut take = |name: &str| params.remove(name).filter(|value| !value.is_empty());
        Some(Self {
            state: take("state"),
            code: take("code").map(SecretString::from),
            error: take("error"),
            iss: take("iss"),
        })
    }

    /// `access_denied` is the standard's word; LinkedIn has words of its own.
    fn declined(&self) -> bool {
        let words = [
            "access_denied",
            "user_cancelled_authorize",
            "user_cancelled_login",
        ];
        self.error.as_deref().is_some_and(|error| words.contains(&error))
    }
}

/// The standard's words may be logged; anything else may be anything.
fn known_error(error: &str) -> &'static str {
    const KNOWN: [&str; 6] = [
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("other")
}
