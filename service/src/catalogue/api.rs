//! How an app's API is called: `[auth.api]`, and the requests that the service makes itself, `[auth.verify]` and
//! `[[auth.lookup]]`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::denied_path::DeniedPath;
use super::kept::{Pointer, ProviderData};
use super::template::{Address, Template};
use super::{AuthOption, AuthType, Inputs};

/// The prefix of a placeholder that stands for a value of `[auth.provider_data]`.
pub(super) const PROVIDER_DATA: &str = "provider_data.";

/// Where an app's API is and what each call to it carries.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// What the path of a call is joined to. Placeholders: `{provider_data.NAME}`.
    pub base_url: Option<Address>,
    /// The same for apps whose configuration says `sandbox = true`.
    pub sandbox_base_url: Option<Address>,
    /// All headers of a call. Default: `Authorization: Bearer {access_token}` for tokens; for fields what `constants`
    /// say of a header, or HTTP Basic for options of that type. A header without a value is left out.
    pub headers: BTreeMap<String, Template>,
    /// Query parameters of a call. One without a value is left out.
    pub query: BTreeMap<String, Template>,
    /// HTTP Basic authentication.
    pub basic: Option<BasicAuth>,
    /// Paths behind the address that give credentials out. The proxy calls none of them.
    pub deny_paths: Vec<DeniedPath>,
}

/// The two halves of HTTP Basic authentication.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// Before the colon.
    pub username: Template,
    /// Behind it.
    pub password: Template,
}

/// One harmless request to the provider, of which only the response matters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiRequest {
    /// `GET` or `POST`. Default: `GET`.
    #[serde(default)]
    pub method: RequestMethod,
    /// Behind `base_url`. Placeholders: `{provider_data.NAME}`.
    #[serde(default)]
    pub path: Option<Template>,
    /// The whole address, where it is elsewhere. Placeholders: `{provider_data.NAME}`.
    #[serde(default)]
    pub url: Option<Address>,
    /// In addition to those of every call, or instead of one of the same name.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Body, sent as it is written here.
    #[serde(default)]
    pub json: Option<Value>,
}

/// The methods that a request of the service's own may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RequestMethod {
    /// Reads.
    #[default]
    Get,
    /// Reads as well, where the API has no other way: GraphQL, Slack, Dropbox.
    Post,
}

/// How a credential is checked: one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "VerifyTable")]
pub struct Verify {
    /// The request.
    pub request: ApiRequest,
    /// The statuses that mean that the credential is wrong.
    pub invalid_statuses: Vec<u16>,
    /// What is in a successful response, neither null nor false, where the credential is accepted. Null means that it is
    /// wrong.
    pub expect: Option<Pointer>,
    /// What says that it is wrong where that is missing or false.
    pub invalid_errors: Option<InvalidErrors>,
}

/// The error codes that mean that a credential is wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvalidErrors {
    /// Where a response has its code.
    pub pointer: Pointer,
    /// The codes.
    pub words: Vec<String>,
}

/// A further request, whose response `[auth.provider_data]` and `[auth.account]` can name.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "LookupTable")]
pub struct Lookup {
    /// Its name in references: `lookup.NAME:/pointer`.
    pub name: String,
    /// The request.
    pub request: ApiRequest,
}

/// Spelled out, because serde cannot refuse unknown members of a flattened table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyTable {
    #[serde(default)]
    method: RequestMethod,
    path: Option<Template>,
    url: Option<Address>,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    json: Option<Value>,
    #[serde(default = "unauthorized")]
    invalid_statuses: Vec<u16>,
    expect: Option<Pointer>,
    invalid_errors: Option<InvalidErrors>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookupTable {
    name: String,
    #[serde(default)]
    method: RequestMethod,
    path: Option<Template>,
    url: Option<Address>,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    json: Option<Value>,
}

/// What templates are filled with.
#[derive(Clone, Copy)]
pub struct CallValues<'a> {
    /// What the customer entered, and the option's constants; none where tokens are vended.
    pub inputs: Option<&'a Inputs>,
    /// The access token, where there is one.
    pub access_token: Option<&'a str>,
    /// The operator's client at the provider, where there is one.
    pub client_id: Option<&'a str>,
    /// What the operator configured for the app in `[apps.ID.params]`, where there is something.
    pub app_params: Option<&'a BTreeMap<String, SecretString>>,
    /// Public and secret values of `[auth.provider_data]`, as far as they are to be used.
    pub provider_data: &'a ProviderData,
    /// Whether the provider's sandbox is meant.
    pub sandbox: bool,
}

