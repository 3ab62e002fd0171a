//! The dashboard: pages for the members of tenants, and for everybody to see what is connected for them.
//!
//! An account is an email. It signs in by a one-time link (`sign_in.rs`). What it may open is decided by `guard.rs`
//! before a handler runs, from the one table of all addresses, `table`: whether anybody may, an account, or a member
//! of the tenant that the address names, in which role; whether the sign-in must be a fresh one; and for each form,
//! whether it came from a page of the dashboard.
//!
//! A page is one file here, with its handlers and its template, one file in `templates/`, its addresses in `table`
//! and, if it belongs into the navigation, its place in `frame.rs`. Handlers take `Visit` or
//! `TenantVisit`, and a form its fields as `Form`. They call the functions that
//! the API's handlers call; no page sends requests to the API, and no API route takes a cookie.

mod assets;
mod connection;
mod connections;
mod frame;
mod guard;
mod home;
mod keys;
mod members;
mod my_connections;
mod problem;
mod sessions;
mod sign_in;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use http::Method;

pub use sign_in::link_address;

use crate::state::AppState;
use crate::store::Role;

/// Where the dashboard's addresses begin.
pub const PREFIX: &str = "/dashboard";

/// Who may use an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anyone,
    /// An account that is signed in.
    Account,
    /// A member of the tenant that the address names, in this role or one that includes it.
    Tenant(Role),
}

/// An address of the dashboard.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `GET` for a page, `POST` for a form.
    pub method: Method,
    /// The address, with names for its variable parts.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Whether the sign-in must be a fresh one.
    pub fresh: bool,
}

/// All addresses but those of style and script, which are for anybody.
pub fn endpoints() -> Vec<Endpoint> {
    table().into_iter().map(|(endpoint, _)| endpoint).collect()
}

/// The addresses, with what serves them.
pub fn routes(app: &AppState) -> Router<AppState> {
    let others = Router::new()
        .route("/dashboard/", get(home::without_slash))
        .route("/dashboard/assets/{name}", get(assets::serve))
        .route("/dashboard/{*path}", get(problem::not_found));
    table().into_iter().fold(others, |router, (endpoint, handler)| {
        let path = endpoint.path;
        router.route(path, guard::guarded(app, endpoint, handler))
    })
}

fn table() -> Vec<(Endpoint, MethodRouter<AppState>)> {
    use Access::{Account, Anyone, Tenant};
    use Role::{Member, Owner, Viewer};

    let page =
        |path, access, handler| (Endpoint { method: Method::GET, path, access, fresh: false }, handler);
    let form =
        |path, access, handler| (Endpoint { method: Method::POST, path, access, fresh: false }, handler);
    // For keys, secrets, members and deletion.
    let fresh_form =
        |path, access, handler| (Endpoint { method: Method::POST, path, access, fresh: true }, handler);
    vec![
        page("/dashboard/sign-in", Anyone, get(sign_in::show)),
        form("/dashboard/sign-in", Anyone, post(sign_in::ask)),
        page("/dashboard/sign-in/sent", Anyone, get(sign_in::sent)),
        form("/dashboard/sign-in/code", Anyone, post(sign_in::enter_code)),
        page("/dashboard/sign-in/link/{secret}", Anyone, get(sign_in::show_link)),
        form("/dashboard/sign-in/link/{secret}", Anyone, post(sign_in::use_link)),
        form("/dashboard/sign-in/again", Account, post(sign_in::ask_again)),
        form("/dashboard/sign-out", Account, post(sign_in::sign_out)),
        page("/dashboard", Account, get(home::show)),
        form("/dashboard/tenants", Account, post(home::create_tenant)),
        page("/dashboard/sessions", Account, get(sessions::show)),
        form("/dashboard/sessions/end-others", Account, post(sessions::end_others)),
        form("/dashboard/sessions/{session}/end", Account, post(sessions::end)),
        page("/dashboard/my-connections", Account, get(my_connections::show)),
        page("/dashboard/my-connections/{connection_id}/withdraw", Account, get(my_connections::confirm)),
        fresh_form(
            "/dashboard/my-connections/{connection_id}/withdraw",
            Account,
            post(my_connections::withdraw),
        ),
        page("/dashboard/tenants/{tenant}", Tenant(Viewer), get(home::tenant)),
        page("/dashboard/tenants/{tenant}/connections", Tenant(Viewer), get(connections::show)),
        page(
            "/dashboard/tenants/{tenant}/connections/{connection_id}",
            Tenant(Viewer),
            get(connection::show),
        ),
        form(
            "/dashboard/tenants/{tenant}/connections/{connection_id}/link",
            Tenant(Member),
            post(connection::link),
        ),
        fresh_form(
            "/dashboard/tenants/{tenant}/connections/{connection_id}/delete",
            Tenant(Member),
            post(connection::delete),
        ),
        page("/dashboard/tenants/{tenant}/keys", Tenant(Owner), get(keys::show)),
        fresh_form("/dashboard/tenants/{tenant}/keys", Tenant(Owner), post(keys::generate)),
        fresh_form("/dashboard/tenants/{tenant}/keys/{key}/rotate", Tenant(Owner), post(keys::rotate)),
        fresh_form("/dashboard/tenants/{tenant}/keys/{key}/promote", Tenant(Owner), post(keys::promote)),
        fresh_form("/dashboard/tenants/{tenant}/keys/{key}/revoke", Tenant(Owner), post(keys::revoke)),
        fresh_form("/dashboard/tenants/{tenant}/keys/{key}/mcp-url", Tenant(Owner), post(keys::mint_mcp_url)),
        fresh_form(
            "/dashboard/tenants/{tenant}/keys/{key}/mcp-url/revoke",
            Tenant(Owner),
            post(keys::revoke_mcp_url),
        ),
        page("/dashboard/tenants/{tenant}/members", Tenant(Owner), get(members::show)),
        fresh_form("/dashboard/tenants/{tenant}/members", Tenant(Owner), post(members::put)),
        fresh_form("/dashboard/tenants/{tenant}/members/remove", Tenant(Owner), post(members::remove)),
    ]
}
