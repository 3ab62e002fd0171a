//! What is kept beside a credential: `[auth.provider_data]`, values that calls need, and `[auth.account]`, whose account
//! it is. Both name, by references, what the provider or the customer said.
//!
//! What is public is shown to everybody who may read a connection, so that nothing secret may stand there: that is checked
//! when the catalogue is loaded.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::{Host, Url};

use super::api::PROVIDER_DATA;
use super::template::{Address, Position};
use super::{AddressHosts, AuthOption, AuthType, Format, Inputs, is_slug};
use crate::text;

/// Values of `[auth.provider_data]` by name.
pub type ProviderData = BTreeMap<String, String>;

/// Maximum length of a value that is kept, in characters.
const MAX_VALUE: usize = 2048;

/// The value by which an emulator's element of a list is picked.
const PICKED: &str = "sample-picked";

/// Maximum number of lookups of one option.
const MAX_LOOKUPS: usize = 2;

/// Last parts of a pointer that lead to a secret, whatever the provider is.
const SECRETS: [&str; 8] =
    ["access_token", "refresh_token", "id_token", "token", "client_secret", "secret", "password", "api_key"];

/// Parameters of a callback that work once and are nobody else's.
const OWN_PARAMETERS: [&str; 2] = ["code", "state"];

/// A value to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it comes from.
    pub reference: Reference,
    /// Whether an account cannot be connected without it.
    pub required: bool,
    /// The hosts that an address may have. Whatever else the value is, it is kept out.
    pub hosts: Vec<String>,
    /// Whether it is vended with the token only.
    pub secret: bool,
}

/// Names a value: which document, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    source: Source,
    pointer: Pointer,
    pick: Option<Pick>,
}

/// A document that references lead into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The parameters of the OAuth callback.
    Callback,
    /// The response to the token request.
    Token,
    /// What the customer entered.
    Input,
    /// The claims of the ID token in that response. It came from the token endpoint, so its signature proves no more
    /// (OpenID Connect Core, section 3.1.3.7).
    IdToken,
    /// The claims of the access token, unverified.
    Claims,
    /// The response to the lookup of this name.
    Lookup(String),
    /// The response to the verification.
    Verify,
}

/// A JSON pointer (RFC 6901), taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(Vec<String>);

/// Which element of a list, where a pointer meets one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PickTable")]
pub(super) enum Pick {
    /// The first.
    First,
    /// The only one; none where there are several.
    Only,
    /// The first in which one value is equal to another.
    Where {
        /// Of the element.
        pointer: Pointer,
        /// Of any document.
        equals: Box<Reference>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PickTable {
    Word(String),
    Table {
        #[serde(rename = "where")]
        pointer: Pointer,
        equals: String,
    },
}

/// `[auth.account]`: whose account it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountReferences {
    /// What the provider calls it; stays the same for ever.
    pub id: Option<Kept>,
    /// A name for people.
    pub label: Option<Kept>,
    /// Its address for people.
    pub url: Option<Kept>,
}

/// An account at a provider, in the provider's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What the provider calls it.
    pub id: Option<String>,
    /// A name for people, such as an email or a workspace.
    pub label: Option<String>,
    /// Its address for people, always https.
    pub url: Option<String>,
}

impl Account {
    /// What people know it by: its label, or its id where it has none; at most so many characters.
    pub fn name(&self, max: usize) -> Option<String> {
        self.label.as_ref().or(self.id.as_ref()).and_then(|name| text::printable(name, max))
    }
}

/// The documents that are there.
#[derive(Clone, Default)]
pub struct Documents {
    by_source: BTreeMap<Source, Value>,
    access_token: Option<String>,
    /// Values by name that stand for those that no document has. Nothing is known of an account by them.
    given: ProviderData,
}

/// A shorter secret could be part of anything by chance.
const MIN_SECRET: usize = 8;

impl Documents {
    /// With what the customer entered.
    pub fn of_inputs(inputs: &Inputs) -> Self {
        let inputs = inputs.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        let by_source = BTreeMap::from([(Source::Input, Value::Object(inputs.collect()))]);
        Self { by_source, ..Self::default() }
    }

