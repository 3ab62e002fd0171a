//! What an auth option asks the customer for: a small part of JSON Schema, its form and its validation.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::template::{Position, Template};
use crate::oauth::is_public_address;

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
    /// What follows a [`Format::Subdomain`] in the customer's own address, such as `.zendesk.com`: where that address is
    /// pasted, it is cut down to the name.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Whether it can be left empty; it cannot, unless told.
    #[serde(default = "yes")]
    pub required: bool,
    /// Filled in beforehand.
    #[serde(default)]
    pub default: Option<String>,
    /// The only values there are; empty for free text.
    #[serde(default)]
    pub choices: Vec<Choice>,
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
    /// An `https` address. A literal one inside the network, which a backend would send the credential to, is refused.
    Uri,
    /// One DNS label, such as the `acme` of `acme.example.com`; safe to put into a host name.
    Subdomain,
}

/// What is wrong with one submitted value. Never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// A whole sentence for the customer.
    pub message: String,
}

/// How much is repeated of the name of a field that there is not.
const MAX_NAME_REPEATED: usize = 64;

/// What the hosted page's form calls its own fields.
const RESERVED: [&str; 4] = ["csrf_token", "action", "app_id", "auth_option_key"];

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
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError { field: field.to_owned(), message });
        };
        for field in &self.fields {
            let given = submitted.get(&field.name).map_or("", |value| value.trim());
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
            wrong(&name, "There is no such field.".into());
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }

    /// What is usable of what was entered so far, with defaults in place.
    pub fn preview(&self, entered: &Inputs) -> Inputs {
        let usable = |field: &Field| {
            let given = entered.get(&field.name).map_or("", |value| value.trim());
            let value = if given.is_empty() { field.default.as_deref()? } else { given };
            Some((field.name.clone(), field.accept(value).ok()??))
        };
        self.fields.iter().filter_map(usable).collect()
    }

    /// The address that a template gives with these validated values: those that cannot leave their place in it, and no
    /// others.
    pub(crate) fn address(&self, template: &Template, values: &Inputs, hosts: AddressHosts) -> Option<Url> {
        self.fill_address(template, hosts, |field| values.get(&field.name).map(String::as_str)).ok()
    }

    /// The address that a template gives with a made-up value for each field.
    pub(super) fn sample_address(&self, template: &Template, hosts: AddressHosts) -> Result<Url, String> {
        let samples: Inputs = self.fields.iter().map(|field| (field.name.clone(), field.sample())).collect();
        self.fill_address(template, hosts, |field| samples.get(&field.name).map(String::as_str))
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

    /// Whether this field's values cannot leave their place in a host name.
    pub(super) fn is_host_field(&self, name: &str) -> bool {
        let mut named = self.fields.iter().filter(|field| field.name == name);
        named.any(|field| field.fits_address(Position::Host, AddressHosts::Named))
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
            if let Some(suffix) = &field.suffix
                && !(field.format == Format::Subdomain && suffix.starts_with('.'))
            {
                return named("has a suffix that no name can stand before");
            }
            if field.default.as_deref().is_some_and(|default| field.accept(default).is_err()) {
                return named("has a default that it would refuse");
            }
            None
        })
    }
}

impl Field {
    /// Whether its values cannot leave this place in an address.
    fn fits_address(&self, position: Position, hosts: AddressHosts) -> bool {
        let _ = (position, hosts);
        self.format == Format::Subdomain || !self.choices.is_empty()
    }

    /// A value that it takes.
    fn sample(&self) -> String {
        self.choices.first().map_or("sample", |choice| &choice.value).to_owned()
    }

    /// The value to store; `None` for an optional one that is empty.
    fn accept(&self, value: &str) -> Result<Option<String>, String> {
        let title = &self.title;
        if value.is_empty() {
            return if self.required { Err(format!("{title} is required.")) } else { Ok(None) };
        }
        if value.chars().count() > self.max_length {
            return Err(format!("{title} is too long: at most {} characters.", self.max_length));
        }
        // A line break in a credential could end a header when somebody sends it.
        if value.chars().any(char::is_control) {
            return Err(format!("{title} contains characters that cannot be used."));
        }
        if !self.choices.is_empty() && self.choices.iter().all(|choice| choice.value != value) {
            return Err(format!("Choose one of the values for {title}."));
        }
        match self.format {
            Format::Text | Format::Password => Ok(Some(value.to_owned())),
            Format::Uri => match Url::parse(value) {
                Ok(url) if url.scheme() != "https" || !url.has_host() => {
                    Err(format!("{title} must be an address that starts with https://"))
                }
                Ok(url) if is_public_address(&url) => Ok(Some(value.to_owned())),
                Ok(_) => Err(format!("{title} must be an address on the internet.")),
                Err(_) => Err(format!("{title} must be an address that starts with https://")),
            },
            Format::Subdomain => {
                let value = value.to_ascii_lowercase();
                let label = self.cut_to_label(&value);
                if is_dns_label(label) {
                    Ok(Some(label.to_owned()))
                } else {
                    Err(format!("{title} must be only the name: letters, digits and hyphens."))
                }
            }
        }
    }

    /// The name in an address that was pasted whole: `acme` of `https://acme.zendesk.com/agent`. Only the provider's own
    /// address is cut: another's first label could be another customer's name.
    fn cut_to_label<'a>(&self, value: &'a str) -> &'a str {
        let address =
            value.strip_prefix("https://").or_else(|| value.strip_prefix("http://")).unwrap_or(value);
        let host = address.split(['/', '?', '#']).next().unwrap_or_default();
        let suffix = self.suffix.as_deref().unwrap_or_default();
        host.strip_suffix(suffix).unwrap_or(host)
    }

    /// Whether its value is a secret.
    pub fn is_secret(&self) -> bool {
        self.format == Format::Password
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".into(), "string".into());
        schema.insert("title".into(), self.title.as_str().into());
        schema.insert("maxLength".into(), self.max_length.into());
        if let Some(description) = &self.description {
            schema.insert("description".into(), description.as_str().into());
        }
        if self.required {
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
        match self.format {
            Format::Text => {}
            Format::Password => {
                schema.insert("format".into(), "password".into());
                schema.insert("writeOnly".into(), true.into());
            }
            Format::Uri => drop(schema.insert("format".into(), "uri".into())),
            Format::Subdomain => drop(schema.insert("pattern".into(), SUBDOMAIN_PATTERN.into())),
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
            self.fields.iter().filter(|field| field.required).map(|field| &field.name).collect();
        let mut schema = serializer.serialize_map(Some(4))?;
        schema.serialize_entry("type", "object")?;
        schema.serialize_entry("properties", &Properties(&self.fields))?;
        schema.serialize_entry("required", &required)?;
        schema.serialize_entry("additionalProperties", &false)?;
        schema.end()
    }
}

fn is_dns_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
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
            assert!(value.trim().is_empty() || value == "x" || !errors[0].message.contains(value), "{value}");
        }
        assert_eq!(validate(&[("url", "x"), ("area", "x")]).unwrap_err().len(), 3);
    }
}
