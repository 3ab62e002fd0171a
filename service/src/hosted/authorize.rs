//! `/authorize/{link}`: from a form of the product's own to the provider, without a second consent page.
//!
//! Such an address must not work for whoever opens it. Anybody can fetch one for a link of their own and lead another
//! person's browser there; where the provider asks for no consent the second time, that person's account would be connected
//! to the link of a stranger without a word. A one-use secret in the address does not help, since the stranger fetches it,
//! and neither does `Referer`, which any link and any redirect of the product's page carries.
//!
//! So the browser has to prove that a page of the product sent it, which the customer uses in person and which says itself
//! what is connected for whom. Which website is the product's, the operator says: a tenant key writes any `allowed_origin`,
//! and the OAuth client at the provider, to which the person consented earlier, may be one that all tenants share.
//!
//! ```text
//! POST, a form of the product's page   Origin is the link's allowed_origin and
//!                                      that of the tenant's website ──▶ 303 with a cookie that names the link
//! GET, where that leads to             the cookie names this link ──▶ 303 to the provider, the cookie is deleted
//! anything else                        303 to the hosted page, which says whose link it is, and asks
//! ```
//!
//! - Browsers write `Origin` themselves: no other page can send the form. A program can, and gets a cookie that no other
//!   browser has.
//! - The cookie names one link, so that a browser with the cookie of its own link cannot be led on by a stranger's.
//! - There are two steps because the cookie that authorization requests are bound to ([`Browser`]) is `SameSite=Lax`: it
//!   does not come with the form. The first step alone would have to replace it, which ends what other tabs have begun.
//! - From there on all is as after the hosted page: one-use `state`, bound to this browser, PKCE, and the code of a link with
//!   `confirm`.

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue, Method};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::browser::{self, Browser};
use super::flow::{self, Refusal};
use super::look::Look;
use super::page::{Params, Secret, find};
use super::{callback, view};
use crate::catalogue::{AuthType, Inputs};
use crate::extract::web_address;
use crate::hosted::html::PageResponse;
use crate::state::{AppState, Service};
use crate::store::{Link, Mode, Status};

/// How long the second step may take to follow the first, in seconds.
const COOKIE_LIFETIME: u32 = 60;

/// The address for this choice. Ids of the catalogue need no escaping.
pub(super) fn address(service: &Service, secret: &str, app_id: &str, auth_option_key: &str) -> String {
    format!("{}/authorize/{secret}?app={app_id}&option={auth_option_key}", service.base_url())
}

/// `POST /authorize/{link}`: a form of the product's page.
pub async fn authorize_from_form(
    State(service): State<AppState>,
    secret: Secret,
    params: Params,
    headers: HeaderMap,
) -> PageResponse {
    let secret = secret.map(|path| path.0).unwrap_or_default();
    let link = match find(&service, &secret).await {
        Ok(Some(link)) => link,
        Ok(None) => return view::unknown_link(&Look::of_browser(&headers)),
        Err(error) => return view::store_failed(&Look::of_browser(&headers), &error),
    };
    if !is_from_product(&service, &link, &headers) {
        return hosted_page(&service, &secret, &params);
    }
    let next = PageResponse::redirect(&with_choice(&service, "authorize", &secret, &params));
    next.with_cookies(cookie(&service, &marker(&secret), COOKIE_LIFETIME))
}

/// `GET /authorize/{link}`: the second step, or a browser that comes from anywhere.
pub async fn authorize(
    State(service): State<AppState>,
    method: Method,
    secret: Secret,
    params: Params,
    headers: HeaderMap,
) -> PageResponse {
    let plain = Look::of_browser(&headers);
    if !callback::is_visit(&method, &headers) {
        return view::not_a_visit(&plain);
    }
    let secret = secret.map(|path| path.0).unwrap_or_default();
    match start(&service, &plain, &secret, &params, &headers).await {
        Ok(page) => page,
        Err(Refusal::Failed(error)) => view::store_failed(&plain, &error),
        // The hosted page says what is the matter, or asks for what is missing.
        Err(_) => hosted_page(&service, &secret, &params),
    }
}