    /// With values that somebody gives who has them already.
    #[must_use]
    pub fn with_given(self, given: ProviderData) -> Self {
        Self { given, ..self }
    }

    /// Adds a response to the token request, and the claims of what it holds.
    pub fn add_token_response(&mut self, access_token: &str, response: Value) {
        let id_token = response.get("id_token").and_then(Value::as_str);
        self.by_source.extend(id_token.and_then(claims).map(|claims| (Source::IdToken, claims)));
        self.by_source.extend(claims(access_token).map(|claims| (Source::Claims, claims)));
        self.by_source.insert(Source::Token, response);
        self.access_token = Some(access_token.to_owned());
    }

    /// Adds another document.
    pub fn insert(&mut self, source: Source, document: Value) {
        self.by_source.insert(source, document);
    }
}

impl AuthOption {
    /// What `[auth.provider_data]` names and is there, public and secret.
    pub fn read_provider_data(&self, documents: &Documents) -> (ProviderData, ProviderData) {
        let found = self.provider_data.iter().filter_map(|(name, kept)| {
            Some((kept.secret, (name.clone(), kept.value_or_given(name, documents)?)))
        });
        let (secret, mut public): (Vec<_>, Vec<_>) = found.partition(|(is_secret, _)| *is_secret);
        public.retain(|(_, (_, value))| !self.reveals(value, documents));
        let values = |found: Vec<(bool, _)>| found.into_iter().map(|(_, value)| value).collect();
        (values(public), values(secret))
    }

    /// The first of these values that cannot be given for `[auth.provider_data]`.
    pub fn problem_of_given(&self, given: &ProviderData) -> Option<String> {
        given.iter().find_map(|(name, value)| {
            let kept = self.provider_data.get(name).filter(|kept| kept.reference.source != Source::Input);
            let Some(kept) = kept else {
                let known =
                    self.provider_data.iter().filter(|(_, kept)| kept.reference.source != Source::Input);
                let known: Vec<_> = known.map(|(name, _)| name.as_str()).collect();
                return Some(match known.as_slice() {
                    [] => "The app takes no provider_data".to_owned(),
                    known => format!("provider_data can have {}", known.join(", ")),
                });
            };
            let problem = match kept.hosts.as_slice() {
                [] => "text without control characters".to_owned(),
                hosts => format!("an https address whose host is or ends in {}", hosts.join(", ")),
            };
            kept.accept(value).is_none().then(|| format!("provider_data.{name} must be {problem}"))
        })
    }

    /// Whose account it is, as far as that is known.
    pub fn read_account(&self, documents: &Documents) -> Option<Account> {
        let AccountReferences { id, label, url } = &self.account;
        let read = |kept: &Option<Kept>| {
            kept.as_ref()?.value(documents).filter(|value| !self.reveals(value, documents))
        };
        // Somebody will click on it.
        let is_link =
            |url: &String| Url::parse(url).is_ok_and(|url| url.scheme() == "https" && !has_userinfo(&url));
        let account = Account { id: read(id), label: read(label), url: read(url).filter(is_link) };
        (account != Account::default()).then_some(account)
    }

    /// Whether a value holds the credential itself. Some APIs repeat what they were sent, and the value is to be public.
    fn reveals(&self, value: &str, documents: &Documents) -> bool {
        let inputs = documents.by_source.get(&Source::Input);
        let secret_fields = self.input.fields.iter().filter(|field| field.is_secret());
        let entered = secret_fields.filter_map(|field| inputs?.get(&field.name)?.as_str());
        let mut secrets = entered.chain(documents.access_token.as_deref());
        secrets.any(|secret| secret.len() >= MIN_SECRET && value.contains(secret))
    }

