//! `[contacts]`: how an app's contacts are read, page by page, and where a record has what every contact has. It is
//! data, so that one more app is a table in its file.
//!
//! A value of a response never becomes part of an address, but for the link that is shown for a contact: a provider's
//! cursor goes into a query parameter or a body, whatever it looks like.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::api::{PROVIDER_DATA, RequestMethod};
use super::kept::{Pointer, ProviderData};
use super::pattern::Pattern;
use super::template::{Address, Position};
use super::{App, AuthOption};
use crate::clock::{parse_rfc3339, rfc3339};
use crate::text::printable;

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// All contacts.
    pub list: PageRequest,
    /// Those that a text is found in.
    pub search: PageRequest,
    /// What holds the contacts, where an account has several such things.
    pub containers: Option<Containers>,
    /// Where a record has what.
    pub fields: Fields,
    /// The records that are left out, such as archived ones: those of which one of these is true.
    #[serde(default)]
    pub skip: Vec<Condition>,
    /// How the API says that something failed, beside the status.
    #[serde(default)]
    pub errors: Errors,
}

/// The request for one page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// `GET` or `POST`. Default: `GET`.
    #[serde(default)]
    pub method: RequestMethod,
    /// Behind `base_url`; fixed text.
    #[serde(default)]
    pub path: String,
    /// In addition to those of every call, or instead of one of the same name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Fixed text, or one placeholder. A parameter without a value is left out.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The body. A text in it that is one placeholder stands for its value; a member without one is left out.
    pub json: Option<Value>,
    /// Where a response has the list of records. Null is an empty one.
    pub items: Pointer,
    /// Where an element of the list has the record. Default: it is the record.
    #[serde(default)]
    pub record: Pointer,
    /// What the next page is asked for with.
    pub next: Next,
    /// The request for the pages after the first, where it is another one.
    pub more: Option<Box<PageRequest>>,
}

/// The style of paging: what `{cursor}` stands for in the request for the next page. On the first page it has no value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Next {
    /// A value of the response; none on the last page.
    Cursor(Cursor),
    /// The number of the page, from 1; another one follows where this value is true.
    Page(Pointer),
    /// A value of the page's last record; the last page is not full.
    LastRecord(Pointer),
}

/// A cursor in a response.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "CursorTable")]
pub struct Cursor {
    /// Where it is.
    pub pointer: Pointer,
    /// Where the response says that another page follows, if it does: then the cursor must be there.
    pub more: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CursorTable {
    Pointer(Pointer),
    Table { pointer: Pointer, more: Pointer },
}

/// What holds contacts, such as the boards of an account. All of them are asked for at the beginning, `{page}` by
/// `{page}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Containers {
    /// `GET` or `POST`. Default: `GET`.
    #[serde(default)]
    pub method: RequestMethod,
    /// Behind `base_url`; fixed text.
    #[serde(default)]
    pub path: String,
    /// The body, as that of a [`PageRequest`].
    pub json: Option<Value>,
    /// Where a response has the list of them.
    pub items: Pointer,
    /// Where each has its id, which `{container}` stands for.
    pub id: Pointer,
    /// Those of which all of this is true hold contacts.
    #[serde(rename = "where")]
    pub conditions: Vec<Condition>,
    /// How many a full page holds.
    pub page_size: usize,
}

/// Something that can be true of a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The values, of which one has to fit.
    pub pointer: Path,
    /// What it may be, as text.
    #[serde(default)]
    pub is: Vec<String>,
    /// Or what it looks like.
    pub matches: Option<Pattern>,
}

/// Where a record has what every contact has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// What the provider calls it.
    pub id: Selector,
    /// Of several sources the first one that has a value; of lists, all.
    #[serde(default)]
    pub first_name: Sources,
    /// The same.
    #[serde(default)]
    pub last_name: Sources,
    /// Default: first and last name, or else an email.
    #[serde(default)]
    pub display_name: Sources,
    /// The usual one first.
    #[serde(default)]
    pub emails: Sources,
    /// The usual one first.
    #[serde(default)]
    pub phones: Sources,
    /// Whom the contact works for.
    #[serde(default)]
    pub company: Sources,
    /// What the contact does there.
    #[serde(default)]
    pub title: Sources,
    /// The contact's page for people: of the record, or else made of `{id}` and values of `[auth.provider_data]`.
    #[serde(default)]
    pub url: Urls,
    /// When it was made.
    #[serde(default)]
    pub created_at: Sources,
    /// When it last changed.
    #[serde(default)]
    pub updated_at: Sources,
}

/// Where a value can be, the best place first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "OneOrMany<Selector>")]
pub struct Sources(Vec<Selector>);

