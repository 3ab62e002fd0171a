//! A customer with a browser that runs no script: cookies, redirects, forms.
//!
//! It keeps the rules that decide whether a page works for real people: a form goes out with its hidden fields and
//! the one button that was pressed, and a page's `form-action` policy holds for the form and every redirect after it.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::header::{CONTENT_SECURITY_POLICY, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::Error;

/// Hops after which a browser gives up.
const MOST_REDIRECTS: usize = 20;

/// A browser with its own cookies. It reaches loopback alone; see [`Page::left`].
#[derive(Debug, Clone)]
pub struct Browser {
    http: reqwest::Client,
}

/// What a browser shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it ended.
    pub url: Url,
    /// The HTTP status there.
    pub status: u16,
    /// The headers there.
    pub headers: HeaderMap,
    /// The text of the page.
    pub html: String,
    /// Every address on the way, the last one included.
    pub visited: Vec<Url>,
    /// True where a redirect led away from loopback: `url` is that address and nothing was asked for there.
    pub left: bool,
}

/// A form on a page.
#[derive(Debug, Clone)]
pub struct Form {
    action: Url,
    get: bool,
    fields: Vec<(String, String)>,
    /// Its buttons in order.
    pub buttons: Vec<Button>,
    /// The names of what a person can fill in.
    pub inputs: Vec<String>,
}

/// A button that sends a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// The text on it.
    pub label: String,
    name: Option<String>,
    value: String,
}

impl Browser {
    /// A fresh browser: no cookies.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Browser, Error> {
        let http = plain_http().redirect(Policy::none()).cookie_store(true).build()?;
        Ok(Browser { http })
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// When no page comes of it.
    pub async fn open(&self, url: &str) -> Result<Page, Error> {
        let url = Url::parse(url)?;
        self.follow(self.http.get(url.clone()), url, None).await
    }

    /// Fills in a page's form and presses a button, named by a part of its text (any case) or by its value.
    ///
    /// # Errors
    /// When there is no such button or input, the page's policy forbids it, or no page comes of it.
    pub async fn press(&self, page: &Page, button: &str, filled: &[(&str, &str)]) -> Result<Page, Error> {
        let wanted = button.to_lowercase();
        let is_it = |found: &&Button| found.label.to_lowercase().contains(&wanted) || found.value == wanted;
        let found = page.forms()?.into_iter().find_map(|form| {
            let button = form.buttons.iter().find(is_it)?.clone();
            Some((form, button))
        });
        let (form, button) =
            found.ok_or_else(|| format!("no button {button:?} at {}:\n{}", page.url, page.text()))?;
        self.send(page, form, &button, filled).await
    }

    /// Follows a link of the page, named by a part of its text (any case).
    ///
    /// # Errors
    /// When there is no such link, or no page comes of it.
    pub async fn click(&self, page: &Page, link: &str) -> Result<Page, Error> {
        let target =
            page.link(link).ok_or_else(|| format!("no link {link:?} at {}:\n{}", page.url, page.text()))?;
        self.open(page.url.join(&target)?.as_str()).await
    }