    /// A stored value of `[auth.provider_data]`, if it may still stand in an address: a catalogue may have been tightened
    /// since.
    pub(super) fn checked<'v>(&self, name: &str, value: &'v str) -> Option<&'v str> {
        let kept = self.provider_data.get(name)?;
        let field = kept.reference.input().and_then(|name| self.input.field(name));
        let is_on_hosts = || address_on(value, &kept.hosts).as_deref() == Some(value);
        let is_fine =
            field.is_none_or(|field| field.keeps(value)) && (kept.hosts.is_empty() || is_on_hosts());
        is_fine.then_some(value)
    }

    /// The first required value that is not there.
    pub fn missing(&self, known: impl Fn(&str) -> bool) -> Option<&str> {
        let required = self.provider_data.iter().filter(|(_, kept)| kept.required);
        required.map(|(name, _)| name.as_str()).find(|name| !known(name))
    }

    /// The names of the callback's parameters that are read.
    pub fn callback_parameters(&self) -> impl Iterator<Item = &str> {
        let of_account = [&self.account.id, &self.account.label, &self.account.url].into_iter().flatten();
        let references = self.provider_data.values().chain(of_account).map(|kept| &kept.reference);
        let kept = references.filter_map(Reference::callback_parameter);
        let corrections = self.input.fields.iter().filter_map(|field| field.correction.as_ref());
        kept.chain(corrections.map(|correction| correction.parameter.as_str()))
    }

    /// The first thing that makes what is to be kept unusable.
    pub(super) fn kept_problem(&self) -> Option<String> {
        if self.lookups.len() > MAX_LOOKUPS {
            return Some(format!("it has more than {MAX_LOOKUPS} lookups"));
        }
        for (index, lookup) in self.lookups.iter().enumerate() {
            let is_double = self.lookups[..index].iter().any(|other| other.name == lookup.name);
            if !is_slug(&lookup.name) || is_double {
                return Some(format!("lookup `{}` is not named by a unique slug", lookup.name));
            }
        }
        for (name, kept) in &self.provider_data {
            let problem = match is_slug(name) {
                true => self.problem_of(kept),
                false => Some("its name is no slug".into()),
            };
            if let Some(problem) = problem {
                return Some(format!("provider_data.{name}: {problem}"));
            }
        }
        let AccountReferences { id, label, url } = &self.account;
        for (name, kept) in [("id", id), ("label", label), ("url", url)] {
            let Some(kept) = kept else { continue };
            let is_plain = !kept.required && !kept.secret && kept.hosts.is_empty();
            let problem = self
                .problem_of(kept)
                .or_else(|| (!is_plain).then(|| "required, hosts and secret belong to provider_data".into()));
            if let Some(problem) = problem {
                return Some(format!("account.{name}: {problem}"));
            }
        }
        self.order_problem()
    }

    fn problem_of(&self, kept: &Kept) -> Option<String> {
        let hosts_are_names = kept.hosts.iter().all(|host| {
            let name = host.strip_prefix('.').unwrap_or(host);
            let is_label = |label: &str| {
                !label.is_empty()
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            name.contains('.') && name.split('.').all(is_label)
        });
        if !hosts_are_names {
            return Some("each of its hosts is a name, or a suffix such as `.example.com`".into());
        }
        let mut reference = Some(&kept.reference);
        while let Some(this) = reference {
            if let Some(problem) = self.problem_of_reference(this, kept.secret) {
                return Some(problem);
            }
            reference = match &this.pick {
                Some(Pick::Where { equals, .. }) => Some(equals),
                _ => None,
            };
        }
        None
    }

    fn problem_of_reference(&self, reference: &Reference, may_be_secret: bool) -> Option<String> {
        let Reference { source, pointer, pick } = reference;
        let is_one_name = pointer.0.len() == 1 && pick.is_none();
        let last = pointer.0.last().map_or("", String::as_str);
        let is_secret = match source {
            Source::Input => {
                let field = self.input.fields.iter().find(|field| field.name == last);
                match field.filter(|_| is_one_name) {
                    Some(field) => field.is_secret(),
                    None => return Some(format!("there is no field `{last}`")),
                }
            }
            Source::Callback if self.auth_type != AuthType::OAuth => {
                return Some("only type o_auth has a callback".into());
            }
            Source::Callback if !is_one_name => return Some("a callback's parameter has one name".into()),
            Source::Callback if OWN_PARAMETERS.contains(&last) || self.is_code(last) => {
                return Some(format!("`{last}` is for the service alone"));
            }
            Source::Token | Source::IdToken | Source::Claims if !self.auth_type.is_token() => {
                return Some("only types with tokens have a token response".into());
            }
            Source::Lookup(name) if self.lookups.iter().all(|lookup| lookup.name != *name) => {
                return Some(format!("there is no lookup `{name}`"));
            }
            Source::Verify if self.verify.is_none() => return Some("there is no [auth.verify]".into()),
            _ => SECRETS.contains(&last),
        };
        (is_secret && !may_be_secret).then(|| format!("`{last}` is a secret, and this is public"))
    }

    fn is_code(&self, parameter: &str) -> bool {
        self.oauth.as_ref().is_some_and(|oauth| oauth.names.callback_code == parameter)
    }

    /// A request that needs a value which only a later response has.
    fn order_problem(&self) -> Option<String> {
        for (step, request) in self.requests().enumerate() {
            let base = self.api.as_ref().and_then(|api| api.base_url.as_ref());
            let sandbox = self.api.as_ref().and_then(|api| api.sandbox_base_url.as_ref());
            let base = [base, sandbox].into_iter().flatten().filter(|_| request.path.is_some());
            let mut names: Vec<_> =
                base.chain(&request.url).flat_map(Address::placeholders).map(|(name, _)| name).collect();
            names.extend(request.path.iter().flat_map(|path| path.placeholders()));
            let late = names.into_iter().filter_map(|name| name.strip_prefix(PROVIDER_DATA)).find(|name| {
                self.provider_data.get(*name).is_some_and(|kept| self.step_of(&kept.reference) > step)
            });
            if let Some(name) = late {
                return Some(format!("a request needs provider_data.{name}, which is known only after it"));
            }
        }
        None
    }

    /// After how many requests a reference can be followed.
    fn step_of(&self, reference: &Reference) -> usize {
        let own = match &reference.source {
            Source::Lookup(name) => {
                1 + self.lookups.iter().position(|lookup| lookup.name == *name).unwrap_or(0)
            }
            Source::Verify => 1 + self.lookups.len(),
            _ => 0,
        };
        match &reference.pick {
            Some(Pick::Where { equals, .. }) => own.max(self.step_of(equals)),
            _ => own,
        }
    }

    /// The first thing that makes an address unusable. With what an operator's client obtained, only hosts that the
    /// catalogue names are called; with a customer's own key also the one that the same customer entered.
    pub(super) fn address_problem(&self, address: &Address) -> Option<String> {
        if let Some(problem) = address.problem() {
            return Some(problem);
        }
        address.placeholders().into_iter().find_map(|(placeholder, position)| {
            let kept = placeholder.strip_prefix(PROVIDER_DATA).and_then(|name| self.provider_data.get(name));
            let Some(kept) = kept else {
                return Some(format!(
                    "the placeholder `{{{placeholder}}}` of an address names no provider_data"
                ));
            };
            let input = kept.reference.input();
            let field = self.input.fields.iter().find(|field| Some(field.name.as_str()) == input);
            let is_fine = match position {
                Position::Path => true,
                Position::Host => {
                    input.is_some_and(|name| self.input.is_host_field(name, self.address_hosts()))
                }
                Position::Start => {
                    let is_own_key = self.address_hosts() == AddressHosts::Typed;
                    !kept.hosts.is_empty()
                        || (is_own_key && field.is_some_and(|field| field.format == Format::Uri))
                }
            };
            (!is_fine).then(|| format!("`{{{placeholder}}}` could name any host: give it `hosts`"))
        })
    }
}

