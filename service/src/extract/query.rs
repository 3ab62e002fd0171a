//! Query parameters. Those that are not asked for are ignored; those that are may be there once. An empty value means
//! that there is none.

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

use crate::error::ApiError;
use crate::state::AppState;

const MAX_PAGE: u32 = 1_000_000;
const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 20;

/// A request's query.
pub(crate) struct Query(Vec<(String, String)>);

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// From 1.
    pub(crate) page: u32,
    /// How many there are on a page.
    pub(crate) limit: u32,
}

impl FromRequestParts<AppState> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

impl Query {
    /// The value of a parameter; `None` where it is empty.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            None => Ok(first.filter(|value| !value.is_empty())),
            Some(_) => Err(ApiError::invalid(format!("{name} is there more than once"))),
        }
    }

    /// `page` and `limit`.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        Ok(Page { page: self.number("page", MAX_PAGE)?.unwrap_or(1), limit: self.limit()? })
    }

    /// `limit` alone.
    pub(crate) fn limit(&self) -> Result<u32, ApiError> {
        Ok(self.number("limit", MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT))
    }

    fn number(&self, name: &str, max: u32) -> Result<Option<u32>, ApiError> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        // `parse` alone would take a plus sign.
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|number| digits && (1..=max).contains(number));
        number.map(Some).ok_or_else(|| ApiError::invalid(format!("{name} must be between 1 and {max}")))
    }
}

impl Page {
    /// How many come before this page.
    pub(crate) fn offset(self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    #[test]
    fn a_page_has_defaults_and_bounds() {
        for text in ["", "page=&limit="] {
            assert_eq!(query(text).page().unwrap(), Page { page: 1, limit: 20 });
        }
        let page = query("page=1000000&limit=100&other=1&other=2").page().unwrap();
        assert_eq!(page, Page { page: 1_000_000, limit: 100 });
        assert_eq!(page.offset(), 99_999_900);
    }

    #[test]
    fn anything_but_a_number_within_them_is_refused() {
        for text in [
            "page=0",
            "page=1000001",
            "limit=101",
            "limit=-1",
            "limit=%2B5",
            "limit=%20",
            "limit=1.0",
            "page=x",
        ] {
            assert!(query(text).page().is_err(), "{text}");
        }
        for text in ["page=1&page=1", "page=&page=1"] {
            assert!(query(text).page().is_err(), "{text}");
        }
    }
}
