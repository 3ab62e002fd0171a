//! `connect-service apps import`: a catalogue file of a connector's manifest, as RingCentral's App Connect describes
//! them. What a manifest has and a file has not is told, never dropped in silence.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use connect_service::catalogue::Catalogue;
use connect_service::server::PREFIX;
use connect_service::state::SetupError;
use connect_service::text;
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{Output, print};

/// Turn `platforms.NAME.auth` of a manifest into a file of the catalogue, on stdout. What it could not carry over is
/// told on stderr.
#[derive(Args)]
pub(crate) struct ImportManifest {
    /// The manifest, a JSON file.
    manifest: PathBuf,
    /// Which of its platforms. Default: the only one.
    #[arg(long)]
    platform: Option<String>,
    /// The provider's token endpoint, which manifests do not tell. For OAuth.
    #[arg(long)]
    token_url: Option<String>,
    /// The provider's page that the button of an API-key page opens.
    #[arg(long)]
    help_url: Option<String>,
}

#[derive(Serialize)]
struct File {
    id: String,
    name: String,
    description: String,
    categories: Vec<String>,
    auth: [AuthOption; 1],
}

#[derive(Serialize)]
struct AuthOption {
    key: &'static str,
    #[serde(rename = "type")]
    auth_type: &'static str,
    title: String,
    warning: Option<String>,
    help_title: Option<String>,
    help_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    oauth: Option<OAuth>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    title: String,
    format: Option<&'static str>,
    required: bool,
}

#[derive(Serialize)]
struct OAuth {
    authorization_url: String,
    token_url: String,
    scopes: Option<Vec<String>>,
    scope_param: Option<String>,
    scope_separator: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    authorize_params: BTreeMap<String, String>,
}

/// Reads a manifest, and notes what is not carried over.
struct Reader<'a> {
    command: &'a ImportManifest,
    id: String,
    notes: Vec<String>,
}

pub(super) fn import(command: &ImportManifest, output: Output) -> Result<(), SetupError> {
    let path = command.manifest.display();
    let manifest = std::fs::read_to_string(&command.manifest).map_err(|error| format!("{path}: {error}"))?;
    let manifest: Value = serde_json::from_str(&manifest).map_err(|error| format!("{path}: {error}"))?;
    let (name, platform) = platform(&manifest, command.platform.as_deref())?;
    let id = slug(name);
    let mut reader = Reader { command, id: id.clone(), notes: Vec::new() };
    let auth =
        reader.auth(platform).map_err(|problem| readable(&format!("{path}: platforms.{name}.{problem}")));
    // They may be why the rest fails.
    if !output.is_json {
        let mut stderr = std::io::stderr().lock();
        for note in &reader.notes {
            writeln!(stderr, "note: {note}")?;
        }
    }
    let file = File {
        name: text_of(platform, "displayName").or(text_of(platform, "name")).unwrap_or(name).to_owned(),
        description: String::new(),
        categories: Vec::new(),
        auth: [auth?],
        id,
    };
    let written = toml::to_string(&file)?;
    // What is printed can be used.
    Catalogue::default().add(&format!("{}.toml", file.id), &written)?;
    if output.is_json {
        return print(&json!({"id": file.id, "file": written, "notes": reader.notes}).to_string());
    }
    print(written.trim_end())
}

/// Words of a manifest, without what would change how a terminal shows them.
fn readable(text: &str) -> String {
    text::printable(text, usize::MAX).unwrap_or_default()
}

fn platform<'a>(
    manifest: &'a Value,
    wanted: Option<&'a str>,
) -> Result<(&'a str, &'a Map<String, Value>), String> {
    let platforms = manifest["platforms"].as_object().ok_or("the manifest has no platforms")?;
    let found = match wanted {
        Some(name) => platforms.get_key_value(name),
        None if platforms.len() == 1 => platforms.iter().next(),
        None => None,
    };
    let names = || platforms.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let (name, platform) =
        found.ok_or_else(|| format!("choose one of its platforms by --platform: {}", readable(&names())))?;
    let platform = platform.as_object().ok_or_else(|| format!("platforms.{name} is no object"))?;
    Ok((name, platform))
}