/// Addresses, the best first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "OneOrMany<String>")]
pub struct Urls(Vec<Url>);

#[derive(Debug, Clone)]
enum Url {
    /// It is in the record.
    Record(Selector),
    /// It is made.
    Made(Address),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// Values of a record.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "SelectorTable")]
pub struct Selector {
    path: Path,
    /// Only those elements of the list in the path of which this is true.
    condition: Option<Box<Condition>>,
    transform: Transform,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SelectorTable {
    Path(Path),
    Table {
        pointer: Path,
        #[serde(rename = "where")]
        condition: Option<Box<Condition>>,
        #[serde(default)]
        transform: Transform,
    },
}

/// A JSON pointer in which `*` stands for every element of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(
    /// Between the lists.
    Vec<Pointer>,
);

/// What is done to a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Text stays text, and a number becomes one.
    #[default]
    Text,
    /// A time as RFC 3339 writes it, in any time zone: it is given in UTC.
    Rfc3339,
    /// Values with semicolons between them.
    Semicolons,
}

/// How an API says that something failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// A response that has something here failed, whatever its status.
    pub pointer: Option<Pointer>,
    /// Where it has its code.
    pub code: Option<Pointer>,
    /// The codes that mean that there were too many requests.
    pub rate_limited: Vec<String>,
    /// Where it says after how many seconds the next one may be sent.
    pub retry_after: Option<Pointer>,
    /// A header that says it, beside `Retry-After`.
    pub retry_after_header: Option<String>,
}

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct PageValues<'a> {
    /// `{limit}`: how many records are asked for.
    pub limit: u32,
    /// `{search}`
    pub search: Option<&'a str>,
    /// `{cursor}`
    pub cursor: Option<&'a Value>,
    /// `{container}`
    pub container: Option<&'a str>,
    /// `{page}` of containers.
    pub page: u32,
    /// `{provider_data.NAME}`
    pub provider_data: &'a ProviderData,
}

/// A record in the shape that all apps share; see [`Fields`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Unique within the account.
    pub id: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// A name for people.
    pub display_name: Option<String>,
    /// Email addresses.
    pub emails: Vec<String>,
    /// Phone numbers.
    pub phones: Vec<String>,
    /// Employer.
    pub company: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Page for people.
    pub url: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
}

/// Maximum length of a value, in characters.
const MAX_TEXT: usize = 1024;
/// Maximum length of an id, in characters.
const MAX_ID: usize = 256;
/// Maximum number of emails and of phones.
const MAX_VALUES: usize = 50;
/// Maximum number of elements of a list that are looked at.
const MAX_ELEMENTS: usize = 1000;

const PLACEHOLDERS: [&str; 5] = ["limit", "search", "cursor", "container", "page"];

impl PageValues<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "limit" => Some(self.limit.into()),
            "page" => Some(self.page.into()),
            "search" => self.search.map(Value::from),
            "cursor" => self.cursor.cloned(),
            "container" => self.container.map(Value::from),
            _ => Some(self.provider_data.get(name.strip_prefix(PROVIDER_DATA)?)?.as_str().into()),
        }
    }

    fn fill_text(&self, text: &str) -> Option<Value> {
        placeholder(text).map_or_else(|| Some(text.into()), |name| self.get(name))
    }

    /// A body with its placeholders replaced.
    pub fn fill(&self, json: &Value) -> Option<Value> {
        Some(match json {
            Value::String(text) => self.fill_text(text)?,
            Value::Array(items) => items.iter().filter_map(|item| self.fill(item)).collect(),
            Value::Object(members) => {
                let filled =
                    members.iter().filter_map(|(name, value)| Some((name.clone(), self.fill(value)?)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        })
    }

    /// Query parameters with their placeholders replaced. What is no single value is left out.
    pub fn fill_query(&self, query: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let filled = query.iter().filter_map(|(name, text)| {
            let value = match self.fill_text(text)? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => return None,
            };
            Some((name.clone(), value))
        });
        filled.collect()
    }
}

/// The name in a text that is one placeholder.
fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

impl PageRequest {
    /// The request for the first page, or for one after it.
    pub fn at(&self, is_first: bool) -> &Self {
        self.more.as_deref().filter(|_| !is_first).unwrap_or(self)
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        self.pointer.values(value, None).into_iter().filter_map(text).any(|found| {
            self.is.contains(&found) || self.matches.as_ref().is_some_and(|pattern| pattern.matches(&found))
        })
    }
}

impl Containers {
    /// The id of one that holds contacts; `None` of any other.
    pub fn id_of(&self, container: &Value) -> Option<String> {
        let holds_contacts = self.conditions.iter().all(|condition| condition.holds(container));
        self.id.value(container).filter(|_| holds_contacts)
    }
}

impl Path {
    /// What it leads to. Elements of a list are taken where the condition is true of them.
    fn values<'v>(&self, document: &'v Value, condition: Option<&Condition>) -> Vec<&'v Value> {
        let mut found = vec![document];
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                let items = found.into_iter().filter_map(Value::as_array).flatten();
                found = items
                    .filter(|item| condition.is_none_or(|condition| condition.holds(item)))
                    .take(MAX_ELEMENTS)
                    .collect();
            }
            found = found.into_iter().filter_map(|value| part.get(value)).collect();
        }
        found
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A list at the end is followed by the pointer to the whole element.
        let parts = text.split("/*").map(|part| Pointer::try_from(part.to_owned()));
        parts.collect::<Result<_, _>>().map(Self)
    }
}