impl Kept {
    fn value(&self, documents: &Documents) -> Option<String> {
        self.on_host(self.reference.value(documents)?)
    }

    /// The value, or the one that was given in its place.
    fn value_or_given(&self, name: &str, documents: &Documents) -> Option<String> {
        self.value(documents).or_else(|| self.accept(documents.given.get(name)?))
    }

    /// A value that somebody gives, held to what those of a document are.
    fn accept(&self, given: &str) -> Option<String> {
        self.on_host(scalar(&given.into())?)
    }

    fn on_host(&self, value: String) -> Option<String> {
        if self.hosts.is_empty() { Some(value) } else { address_on(&value, &self.hosts) }
    }
}

impl Reference {
    /// The value that a pointer leads to in a document.
    pub(crate) fn new(source: Source, pointer: &Pointer) -> Self {
        Self { source, pointer: pointer.clone(), pick: None }
    }

    /// The only part of a pointer that has no more.
    fn name(&self) -> Option<&str> {
        match self.pointer.0.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The field that it names, if it names one.
    pub(super) fn input(&self) -> Option<&str> {
        self.name().filter(|_| self.source == Source::Input)
    }

    /// The parameter of the callback that it names, if it names one.
    pub(super) fn callback_parameter(&self) -> Option<&str> {
        self.name().filter(|_| self.source == Source::Callback)
    }

    /// The document.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The text that it leads to: a string, a whole number or a truth value.
    fn value(&self, documents: &Documents) -> Option<String> {
        let mut found = documents.by_source.get(&self.source)?;
        for part in &self.pointer.0 {
            found = step(self.picked(found, documents)?, part)?;
        }
        scalar(self.picked(found, documents)?)
    }

    /// The element of a list that is meant; anything else as it is.
    fn picked<'v>(&self, found: &'v Value, documents: &Documents) -> Option<&'v Value> {
        match (found, &self.pick) {
            (Value::Array(items), Some(pick)) => pick.of(items, documents),
            _ => Some(found),
        }
    }

    /// Puts a value into a document where this reference finds it. For emulators.
    pub(crate) fn put(&self, document: &mut Value, value: Value) {
        let mut place = document;
        if let Some(pick) = &self.pick {
            if !place.is_array() {
                *place = Value::Array(vec![Value::Null]);
            }
            let Some(first) = place.get_mut(0) else { return };
            if let Pick::Where { pointer, .. } = pick {
                pointer.put(first, PICKED.into());
            }
            place = first;
        }
        self.pointer.put(place, value);
    }

    /// Puts what an element of a list is picked by into another document. For emulators.
    pub(crate) fn put_picked(&self, source: &Source, document: &mut Value) {
        if let Some(Pick::Where { equals, .. }) = &self.pick
            && equals.source == *source
        {
            equals.put(document, PICKED.into());
        }
    }
}

