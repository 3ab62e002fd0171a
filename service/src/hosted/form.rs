//! A submitted form of the hosted page.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::catalogue::Inputs;
use crate::error::ApiError;
use crate::server::TIME_TO_ARRIVE;

const CONTENT: &str = "application/x-www-form-urlencoded";

/// The page's own fields, and those of the app.
#[derive(Default)]
pub struct SubmittedForm {
    pub(super) csrf_token: String,
    /// The button.
    pub(super) action: Option<String>,
    pub(super) app_id: Option<String>,
    pub(super) auth_option_key: Option<String>,
    /// Everything else.
    pub(super) values: Inputs,
}

impl<S: Send + Sync> FromRequest<S> for SubmittedForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(CONTENT) {
            return Err(ApiError::UnsupportedMediaType(CONTENT));
        }
        match timeout(TIME_TO_ARRIVE, Bytes::from_request(request, state)).await {
            Ok(Ok(body)) => Ok(Self::parse(&body)),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::PayloadTooLarge)
            }
            _ => Err(ApiError::invalid("The body did not arrive whole")),
        }
    }
}

impl SubmittedForm {
    fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match name.as_ref() {
                "csrf_token" => form.csrf_token = value,
                "action" => form.action = Some(value),
                "app_id" => form.app_id = Some(value),
                "auth_option_key" => form.auth_option_key = Some(value),
                _ => drop(form.values.insert(name.into_owned(), value)),
            }
        }
        form
    }
}
