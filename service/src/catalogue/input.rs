//! What an auth option asks the customer for: a small part of JSON Schema, its form and its validation.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::correction::Correction;
use super::pattern::Pattern;
use super::template::{Position, Template, has_extras};
use crate::language::Message;
use crate::oauth::{is_public_address, private_key};

/// Which hosts an address may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressHosts {
    /// Those that the catalogue or the operator names: a secret of the operator's goes there.
    Named,
    /// Those that the customer types, too: it is the customer's own secret that goes there.
    Typed,
}

/// Values by field name, validated. Some are secrets: they are stored encrypted and never printed.
pub type Inputs = BTreeMap<String, String>;

/// The fields of a form, in their order. On the wire it is a JSON Schema.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct InputSchema {
    /// In the order in which they are shown.
    pub fields: Vec<Field>,
}

/// One value to enter. Always a string.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its key in the submitted and vended values.
    pub name: String,
    /// Its label.
    pub title: String,
    /// Help under the label.
    #[serde(default)]
    pub description: Option<String>,
    /// What may be entered.
    #[serde(default)]
    pub format: Format,
    /// What stands before the value, such as `https://`; shown before the box, and cut off where it is pasted.
    #[serde(default)]
    pub prefix: Option<String>,
    /// What stands behind the value, such as `.zendesk.com`; shown behind the box, and cut off where it is pasted.
    #[serde(default)]
    pub suffix: Option<String>,
    /// What the name of a [`Format::Host`] ends in, one of these. Without any, it may be any name: then no secret of the
    /// operator's goes there.
    #[serde(default)]
    pub suffixes: Vec<String>,
    /// What the value looks like.
    #[serde(default)]
    pub pattern: Option<Pattern>,
    /// The sentence that tells so, where a value does not match.
    #[serde(default)]
    pub pattern_help: Option<String>,
    /// A value to show in the empty box.
    #[serde(default)]
    pub example: Option<String>,
    /// The provider's page that tells where to find the value.
    #[serde(default)]
    pub help_url: Option<String>,
    /// Whether it is a secret although it is no password, such as a user name that is a key.
    #[serde(default)]
    pub secret: bool,
    /// Whether it can be left empty; it cannot, unless told.
    #[serde(default = "yes")]
    pub required: bool,
    /// Filled in beforehand.
    #[serde(default)]
    pub default: Option<String>,
    /// The only values there are; empty for free text.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// How the provider's callback corrects the choice.
    #[serde(default)]
    pub correction: Option<Correction>,
    /// In characters.
    #[serde(default = "max_length")]
    pub max_length: usize,
}

/// One value of a field with a fixed set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What is shown.
    pub title: String,
}

/// What may be entered into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Any printable text.
    #[default]
    Text,
    /// A secret: shown as dots, never shown again.
    Password,
    /// An `https` address of host and path alone. A literal one inside the network, which a backend would send the
    /// credential to, is refused.
    Uri,
    /// One DNS label, such as the `acme` of `acme.example.com`; safe to put into a host name.
    Subdomain,
    /// A DNS name of at least two labels. Where an address is pasted, it is cut down to the name.
    Host,
    /// One segment of a path.
    Segment,
    /// A UUID, with hyphens.
    Uuid,
    /// An email address.
    Email,
    /// A private key in PEM, a secret. Line breaks may be lost on the way.
    PrivateKey,
}

/// What is wrong with one submitted value. Never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// A whole sentence for the customer.
    pub message: Message,
}

/// How much is repeated of the name of a field that there is not.
const MAX_NAME_REPEATED: usize = 64;

/// What the hosted page's form calls its own fields.
const RESERVED: [&str; 6] =
    ["csrf_token", "action", "app_id", "auth_option_key", "oauth_client_id", "oauth_client_secret"];

const SUBDOMAIN_PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