impl Reader<'_> {
    fn auth(&mut self, platform: &Map<String, Value>) -> Result<AuthOption, String> {
        let auth = object(platform, "auth")?;
        self.note(
            "How the API is called is no part of a manifest: see [auth.api] in the catalogue's README.",
        );
        match text_of(auth, "type") {
            Some("oauth") => {
                self.note_others(auth, "auth", &["type", "oauth"]);
                self.oauth(object(auth, "oauth").map_err(|problem| format!("auth.{problem}"))?)
            }
            Some("apiKey") => {
                self.note_others(auth, "auth", &["type", "apiKey"]);
                let api_key = object(auth, "apiKey").map_err(|problem| format!("auth.{problem}"))?;
                self.note_others(api_key, "auth.apiKey", &["page"]);
                self.page(object(api_key, "page").map_err(|problem| format!("auth.apiKey.{problem}"))?)
            }
            _ => Err("auth.type is neither oauth nor apiKey".to_owned()),
        }
    }

    fn oauth(&mut self, oauth: &Map<String, Value>) -> Result<AuthOption, String> {
        const KNOWN: [&str; 5] = ["authUrl", "clientId", "redirectUri", "scope", "customState"];
        let id = self.id.clone();
        self.note_others(oauth, "auth.oauth", &KNOWN);
        let missing = "auth.oauth.authUrl is missing".to_owned();
        let authorization_url = text_of(oauth, "authUrl").ok_or(missing)?.to_owned();
        let token_url = self.command.token_url.clone();
        let token_url = token_url
            .ok_or("auth is OAuth, whose token endpoint a manifest does not tell: give it by --token-url")?;
        match text_of(oauth, "clientId") {
            Some(client_id) => self.note(format!(
                "clientId {client_id:?} is no part of a catalogue file: it is client_id of [apps.{id}] in the \
                 configuration, beside its client_secret"
            )),
            None => self.note(format!(
                "There is no clientId: it is client_id of [apps.{id}] in the configuration, or each organization \
                 brings its own"
            )),
        }
        if let Some(redirect_uri) = text_of(oauth, "redirectUri") {
            self.note(format!(
                "redirectUri {redirect_uri:?} is not used: register the service's own, which ends in \
                 {PREFIX}/oauth/callback/{id}"
            ));
        }
        if oauth.contains_key("customState") {
            self.note(
                "customState is not carried over: `state` protects the customer, and stays the service's own",
            );
        }
        let mut result = OAuth {
            authorization_url,
            token_url,
            scopes: None,
            scope_param: None,
            scope_separator: None,
            authorize_params: BTreeMap::new(),
        };
        if let Some(scope) = text_of(oauth, "scope") {
            self.scope(scope, &mut result);
        }
        Ok(AuthOption {
            key: "oauth",
            auth_type: "o_auth",
            title: "Sign in".to_owned(),
            warning: None,
            help_title: None,
            help_url: None,
            fields: Vec::new(),
            oauth: Some(result),
        })
    }

    /// A piece of a query, such as `scopes=write,read`; its first parameter carries the scopes.
    fn scope(&mut self, text: &str, oauth: &mut OAuth) {
        if !text.contains('=') {
            self.note("scope is no parameter of a query: it is taken for the scopes themselves");
        }
        let query = if text.contains('=') { text.to_owned() } else { format!("scope={text}") };
        let mut pairs = form_urlencoded::parse(query.trim_start_matches('&').as_bytes()).into_owned();
        let Some((name, value)) = pairs.next() else { return };
        let separator = if value.contains(',') { "," } else { " " };
        let scopes = value.split(separator).map(str::trim).filter(|scope| !scope.is_empty());
        oauth.scopes = Some(scopes.map(str::to_owned).collect());
        oauth.scope_separator = (separator == ",").then_some(separator);
        oauth.scope_param = (name != "scope").then_some(name);
        for (name, value) in pairs {
            if name == "state" {
                self.note("`state` in scope is not carried over: it stays the service's own");
            } else {
                oauth.authorize_params.insert(name, value);
            }
        }
    }

    fn page(&mut self, page: &Map<String, Value>) -> Result<AuthOption, String> {
        self.note_others(page, "auth.apiKey.page", &["title", "warning", "content"]);
        let content = page.get("content").and_then(Value::as_array);
        let content = content.ok_or("auth.apiKey.page.content is no list")?;
        let mut option = AuthOption {
            key: "api_key",
            auth_type: "api_key",
            title: text_of(page, "title").unwrap_or("API key").to_owned(),
            warning: text_of(page, "warning").map(str::to_owned),
            help_title: None,
            help_url: self.command.help_url.clone(),
            fields: Vec::new(),
            oauth: None,
        };
        for item in content {
            let Some((item, name)) = item.as_object().and_then(|item| Some((item, text_of(item, "const")?)))
            else {
                self.note("A member of content without `const` is left out");
                continue;
            };
            let title = text_of(item, "title").unwrap_or(name);
            let ui = item.get("uiSchema").and_then(Value::as_object);
            if ui.and_then(|ui| text_of(ui, "ui:field")) == Some("button") {
                self.button(title, &mut option);
            } else {
                self.note_others(item, name, &["const", "title", "type", "required", "uiSchema"]);
                option.fields.extend(self.field(name, title, item));
            }
        }
        Ok(option)
    }

    fn button(&mut self, title: &str, option: &mut AuthOption) {
        if option.help_title.is_some() {
            self.note(format!("A page has one button: {title:?} is left out"));
        } else if option.help_url.is_none() {
            self.note(format!(
                "The button {title:?} is left out: only its connector knows what it opens. Give the address by \
                 --help-url"
            ));
        } else {
            option.help_title = Some(title.to_owned());
        }
    }

    fn field(&mut self, given: &str, title: &str, item: &Map<String, Value>) -> Option<Field> {
        let kind = text_of(item, "type").unwrap_or("string");
        if kind != "string" {
            self.note(format!("{given} is of type {kind:?}, and is left out: every field is text"));
            return None;
        }
        let name = snake_case(given);
        if name != given {
            self.note(format!("{given} is called {name} here, also by what backends get"));
        }
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let format = if has(&["url", "uri"]) {
            Some("uri")
        } else if has(&["key", "secret", "token", "password"]) {
            Some("password")
        } else {
            None
        };
        if let Some(format) = format {
            self.note(format!(
                "{name} has the format {format:?} because of its name: correct it where that is wrong"
            ));
        }
        let required = item.get("required").and_then(Value::as_bool).unwrap_or_default();
        Some(Field { name, title: title.to_owned(), format, required })
    }

    fn note_others(&mut self, members: &Map<String, Value>, path: &str, known: &[&str]) {
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            self.note(format!("{path}.{name} has nothing that it could be here, and is left out"));
        }
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(readable(&note.into()));
    }
}

fn object<'a>(parent: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, String> {
    parent.get(name).and_then(Value::as_object).ok_or_else(|| format!("{name} is no object"))
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    name.trim().chars().map(plain).collect()
}

/// `apiKey` as `api_key`.
fn snake_case(name: &str) -> String {
    let mut result = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase()
            && result.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
        {
            result.push('_');
        }
        result.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    result
}