    async fn send(
        &self,
        page: &Page,
        mut form: Form,
        button: &Button,
        filled: &[(&str, &str)],
    ) -> Result<Page, Error> {
        for (name, value) in filled {
            if !form.inputs.iter().any(|input| input == name) {
                return Err(format!("no input {name:?} at {}, there are {:?}", page.url, form.inputs).into());
            }
            form.fields.retain(|(existing, _)| existing != name);
            form.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        if let Some(name) = &button.name {
            form.fields.push((name.clone(), button.value.clone()));
        }
        let policy = FormPolicy::of(page);
        policy.check(&form.action)?;
        let request = if form.get {
            self.http.get(form.action.clone()).query(&form.fields)
        } else {
            // A browser names the origin that a form comes from.
            self.http
                .post(form.action.clone())
                .header("origin", page.url.origin().ascii_serialization())
                .header("sec-fetch-site", "same-origin")
                .header("sec-fetch-mode", "navigate")
                .form(&form.fields)
        };
        self.follow(request, form.action, Some(policy)).await
    }

    async fn follow(
        &self,
        first: reqwest::RequestBuilder,
        start: Url,
        policy: Option<FormPolicy>,
    ) -> Result<Page, Error> {
        let mut visited = vec![start];
        let mut request = first;
        for _ in 0..MOST_REDIRECTS {
            let response = request.send().await?;
            let (url, status, headers) =
                (response.url().clone(), response.status(), response.headers().clone());
            let location = headers.get(LOCATION).filter(|_| status.is_redirection());
            let Some(location) = location else {
                let html = response.text().await?;
                return Ok(Page { url, status: status.as_u16(), headers, html, visited, left: false });
            };
            let target = url.join(location.to_str()?)?;
            if let Some(policy) = &policy {
                policy.check(&target)?;
            }
            visited.push(target.clone());
            if target.host_str() != Some("127.0.0.1") {
                let (status, html) = (status.as_u16(), String::new());
                return Ok(Page { url: target, status, headers, html, visited, left: true });
            }
            request = self.http.get(target);
        }
        Err(format!("more than {MOST_REDIRECTS} redirects: {visited:?}").into())
    }
}

impl Page {
    /// The text that a person reads, white space collapsed.
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.html);
        let body = Selector::parse("body").ok().and_then(|body| document.select(&body).next());
        body.map(|body| words(&body)).unwrap_or_default()
    }

    fn link(&self, text: &str) -> Option<String> {
        let wanted = text.to_lowercase();
        let document = Html::parse_document(&self.html);
        let links = selector("a[href]");
        let mut links = document.select(&links);
        links.find(|link| words(link).to_lowercase().contains(&wanted))?.attr("href").map(str::to_owned)
    }

    /// How many elements there are of a CSS selector.
    ///
    /// # Panics
    /// When the selector is not one.
    pub fn count(&self, selector: &str) -> usize {
        let selector = Selector::parse(selector).expect("a CSS selector");
        Html::parse_document(&self.html).select(&selector).count()
    }

    /// The forms of the page.
    ///
    /// # Errors
    /// When a form's address is not one.
    pub fn forms(&self) -> Result<Vec<Form>, Error> {
        let document = Html::parse_document(&self.html);
        let selector = selector("form");
        document.select(&selector).map(|form| self.form(form)).collect()
    }

    fn form(&self, form: ElementRef<'_>) -> Result<Form, Error> {
        let action = self.url.join(form.attr("action").unwrap_or_default())?;
        let get = !form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let mut parsed = Form { action, get, fields: Vec::new(), buttons: Vec::new(), inputs: Vec::new() };
        for element in form.select(&selector("input, select, textarea, button")) {
            parsed.add(element);
        }
        Ok(parsed)
    }
}

impl Form {
    fn add(&mut self, element: ElementRef<'_>) {
        let name = element.attr("name").map(str::to_owned);
        let value = element.attr("value").unwrap_or_default().to_owned();
        let kind = element.attr("type").unwrap_or_default();
        match (element.value().name(), kind) {
            ("button", "" | "submit") => {
                self.buttons.push(Button { label: words(&element), name, value });
            }
            ("input", "submit") => self.buttons.push(Button { label: value.clone(), name, value }),
            ("button", _) => {}
            (tag, kind) => {
                let Some(name) = name else { return };
                let value = match tag {
                    "select" => chosen(element),
                    "textarea" => element.text().collect(),
                    _ => value,
                };
                if kind != "hidden" && !self.inputs.contains(&name) {
                    self.inputs.push(name.clone());
                }
                // Radio buttons and check boxes count only where they are ticked.
                if !matches!(kind, "radio" | "checkbox") || element.attr("checked").is_some() {
                    self.fields.push((name, value));
                }
            }
        }
    }
}

/// The value of the option that is selected, else of the first.
fn chosen(select: ElementRef<'_>) -> String {
    let options = selector("option");
    let option =
        select.select(&selector("option[selected]")).next().or_else(|| select.select(&options).next());
    option
        .map(|option| option.attr("value").map_or_else(|| words(&option), str::to_owned))
        .unwrap_or_default()
}

fn words(element: &ElementRef<'_>) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn selector(text: &'static str) -> Selector {
    Selector::parse(text).expect("a CSS selector")
}

/// A page's `form-action` directive: which addresses its forms may lead to, redirects included.
#[derive(Debug)]
struct FormPolicy {
    page: Url,
    sources: Option<Vec<String>>,
}

impl FormPolicy {
    fn of(page: &Page) -> FormPolicy {
        let policy = page.headers.get(CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
        let sources = policy.into_iter().flat_map(|policy| policy.split(';')).find_map(|directive| {
            let mut words = directive.split_whitespace();
            (words.next() == Some("form-action")).then(|| words.map(str::to_owned).collect())
        });
        FormPolicy { page: page.url.clone(), sources }
    }

    fn check(&self, target: &Url) -> Result<(), Error> {
        let Some(sources) = &self.sources else {
            return Ok(());
        };
        let allowed = sources.iter().any(|source| match source.as_str() {
            "'self'" => target.origin() == self.page.origin(),
            "*" => true,
            scheme if scheme.ends_with(':') => scheme.trim_end_matches(':') == target.scheme(),
            origin => Url::parse(origin).is_ok_and(|origin| origin.origin() == target.origin()),
        });
        if allowed {
            return Ok(());
        }
        let origin = target.origin().ascii_serialization();
        Err(format!("the page's form-action policy ({}) stops a browser from {origin}", sources.join(" "))
            .into())
    }
}

/// An HTTP client for loopback that needs no certificates and uses no proxy.
pub fn plain_http() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy()
}

/// The query of an address by name.
pub fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}