/// What a call to a provider's API carries. All of it is secret.
#[derive(Clone, Default)]
pub struct ApiCall {
    /// What the path of a call is joined to, without a slash at its end.
    pub base_url: Option<String>,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// Query parameters by name.
    pub query: BTreeMap<String, String>,
}

impl CallValues<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        if let Some(name) = name.strip_prefix(PROVIDER_DATA) {
            return self.provider_data.get(name).map(String::as_str);
        }
        if let Some(name) = name.strip_prefix("app.") {
            return self.app_params?.get(name).map(ExposeSecret::expose_secret);
        }
        let input = self.inputs.and_then(|inputs| inputs.get(name)).map(String::as_str);
        input.or(match name {
            "access_token" => self.access_token,
            "client_id" => self.client_id,
            _ => None,
        })
    }

    fn fill_all(&self, templates: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
        let filled = templates.iter().filter_map(|(name, template)| {
            Some((name.clone(), template.fill(|placeholder| self.get(placeholder))?))
        });
        filled.collect()
    }
}

impl ApiCall {
    /// The call of an app of which nothing is known but the token.
    pub fn with_bearer(access_token: &str) -> Self {
        let authorization = ("Authorization".to_owned(), format!("Bearer {access_token}"));
        Self { headers: BTreeMap::from([authorization]), ..Self::default() }
    }
}

impl AuthOption {
    /// What a call to the app's API carries.
    pub fn api_call(&self, values: &CallValues<'_>) -> ApiCall {
        let api = self.api.as_ref();
        let mut call = ApiCall { base_url: self.base_url(values), ..ApiCall::default() };
        let Some(api) = api.filter(|api| api.has_placement()) else {
            call.headers = self.usual_headers(values);
            return call;
        };
        call.headers = values.fill_all(&api.headers);
        call.query = values.fill_all(&api.query);
        if let Some(BasicAuth { username, password }) = &api.basic {
            let fill = |template: &Template| template.fill(|name| values.get(name));
            call.headers.extend(fill(username).zip(fill(password)).map(|(name, word)| basic(&name, &word)));
        }
        call
    }

    /// Where the app's API is; `None` where the catalogue does not tell, or a value for it is missing.
    pub fn base_url(&self, values: &CallValues<'_>) -> Option<String> {
        let filled = self.fill_address(self.base_address(values.sandbox)?, values)?;
        Some(filled.trim_end_matches('/').to_owned())
    }

    /// The address, and the headers that are not those of every call, of a request of the service's own.
    pub(crate) fn request(
        &self,
        request: &ApiRequest,
        values: &CallValues<'_>,
    ) -> Option<(String, BTreeMap<String, String>)> {
        let address = self.address(request, values.sandbox)?;
        Some((self.fill_address(&address, values)?, values.fill_all(&request.headers)))
    }

