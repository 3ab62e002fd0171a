//! The pages that customers see: pure functions from what is known to HTML.
//!
//! There is no script, and nothing is loaded but the tenant's logo, from here: style sheets are part of the page and
//! allowed by their digests. Askama escapes every value.

mod response;

use std::borrow::Cow;
use std::collections::HashMap;

use askama::Template;

use super::setup;
use crate::catalogue::{App, AuthOption, Choice, Field, FieldError, Format, Inputs};
use crate::hosted::{ClientSetup, Look};
use crate::language::Language;

pub use response::{FormTargets, PageResponse};

/// The style sheet, inside every page: tokens, elements, and what these pages have.
pub const STYLE: &str = concat!(
    include_str!("../theme/tokens.css"),
    include_str!("../theme/base.css"),
    include_str!("html/style.css")
);

/// Which of several apps the customer wants to connect.
#[derive(Template)]
#[template(path = "picker.html")]
pub struct Picker<'a> {
    /// How it looks.
    pub look: &'a Look,
    /// Whose product asks.
    pub product: Product<'a>,
    /// What there is to choose from.
    pub apps: &'a [&'a App],
    /// What was searched for, where there are many.
    pub search: Option<&'a str>,
    /// Whether there are more.
    pub is_filtered: bool,
    /// Proves that a form came from this page in this browser.
    pub csrf_token: &'a str,
    /// For how long the link works, in a sentence.
    pub expires: &'a str,
}

/// Whose product asks. The registered name always stands on the page, since the other is the tenant's own choice for one
/// link.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// The tenant's registered name.
    pub tenant: &'a str,
    /// What the link calls the product, where that is something else.
    pub display_name: Option<&'a str>,
}

impl<'a> Product<'a> {
    /// What the product is called in sentences.
    pub fn name(&self) -> &'a str {
        self.display_name.unwrap_or(self.tenant)
    }
}

/// Consent to connect one app, with a form where something has to be entered.
#[derive(Template)]
#[template(path = "connect.html")]
pub struct Connect<'a> {
    /// How it looks.
    pub look: &'a Look,
    /// `Connect Gmail`.
    pub title: &'a str,
    /// Whose product asks.
    pub product: Product<'a>,
    /// What is to be connected.
    pub app: &'a App,
    /// How.
    pub option: &'a AuthOption,
    /// What to say to those who enter an OAuth client.
    pub setup: Option<&'a ClientSetup>,
    /// Why the last attempt with one failed.
    pub problem: Option<&'a str>,
    /// Whose client it is, where it is not the product's.
    pub client_of: Option<&'a str>,
    /// The other ways there are.
    pub others: &'a [&'a AuthOption],
    /// `Connect` or `Reconnect`, on the button.
    pub verb: &'a str,
    /// What the product calls the connection.
    pub name: &'a str,
    /// The customer to whom the connection will belong: whoever was sent somebody else's link can tell.
    pub customer: &'a str,
    /// The same in ASCII, where the address has other letters and so may look like another.
    pub customer_ascii: Option<&'a str>,
    /// The host at which the customer signs in; none for a form.
    pub provider: Option<&'a str>,
    /// What is asked for there, in plain words; empty where the catalogue has none.
    pub permissions: &'a [String],
    /// The same in the provider's words.
    pub scopes: &'a [String],
    /// See [`FieldView::all`].
    pub fields: &'a [FieldView<'a>],
    /// What was wrong with the last attempt.
    pub errors: &'a [FieldError],
    /// Whether one of the fields is a secret.
    pub has_secret: bool,
    /// Whether secrets are to be read.
    pub show_secrets: bool,
    /// Whether there was a choice of apps.
    pub can_go_back: bool,
    /// Proves that a form came from this page in this browser.
    pub csrf_token: &'a str,
    /// For how long the link works, in a sentence.
    pub expires: &'a str,
}

/// An organization's OAuth clients, to look at, to change and to remove.
#[derive(Template)]
#[template(path = "admin.html")]
pub struct Admin<'a> {
    /// How it looks.
    pub look: &'a Look,
    /// The tenant's registered name.
    pub tenant: &'a str,
    /// The organization's name.
    pub organization: &'a str,
    /// Proves that a form came from this page in this browser.
    pub csrf_token: &'a str,
    /// What was just done.
    pub done: Option<&'a str>,
    /// App by app.
    pub clients: &'a [AdminClient<'a>],
}

impl AdminClient<'_> {
    /// What was wrong with this field.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|error| error.field == field).map(|error| error.message.as_str())
    }
}

/// What is wrong with the form of a client.
pub struct AdminError<'a> {
    /// Name of the field.
    pub field: &'a str,
    /// What to do about it.
    pub message: String,
}