impl Selector {
    /// The texts that it leads to, in their order and each once.
    fn texts(&self, record: &Value) -> Vec<String> {
        let values = self.path.values(record, self.condition.as_deref());
        let texts = values.into_iter().filter_map(text);
        match self.transform {
            Transform::Text => texts.collect(),
            Transform::Rfc3339 => texts.filter_map(|text| Some(rfc3339(parse_rfc3339(&text)?))).collect(),
            Transform::Semicolons => texts
                .flat_map(|text| {
                    text.split(';').filter_map(|one| printable(one, MAX_TEXT)).collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}

impl Sources {
    fn all(&self, record: &Value) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for text in self.0.iter().flat_map(|selector| selector.texts(record)) {
            if found.len() < MAX_VALUES && !found.contains(&text) {
                found.push(text);
            }
        }
        found
    }

    fn first(&self, record: &Value) -> Option<String> {
        self.0.iter().find_map(|selector| selector.texts(record).into_iter().next())
    }
}

impl Urls {
    fn first(&self, record: &Value, id: &str, option: &AuthOption, data: &ProviderData) -> Option<String> {
        let made = |address: &Address| {
            address.fill(|name| match name.strip_prefix(PROVIDER_DATA) {
                Some(name) => option.checked(name, data.get(name)?),
                None => (name == "id").then_some(id),
            })
        };
        let url = self.0.iter().find_map(|url| match url {
            Url::Record(selector) => selector.texts(record).into_iter().next(),
            Url::Made(address) => made(address),
        })?;
        // Somebody will click on it.
        let parsed = url::Url::parse(&url).ok()?;
        let is_link =
            parsed.scheme() == "https" && parsed.username().is_empty() && parsed.password().is_none();
        is_link.then_some(url)
    }
}

impl Contacts {
    /// A record as a contact; `None` where it has no id.
    pub fn read(&self, record: &Value, option: &AuthOption, data: &ProviderData) -> Option<Record> {
        let fields = &self.fields;
        let id = fields.id.texts(record).into_iter().next().filter(|id| id.chars().count() <= MAX_ID)?;
        let (first_name, last_name) = (fields.first_name.first(record), fields.last_name.first(record));
        let emails = fields.emails.all(record);
        let names: Vec<_> = first_name.iter().chain(&last_name).map(String::as_str).collect();
        let full_name = (!names.is_empty()).then(|| names.join(" "));
        Some(Record {
            display_name: fields.display_name.first(record).or(full_name).or_else(|| emails.first().cloned()),
            phones: fields.phones.all(record),
            company: fields.company.first(record),
            title: fields.title.first(record),
            url: fields.url.first(record, &id, option, data),
            created_at: fields.created_at.first(record),
            updated_at: fields.updated_at.first(record),
            id,
            first_name,
            last_name,
            emails,
        })
    }

    /// Whether a record is left out.
    pub fn skips(&self, record: &Value) -> bool {
        self.skip.iter().any(|condition| condition.holds(record))
    }

    /// The first thing that makes it unusable for an app.
    pub(super) fn problem(&self, app: &App) -> Option<String> {
        if app.auth_options.iter().any(|option| option.api.as_ref().is_none_or(|api| api.base_url.is_none()))
        {
            return Some("every auth option needs a base_url".into());
        }
        let requests =
            [&self.list, &self.search].into_iter().flat_map(|first| [Some(first), first.more.as_deref()]);
        let requests: Vec<_> = requests.flatten().collect();
        let containers = self.containers.iter();
        let mut paths =
            requests.iter().map(|request| &request.path).chain(containers.clone().map(|one| &one.path));
        if let Some(path) = paths.find(|path| !is_plain_path(path)) {
            return Some(format!("`{path}` is no plain path"));
        }
        let mut texts: Vec<&str> = Vec::new();
        for request in &requests {
            texts.extend(request.query.values().map(String::as_str));
            request.json.iter().for_each(|json| collect_texts(json, &mut texts));
        }
        containers.flat_map(|one| &one.json).for_each(|json| collect_texts(json, &mut texts));
        let has_value = |name: &str| match name.strip_prefix(PROVIDER_DATA) {
            Some(name) => app.auth_options.iter().any(|option| option.provider_data.contains_key(name)),
            None => PLACEHOLDERS.contains(&name),
        };
        if let Some(name) = texts.into_iter().filter_map(placeholder).find(|name| !has_value(name)) {
            return Some(format!("nothing fills the placeholder `{{{name}}}`"));
        }
        let times = self.fields.created_at.0.iter().chain(&self.fields.updated_at.0);
        if times.into_iter().any(|selector| selector.transform != Transform::Rfc3339) {
            return Some("a time needs a transform for times".into());
        }
        let made = self.fields.url.0.iter().filter_map(|url| match url {
            Url::Made(address) => Some(address),
            Url::Record(_) => None,
        });
        made.into_iter().find_map(|address| address.problem().or_else(|| problem_of_link(address, app)))
    }
}

/// What makes the link of a contact lead anywhere: its host is fixed, or one that the catalogue checks.
fn problem_of_link(address: &Address, app: &App) -> Option<String> {
    address.placeholders().into_iter().find_map(|(name, position)| {
        let is_fine = match name.strip_prefix(PROVIDER_DATA) {
            None => name == "id" && position == Position::Path,
            Some(name) => {
                let mut kept =
                    app.auth_options.iter().filter_map(|option| option.provider_data.get(name)).peekable();
                kept.peek().is_some()
                    && kept.all(|kept| match position {
                        Position::Start => !kept.hosts.is_empty(),
                        Position::Host => kept.reference.input().is_some(),
                        Position::Path => true,
                    })
            }
        };
        (!is_fine).then(|| format!("`{{{name}}}` cannot stand there in the link `{address}`"))
    })
}

/// One segment after the other, as it is written: nothing in it is read in two ways.
fn is_plain_path(path: &str) -> bool {
    let is_word = |segment: &str| {
        segment.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_word))
}

fn collect_texts<'v>(json: &'v Value, texts: &mut Vec<&'v str>) {
    match json {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(members) => members.values().for_each(|value| collect_texts(value, texts)),
        _ => {}
    }
}

/// A single value as text that can be read; `None` of any other, and of an empty one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => printable(text, MAX_TEXT),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(values: OneOrMany<T>) -> Self {
        match values {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        }
    }
}

