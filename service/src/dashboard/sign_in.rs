//! Signing in and out.
//!
//! ```text
//! GET  /dashboard/sign-in            asks for an email
//! POST /dashboard/sign-in            sends a link there
//! GET  /dashboard/sign-in/sent       says so; takes the code that another browser shows
//! POST /dashboard/sign-in/code       signs in with that code
//! GET  /dashboard/sign-in/link/{…}   a button, and nothing else: mail scanners fetch links
//! POST /dashboard/sign-in/link/{…}   signs in, or shows a code to a browser that did not ask for the link
//! ```
//!
//! Whatever email is entered, the responses are the same: only somebody who reads its mail learns whether it is known
//! here.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode};

use super::frame::{self, Frame, base};
use super::guard::{Visit, Visitor, redirect as to_page, session_cookie, session_secret};
use super::problem::{PageResult, Problem};
use crate::auth::network::Network;
use crate::clock::millis;
use crate::email;
use crate::extract::form::Form;
use crate::extract::query::Query;
use crate::hosted::Look;
use crate::hosted::browser::Browser;
use crate::hosted::html::{FormTargets, PageResponse};
use crate::ids;
use crate::mail::{self, Mail};
use crate::state::{AppState, Service};
use crate::store::{Asker, CodeUse, LinkUse, Mode, NewSignIn, SIGN_IN_WINDOW, SignIn};
use crate::text;

/// Longest path that a sign-in leads back to.
const MAX_RETURN_TO: usize = 200;

const MAX_USER_AGENT: usize = 200;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct AskPage<'a> {
    look: &'a Look,
    base: &'a str,
    csrf_token: &'a str,
    return_to: &'a str,
    has_mail: bool,
    command: &'a str,
    email: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in_sent.html")]
struct SentPage<'a> {
    look: &'a Look,
    base: &'a str,
    csrf_token: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct LinkPage<'a> {
    look: &'a Look,
    csrf_token: &'a str,
    email: &'a str,
    is_same_browser: bool,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage<'a> {
    look: &'a Look,
    email: &'a str,
    code: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in_over.html")]
struct OverPage<'a> {
    look: &'a Look,
    base: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in_again.html")]
struct AgainPage<'a> {
    frame: Frame,
    return_to: &'a str,
    has_mail: bool,
    command: &'a str,
}

/// Goes into every form of somebody who is not signed in.
pub(super) fn csrf_token(browser: &Browser) -> String {
    browser.derived_of("sign-in", "")
}

/// The address of a link to sign in, for the address of the service.
pub fn link_address(public_url: &str, secret: &str) -> String {
    format!("{public_url}{}/sign-in/link/{secret}", super::PREFIX)
}

/// A path within the dashboard that a sign-in may lead back to; the first page for anything else.
pub(super) fn return_to(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let is_path = path.starts_with('/') && !path.contains("//") && path.bytes().all(is_plain);
    if is_path && path.len() <= MAX_RETURN_TO { path.to_owned() } else { String::new() }
}

/// To the page that asks for an email, and from there back to `to`.
pub(super) fn redirect(app: &Service, to: Option<&str>) -> PageResponse {
    match to.filter(|to| !to.is_empty()) {
        Some(to) => to_page(app, &format!("/sign-in?to={to}")),
        None => to_page(app, "/sign-in"),
    }
}

/// Says that a fresh sign-in is needed, and offers one that leads back to `to`.
pub(super) fn fresh_page(app: &Service, visit: &Visit, to: &str) -> PageResponse {
    let page = AgainPage {
        frame: Frame::new(app, visit, ""),
        return_to: to,
        has_mail: app.mailer.is_configured(),
        command: command(app),
    };
    frame::page(StatusCode::FORBIDDEN, &page)
}

/// What makes a link where no mail is sent.
pub(super) fn command(app: &Service) -> &'static str {
    match app.store.mode() {
        Mode::Live => "connect-service sign-in",
        Mode::Test => "connect-service dev ctl sign-in",
    }
}

pub(super) async fn show(State(app): State<AppState>, visitor: Visitor, query: Query) -> PageResult {
    if visitor.session.is_some() {
        return Ok(to_page(&app, ""));
    }
    let to = query.get("to")?.map(return_to).unwrap_or_default();
    Ok(ask_page(&app, &visitor, &to, "", None))
}

fn ask_page(app: &Service, visitor: &Visitor, to: &str, email: &str, error: Option<&str>) -> PageResponse {
    let look = Look::english();
    let page = AskPage {
        look: &look,
        base: &base(app),
        csrf_token: &csrf_token(&visitor.browser),
        return_to: to,
        has_mail: app.mailer.is_configured(),
        command: command(app),
        email,
        error,
    };
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    PageResponse::new(status, &page, &look, &FormTargets::default())
}

pub(super) async fn ask(
    State(app): State<AppState>,
    visitor: Visitor,
    network: Network,
    Extension(form): Extension<Form>,
) -> PageResult {
    let (entered, to) = (form.get("email").trim(), return_to(form.get("return_to")));
    let email = match email::parse(entered.as_bytes()) {
        Ok(email) => email,
        Err(problem) => {
            let error = format!("The address {problem}.");
            return Ok(ask_page(&app, &visitor, &to, entered, Some(&error)));
        }
    };
    if !app.mailer.is_configured() {
        return Ok(ask_page(&app, &visitor, &to, &email, None));
    }
    let asker = Asker { browser: visitor.browser.secret(), network: Some(&network.0) };
    send_link(&app, asker, &email, &to).await?;
    Ok(to_page(&app, "/sign-in/sent"))
}

