//! The app catalogue: which apps a customer can connect, and how.
//!
//! Every app is one TOML file in `service/catalogue/`, built into the binary. An operator adds apps, or replaces
//! built-in ones by id, with a folder of their own (`catalogue_dir`). Client ids and secrets are never part of it:
//! those come from the operator's configuration.

mod api;
mod builtin;
#[cfg(test)]
mod builtin_tests;
mod callback;
mod contacts;
mod correction;
mod denied_path;
mod fetched;
mod input;
mod kept;
mod oauth;
mod pattern;
mod revoke;
mod template;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod usable_tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use toml::value::Datetime;

use crate::theme::Color;

pub use api::{Api, ApiCall, ApiRequest, CallValues, InvalidErrors, Lookup, RequestMethod, Verify};
pub use contacts::{
    Condition, Contacts, Containers, Cursor, Errors, Fields, Next, PageRequest, PageValues, Record, Selector,
    Transform,
};
pub use correction::Correction;
pub use denied_path::DeniedPath;
pub use fetched::{BasicTemplates, ClientCredentials, JwtAlgorithm, JwtBearer, KeyEncoding, TokenExchange};
pub use input::{AddressHosts, Choice, Field, FieldError, Format, InputSchema, Inputs};
pub use kept::{Account, AccountReferences, Documents, Kept, Pointer, ProviderData, Reference, Source};
pub use oauth::{ClientAuth, Exchange, Expected, OAuth, ParamNames, Templates, TokenRequest};
pub use pattern::Pattern;
pub use revoke::{Revoke, RevokeAuth, RevokeMethod, RevokedToken};
pub use template::Template;

/// All the apps, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    apps: Vec<Arc<App>>,
}

/// One app of the catalogue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Stable id, a slug: `google-sheets`.
    pub id: String,
    /// What people call it: `Google Sheets`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What it is for: `crm`, `email`.
    pub categories: Vec<String>,
    /// Further words by which [`Catalogue::search`] finds it, in lower case.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The ground of its letter on pages: the colour that people know it by.
    #[serde(default)]
    pub color: Option<Color>,
    /// The documentation of its API, for developers.
    #[serde(default)]
    pub docs_url: Option<String>,
    /// Where an operator registers an OAuth client, or reads how.
    #[serde(default)]
    pub guide_url: Option<String>,
    /// When the file was last compared with what the provider says.
    #[serde(default)]
    pub checked: Option<Datetime>,
    /// The pages that it was compared with.
    #[serde(default)]
    pub sources: Vec<SourcePage>,
    /// How its contacts are read, where it has any.
    #[serde(default)]
    pub contacts: Option<Contacts>,
    /// The ways to connect it, the usual one first. Never empty.
    #[serde(rename = "auth")]
    pub auth_options: Vec<AuthOption>,
}

/// A page from which facts about an app come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePage {
    /// Its address.
    pub url: String,
    /// The facts: `lifetime of tokens`.
    pub about: String,
}