impl InputSchema {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The submitted values, trimmed, with defaults in place, or everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// One [`FieldError`] per bad field, in the order of the form. Of the fields that the form does not have the first
    /// comes last, and the others are not told: anybody can make up thousands.
    pub fn validate(&self, submitted: &Inputs) -> Result<Inputs, Vec<FieldError>> {
        let mut values = Inputs::new();
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: Message| {
            errors.push(FieldError { field: field.to_owned(), message });
        };
        for field in &self.fields {
            let given = submitted.get(&field.name).map_or("", |value| field.trim(value));
            let value = if given.is_empty() { field.default.as_deref().unwrap_or_default() } else { given };
            match field.accept(value) {
                Ok(Some(value)) => drop(values.insert(field.name.clone(), value)),
                Ok(None) => {}
                Err(message) => wrong(&field.name, message),
            }
        }
        let is_unknown = |name: &&String| self.fields.iter().all(|field| field.name != **name);
        if let Some(unknown) = submitted.keys().find(is_unknown) {
            let name: String = unknown.chars().take(MAX_NAME_REPEATED).collect();
            wrong(&name, Message::new("field-unknown"));
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }

    /// What is usable of what was entered so far, with defaults in place.
    pub fn preview(&self, entered: &Inputs) -> Inputs {
        let usable = |field: &Field| {
            let given = entered.get(&field.name).map_or("", |value| field.trim(value));
            let value = if given.is_empty() { field.default.as_deref()? } else { given };
            Some((field.name.clone(), field.accept(value).ok()??))
        };
        self.fields.iter().filter_map(usable).collect()
    }

    /// The address that a template gives with these stored values: those that their fields would still take and that cannot
    /// leave their place in it, and no others.
    pub(crate) fn address(&self, template: &Template, values: &Inputs, hosts: AddressHosts) -> Option<Url> {
        let value =
            |field: &Field| values.get(&field.name).filter(|value| field.keeps(value)).map(String::as_str);
        self.fill_address(template, hosts, value).ok()
    }

    /// The address that a template gives with a made-up value for each field.
    pub(super) fn sample_address(&self, template: &Template, hosts: AddressHosts) -> Result<Url, String> {
        let samples: Inputs = self.fields.iter().map(|field| (field.name.clone(), field.sample())).collect();
        let sample = |name: &str| samples.get(name).map(String::as_str);
        let address = self.fill_address(template, hosts, |field| sample(&field.name))?;
        match template.has_fixed_host(sample) {
            true => Ok(address),
            false => Err(format!("a value in `{template}` could change the host")),
        }
    }

    fn fill_address<'a>(
        &'a self,
        template: &'a Template,
        hosts: AddressHosts,
        value_of: impl Fn(&Field) -> Option<&'a str>,
    ) -> Result<Url, String> {
        let text = template.to_string();
        let fits = |field: &Field| {
            let mut positions = template.positions().into_iter().filter(|(name, _)| *name == field.name);
            positions.all(|(_, position)| field.fits_address(position, hosts))
        };
        let address = template.fill(|name| {
            let field = self.fields.iter().find(|field| field.name == name)?;
            value_of(field).filter(|_| fits(field))
        });
        let address = address
            .ok_or_else(|| format!("`{text}` has a placeholder that no subdomain or choice field fills"))?;
        match Url::parse(&address) {
            Ok(url) if url.has_host() && text.contains("://") => Ok(url),
            Ok(_) => Err(format!("`{text}` is no address: it has no host")),
            Err(error) => Err(format!("`{text}` is no address: {error}")),
        }
    }

    /// The field with this name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether this field's values cannot leave their place in a host name.
    pub(super) fn is_host_field(&self, name: &str, hosts: AddressHosts) -> bool {
        self.field(name).is_some_and(|field| field.fits_address(Position::Host, hosts))
    }

    /// The first thing that makes this form unusable.
    pub(super) fn problem(&self) -> Option<String> {
        self.fields.iter().find_map(|field| {
            let named = |what: &str| Some(format!("field `{}` {what}", field.name));
            let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
            if field.name.is_empty() || !field.name.bytes().all(plain) {
                return named("is not named in snake_case");
            }
            if RESERVED.contains(&field.name.as_str()) {
                return named("has a name that the page uses itself");
            }
            if self.fields.iter().filter(|other| other.name == field.name).count() > 1 {
                return named("is there twice");
            }
            let host_safe = |c: u8| c.is_ascii_alphanumeric() || b".-_".contains(&c);
            if !field.choices.iter().all(|choice| choice.value.bytes().all(host_safe)) {
                return named("has a choice with more than letters, digits, dots, hyphens and underscores");
            }
            field.own_problem().or_else(|| {
                let refused = |value: &String| field.accept(field.trim(value)).is_err();
                if field.default.as_ref().is_some_and(refused) {
                    return named("has a default that it would refuse");
                }
                None
            })
        })
    }
}

