//! A browser that visits the dashboard: it keeps cookies, and sends the forms of the pages that it gets.

use std::collections::BTreeMap;

use axum::Router;
use url::form_urlencoded;

use super::{Answer, Call};

/// One browser. Paths begin at the service's root.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Where its requests come from, for a service that trusts one proxy.
    pub(crate) address: String,
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new(), address: "192.0.2.1".into() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, Some(body)).await
    }

    /// Gets a page, and posts a form of its fields with the token of that page.
    pub(crate) async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = csrf_token(&self.get(page).await);
        let fields = [&[("csrf_token", token.as_str())], fields].concat();
        self.post(action, &fields).await
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<String>) -> Answer {
        let mut call = Call::new(self.router.clone(), method, &format!("/{path}"))
            .header("user-agent", "Test Browser")
            .header("x-forwarded-for", &self.address);
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            call = call.header("cookie", &cookies.collect::<Vec<_>>().join("; "));
        }
        if let Some(body) = body {
            call = call.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = call.send().await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// The token of a page's forms.
#[track_caller]
pub(crate) fn csrf_token(page: &Answer) -> String {
    between(&page.text, "name=\"csrf_token\" value=\"", "\"").expect("a form").to_owned()
}

/// What stands between two texts.
pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}
