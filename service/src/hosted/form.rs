//! A submitted form of the hosted page.

use axum::extract::{FromRequest, Request};

use crate::catalogue::Inputs;
use crate::error::ApiError;
use crate::extract::form::Form;

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
        let Form(fields) = Form::from_request(request, state).await?;
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "csrf_token" => form.csrf_token = value,
                "action" => form.action = Some(value),
                "app_id" => form.app_id = Some(value),
                "auth_option_key" => form.auth_option_key = Some(value),
                _ => drop(form.values.insert(name, value)),
            }
        }
        Ok(form)
    }
}
