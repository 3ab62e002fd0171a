//! `[auth.oauth]`: how a provider does OAuth 2.0, where it differs from the standard.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use http::HeaderName;
use serde::Deserialize;
use url::Url;

use super::input::{AddressHosts, InputSchema};
use super::kept::Pointer;
use super::pattern::Pattern;
use super::template::Template;

/// Values of requests by name.
pub type Templates = BTreeMap<String, Template>;

/// How a provider does OAuth 2.0.
///
/// Addresses may hold `{field}` placeholders, for providers where every customer has a host of their own. Only fields
/// whose values cannot leave their place can be used so, since the client's secret goes there: see
/// [`Format`](super::Format) and [`Field::choices`](super::Field::choices).
///
/// Parameters and headers may hold any field, `{client_id}`, and as `{app.x}` what the operator configured in
/// `[apps.ID.params]`. One whose field the customer left empty is left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Where the customer is sent.
    pub authorization_url: Template,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Template,
    /// Where refresh tokens are exchanged, if elsewhere.
    #[serde(default)]
    pub refresh_url: Option<Template>,
    /// Asked for unless the configuration or the link says otherwise.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What scopes let a product do, in plain words for the customer: the key of a text of `language/`, or words.
    #[serde(default)]
    pub scope_texts: BTreeMap<String, String>,
    /// Between two scopes.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// The parameter that carries the scopes.
    #[serde(default = "scope")]
    pub scope_param: String,
    /// Further parameters that carry scopes, such as Slack's `user_scope`.
    #[serde(default)]
    pub scope_params: BTreeMap<String, Vec<String>>,
    /// How the client proves itself at the token endpoint.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// How a token request is written.
    #[serde(default)]
    pub token_request: TokenRequest,
    /// Further parameters of the code exchange. They replace those of the same name; empty text removes one.
    #[serde(default)]
    pub token_params: Templates,
    /// Further parameters of each refresh, likewise.
    #[serde(default)]
    pub refresh_params: Templates,
    /// Further headers of both requests.
    #[serde(default)]
    pub token_headers: Templates,
    /// Further parameters of the authorisation request. They may hold `{nonce}`, a new random text, and no secret.
    #[serde(default)]
    pub authorize_params: Templates,
    /// Other names of the standard's parameters.
    #[serde(default)]
    pub names: ParamNames,
    /// `false` only for providers that refuse requests with PKCE parameters.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// The `iss` with which the provider answers every authorisation request (RFC 9207): a callback with another one, or
    /// with none, is refused. Only for providers that say so in their metadata, with
    /// `authorization_response_iss_parameter_supported`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where in a token response the object with the tokens is, or the access token itself.
    #[serde(default)]
    pub token_pointer: Option<Pointer>,
    /// The token's type, whatever the response says.
    #[serde(default)]
    pub token_type: Option<String>,
    /// Where in a token response its expiry is, in seconds or as a time. The usual places need not be named.
    #[serde(default)]
    pub expires_at: Option<Pointer>,
    /// Seconds that an access token lives, where the response does not tell.
    #[serde(default)]
    pub lifetime: Option<u64>,
    /// Seconds before its expiry at which a token is refreshed. Default: 60, but at most a tenth of its life.
    #[serde(default)]
    pub refresh_margin: Option<u64>,
    /// Days after which a refresh token that nobody used is dead; each use starts them anew.
    #[serde(default)]
    pub refresh_idle_days: Option<u32>,
    /// The response to a refresh by which the provider prolongs the old access token instead of issuing one.
    #[serde(default)]
    pub refresh_keeps_token: Option<Expected>,
    /// Error codes by which a refresh is refused for good, beside `invalid_grant` and its relatives.
    #[serde(default)]
    pub invalid_grant: Vec<String>,
    /// The same by the error's description.
    #[serde(default)]
    pub invalid_grant_text: Option<Pattern>,
    /// A further request that makes the first access token last.
    #[serde(default)]
    pub exchange: Option<Exchange>,
}

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Body,
    /// HTTP Basic authentication.
    Basic,
    /// HTTP Basic authentication with the secret as the user name, and without a client id.
    SecretAsUser,
    /// `client_id` alone: the client has no secret.
    None,
}

/// How a token request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRequest {
    /// As RFC 6749 says.
    #[default]
    Form,
    /// A JSON object, for the few that want it.
    Json,
    /// In the address, of a POST without a body.
    Query,
}

