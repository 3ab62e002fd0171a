//! Pages that say why something was not done.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::error::ApiError;
use crate::hosted::Look;
use crate::hosted::html::{FormTargets, Outcome, PageResponse, Severity};
use crate::store::{Role, StoreError};

/// Why a page cannot be shown, or a form not be carried out.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is no such page, or not for this account.
    NotFound,
    /// The member's role does not include this one.
    Forbidden(Role),
    /// The tenant is disabled, and so nothing of it is changed.
    Disabled,
    /// A form did not come from a page of the dashboard in this browser.
    ForeignForm,
    /// There were too many requests; the next one may come after so many seconds.
    TooOften(u64),
    /// What the API would answer.
    Api(ApiError),
}

/// What there is at any other address.
pub(super) async fn not_found() -> Problem {
    Problem::NotFound
}

/// What handlers give.
pub(super) type PageResult = Result<PageResponse, Problem>;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::ConnectionDeleted | ApiError::KeyNotFound => Self::NotFound,
            ApiError::RateLimited { retry_after } => Self::TooOften(retry_after),
            error => Self::Api(error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, text) = match &self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Page not found",
                "There is no such page, or your account may not see it.".to_owned(),
            ),
            Self::Forbidden(role) => (
                StatusCode::FORBIDDEN,
                "Your role does not allow this",
                format!("It takes the role {}. An owner can give it to you.", role.as_str()),
            ),
            Self::Disabled => (
                StatusCode::FORBIDDEN,
                "The product is disabled",
                "Nothing of it can be changed. Whoever runs this service can enable it again.".to_owned(),
            ),
            Self::ForeignForm => (
                StatusCode::FORBIDDEN,
                "The form is out of date",
                "Go back, load the page again, and send the form once more.".to_owned(),
            ),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Please try again in a few minutes.".to_owned(),
            ),
            Self::Api(error) if error.status() == StatusCode::SERVICE_UNAVAILABLE => {
                (error.status(), "Not available at the moment", "Please try again in a moment.".to_owned())
            }
            Self::Api(ApiError::Internal(error)) => {
                tracing::error!(%error, "a page failed");
                let text = "It is logged. Please try again later.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text)
            }
            Self::Api(error) => (error.status(), "That was not possible", format!("{error}.")),
        };
        let look = Look::english();
        let page = Outcome {
            look: &look,
            tenant: None,
            account: None,
            severity: Severity::Bad,
            title,
            text: &text,
            next_action: None,
        };
        let response = PageResponse::new(status, &page, &look, &FormTargets::default());
        let response = match self {
            Self::TooOften(seconds) => response.retry_after(seconds),
            Self::Api(error) if error.status() == StatusCode::SERVICE_UNAVAILABLE => response.retry_after(1),
            _ => response,
        };
        response.into_response()
    }
}