async fn start(
    service: &Service,
    plain: &Look,
    secret: &str,
    params: &Params,
    headers: &HeaderMap,
) -> Result<PageResponse, Refusal> {
    let Some(link) = find(service, secret).await? else {
        return Ok(view::unknown_link(plain));
    };
    let is_proven = browser::cookie(headers, cookie_name(service)).any(|value| value == marker(secret));
    if !is_proven || link.status != Status::Pending || link.awaits_confirmation() {
        return Ok(hosted_page(service, secret, params));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        let look = Look::of_link(service, &link, headers).await?;
        return Ok(view::too_often(&look, seconds));
    }
    let clients = flow::clients(service, &link).await?;
    let choice = flow::choose(&clients, &link, param(params, "app"), param(params, "option"))?;
    if choice.option.auth_type != AuthType::OAuth {
        return Err(Refusal::UnknownChoice);
    }
    let none = Inputs::new();
    let entered = link.inputs.as_ref().unwrap_or(&none);
    let inputs = choice.option.input.validate(entered).map_err(Refusal::Invalid)?;
    let browser = Browser::known_or_new(service, headers);
    let held = match clients.needs_setup(choice.app) {
        true => Some(service.store.held_client(&link, &choice.app.id).await?.ok_or(Refusal::UnknownChoice)?),
        false => None,
    };
    let held = held.as_ref().map(|held| held.id.as_str());
    let url = flow::begin(&clients, &link, choice, &inputs, browser.secret(), held).await?;
    let cookies = [browser.set_cookie(service), cookie(service, "", 0)].into_iter().flatten();
    Ok(PageResponse::redirect(url.as_str()).with_cookies(cookies))
}

/// Browsers send `Origin` with every form that leads to another origin. It is `null` where the page has a
/// `Referrer-Policy` that keeps it secret; then the customer is asked.
fn is_from_product(service: &Service, link: &Link, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next(), &link.options.allowed_origin) {
        (Some(origin), None, Some(allowed)) => {
            origin == allowed.as_str() && is_registered(service, link, allowed)
        }
        _ => false,
    }
}

/// Whether an origin is that of the tenant's website, as the operator entered it. `connect-service dev`, which calls no
/// real provider, takes a developer's machine for it.
fn is_registered(service: &Service, link: &Link, origin: &str) -> bool {
    let website = link.tenant_website.clone().map(web_address::as_sent);
    website.as_deref() == Some(origin)
        || (service.store.mode() == Mode::Test && web_address::is_loopback_origin(origin))
}

fn hosted_page(service: &Service, secret: &str, params: &Params) -> PageResponse {
    PageResponse::redirect(&with_choice(service, "connect", secret, params))
}

/// The address of a link that was found, so that its secret needs no escaping, with what was chosen.
fn with_choice(service: &Service, route: &str, secret: &str, params: &Params) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["app", "option"] {
        if let Some(value) = param(params, name) {
            query.append_pair(name, value);
        }
    }
    format!("{}/{route}/{secret}?{}", service.base_url(), query.finish())
}

fn param<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params.as_ref().ok()?.get(name).map(String::as_str)
}

/// Names a link in the cookie without being a way in.
fn marker(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("authorize\0{secret}")))
}

fn cookie(service: &Service, value: &str, max_age: u32) -> Option<HeaderValue> {
    let secure = if service.is_https() { "; Secure" } else { "" };
    let name = cookie_name(service);
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(cookie).ok()
}

/// With `__Host-`, browsers see to it that no other host and no plain HTTP page has set it.
fn cookie_name(service: &Service) -> &'static str {
    if service.is_https() { "__Host-connect-authorize" } else { "connect-authorize" }
}