/// Names for parameters that a provider calls otherwise than the standard does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParamNames {
    /// Of all requests.
    pub client_id: String,
    /// Of token requests.
    pub client_secret: String,
    /// Of authorisation request and code exchange.
    pub redirect_uri: String,
    /// Of the code exchange.
    pub code: String,
    /// Of the refresh.
    pub refresh_token: String,
    /// The code in the provider's answer to the authorisation request.
    pub callback_code: String,
}

/// A value that a response must have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Where it stands.
    pub pointer: Pointer,
    /// What it is: a text, or a number or boolean as text.
    pub equals: String,
}

/// A GET that exchanges an access token for one that lasts longer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its address.
    pub url: Template,
    /// Its parameters; they may hold `{access_token}` and `{client_secret}` too.
    #[serde(default)]
    pub params: Templates,
}

/// Headers that a request has anyway.
const OWN_HEADERS: [&str; 6] =
    ["authorization", "connection", "content-length", "content-type", "host", "transfer-encoding"];

/// Longest time that a file may name, in seconds: ten years.
const MAX_SECONDS: u64 = 10 * 365 * 86_400;
/// Longest time before its expiry that a token is refreshed, in seconds.
const MAX_MARGIN: u64 = 86_400;
/// Longest time that a refresh token lives unused: ten years.
const MAX_IDLE_DAYS: u32 = 3650;

impl Default for ParamNames {
    fn default() -> Self {
        Self {
            client_id: "client_id".into(),
            client_secret: "client_secret".into(),
            redirect_uri: "redirect_uri".into(),
            code: "code".into(),
            refresh_token: "refresh_token".into(),
            callback_code: "code".into(),
        }
    }
}

impl ParamNames {
    fn problem(&self) -> Option<String> {
        let read = ["state", "error", "error_description", "iss"];
        if read.contains(&self.callback_code.as_str()) {
            return Some(format!("names.callback_code cannot be `{}`", self.callback_code));
        }
        let own = [&self.client_id, &self.client_secret, &self.redirect_uri, &self.code];
        let mut seen = HashSet::new();
        let double =
            own.into_iter().chain([&self.refresh_token]).find(|name| name.is_empty() || !seen.insert(*name));
        double.map(|name| format!("names has the name `{name}` twice, or an empty one"))
    }
}

impl OAuth {
    /// The first thing that makes this table unusable.
    pub(super) fn problem(&self, input: &InputSchema) -> Option<String> {
        let mut addresses = vec![&self.authorization_url, &self.token_url];
        addresses.extend(&self.refresh_url);
        addresses.extend(self.exchange.as_ref().map(|exchange| &exchange.url));
        addresses
            .into_iter()
            .find_map(|template| address_problem(template, input, AddressHosts::Named))
            .or_else(|| self.problem_of_values(input))
            .or_else(|| self.names.problem())
            .or_else(|| self.double_param(&self.authorization_url, input))
            .or_else(|| problem_of_lifetime(self.lifetime))
            .or_else(|| {
                self.refresh_margin
                    .filter(|margin| *margin > MAX_MARGIN)
                    .map(|_| format!("refresh_margin is more than {MAX_MARGIN} seconds"))
            })
            .or_else(|| {
                self.refresh_idle_days
                    .filter(|days| !(1..=MAX_IDLE_DAYS).contains(days))
                    .map(|_| format!("refresh_idle_days must be 1 to {MAX_IDLE_DAYS}"))
            })
    }

    fn problem_of_values(&self, input: &InputSchema) -> Option<String> {
        let places: [(&str, &Templates, &[&str]); 5] = [
            ("authorize_params", &self.authorize_params, &["client_id", "nonce"]),
            ("token_params", &self.token_params, &["client_id"]),
            ("refresh_params", &self.refresh_params, &["client_id"]),
            ("token_headers", &self.token_headers, &["client_id"]),
            ("exchange.params", self.exchange_params(), &["client_id", "client_secret", "access_token"]),
        ];
        let unknown = places.into_iter().find_map(|(place, templates, further)| {
            let known = |name: &str| further.contains(&name) || name.starts_with("app.");
            problem_of_templates(place, templates, input, known)
        });
        unknown.or_else(|| problem_of_headers(&self.token_headers)).or_else(|| {
            // It stands in the browser's address bar and history.
            let secret =
                |name: &&str| input.fields.iter().any(|field| field.name == **name && field.is_secret());
            let mut names = self.authorize_params.values().flat_map(Template::placeholders);
            names.find(secret).map(|name| format!("authorize_params would show the secret `{name}`"))
        })
    }

