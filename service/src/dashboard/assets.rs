//! The dashboard's style and script. Their names hold a digest of what they are, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::ids;

const STYLE: &str = concat!(
    include_str!("../theme/tokens.css"),
    include_str!("../theme/base.css"),
    include_str!("dashboard.css")
);

const SCRIPT: &str = include_str!("dashboard.js");

/// The style sheet's name.
pub(super) static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name(STYLE, "css"));

/// The script's name.
pub(super) static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name(SCRIPT, "js"));

fn name(content: &str, end: &str) -> String {
    let digest = ids::digest(content);
    format!("{}.{end}", digest.get(..16).unwrap_or_default())
}

/// `GET /dashboard/assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let (kind, content) = if name == *STYLE_NAME {
        ("text/css; charset=utf-8", STYLE)
    } else if name == *SCRIPT_NAME {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}
