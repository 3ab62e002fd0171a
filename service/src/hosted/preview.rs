//! What a tenant's pages look like, with invented data: no link, no connection, no customer. Its buttons lead nowhere.

use http::StatusCode;

use super::html::{
    Connect, FieldView, FormTargets, Outcome, PageResponse, Picker, Product, Secrets, Severity,
};
use super::look::Look;
use super::view::permissions;
use crate::catalogue::{App, AuthOption, AuthType, Catalogue, Inputs};
use crate::language::Message;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preview {
    /// The choice among apps.
    Picker,
    /// Consent before the provider's sign-in.
    Consent,
    /// A form for a key.
    Form,
    /// It worked.
    Connected,
}

const CUSTOMER: &str = "alex@example.com";
const NAME: &str = "Work";

impl Preview {
    /// All of them, in the order in which customers see them.
    pub const ALL: [Self; 4] = [Self::Picker, Self::Consent, Self::Form, Self::Connected];

    /// The word for it in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picker => "picker",
            Self::Consent => "consent",
            Self::Form => "form",
            Self::Connected => "connected",
        }
    }

    /// The page of this tenant. `None` where the catalogue has no app for it.
    pub fn page(self, look: &Look, tenant: &str, catalogue: &Catalogue) -> Option<PageResponse> {
        let all = catalogue.search("");
        let apps: Vec<&App> = all.iter().map(AsRef::as_ref).collect();
        match self {
            Self::Picker => Some(picker(look, tenant, &apps)),
            Self::Consent => connect(look, tenant, &apps, AuthType::OAuth),
            Self::Form => connect(look, tenant, &apps, AuthType::ApiKey),
            Self::Connected => Some(connected(look, tenant, apps.first()?)),
        }
    }
}

fn picker(look: &Look, tenant: &str, apps: &[&App]) -> PageResponse {
    let page = Picker {
        look,
        product: Product { tenant, display_name: None },
        apps: apps.get(..6).unwrap_or(apps),
        search: Some(""),
        is_filtered: false,
        csrf_token: "",
        expires: &expires(look),
    };
    PageResponse::new(StatusCode::OK, &page, look, &FormTargets::nowhere())
}

fn connect(look: &Look, tenant: &str, apps: &[&App], auth_type: AuthType) -> Option<PageResponse> {
    let fits = |option: &AuthOption| {
        option.auth_type == auth_type && option.input.is_empty() == (auth_type == AuthType::OAuth)
    };
    let has_words =
        |option: &AuthOption| option.oauth.as_ref().is_some_and(|oauth| !oauth.scope_texts.is_empty());
    let found =
        apps.iter().filter_map(|app| Some((*app, app.auth_options.iter().find(|option| fits(option))?)));
    let (app, option) = found.max_by_key(|(_, option)| has_words(option))?;
    let scopes = option.oauth.as_ref().map(|oauth| oauth.scopes.clone()).unwrap_or_default();
    let provider = option.oauth.as_ref().map(|_| app.name.as_str());
    let nothing = Inputs::new();
    let page = Connect {
        look,
        title: &look.text("connect-title").with("app", &app.name).to_string(),
        product: Product { tenant, display_name: None },
        app,
        option,
        setup: None,
        problem: None,
        client_of: None,
        others: &[],
        verb: &look.text("connect").to_string(),
        name: NAME,
        customer: CUSTOMER,
        customer_ascii: None,
        provider,
        permissions: &permissions(look.language, option, &scopes),
        scopes: &scopes,
        fields: &FieldView::all(look.language, option, &nothing, &[], Secrets::Empty),
        errors: &[],
        has_secret: false,
        show_secrets: false,
        can_go_back: false,
        csrf_token: "",
        expires: &expires(look),
    };
    Some(PageResponse::new(StatusCode::OK, &page, look, &FormTargets::nowhere()))
}

fn connected(look: &Look, tenant: &str, app: &App) -> PageResponse {
    let page = Outcome {
        look,
        tenant: Some(tenant),
        account: Some(CUSTOMER),
        severity: Severity::Good,
        title: &look.text("connected-title").with("app", &app.name).to_string(),
        text: &look.text("connected-text").with("product", tenant).to_string(),
        next_action: None,
    };
    PageResponse::new(StatusCode::OK, &page, look, &FormTargets::nowhere())
}

fn expires(look: &Look) -> String {
    look.language.say(&Message::new("page-works-for").with_number("minutes", 9))
}