impl Field {
    /// A required field of this form, and otherwise plain.
    pub fn new(name: &str, title: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            description: None,
            format,
            prefix: None,
            suffix: None,
            suffixes: Vec::new(),
            pattern: None,
            pattern_help: None,
            example: None,
            help_url: None,
            secret: false,
            required: true,
            default: None,
            choices: Vec::new(),
            correction: None,
            max_length: max_length(),
        }
    }

    /// Whether its values cannot leave this place in an address.
    fn fits_address(&self, position: Position, hosts: AddressHosts) -> bool {
        let in_address = matches!(position, Position::Host | Position::Path);
        match self.format {
            Format::Subdomain | Format::Uuid => in_address,
            Format::Host => in_address && (hosts == AddressHosts::Typed || !self.suffixes.is_empty()),
            Format::Segment => position == Position::Path,
            _ => in_address && !self.choices.is_empty(),
        }
    }

    /// The first thing that makes this field unusable on its own.
    fn own_problem(&self) -> Option<String> {
        let is_suffix =
            |suffix: &str| suffix.strip_prefix('.').is_some_and(|name| name.split('.').all(is_dns_label));
        let problem = match self.format {
            Format::Subdomain if !self.suffix.as_deref().is_none_or(is_suffix) => {
                "has a suffix that no name can stand before"
            }
            Format::Host | Format::Uri if self.prefix.is_some() || self.suffix.is_some() => {
                "has a prefix or suffix that is a part of its value"
            }
            _ if !self.suffixes.is_empty() && self.format != Format::Host => "has suffixes and is no host",
            _ if !self.suffixes.iter().all(|suffix| is_suffix(suffix)) => {
                "has suffixes of which one does not begin with a dot, or is no name"
            }
            // A customer who is told only that it is wrong cannot know what is right.
            _ if self.pattern.is_some() != self.pattern_help.is_some() => {
                "has a pattern and no pattern_help, or one of them"
            }
            _ if self.help_url.as_deref().is_some_and(|url| !url.starts_with("https://")) => {
                "has a help_url that is not https"
            }
            _ => return None,
        };
        Some(format!("field `{}` {problem}", self.name))
    }

    /// Something that may stand in an address where its values may.
    fn sample(&self) -> String {
        match (self.choices.first(), self.format, self.suffixes.first()) {
            (Some(choice), _, _) => choice.value.clone(),
            (None, Format::Host, Some(suffix)) => format!("sample{suffix}"),
            (None, Format::Host, None) => "sample.example".to_owned(),
            (None, _, _) => "sample".to_owned(),
        }
    }

    /// A value without the space around it, and without a prefix and suffix that were pasted with it.
    fn trim<'a>(&self, value: &'a str) -> &'a str {
        let value = value.trim();
        let value = self.prefix.as_deref().and_then(|prefix| value.strip_prefix(prefix)).unwrap_or(value);
        match self.format {
            // Cut off with the rest of the address.
            Format::Subdomain => value,
            _ => self.suffix.as_deref().and_then(|suffix| value.strip_suffix(suffix)).unwrap_or(value),
        }
    }

    /// The value to store; `None` for an optional one that is empty.
    fn accept(&self, value: &str) -> Result<Option<String>, Message> {
        if value.is_empty() {
            return if self.required { Err(self.wrong("field-required")) } else { Ok(None) };
        }
        if value.chars().count() > self.max_length {
            let max = u64::try_from(self.max_length).unwrap_or(u64::MAX);
            return Err(self.wrong("field-too-long").with_number("max", max));
        }
        // A line break in a credential could end a header when somebody sends it.
        if self.format != Format::PrivateKey && value.chars().any(char::is_control) {
            return Err(self.wrong("field-characters"));
        }
        if !self.choices.is_empty() && self.choices.iter().all(|choice| choice.value != value) {
            return Err(self.wrong("field-choose"));
        }
        let value = self.in_format(value)?;
        match (&self.pattern, &self.pattern_help) {
            (Some(pattern), Some(help)) if !pattern.matches(&value) => Err(Message::verbatim(help)),
            _ => Ok(Some(value)),
        }
    }

    /// What is wrong with a value of this field.
    fn wrong(&self, key: &'static str) -> Message {
        Message::new(key).with_message("field", Message::title(&self.title))
    }

    /// Whether a stored value is one that it takes as it is: a catalogue may have been tightened since.
    pub(super) fn keeps(&self, value: &str) -> bool {
        self.accept(value).is_ok_and(|kept| kept.as_deref() == Some(value))
    }

    fn in_format(&self, value: &str) -> Result<String, Message> {
        match self.format {
            Format::Text | Format::Password => Ok(value.to_owned()),
            Format::Uri => plain_address(value).map_err(|key| self.wrong(key)),
            Format::Subdomain => {
                let value = value.to_ascii_lowercase();
                let label = self.cut_to_label(&value);
                if is_dns_label(label) { Ok(label.to_owned()) } else { Err(self.wrong("field-subdomain")) }
            }
            Format::Host => {
                let value = value.to_ascii_lowercase();
                let host = host_of(&value);
                let ends_well = self.suffixes.is_empty()
                    || self.suffixes.iter().any(|suffix| host.len() > suffix.len() && host.ends_with(suffix));
                match (is_host_name(host), ends_well) {
                    (true, true) => Ok(host.to_owned()),
                    (true, false) => {
                        Err(self.wrong("field-host-suffix").with_message("suffixes", one_of(&self.suffixes)))
                    }
                    (false, _) => Err(self.wrong("field-host")),
                }
            }
            Format::Segment => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
                // Those lead to another part of the address.
                if value.bytes().all(plain) && ![".", ".."].contains(&value) {
                    Ok(value.to_owned())
                } else {
                    Err(self.wrong("field-segment"))
                }
            }
            Format::Uuid => {
                let value = value.to_ascii_lowercase();
                if is_uuid(&value) { Ok(value) } else { Err(self.wrong("field-uuid")) }
            }
            Format::PrivateKey => match private_key(value) {
                // In one line, as other values are.
                Some(_) => Ok(value.split(char::is_control).collect::<Vec<_>>().join(" ")),
                None => Err(self.wrong("field-private-key")),
            },
            Format::Email => {
                if is_email(value) {
                    Ok(value.to_owned())
                } else {
                    Err(self.wrong("field-email"))
                }
            }
        }
    }

    /// The name in an address that was pasted whole: `acme` of `https://acme.zendesk.com/agent`. Only the provider's own
    /// address is cut: another's first label could be another customer's name.
    fn cut_to_label<'a>(&self, value: &'a str) -> &'a str {
        let host = host_of(value);
        let suffix = self.suffix.as_deref().unwrap_or_default();
        host.strip_suffix(suffix).unwrap_or(host)
    }

    /// Whether its value is a secret.
    pub fn is_secret(&self) -> bool {
        self.secret || matches!(self.format, Format::Password | Format::PrivateKey)
    }

    /// Whether nothing stands in for a value that is missing.
    fn must_be_entered(&self) -> bool {
        self.required && self.default.is_none()
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".into(), "string".into());
        schema.insert("title".into(), self.title.as_str().into());
        schema.insert("maxLength".into(), self.max_length.into());
        if let Some(description) = &self.description {
            schema.insert("description".into(), description.as_str().into());
        }
        if self.must_be_entered() {
            schema.insert("minLength".into(), 1.into());
        }
        if let Some(default) = &self.default {
            schema.insert("default".into(), default.as_str().into());
        }
        if !self.choices.is_empty() {
            let values: Vec<_> = self
                .choices
                .iter()
                .map(|choice| json!({"const": choice.value, "title": choice.title}))
                .collect();
            schema.insert("oneOf".into(), values.into());
        }
        let format = match self.format {
            Format::Text | Format::Subdomain => None,
            Format::Password | Format::PrivateKey => Some("password"),
            Format::Uri => Some("uri"),
            Format::Host => Some("host"),
            Format::Segment => Some("segment"),
            Format::Uuid => Some("uuid"),
            Format::Email => Some("email"),
        };
        if self.format == Format::Subdomain {
            schema.insert("pattern".into(), SUBDOMAIN_PATTERN.into());
        }
        if self.is_secret() {
            schema.insert("writeOnly".into(), true.into());
        }
        for (name, text) in [
            ("format", format),
            ("pattern", self.pattern.as_ref().map(Pattern::as_str)),
            ("pattern_help", self.pattern_help.as_deref()),
            ("prefix", self.prefix.as_deref()),
            ("suffix", self.suffix.as_deref()),
            ("help_url", self.help_url.as_deref()),
        ] {
            if let Some(text) = text {
                schema.insert(name.into(), text.into());
            }
        }
        if let Some(example) = &self.example {
            schema.insert("examples".into(), json!([example]));
        }
        Value::Object(schema)
    }
}