impl Pick {
    fn of<'v>(&self, items: &'v [Value], documents: &Documents) -> Option<&'v Value> {
        match (self, items) {
            (Self::First, [first, ..]) => Some(first),
            (Self::Only, [only]) => Some(only),
            (Self::First | Self::Only, _) => None,
            (Self::Where { pointer, equals }, items) => {
                let wanted = equals.value(documents)?;
                items.iter().find(|item| pointer.value(item) == Some(wanted.clone()))
            }
        }
    }
}

impl Pointer {
    /// The text that it leads to.
    pub(crate) fn value(&self, document: &Value) -> Option<String> {
        scalar(self.get(document)?)
    }

    /// The pointer to what holds the value that this one leads to.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_last()?;
        Some(Self(parent.to_vec()))
    }

    /// Puts a value where it leads to.
    fn put(&self, document: &mut Value, value: Value) {
        let mut place = document;
        for part in &self.0 {
            if !place.is_object() {
                *place = Value::Object(serde_json::Map::new());
            }
            let Some(members) = place.as_object_mut() else { return };
            place = members.entry(part.clone()).or_insert(Value::Null);
        }
        *place = value;
    }

    /// What it leads to.
    pub(crate) fn get<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |found, part| step(found, part))
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return match text.is_empty() {
                true => Ok(Self::default()),
                false => Err(format!("`{text}` is no JSON pointer: it begins with a slash")),
            };
        };
        Ok(Self(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()))
    }
}

