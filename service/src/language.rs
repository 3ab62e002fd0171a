//! The languages of what customers read: hosted pages and their errors.
//!
//! The texts are Fluent files, one for each language, in `language/`. English has every text; a test compares the
//! others with it. A further language is one more file, and its tag in `FILES`.
//!
//! A text whose key ends in `-html` has markup of its own, and is read by [`Language::markup`], which escapes every
//! value.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::sync::LazyLock;

use askama::filters::{Escaper, Html, HtmlSafe};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use serde::{Serialize, Serializer};
use unic_langid::LanguageIdentifier;

use crate::catalogue::App;

macro_rules! files {
    ($($tag:literal)*) => {
        &[$(($tag, include_str!(concat!("language/", $tag, ".ftl")))),*]
    };
}

/// Tag and texts of every language. The first is what others fall back to.
const FILES: &[(&str, &str)] = files! {
    "en"
    "de"
    "es"
    "fr"
};

static ALL: LazyLock<Vec<Texts>> =
    LazyLock::new(|| FILES.iter().map(|(tag, source)| Texts::parse(tag, source)).collect());

/// How much of `Accept-Language` is read, in bytes.
const MAX_ACCEPT_LANGUAGE: usize = 500;

/// The texts of one language.
struct Texts {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// One of the languages that there are.
#[derive(Clone, Copy)]
pub struct Language(&'static Texts);

/// A text for people, in no language yet. Printed or serialized it is English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Content);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// The same in every language: what a catalogue or a tenant says.
    Verbatim(String),
    /// The title of a field.
    Title(String),
    Text {
        key: Cow<'static, str>,
        values: Vec<(&'static str, Value)>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(u64),
    Message(Message),
}

/// A [`Message`] in a language, as text.
pub struct Text {
    language: Language,
    message: Message,
}

/// A [`Message`] in a language, as HTML in which every value is escaped.
pub struct Markup {
    language: Language,
    message: Message,
}

impl Texts {
    /// The files are part of the program, and a test reads each: what is wrong in one is left out.
    fn parse(tag: &'static str, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let locale: LanguageIdentifier = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Values stand in sentences as they are: what could change the direction of text is let in nowhere.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { tag, bundle }
    }
}

impl Language {
    /// English, which has every text.
    pub fn english() -> Self {
        Self(&ALL[0])
    }

    /// Every language that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(Self)
    }

    /// The language that this tag names (BCP 47), whatever its region: `de-AT` is German.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::all().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The first of `offered` that the browser prefers (RFC 9110, section 12.5.4).
    pub fn accepted(headers: &HeaderMap, offered: &[Self]) -> Option<Self> {
        let header = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        let header = header.get(..MAX_ACCEPT_LANGUAGE).unwrap_or(header);
        let mut wanted: Vec<_> = header
            .split(',')
            .filter_map(|item| {
                let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
                let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
                Some((tag, weight)).filter(|_| weight > 0.0)
            })
            .collect();
        // Those of one weight stay in their order.
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        wanted.into_iter().find_map(|(tag, _)| Self::of_tag(tag).filter(|found| offered.contains(found)))
    }

    /// The language of a page that belongs to no tenant.
    pub fn of_browser(headers: &HeaderMap) -> Self {
        Self::accepted(headers, &Self::all().collect::<Vec<_>>()).unwrap_or_else(Self::english)
    }

    /// Its tag: `en`.
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    /// A text, whose values are added to it.
    pub fn text(self, key: &'static str) -> Text {
        Text { language: self, message: Message::new(key) }
    }

    /// A text with markup, whose values are added to it.
    pub fn markup(self, key: &'static str) -> Markup {
        Markup { language: self, message: Message::new(key) }
    }

    /// A message in this language.
    pub fn say(self, message: &Message) -> String {
        self.format(message, str::to_owned)
    }

    /// Whether there is a text of this key, which need not be one of the program's own.
    pub fn has(self, key: &str) -> bool {
        self.0.bundle.has_message(key)
    }

    /// A text of the catalogue: in this language where English has the same under this key, else as it is, such as in
    /// an operator's own file.
    fn translated(self, key: String, text: &str) -> String {
        let message = Message::new(key);
        if Self::english().say(&message) == text { self.say(&message) } else { text.to_owned() }
    }

    /// What an app is for.
    pub fn description_of(self, app: &App) -> String {
        self.translated(format!("app-{}", app.id), &app.description)
    }

    /// The title of a field or of a way to connect.
    pub fn title(self, title: &str) -> String {
        if let Some(name) = title.strip_prefix("Sign in with ") {
            return self.say(&Message::new("sign-in-with").with("name", name));
        }
        let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        self.translated(format!("title-{slug}"), title)
    }

    fn format(self, message: &Message, escape: impl Fn(&str) -> String + Copy) -> String {
        let (key, values) = match &message.0 {
            Content::Verbatim(text) => return escape(text),
            Content::Title(title) => return escape(&self.title(title)),
            Content::Text { key, values } => (key.as_ref(), values),
        };
        let mut args = FluentArgs::new();
        for (name, value) in values {
            let value = match value {
                Value::Text(text) => FluentValue::from(escape(text)),
                Value::Number(number) => FluentValue::from(*number),
                Value::Message(message) => FluentValue::from(escape(&self.say(message))),
            };
            args.set(*name, value);
        }
        self.pattern(key, &args)
            .or_else(|| Self::english().pattern(key, &args))
            .unwrap_or_else(|| escape(key))
    }

    fn pattern(self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        let bundle = &self.0.bundle;
        let pattern = bundle.get_message(key)?.value()?;
        Some(bundle.format_pattern(pattern, Some(args), &mut Vec::new()).into_owned())
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl Message {
    /// The text of this key, whose values are added to it.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self(Content::Text { key: key.into(), values: Vec::new() })
    }

    /// A text that is the same in every language.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self(Content::Verbatim(text.into()))
    }

    /// The title of a field, which the catalogue has in English.
    pub fn title(title: impl Into<String>) -> Self {
        Self(Content::Title(title.into()))
    }

    /// Puts a text in the place of `name`.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        self.with_value(name, Value::Text(value.to_string()))
    }

    /// Puts a number there.
    #[must_use]
    pub fn with_number(self, name: &'static str, value: u64) -> Self {
        self.with_value(name, Value::Number(value))
    }

    /// Puts a message of the same language there.
    #[must_use]
    pub fn with_message(self, name: &'static str, value: Self) -> Self {
        self.with_value(name, Value::Message(value))
    }

    fn with_value(mut self, name: &'static str, value: Value) -> Self {
        if let Content::Text { values, .. } = &mut self.0 {
            values.push((name, value));
        }
        self
    }
}

impl Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Language::english().say(self))
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Text {
    /// Puts a text in the place of `name`.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        Self { message: self.message.with(name, value), ..self }
    }

    /// Puts a number there.
    #[must_use]
    pub fn with_number(self, name: &'static str, value: &u64) -> Self {
        Self { message: self.message.with_number(name, *value), ..self }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.language.say(&self.message))
    }
}

impl Markup {
    /// Puts a text in the place of `name`, escaped.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        Self { message: self.message.with(name, value), ..self }
    }
}

impl Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.language.format(&self.message, escaped))
    }
}

impl HtmlSafe for Markup {}

fn escaped(text: &str) -> String {
    let mut html = String::new();
    // Writing into a string does not fail.
    let _ = Html.write_escaped_str(&mut html, text);
    html
}

#[cfg(test)]
mod tests;