/// Written by hand because the order of the properties is the order of the form.
impl Serialize for InputSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Properties<'a>(&'a [Field]);
        impl Serialize for Properties<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|field| (&field.name, field.schema())))
            }
        }
        let required: Vec<_> =
            self.fields.iter().filter(|field| field.must_be_entered()).map(|field| &field.name).collect();
        let mut schema = serializer.serialize_map(Some(4))?;
        schema.serialize_entry("type", "object")?;
        schema.serialize_entry("properties", &Properties(&self.fields))?;
        schema.serialize_entry("required", &required)?;
        schema.serialize_entry("additionalProperties", &false)?;
        schema.end()
    }
}

/// An address on the internet, of scheme, host and path alone, and as all programs read it; or what is wrong. It may be
/// shown, and a user name, password, query or fragment may be a secret.
fn plain_address(value: &str) -> Result<String, &'static str> {
    let url = Url::parse(value).ok().filter(|url| url.scheme() == "https" && url.has_host());
    // The URL standard takes backslashes for slashes, and as many before the host as there are; other programs do not.
    let (_, behind) = value.split_once(':').unwrap_or_default();
    let is_strict = behind.starts_with("//") && !behind.starts_with("///") && !value.contains('\\');
    let url = url.filter(|_| is_strict).ok_or("field-https")?;
    if has_extras(&url) || url.query().is_some() {
        return Err("field-plain-address");
    }
    if !is_public_address(&url) {
        return Err("field-internet-address");
    }
    let text = url.as_str();
    Ok(if url.path() == "/" { text.trim_end_matches('/') } else { text }.to_owned())
}