/// One of an organization's clients, without its secret.
pub struct AdminClient<'a> {
    /// The app.
    pub app: &'a App,
    /// Its id at the provider.
    pub client_id: String,
    /// The address that is registered with it.
    pub redirect_uri: String,
    /// How many connections work by it.
    pub connections: u64,
    /// Who entered it.
    pub set_by: String,
    /// On which day.
    pub set_at: String,
    /// Why the last change was refused.
    pub error: Option<AdminError<'a>>,
}

/// One input of a form, as it is to be shown now.
pub struct FieldView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its label.
    pub title: Cow<'a, str>,
    /// Help.
    pub hint: Option<Cow<'a, str>>,
    /// For a field with a fixed set of values.
    pub choices: &'a [Choice],
    /// Whether it must be filled in.
    pub required: bool,
    /// In characters.
    pub max_length: usize,
    /// HTML's word for what it takes.
    pub input_type: &'static str,
    /// Whether it is hidden from those who look over the customer's shoulder.
    pub is_secret: bool,
    /// What it holds. A secret only where the customer has just asked to show or to hide it: otherwise it has to be
    /// entered again.
    pub value: &'a str,
    /// What stands before it.
    pub prefix: Option<&'a str>,
    /// What stands behind it.
    pub suffix: Option<&'a str>,
    /// Shown while it is empty.
    pub example: &'a str,
    /// Where the provider tells where to find it.
    pub help_url: Option<&'a str>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Ids of hint and error, for those who hear the page.
    pub described_by: String,
}

/// What becomes of the secrets that were entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They have to be entered again.
    Empty,
    /// They stay, as dots.
    Hidden,
    /// They stay, and can be read.
    Shown,
}

impl<'a> FieldView<'a> {
    /// The fields of an option, with what was entered before and what was wrong with it.
    pub fn all(
        language: Language,
        option: &'a AuthOption,
        entered: &'a Inputs,
        errors: &'a [FieldError],
        secrets: Secrets,
    ) -> Vec<Self> {
        let errors: HashMap<_, _> =
            errors.iter().map(|error| (error.field.as_str(), language.say(&error.message))).collect();
        let view = |field: &'a Field| {
            let error = errors.get(field.name.as_str()).cloned();
            let (title, hint) = setup::words(language, field).unwrap_or_else(|| {
                (language.title(&field.title).into(), field.description.as_deref().map(Cow::from))
            });
            let (prefix, suffix) = (field.prefix.as_deref(), field.suffix.as_deref());
            let ids = [
                prefix.map(|_| "prefix"),
                suffix.map(|_| "suffix"),
                hint.as_ref().map(|_| "hint"),
                error.as_ref().map(|_| "error"),
            ];
            let described_by: Vec<_> =
                ids.into_iter().flatten().map(|kind| format!("{kind}-{}", field.name)).collect();
            let value = match entered.get(&field.name) {
                Some(_) if field.is_secret() && secrets == Secrets::Empty => "",
                // A browser lets nobody enter more; whoever sends more gets no more back.
                Some(value) => first_chars(value, field.max_length),
                None => field.default.as_deref().unwrap_or_default(),
            };
            let is_secret = field.is_secret();
            Self {
                name: &field.name,
                title,
                hint,
                choices: &field.choices,
                required: field.required,
                max_length: field.max_length,
                input_type: match field.format {
                    _ if is_secret && secrets == Secrets::Shown => "text",
                    _ if is_secret => "password",
                    Format::Uri => "url",
                    Format::Email => "email",
                    _ => "text",
                },
                is_secret,
                value,
                prefix,
                suffix,
                example: field.example.as_deref().unwrap_or_default(),
                help_url: field.help_url.as_deref(),
                error,
                described_by: described_by.join(" "),
            }
        };
        option.input.fields.iter().map(view).collect()
    }
}

/// How it ended, or why it cannot go on.
#[derive(Template)]
#[template(path = "outcome.html")]
pub struct Outcome<'a> {
    /// How it looks.
    pub look: &'a Look,
    /// Whose page it is, where it is a tenant's.
    pub tenant: Option<&'a str>,
    /// The account that was connected, for the customer who has just done it.
    pub account: Option<&'a str>,
    /// Good or bad news.
    pub severity: Severity,
    /// In a few words.
    pub title: &'a str,
    /// What to do now.
    pub text: &'a str,
    /// Where to go from here.
    pub next_action: Option<NextAction<'a>>,
}

/// A way to go on.
pub struct NextAction<'a> {
    /// Where to.
    pub url: &'a str,
    /// The words on it.
    pub label: &'a str,
}

/// The kind of news that a page brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// It is too late.
    Late,
}

impl Severity {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Late => "late",
        }
    }
}

/// The beginning of a text.
fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// One of eight colours, always the same one for an app.
pub(crate) fn tint(id: &str) -> u32 {
    id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 8
}

/// The letter that stands for a name.
pub(crate) fn initial(name: &str) -> String {
    name.trim().chars().next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default()
}