    /// Whether the proxy must not call the path of these segments, decoded, behind the API's address.
    pub(crate) fn denies<'a>(&self, segments: impl Iterator<Item = &'a str> + Clone) -> bool {
        self.api.iter().flat_map(|api| &api.deny_paths).any(|denied| denied.matches(segments.clone()))
    }

    fn fill_address(&self, address: &Address, values: &CallValues<'_>) -> Option<String> {
        address.fill(|name| self.checked(name.strip_prefix(PROVIDER_DATA)?, values.get(name)?))
    }

    fn base_address(&self, sandbox: bool) -> Option<&Address> {
        let api = self.api.as_ref()?;
        api.sandbox_base_url.as_ref().filter(|_| sandbox).or(api.base_url.as_ref())
    }

    fn address(&self, request: &ApiRequest, sandbox: bool) -> Option<Address> {
        match (&request.url, &request.path) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(path)) => Some(self.base_address(sandbox)?.joined(path)),
            (None, None) => None,
        }
    }

    /// Where `[auth.api]` does not say how a credential is placed.
    fn usual_headers(&self, values: &CallValues<'_>) -> BTreeMap<String, String> {
        if let Some(access_token) = values.access_token {
            return ApiCall::with_bearer(access_token).headers;
        }
        let input = |name: &str| values.inputs?.get(name).map(String::as_str);
        let header = self.constants.get("header_name").zip(self.secret_field().and_then(input));
        let header = header.map(|(name, secret)| {
            let prefix = self.constants.get("header_prefix").map_or("", String::as_str);
            (name.clone(), format!("{prefix}{secret}"))
        });
        let by_type = || match self.auth_type {
            AuthType::Basic => input("username").zip(input("password")).map(|(name, word)| basic(name, word)),
            _ => None,
        };
        header.or_else(by_type).into_iter().collect()
    }

    /// The one field that is secret, where there is only one.
    fn secret_field(&self) -> Option<&str> {
        let mut secret = self.input.fields.iter().filter(|field| field.is_secret());
        match (secret.next(), secret.next()) {
            (Some(field), None) => Some(&field.name),
            _ => None,
        }
    }

    /// Every request of the service's own, in the order in which they are made.
    pub(super) fn requests(&self) -> impl Iterator<Item = &ApiRequest> {
        let lookups = self.lookups.iter().map(|lookup| &lookup.request);
        lookups.chain(self.verify.iter().map(|verify| &verify.request))
    }

    /// Leads all calls to an emulator instead.
    pub(super) fn redirect_calls(&mut self, base: &str) {
        if let Some(api) = &mut self.api {
            let addresses = [&mut api.base_url, &mut api.sandbox_base_url];
            addresses.into_iter().flatten().for_each(|address| address.redirect(base));
        }
        let lookups = self.lookups.iter_mut().map(|lookup| &mut lookup.request);
        let requests = lookups.chain(self.verify.iter_mut().map(|verify| &mut verify.request));
        requests.filter_map(|request| request.url.as_mut()).for_each(|address| address.redirect(base));
    }

    /// The first thing that makes its calls unusable.
    pub(super) fn call_problem(&self) -> Option<String> {
        let api = self.api.as_ref();
        let base_urls = api.into_iter().flat_map(|api| [&api.base_url, &api.sandbox_base_url]).flatten();
        let urls = self.requests().filter_map(|request| request.url.as_ref());
        let problem = base_urls.chain(urls).find_map(|address| self.address_problem(address));
        if problem.is_some() {
            return problem;
        }
        if api.is_some_and(|api| api.sandbox_base_url.is_some() && api.base_url.is_none()) {
            return Some("api.sandbox_base_url needs a base_url beside it".into());
        }
        let mut names = api.into_iter().flat_map(|api| api.headers.keys());
        let mut names_of_requests = self.requests().flat_map(|request| request.headers.keys());
        if let Some(name) =
            names.find(|name| !is_header(name)).or_else(|| names_of_requests.find(|name| !is_header(name)))
        {
            return Some(format!("`{name}` is no name of a header"));
        }
        if let Some(name) = self.placeholders().find(|name| !self.has_value(name)) {
            return Some(format!("nothing fills the placeholder `{{{name}}}`"));
        }
        if let Some(verify) = &self.verify
            && let Some(errors) = &verify.invalid_errors
            && (errors.words.is_empty() || verify.expect.is_none())
        {
            return Some("verify.invalid_errors needs words, and an expect beside it".into());
        }
        self.requests().find_map(|request| self.request_problem(request))
    }

    fn request_problem(&self, request: &ApiRequest) -> Option<String> {
        match (&request.path, &request.url) {
            (Some(_), Some(_)) | (None, None) => {
                return Some("a request needs either a path or a url".into());
            }
            (Some(_), None) if self.base_address(false).is_none() => {
                return Some("a path needs an api.base_url to stand behind".into());
            }
            _ => {}
        }
        if request.path.as_ref().is_some_and(|path| !path.begins_with('/')) {
            return Some("a path begins with a slash".into());
        }
        self.address_problem(&self.address(request, false)?)
    }

    /// The headers and the query parameters that carry the credential. For emulators.
    pub(crate) fn carriers(&self) -> (Vec<&str>, Vec<&str>) {
        let is_secret = |name: &str| {
            name == "access_token"
                || self.input.fields.iter().any(|field| field.name == name && field.is_secret())
        };
        let carries = |(_, template): &(&String, &Template)| template.placeholders().any(is_secret);
        let api = self.api.as_ref();
        let headers = api.into_iter().flat_map(|api| &api.headers).filter(carries);
        let query = api.into_iter().flat_map(|api| &api.query).filter(carries);
        let usual = self.constants.get("header_name").map_or("Authorization", String::as_str);
        let headers = headers.map(|(name, _)| name.as_str()).chain([usual, "Authorization"]);
        (headers.collect(), query.map(|(name, _)| name.as_str()).collect())
    }

    /// Whether a call with this method to this address, without its query, is this request. For emulators.
    pub(crate) fn is_request(&self, request: &ApiRequest, method: &Method, address: &str) -> bool {
        let own = self.address(request, false);
        request.method.method() == *method && own.is_some_and(|own| own.matches(address))
    }

    /// The values of `[auth.provider_data]` that a request of the service's own carries.
    pub(super) fn data_of_request(&self, request: &ApiRequest, sandbox: bool) -> BTreeSet<String> {
        let address = self.address(request, sandbox);
        let of_address = address.iter().flat_map(Address::placeholders).map(|(name, _)| name);
        let of_headers = request.headers.values().flat_map(Template::placeholders);
        data_names(of_address.chain(of_headers).chain(self.placed()))
    }

    /// The values of `[auth.provider_data]` that any call carries.
    pub(super) fn data_of_calls(&self, sandbox: bool) -> BTreeSet<String> {
        let base = self.base_address(sandbox).into_iter().flat_map(Address::placeholders);
        let own = data_names(base.map(|(name, _)| name).chain(self.placed()));
        let of_requests = self.requests().flat_map(|request| self.data_of_request(request, sandbox));
        own.into_iter().chain(of_requests).collect()
    }

    /// The placeholders of headers, query parameters and HTTP Basic authentication.
    fn placeholders(&self) -> impl Iterator<Item = &str> {
        let sent = self.requests().flat_map(|request| request.headers.values());
        self.placed().chain(sent.flat_map(Template::placeholders))
    }

    /// Those that every call carries.
    fn placed(&self) -> impl Iterator<Item = &str> {
        let api = self.api.as_ref();
        let basic = api.and_then(|api| api.basic.as_ref());
        let basic = basic.into_iter().flat_map(|basic| [&basic.username, &basic.password]);
        let placed = api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values()));
        placed.chain(basic).flat_map(Template::placeholders)
    }

    /// What calls need of `[apps.ID.params]`.
    pub(super) fn app_params_of_calls(&self) -> impl Iterator<Item = &str> {
        self.placeholders().filter_map(|name| name.strip_prefix("app."))
    }

    /// Whether a placeholder of a header or a query parameter can have a value.
    fn has_value(&self, name: &str) -> bool {
        if name.starts_with("app.") {
            return true;
        }
        if let Some(name) = name.strip_prefix(PROVIDER_DATA) {
            return self.provider_data.contains_key(name);
        }
        match self.auth_type.is_token() {
            true => matches!(name, "access_token" | "client_id"),
            false => {
                self.constants.contains_key(name) || self.input.fields.iter().any(|field| field.name == name)
            }
        }
    }
}