/// `a`, `a or b`, `a or b or c`.
fn one_of(texts: &[String]) -> Message {
    let mut texts = texts.iter();
    let first = Message::verbatim(texts.next().cloned().unwrap_or_default());
    texts.fold(first, |one, other| Message::new("one-or-other").with_message("one", one).with("other", other))
}

fn is_dns_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The host of an address that was pasted whole, without scheme and path.
fn host_of(value: &str) -> &str {
    let address = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://")).unwrap_or(value);
    address.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether it is a DNS name of at least two labels, in lower case. The last one has a letter, as that of an IPv4 address
/// in any spelling has not (`0x7f` neither), and none that stays within a machine or network is meant.
fn is_host_name(host: &str) -> bool {
    let Some((_, last)) = host.rsplit_once('.') else {
        return false;
    };
    host.len() <= 253
        && host.split('.').all(is_dns_label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
        && !["localhost", "local", "internal"].contains(&last)
}

fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Whether it can be an email address: what stands before the host is the provider's affair.
fn is_email(value: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !['@', ',', '<', '>', '"'].contains(&c);
    value.rsplit_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && local.chars().all(plain) && is_host_name(&host.to_ascii_lowercase())
    })
}

fn yes() -> bool {
    true
}

fn max_length() -> usize {
    2048
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> InputSchema {
        toml::from_str::<std::collections::HashMap<String, InputSchema>>(
            r#"
            fields = [
                { name = "key", title = "Key", format = "password", max_length = 10 },
                { name = "url", title = "URL", format = "uri", required = false },
                { name = "host", title = "Host", format = "subdomain", suffix = ".desk.example", required = false },
                { name = "plain", title = "Plain", format = "subdomain", required = false },
                { name = "area", title = "Area", default = "eu", choices = [
                    { value = "eu", title = "Europe" }, { value = "us", title = "America" } ] },
            ]
            "#,
        )
        .unwrap()
        .remove("fields")
        .unwrap()
    }

    fn validate(values: &[(&str, &str)]) -> Result<Inputs, Vec<FieldError>> {
        schema().validate(&values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn values_are_trimmed_and_defaults_filled_in() {
        let inputs = validate(&[("key", " s3cret "), ("host", "ACME"), ("url", "")]).unwrap();
        let pairs: Vec<_> = inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("area", "eu"), ("host", "acme"), ("key", "s3cret")]);
    }

    #[test]
    fn a_pasted_address_is_cut_to_its_name() {
        for pasted in [
            "https://acme.desk.example",
            "https://acme.desk.example/agent/tickets?x=1#y",
            "http://ACME.desk.example/",
            " acme.desk.example ",
            "acme/",
        ] {
            let inputs = validate(&[("key", "k"), ("host", pasted)]).unwrap();
            assert_eq!(inputs["host"], "acme", "{pasted}");
        }
    }

    fn field(keys: &str) -> Field {
        toml::from_str(&format!("name = \"f\"\ntitle = \"F\"\n{keys}")).unwrap()
    }

    fn accept(field: &Field, value: &str) -> Result<Option<String>, String> {
        field.accept(field.trim(value)).map_err(|message| message.to_string())
    }

    #[test]
    fn a_host_is_cut_out_of_what_is_pasted() {
        let host = field("format = \"host\"\nsuffixes = [\".my.example.com\", \".example.net\"]");
        for (given, expected) in [
            ("acme.my.example.com", "acme.my.example.com"),
            ("https://ACME.my.example.com/path?a=b#c", "acme.my.example.com"),
            ("http://a.b.example.net", "a.b.example.net"),
            (" acme.example.net/ ", "acme.example.net"),
        ] {
            assert_eq!(accept(&host, given), Ok(Some(expected.to_owned())), "{given}");
        }
        for foreign in
            ["acme.example.com", "evil.com", "my.example.com", ".my.example.com", "evilmy.example.com"]
        {
            assert!(accept(&host, foreign).is_err(), "{foreign}");
        }
        let any = field("format = \"host\"");
        assert_eq!(accept(&any, "https://crm.acme.example/"), Ok(Some("crm.acme.example".to_owned())));
        for bad in [
            "localhost",
            "crm",
            "a.localhost",
            "metadata.google.internal",
            "127.0.0.1",
            "0x7f.1",
            "127.1",
            "1.2.3.0x4",
            "[::1]",
            "acme.example:8443",
            "me@acme.example",
            "https://me:pw@acme.example/",
            "a..example",
            "-a.example",
            "acme.example.",
            "\\\\acme.example",
            "ftp://acme.example",
            "über.example",
            "a b.example",
            "{b}.example",
            &format!("{}.example", "a".repeat(64)),
            &"a.".repeat(200),
        ] {
            let error = accept(&any, bad).unwrap_err();
            assert!(!error.contains(bad), "{error}");
        }
    }

    #[test]
    fn segments_ids_and_emails_are_what_they_should_be() {
        for (format, good, bad) in [
            (
                "segment",
                &["a", "A-b_c.d~1", "..."][..],
                &[".", "..", "a/b", "a%2fb", "a?b", "ä", "a b", "{a}"][..],
            ),
            (
                "uuid",
                &["123e4567-e89b-12d3-a456-426614174000"],
                &[
                    "123e4567e89b12d3a456426614174000",
                    "g23e4567-e89b-12d3-a456-426614174000",
                    "-",
                    "1-2-3-4-5",
                ],
            ),
            (
                "email",
                &["me@example.com", "a+b@Mail.Example.com", "a/b@x.example"],
                &[
                    "me",
                    "@example.com",
                    "me@",
                    "me@localhost",
                    "a b@example.com",
                    "a@b@example.com",
                    "<a@b.example>",
                ],
            ),
        ] {
            let field = field(&format!("format = \"{format}\""));
            for value in good {
                assert_eq!(accept(&field, value), Ok(Some((*value).to_owned())), "{format}");
            }
            for value in bad {
                assert!(accept(&field, value).is_err(), "{format} {value}");
            }
        }
        let upper = accept(&field("format = \"uuid\""), "123E4567-E89B-12D3-A456-426614174000");
        assert_eq!(upper.unwrap().unwrap(), "123e4567-e89b-12d3-a456-426614174000");
    }

    /// Programs differ in which host they read in some of these, and what stands beside the host may be a secret, while the
    /// address is public.
    #[test]
    fn an_address_has_a_host_and_a_path_and_no_more() {
        let uri = field("format = \"uri\"");
        for (given, kept) in [
            ("https://acme.example", "https://acme.example"),
            ("https://acme.example/", "https://acme.example"),
            ("https://ACME.example:443/Base/", "https://acme.example/Base/"),
            ("https://acme.example:8443/v1", "https://acme.example:8443/v1"),
            ("https://b\u{fc}cher.example/a b", "https://xn--bcher-kva.example/a%20b"),
        ] {
            assert_eq!(accept(&uri, given), Ok(Some(kept.into())), "{given}");
            assert_eq!(accept(&uri, kept), Ok(Some(kept.into())), "{kept}");
        }
        for bad in [
            "https://me:s3cretpw@git.acme.example/x",
            "https://me@git.acme.example",
            "https://:pw@git.acme.example",
            "https://git.acme.example/x?token=abc",
            "https://git.acme.example/?",
            "https://git.acme.example/#abc",
            "https://git.acme.example#",
            r"https://public.example\@169.254.169.254/",
            r"https:\\public.example/",
            r"https://public.example/a\b",
            "https:public.example",
            "https:///public.example",
        ] {
            let error = accept(&uri, bad).expect_err(bad);
            assert!(!error.contains("public.example") && !error.contains("s3cretpw"), "{error}");
        }
    }

    #[test]
    fn a_pattern_tells_what_is_right() {
        let key =
            field("pattern = \"^sk_[0-9a-f]+$\"\npattern_help = \"It begins with sk_.\"\nrequired = false");
        assert_eq!(accept(&key, "sk_0f"), Ok(Some("sk_0f".into())));
        assert_eq!(accept(&key, "pk_0f"), Err("It begins with sk_.".into()));
        assert_eq!(accept(&key, ""), Ok(None));
        // In time linear to the value: a backtracking engine would not end.
        let slow = field("pattern = \"^(a+)+$\"\npattern_help = \"H\"\nmax_length = 100000");
        assert!(accept(&slow, &format!("{}b", "a".repeat(99_999))).is_err());
    }

    #[test]
    fn a_pasted_prefix_and_suffix_are_cut_off() {
        let field = field("prefix = \"acct_\"\nsuffix = \"/live\"");
        for given in ["7", "acct_7", "7/live", " acct_7/live "] {
            assert_eq!(accept(&field, given), Ok(Some("7".into())), "{given}");
        }
        assert!(accept(&field, "acct_/live").is_err(), "nothing is left");
    }

    #[test]
    fn a_field_on_the_wire_tells_what_it_takes() {
        let all = field(
            "format = \"host\"\nsuffixes = [\".x.example\"]\nexample = \"acme.x.example\"\nsecret = true\n\
             help_url = \"https://x.example/\"\npattern = \"^a\"\npattern_help = \"It begins with a.\"",
        );
        assert_eq!(
            all.schema(),
            json!({
                "type": "string", "title": "F", "minLength": 1, "maxLength": 2048, "format": "host", "writeOnly": true,
                "pattern": "^a", "pattern_help": "It begins with a.", "examples": ["acme.x.example"],
                "help_url": "https://x.example/",
            })
        );
        let affixed = field("prefix = \"p\"\nsuffix = \"s\"").schema();
        assert_eq!((&affixed["prefix"], &affixed["suffix"]), (&json!("p"), &json!("s")));
        assert_eq!(affixed.get("writeOnly"), None);
    }

    #[test]
    fn a_value_stays_in_its_place_of_an_address() {
        let template = |text: &str| Template::try_from(text.to_owned()).unwrap();
        let fits = |keys: &str, text: &str, hosts| {
            let schema = InputSchema { fields: vec![field(keys)] };
            schema.sample_address(&template(text), hosts).is_ok()
        };
        let (named, typed) = (AddressHosts::Named, AddressHosts::Typed);
        let (host, path) = ("https://{f}/x", "https://a.example/{f}/x");
        for (keys, in_host, in_typed_host, in_path) in [
            ("", false, false, false),
            ("format = \"password\"", false, false, false),
            ("format = \"uri\"", false, false, false),
            ("format = \"email\"", false, false, false),
            ("format = \"subdomain\"", true, true, true),
            ("format = \"uuid\"", true, true, true),
            ("choices = [{ value = \"eu.example\", title = \"EU\" }]", true, true, true),
            // One segment may be any host's name.
            ("format = \"segment\"", false, false, true),
            ("format = \"host\"", false, true, false),
            ("format = \"host\"\nsuffixes = [\".x.example\"]", true, true, true),
        ] {
            assert_eq!(fits(keys, host, named), in_host, "{keys}");
            assert_eq!(fits(keys, host, typed), in_typed_host, "{keys}");
            assert_eq!(fits(keys, path, named), in_path, "{keys}");
            assert!(!fits(keys, "{f}/x", typed), "{keys}");
        }
        // It need fit in one place alone, and there are two.
        assert!(!fits("format = \"segment\"", "https://{f}.example/{f}", typed));
    }

    #[test]
    fn unusable_fields_are_refused() {
        for (keys, reason) in [
            ("suffixes = [\".x.example\"]", "suffixes"),
            ("format = \"host\"\nsuffixes = [\"x.example\"]", "dot"),
            ("format = \"host\"\nsuffixes = [\".\"]", "dot"),
            ("format = \"host\"\nsuffixes = [\".X.example\"]", "dot"),
            ("format = \"host\"\nsuffix = \".x.example\"", "part of its value"),
            ("format = \"uri\"\nprefix = \"https://\"", "part of its value"),
            ("format = \"subdomain\"\nsuffix = \"x.example\"", "no name can stand before"),
            ("pattern = \"a\"", "pattern_help"),
            ("pattern_help = \"a\"", "pattern_help"),
            ("pattern = \"a\"\npattern_help = \"A\"\ndefault = \"b\"", "default"),
            ("help_url = \"http://x.example/\"", "https"),
        ] {
            let problem = InputSchema { fields: vec![field(keys)] }.problem();
            assert!(problem.as_ref().is_some_and(|problem| problem.contains(reason)), "{keys}: {problem:?}");
        }
    }

    #[test]
    fn thousands_of_unknown_fields_give_one_short_error() {
        let mut values: Inputs = (0..5000).map(|n| (format!("unknown_{n}"), String::new())).collect();
        values.insert("a".repeat(60_000), String::new());
        let errors = schema().validate(&values).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["key", "a".repeat(64).as_str()]);
    }

    #[test]
    fn every_bad_value_is_told_and_none_repeated() {
        let bad = [
            ("key", ""),
            ("key", "   "),
            ("key", "elevenchars"),
            ("key", "a\r\nb"),
            ("key", "a\0b"),
            ("url", "http://example.com"),
            ("url", "javascript:alert(1)"),
            ("url", "example.com"),
            ("url", "https://169.254.169.254/latest"),
            ("url", "https://127.0.0.1:8443/"),
            ("url", "https://[fd00:ec2::254]/"),
            ("url", "https://2852039166/"),
            ("url", "https://localhost/"),
            ("host", "evil.com/"),
            ("host", "https://shop.evil.com"),
            ("host", "https://a.b.desk.example/"),
            ("host", "https://user@acme.desk.example/"),
            ("host", "https://acme.desk.example:8443/"),
            ("host", "https://.desk.example"),
            ("host", "ftp://acme.desk.example"),
            ("plain", "acme.desk.example"),
            ("host", "a.b"),
            ("host", "-a"),
            ("host", "a-"),
            ("host", "a@b"),
            ("host", "über"),
            ("host", &"a".repeat(64)),
            ("area", "mars"),
            ("other", "x"),
        ];
        for (name, value) in bad {
            let mut values = vec![("key", "ok")];
            values.retain(|(key, _)| *key != name);
            values.push((name, value));
            let errors = validate(&values).unwrap_err();
            assert_eq!(errors.len(), 1, "{name}={value}");
            assert_eq!(errors[0].field, name);
            assert!(
                value.trim().is_empty() || value == "x" || !errors[0].message.to_string().contains(value),
                "{value}"
            );
        }
        assert_eq!(validate(&[("url", "x"), ("area", "x")]).unwrap_err().len(), 3);
    }
}