pub(super) async fn ask_again(
    State(app): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> PageResult {
    if !app.mailer.is_configured() {
        return Ok(fresh_page(&app, &visit, ""));
    }
    let browser = Browser::known_or_new(&app, &headers);
    let to = return_to(form.get("return_to"));
    let asker = Asker { browser: browser.secret(), network: None };
    send_link(&app, asker, &visit.session.email, &to).await?;
    let page = to_page(&app, "/sign-in/sent");
    Ok(page.with_cookies(browser.set_cookie(&app)))
}

/// Mail goes only to those who have something here: the service is nobody's way to write to others.
async fn send_link(app: &Service, asker: Asker<'_>, email: &str, return_to: &str) -> Result<(), Problem> {
    let secret = ids::secret();
    let new = NewSignIn { email, secret: &secret, asker: Some(asker), return_to };
    if !app.store.create_sign_in(&new).await? {
        return Err(Problem::TooOften(millis(SIGN_IN_WINDOW).unsigned_abs() / 1000));
    }
    if app.store.is_account(email).await? || app.config.dashboard.self_service {
        let address = link_address(&app.public_url, &secret);
        let text = format!(
            "Somebody, probably you, asked to sign in to Connect as {email}.\n\n\
             Open this link within 10 minutes. It works once:\n\n{address}\n\n\
             If it was not you, do nothing: without this mail nobody can sign in.\n"
        );
        let subject = "Sign in to Connect".to_owned();
        mail::send_later(app, vec![Mail { to: email.to_owned(), subject, text }]);
    }
    Ok(())
}

pub(super) async fn sent(State(app): State<AppState>, visitor: Visitor) -> PageResult {
    if !app.store.awaits_code(visitor.browser.secret()).await? {
        return Ok(redirect(&app, None));
    }
    Ok(sent_page(&app, &visitor, None))
}

fn sent_page(app: &Service, visitor: &Visitor, error: Option<&str>) -> PageResponse {
    let look = Look::english();
    let page = SentPage { look: &look, base: &base(app), csrf_token: &csrf_token(&visitor.browser), error };
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    PageResponse::new(status, &page, &look, &FormTargets::default())
}

pub(super) async fn enter_code(
    State(app): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> PageResult {
    let code: String = form.get("code").chars().filter(|c| !c.is_whitespace()).take(20).collect();
    match app.store.use_code(visitor.browser.secret(), &code).await? {
        CodeUse::SignedIn(sign_in) => begin_session(&app, &headers, &sign_in).await,
        CodeUse::Wrong(0) | CodeUse::Over => Ok(over_page(&app)),
        CodeUse::Wrong(left) => {
            let error = match left {
                1 => "That is not the code. One more try is left.".to_owned(),
                left => format!("That is not the code. {left} more tries are left."),
            };
            Ok(sent_page(&app, &visitor, Some(&error)))
        }
    }
}

pub(super) async fn show_link(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(secret): Path<String>,
) -> PageResult {
    let Some(sign_in) = app.store.sign_in(&secret).await? else {
        return Ok(over_page(&app));
    };
    let look = Look::english();
    let page = LinkPage {
        look: &look,
        csrf_token: &csrf_token(&visitor.browser),
        email: &sign_in.email,
        is_same_browser: sign_in.is_for(visitor.browser.secret()),
    };
    Ok(PageResponse::new(StatusCode::OK, &page, &look, &FormTargets::default()))
}

pub(super) async fn use_link(
    State(app): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(secret): Path<String>,
) -> PageResult {
    match app.store.use_sign_in(&secret, visitor.browser.secret()).await? {
        LinkUse::SignedIn(sign_in) => begin_session(&app, &headers, &sign_in).await,
        LinkUse::Code { email, code } => {
            let look = Look::english();
            let page = CodePage { look: &look, email: &email, code: &code };
            Ok(PageResponse::new(StatusCode::OK, &page, &look, &FormTargets::default()))
        }
        LinkUse::Over => Ok(over_page(&app)),
    }
}

fn over_page(app: &Service) -> PageResponse {
    let look = Look::english();
    let page = OverPage { look: &look, base: &base(app) };
    PageResponse::new(StatusCode::GONE, &page, &look, &FormTargets::default())
}

/// The session gets a new secret, whatever cookie the browser came with.
async fn begin_session(app: &Service, headers: &HeaderMap, sign_in: &SignIn) -> PageResult {
    let (secret, former) = (ids::secret(), session_secret(app, headers));
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let user_agent = text::printable(user_agent, MAX_USER_AGENT).unwrap_or_default();
    app.store.create_session(&sign_in.email, &secret, &user_agent, former.as_deref()).await?;
    let page = to_page(app, &return_to(&sign_in.return_to));
    Ok(page.with_cookies(session_cookie(app, &secret)))
}

pub(super) async fn sign_out(State(app): State<AppState>, visit: Visit) -> PageResult {
    app.store.revoke_session(&visit.session.email, &visit.session.id).await?;
    let page = redirect(&app, None);
    Ok(page.with_cookies(session_cookie(&app, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_nowhere_else() {
        for path in ["", "/tenants/ten_1/keys", "/my-connections"] {
            assert_eq!(return_to(path), path);
        }
        for path in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a//b",
            "/a?b=c",
            "/%2f/evil",
            "/a\r\nset-cookie:x",
            "/..;/a",
            &format!("/{}", "a".repeat(200)),
        ] {
            assert_eq!(return_to(path), "", "{path}");
        }
    }
}