/// One way to connect an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthOption {
    /// Names the option within its app.
    pub key: String,
    /// What kind of credential comes out of it.
    #[serde(rename = "type")]
    pub auth_type: AuthType,
    /// What the customer sees: `Sign in with Google`.
    pub title: String,
    /// Plain text for the customer: what this is, or where to find what is asked for.
    #[serde(default)]
    pub description: String,
    /// What the customer must know before anything is entered, in plain text.
    #[serde(default, skip_serializing)]
    pub warning: Option<String>,
    /// The provider's page where the customer finds the values.
    #[serde(default, skip_serializing)]
    pub help_url: Option<String>,
    /// The words on the button that opens it.
    #[serde(default, skip_serializing)]
    pub help_title: Option<String>,
    /// What the customer is asked for; shown as a JSON Schema on the wire.
    #[serde(rename(serialize = "input_schema", deserialize = "fields"), default)]
    pub input: InputSchema,
    /// Fixed values that are vended together with what the customer enters, such as a header's name.
    #[serde(default, skip_serializing)]
    pub constants: BTreeMap<String, String>,
    /// Present exactly where `auth_type` is [`AuthType::OAuth`].
    #[serde(default, skip_serializing)]
    pub oauth: Option<OAuth>,
    /// Present exactly where `auth_type` is [`AuthType::ClientCredentials`].
    #[serde(default, skip_serializing)]
    pub client_credentials: Option<ClientCredentials>,
    /// Present exactly where `auth_type` is [`AuthType::TokenExchange`].
    #[serde(default, skip_serializing)]
    pub token_exchange: Option<TokenExchange>,
    /// Present exactly where `auth_type` is [`AuthType::JwtBearer`].
    #[serde(default, skip_serializing)]
    pub jwt_bearer: Option<JwtBearer>,
    /// How the app's API is called.
    #[serde(default, skip_serializing)]
    pub api: Option<Api>,
    /// Values that are kept beside the credential, because calls need them.
    #[serde(default, skip_serializing)]
    pub provider_data: BTreeMap<String, Kept>,
    /// How a credential is checked.
    #[serde(default, skip_serializing)]
    pub verify: Option<Verify>,
    /// Requests after connecting, whose responses are kept in part. At most two.
    #[serde(default, rename = "lookup", skip_serializing)]
    pub lookups: Vec<Lookup>,
    /// Whose account it is.
    #[serde(default, skip_serializing)]
    pub account: AccountReferences,
    /// How a grant is ended at the provider. Only where `auth_type` is [`AuthType::OAuth`].
    #[serde(default, skip_serializing)]
    pub revoke: Option<Revoke>,
}

/// The kind of credential that a connection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// OAuth 2.0, authorisation code.
    #[serde(rename = "o_auth")]
    OAuth,
    /// A key that the customer copies from the provider.
    ApiKey,
    /// A user name and password (or what stands for them) for HTTP Basic authentication.
    Basic,
    /// A header with a fixed name and a secret value.
    Header,
    /// OAuth 2.0, with a client of the customer's.
    ClientCredentials,
    /// What the customer enters is exchanged for a token in the provider's own way.
    TokenExchange,
    /// A token that is signed with the customer's key, or one that is given for it.
    JwtBearer,
}

impl AuthType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuth => "o_auth",
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::Header => "header",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "token_exchange",
            Self::JwtBearer => "jwt_bearer",
        }
    }

    /// Whether the service fetches the access token with what the customer entered, each time anew.
    pub fn is_fetched(self) -> bool {
        matches!(self, Self::ClientCredentials | Self::TokenExchange | Self::JwtBearer)
    }

    /// Whether an access token is vended, and not what the customer entered.
    pub fn is_token(self) -> bool {
        !matches!(self, Self::ApiKey | Self::Basic | Self::Header)
    }
}