impl TryFrom<PickTable> for Pick {
    type Error = String;

    fn try_from(table: PickTable) -> Result<Self, String> {
        match table {
            PickTable::Word(word) if word == "first" => Ok(Self::First),
            PickTable::Word(word) if word == "only" => Ok(Self::Only),
            PickTable::Word(word) => Err(format!("pick `{word}` is neither first nor only")),
            PickTable::Table { pointer, equals } => {
                Ok(Self::Where { pointer, equals: Box::new(Reference::parse(&equals)?) })
            }
        }
    }
}

impl Reference {
    /// Reads `source:/pointer`, or `input:field`.
    fn parse(text: &str) -> Result<Self, String> {
        let (source, pointer) =
            text.split_once(':').ok_or_else(|| format!("`{text}` is no reference, such as `token:/id`"))?;
        let source = Source::parse(source)?;
        Ok(Self { pointer: source.pointer(pointer)?, source, pick: None })
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "callback" => Self::Callback,
            "token" => Self::Token,
            "input" => Self::Input,
            "id_token" => Self::IdToken,
            "claims" => Self::Claims,
            "verify" => Self::Verify,
            _ => match text.strip_prefix("lookup.") {
                Some(name) => Self::Lookup(name.to_owned()),
                None => return Err(format!("`{text}` is no source of values")),
            },
        })
    }

    /// A field is named as it is; everything else is found by a pointer.
    fn pointer(&self, text: &str) -> Result<Pointer, String> {
        match self {
            Self::Input if !text.starts_with('/') => Ok(Pointer(vec![text.to_owned()])),
            _ => Pointer::try_from(text.to_owned()),
        }
    }
}

/// A reference as text, or a table of all that can be said of a value.
impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            from: String,
            pointer: Option<String>,
            pick: Option<Pick>,
            #[serde(default)]
            required: bool,
            #[serde(default)]
            hosts: Vec<String>,
            #[serde(default)]
            secret: bool,
        }

        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Kept;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reference, such as \"token:/id\", or a table with `from`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Kept, E> {
                let reference = Reference::parse(text).map_err(E::custom)?;
                Ok(Kept { reference, required: false, hosts: Vec::new(), secret: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kept, A::Error> {
                let Table { from, pointer, pick, required, hosts, secret } =
                    Table::deserialize(MapAccessDeserializer::new(map))?;
                let mut reference = match pointer {
                    None => Reference::parse(&from),
                    Some(pointer) => Source::parse(&from).and_then(|source| {
                        Ok(Reference { pointer: source.pointer(&pointer)?, source, pick: None })
                    }),
                }
                .map_err(A::Error::custom)?;
                reference.pick = pick;
                Ok(Kept { reference, required, hosts, secret })
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

/// An address without anything that another program could read another host in, if its host is on the list.
fn address_on(value: &str, hosts: &[String]) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let is_on_list = hosts.iter().any(|allowed| match allowed.starts_with('.') {
        true => host.strip_suffix(allowed.as_str()).is_some_and(|name| !name.is_empty()),
        false => host == allowed,
    });
    let is_plain = url.scheme() == "https"
        && !has_userinfo(&url)
        && url.port().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (is_on_list && is_plain).then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn step<'v>(found: &'v Value, part: &str) -> Option<&'v Value> {
    match found {
        Value::Object(members) => members.get(part),
        Value::Array(items) => {
            let is_index =
                part == "0" || (!part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()));
            items.get(part.parse::<usize>().ok().filter(|_| is_index)?)
        }
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        // A fraction is no id, and a number that does not fit would be another one.
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    let is_fine =
        !text.is_empty() && text.chars().count() <= MAX_VALUE && !text.chars().any(text::is_control);
    is_fine.then_some(text)
}

/// The payload of a JSON Web Token.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}