    fn exchange_params(&self) -> &Templates {
        static NONE: Templates = Templates::new();
        self.exchange.as_ref().map_or(&NONE, |exchange| &exchange.params)
    }

    /// The names that the operator has to configure in `[apps.ID.params]`.
    pub fn app_params(&self) -> BTreeSet<&str> {
        let tables = [
            &self.authorize_params,
            &self.token_params,
            &self.refresh_params,
            &self.token_headers,
            self.exchange_params(),
        ];
        let names = tables.into_iter().flat_map(BTreeMap::values).flat_map(Template::placeholders);
        names.filter_map(|name| name.strip_prefix("app.")).collect()
    }

    /// The first thing that makes addresses of the operator's, in the place of the catalogue's own, unusable.
    pub(super) fn problem_of_addresses(
        &self,
        authorization_url: Option<&str>,
        token_url: Option<&str>,
        revocation_url: Option<&str>,
        input: &InputSchema,
    ) -> Option<String> {
        let problem = |text: &str| match Template::try_from(text.to_owned()) {
            Ok(template) => input.sample_address(&template, AddressHosts::Named).err(),
            Err(problem) => Some(problem),
        };
        let all = authorization_url.into_iter().chain(token_url).chain(revocation_url);
        all.into_iter().find_map(problem).or_else(|| {
            let template = Template::try_from(authorization_url?.to_owned()).ok()?;
            self.double_param(&template, input)
        })
    }

    /// A parameter that would stand twice in the authorisation request. Which one a provider takes is anybody's guess,
    /// and `state` decides whose request it is.
    fn double_param(&self, authorization_url: &Template, input: &InputSchema) -> Option<String> {
        let own = input.sample_address(authorization_url, AddressHosts::Named).ok()?;
        let own: Vec<_> = own.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let sent = [
            "response_type",
            "client_id",
            "redirect_uri",
            "state",
            "code_challenge",
            "code_challenge_method",
        ];
        let further = self.authorize_params.keys().chain(self.scope_params.keys()).chain(&own);
        let renamed = [&self.names.client_id, &self.names.redirect_uri]
            .into_iter()
            .map(String::as_str)
            .filter(|name| !["client_id", "redirect_uri"].contains(name));
        let mut seen: HashSet<&str> = HashSet::from(sent);
        [self.scope_param.as_str()]
            .into_iter()
            .chain(renamed)
            .chain(further.map(String::as_str))
            .find(|name| !seen.insert(name))
            .map(|name| format!("the authorisation request would have the parameter `{name}` twice"))
    }
}

/// The first thing that makes an address unusable.
pub(super) fn address_problem(
    template: &Template,
    input: &InputSchema,
    hosts: AddressHosts,
) -> Option<String> {
    match input.sample_address(template, hosts) {
        Ok(url) => (!is_safe_scheme(&url)).then(|| format!("`{}` is not https", template)),
        Err(problem) => Some(problem),
    }
}

/// `https`, or `http` to the machine itself, which leaves it on no network.
fn is_safe_scheme(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

/// The first placeholder that nothing fills.
pub(super) fn problem_of_templates(
    place: &str,
    templates: &Templates,
    input: &InputSchema,
    known: impl Fn(&str) -> bool,
) -> Option<String> {
    let is_field = |name: &str| input.fields.iter().any(|field| field.name == name);
    let unknown =
        templates.values().flat_map(Template::placeholders).find(|name| !is_field(name) && !known(name))?;
    Some(format!("{place} has the placeholder `{unknown}`, which nothing fills"))
}

/// The first header that cannot be set.
pub(super) fn problem_of_headers(headers: &Templates) -> Option<String> {
    let wrong = |name: &&String| {
        HeaderName::try_from(name.as_str()).map_or(true, |name| OWN_HEADERS.contains(&name.as_str()))
    };
    let name = headers.keys().find(wrong)?;
    Some(format!("`{name}` is no header that can be set here"))
}

/// What is wrong with a lifetime.
pub(super) fn problem_of_lifetime(lifetime: Option<u64>) -> Option<String> {
    let wrong = lifetime.is_some_and(|lifetime| !(1..=MAX_SECONDS).contains(&lifetime));
    wrong.then(|| format!("lifetime must be 1 to {MAX_SECONDS} seconds"))
}

fn space() -> String {
    " ".into()
}

fn scope() -> String {
    "scope".into()
}

fn yes() -> bool {
    true
}