/// Why a catalogue cannot be used. Tells the file and what is wrong in it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or a file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Not TOML, or not an app.
    #[error("{file}: {source}")]
    Parse {
        /// The file's name.
        file: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Well-formed, but wrong.
    #[error("{file}: {problem}")]
    Invalid {
        /// The file's name.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

impl Catalogue {
    /// The built-in apps, and those of the operator's folder, which replace built-in ones of the same id.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or describes no usable app.
    pub fn load(extra_dir: Option<&Path>) -> Result<Self, CatalogueError> {
        let mut apps = BTreeMap::new();
        for (file, text) in builtin::FILES {
            let app = App::parse(file, text)?;
            apps.insert(app.id.clone(), Arc::new(app));
        }
        if let Some(dir) = extra_dir {
            for path in toml_files(dir)? {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| CatalogueError::Read { path: path.clone(), source })?;
                let app = App::parse(&path.display().to_string(), &text)?;
                apps.insert(app.id.clone(), Arc::new(app));
            }
        }
        let mut catalogue = Self { apps: apps.into_values().collect() };
        catalogue.sort();
        Ok(catalogue)
    }

    fn sort(&mut self) {
        self.apps.sort_by_cached_key(|app| (app.name.to_lowercase(), app.id.clone()));
    }

    /// Adds one app, in the place of one with the same id.
    ///
    /// # Errors
    ///
    /// When the text describes no usable app.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        let app = App::parse(file, text)?;
        self.apps.retain(|other| other.id != app.id);
        self.apps.push(Arc::new(app));
        self.sort();
        Ok(())
    }

    /// Leads all calls to the apps' APIs to `base/ID`, where an emulator plays them. It is done after the files were
    /// checked: an emulator may be on loopback.
    pub fn redirect_calls(&mut self, base: &str) {
        for app in &mut self.apps {
            let app = Arc::make_mut(app);
            let base = format!("{base}/{}", app.id);
            app.auth_options.iter_mut().for_each(|option| option.redirect_calls(&base));
        }
    }

    /// The app with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<App>> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// The apps whose id, name, category or alias contains `search`, whatever its case; all of them for an empty one.
    /// Apps whose name starts with it come first; otherwise they are sorted by name.
    pub fn search(&self, search: &str) -> Vec<&Arc<App>> {
        let wanted = search.trim().to_lowercase();
        let mut found: Vec<_> = self.apps.iter().filter(|app| app.matches(&wanted)).collect();
        found.sort_by_key(|app| !app.name.to_lowercase().starts_with(&wanted));
        found
    }

    /// How many apps there are.
    pub fn len(&self) -> usize {
        self.apps.len()
    }

    /// Whether there is no app at all.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }
}

impl App {
    /// The usual way to connect this app is what its own `auth_type` tells.
    pub fn auth_type(&self) -> AuthType {
        self.auth_options.first().map_or(AuthType::OAuth, |option| option.auth_type)
    }

    /// Whether it is connected by OAuth, among other ways perhaps.
    pub fn has_oauth(&self) -> bool {
        self.auth_options.iter().any(|option| option.oauth.is_some())
    }

    /// The option with this key.
    pub fn auth_option(&self, key: &str) -> Option<&AuthOption> {
        self.auth_options.iter().find(|option| option.key == key)
    }

    /// The options that call an account by the same id as this one does. Jira's two do not: one knows the site, the other
    /// the person.
    pub fn options_with_account_of(&self, option: &AuthOption) -> Vec<String> {
        let others = self.auth_options.iter().filter(|other| other.account.id == option.account.id);
        others.map(|other| other.key.clone()).collect()
    }

    /// The first thing that makes addresses of the operator's, in the place of the catalogue's own, unusable with one of
    /// the app's ways to connect.
    pub fn problem_of_addresses(
        &self,
        authorization_url: Option<&str>,
        token_url: Option<&str>,
        revocation_url: Option<&str>,
    ) -> Option<String> {
        self.auth_options.iter().find_map(|option| {
            let oauth = option.oauth.as_ref()?;
            oauth.problem_of_addresses(authorization_url, token_url, revocation_url, &option.input)
        })
    }

    /// What the operator has to configure in `[apps.ID.params]`.
    pub fn app_params(&self) -> BTreeSet<&str> {
        let oauth = self.auth_options.iter().filter_map(|option| option.oauth.as_ref());
        let of_calls = self.auth_options.iter().flat_map(AuthOption::app_params_of_calls);
        oauth.flat_map(OAuth::app_params).chain(of_calls).collect()
    }

    /// The parameter of the callback that carries the code.
    pub fn callback_code(&self) -> &str {
        let oauth = self.auth_options.iter().find_map(|option| option.oauth.as_ref());
        oauth.map_or("code", |oauth| &oauth.names.callback_code)
    }

    /// Whether its id, name, category or alias contains this, in lower case.
    pub(crate) fn matches(&self, wanted: &str) -> bool {
        self.name.to_lowercase().contains(wanted)
            || self.id.contains(wanted)
            || self.categories.iter().chain(&self.aliases).any(|word| word.contains(wanted))
    }

    fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let app: Self = toml::from_str(text)
            .map_err(|source| CatalogueError::Parse { file: file.into(), source: Box::new(source) })?;
        match app.problem() {
            Some(problem) => Err(CatalogueError::Invalid { file: file.into(), problem }),
            None => Ok(app),
        }
    }

    /// The first thing that makes this app unusable.
    fn problem(&self) -> Option<String> {
        if !is_slug(&self.id) {
            return Some(format!("`{}` is no id: lower-case letters, digits and hyphens only", self.id));
        }
        if self.auth_options.is_empty() {
            return Some("no way to connect: it needs at least one [[auth]]".into());
        }
        let pages =
            self.docs_url.iter().chain(&self.guide_url).chain(self.sources.iter().map(|page| &page.url));
        if let Some(url) = pages.into_iter().find(|url| !url.starts_with("https://")) {
            return Some(format!("`{url}` is not https"));
        }
        let mut keys = HashSet::new();
        for option in &self.auth_options {
            let problem = if !is_slug(&option.key) || !keys.insert(&option.key) {
                Some("its key is not a unique slug".into())
            } else {
                option.problem()
            };
            if let Some(problem) = problem {
                return Some(format!("auth option `{}`: {problem}", option.key));
            }
        }
        let problem = self.contacts.as_ref().and_then(|contacts| contacts.problem(self));
        problem.map(|problem| format!("contacts: {problem}"))
    }
}

impl AuthOption {
    /// Where its credential may go: to hosts that are named alone, if an operator's client obtained it, or if something
    /// that the operator configured goes with it.
    fn address_hosts(&self) -> AddressHosts {
        let is_operators = self.auth_type == AuthType::OAuth || self.app_params_of_calls().next().is_some();
        if is_operators { AddressHosts::Named } else { AddressHosts::Typed }
    }

    fn problem(&self) -> Option<String> {
        if let Some(problem) = self.input.problem() {
            return Some(problem);
        }
        // It becomes a link on a page that asks for secrets.
        if self.help_url.as_deref().is_some_and(|url| !url.starts_with("https://")) {
            return Some("help_url is not https".into());
        }
        if self.help_title.is_some() && self.help_url.is_none() {
            return Some("help_title needs a help_url to open".into());
        }
        let problem = match (self.auth_type, &self.oauth) {
            (AuthType::OAuth, Some(oauth)) => oauth.problem(&self.input),
            (AuthType::OAuth, None) => Some("type o_auth needs [auth.oauth]".into()),
            (_, Some(_)) => Some("[auth.oauth] belongs to type o_auth".into()),
            (_, None) if self.input.is_empty() => Some("it asks for nothing".into()),
            (_, None) => None,
        };
        let problem_of_revoke = || {
            let revoke = self.revoke.as_ref()?;
            match self.auth_type {
                AuthType::OAuth => revoke.problem(&self.input, self.account.id.is_some()),
                _ => Some("[auth.revoke] belongs to type o_auth".into()),
            }
        };
        problem
            .or_else(problem_of_revoke)
            .or_else(|| self.fetched_problem())
            .or_else(|| self.kept_problem())
            .or_else(|| self.call_problem())
            .or_else(|| self.callback_problem())
            .or_else(|| self.correction_problem())
    }
}

impl Serialize for App {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut app = serializer.serialize_struct("App", 7)?;
        app.serialize_field("id", &self.id)?;
        app.serialize_field("name", &self.name)?;
        app.serialize_field("auth_type", &self.auth_type())?;
        app.serialize_field("description", &self.description)?;
        app.serialize_field("categories", &self.categories)?;
        app.serialize_field("docs_url", &self.docs_url)?;
        app.serialize_field("auth_options", &self.auth_options)?;
        app.end()
    }
}

fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let read = |source| CatalogueError::Read { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}