impl From<OneOrMany<Selector>> for Sources {
    fn from(values: OneOrMany<Selector>) -> Self {
        Self(values.into())
    }
}

impl TryFrom<OneOrMany<String>> for Urls {
    type Error = String;

    fn try_from(values: OneOrMany<String>) -> Result<Self, String> {
        let url = |text: String| {
            Ok(match text.starts_with('/') {
                true => Url::Record(SelectorTable::Path(Path::try_from(text)?).into()),
                false => Url::Made(Address::try_from(text)?),
            })
        };
        Vec::from(values).into_iter().map(url).collect::<Result<_, String>>().map(Self)
    }
}

impl From<CursorTable> for Cursor {
    fn from(table: CursorTable) -> Self {
        match table {
            CursorTable::Pointer(pointer) => Self { pointer, more: None },
            CursorTable::Table { pointer, more } => Self { pointer, more: Some(more) },
        }
    }
}

impl From<SelectorTable> for Selector {
    fn from(table: SelectorTable) -> Self {
        match table {
            SelectorTable::Path(path) => Self { path, condition: None, transform: Transform::Text },
            SelectorTable::Table { pointer, condition, transform } => {
                Self { path: pointer, condition, transform }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::Catalogue;

    fn selector(value: &Value) -> Selector {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn a_path_leads_through_lists() {
        let record =
            json!({"a": [{"v": "1", "p": false}, {"v": 2, "p": true}, {"v": null}, "x"], "b": ["y", "", {}]});
        for (value, expected) in [
            (json!("/a/*/v"), vec!["1", "2"]),
            (json!({"pointer": "/a/*/v", "where": {"pointer": "/p", "is": ["true"]}}), vec!["2"]),
            (json!({"pointer": "/a/*/v", "where": {"pointer": "/v", "matches": "^1$"}}), vec!["1"]),
            (json!("/b/*"), vec!["y"]),
            (json!("/a/0/v"), vec!["1"]),
            (json!("/none/*/v"), vec![]),
            (json!("/b/0/*/v"), vec![]),
        ] {
            assert_eq!(selector(&value).texts(&record), expected, "{value}");
        }
    }

    #[test]
    fn times_are_given_in_utc_and_nonsense_is_left_out() {
        let at = selector(&json!({"pointer": "/at", "transform": "rfc3339"}));
        for (time, expected) in [
            (json!("2019-07-25T15:26:49+05:30"), vec!["2019-07-25T09:56:49Z"]),
            (json!("2020-10-29T09:31:30.255Z"), vec!["2020-10-29T09:31:30Z"]),
            (json!("yesterday"), vec![]),
            (json!(1_700_000_000_000_u64), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(at.texts(&json!({ "at": time })), expected, "{time}");
        }
        let list = selector(&json!({"pointer": "/at", "transform": "semicolons"}));
        assert_eq!(list.texts(&json!({"at": "a; b;;"})), ["a", "b"]);
    }

    #[test]
    fn placeholders_stand_for_values_and_a_cursor_stays_what_it_is() {
        let (data, cursor) = (ProviderData::from([("l".into(), "L1".into())]), json!([1, "x"]));
        let mut values = PageValues {
            limit: 7,
            search: Some("{limit}"),
            cursor: Some(&cursor),
            container: None,
            page: 1,
            provider_data: &data,
        };
        let body = json!({
            "l": "{provider_data.l}", "n": "{limit}", "q": "{search}", "c": "{cursor}", "x": "{container}",
            "text": "{ me { id } }", "list": ["{limit}", "{container}"],
        });
        let filled = json!({
            "l": "L1", "n": 7, "q": "{limit}", "c": [1, "x"], "text": "{ me { id } }", "list": [7],
        });
        assert_eq!(values.fill(&body), Some(filled));
        let query = [("a", "{cursor}"), ("b", "{limit}"), ("c", "x"), ("d", "{container}")];
        let query = query.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let filled = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(values.fill_query(&query), filled(&[("b", "7"), ("c", "x")]));
        let url = json!("https://evil.example/?a=b");
        values.cursor = Some(&url);
        let expected = filled(&[("a", "https://evil.example/?a=b"), ("b", "7"), ("c", "x")]);
        assert_eq!(values.fill_query(&query), expected);
    }

    /// The beginning of a file that is fine but for its `[contacts]`.
    fn problem(of_contacts: &str) -> Option<String> {
        let text = format!(
            r#"
            id = "x"
            name = "X"
            description = ""
            categories = []
            [[auth]]
            key = "k"
            title = "T"
            type = "api_key"
            [[auth.fields]]
            name = "key"
            title = "Key"
            format = "password"
            [auth.api]
            base_url = "https://api.example.com"
            headers = {{ Key = "{{key}}" }}
            {of_contacts}"#
        );
        Catalogue::default().add("x.toml", &text).err().map(|error| error.to_string())
    }

    #[test]
    fn a_table_that_cannot_work_is_refused() {
        let table = |list: &str, fields: &str| {
            format!(
                r#"
                [contacts.list]
                items = ""
                next = {{ cursor = "/next" }}
                {list}
                [contacts.search]
                items = ""
                next = {{ page = "/more" }}
                [contacts.fields]
                id = "/id"
                {fields}"#
            )
        };
        assert_eq!(problem(&table("path = \"/a/b-c\"\nquery = { c = \"{cursor}\" }", "")), None);
        for (list, fields, expected) in [
            ("path = \"//evil.example\"", "", "no plain path"),
            ("path = \"/a/../b\"", "", "no plain path"),
            ("path = \"a\"", "", "no plain path"),
            ("path = \"/a?b\"", "", "no plain path"),
            ("query = { c = \"{other}\" }", "", "nothing fills the placeholder `{other}`"),
            ("json = { a = [{ b = \"{provider_data.x}\" }] }", "", "nothing fills the placeholder"),
            ("nxt = 1", "", "unknown field `nxt`"),
            ("", "created_at = \"/at\"", "a time needs a transform"),
            ("", "url = \"http://example.com/{id}\"", "is not https"),
            ("", "url = \"https://{id}/\"", "cannot stand there"),
            ("", "url = \"https://{id}.example.com/\"", "cannot stand there"),
            ("", "url = \"https://example.com/{provider_data.x}\"", "cannot stand there"),
        ] {
            let problem = problem(&table(list, fields)).unwrap_or_else(|| panic!("{list} {fields}"));
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