impl Api {
    /// Whether it says how a credential is placed.
    fn has_placement(&self) -> bool {
        !self.headers.is_empty() || !self.query.is_empty() || self.basic.is_some()
    }
}

impl RequestMethod {
    /// The method itself.
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
        }
    }
}

impl From<VerifyTable> for Verify {
    fn from(table: VerifyTable) -> Self {
        let VerifyTable { method, path, url, headers, json, invalid_statuses, expect, invalid_errors } =
            table;
        let request = ApiRequest { method, path, url, headers, json };
        Self { request, invalid_statuses, expect, invalid_errors }
    }
}

impl From<LookupTable> for Lookup {
    fn from(table: LookupTable) -> Self {
        let LookupTable { name, method, path, url, headers, json } = table;
        Self { name, request: ApiRequest { method, path, url, headers, json } }
    }
}

impl std::fmt::Debug for ApiCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiCall(…)")
    }
}

/// RFC 7617. The two halves are sent in UTF-8.
fn basic(username: &str, password: &str) -> (String, String) {
    let pair = zeroize::Zeroizing::new(format!("{username}:{password}"));
    ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// Of these placeholders those that stand for values of `[auth.provider_data]`, without the prefix.
fn data_names<'a>(placeholders: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    placeholders.filter_map(|name| name.strip_prefix(PROVIDER_DATA)).map(str::to_owned).collect()
}

fn is_header(name: &str) -> bool {
    HeaderName::try_from(name).is_ok()
}

fn unauthorized() -> Vec<u16> {
    vec![401]
}
