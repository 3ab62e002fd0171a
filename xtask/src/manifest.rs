//! What `core/manifest.yaml` says.

#![allow(missing_docs, reason = "the file itself tells what its members mean")]

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    pub client_options: Vec<Opt>,
    pub call_options: Vec<Opt>,
    pub arguments: IndexMap<String, Argument>,
    pub methods: Vec<Method>,
    pub words: Vec<Word>,
    pub models: Vec<Model>,
    pub events: Vec<EventType>,
    pub errors: Vec<ErrorClass>,
}

/// What a method takes by position.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    pub doc: String,
    #[serde(default)]
    pub secret: bool,
}

/// An option of a method, of every call, or of a client.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Opt {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OptType,
    /// The list of words that a text is of.
    pub word: Option<String>,
    #[serde(default)]
    pub required: bool,
    pub default: Option<String>,
    pub doc: String,
    /// Where Rust's public interface has it, if it is no setter with a member in the body.
    pub rust: Option<String>,
    /// Whether a text is a credential.
    #[serde(default)]
    pub secret: bool,
}

impl Opt {
    /// The name as in JavaScript, where it tells the unit.
    pub fn name_with_unit(&self) -> String {
        match self.kind {
            OptType::Duration => format!("{}Ms", self.name),
            _ => self.name.clone(),
        }
    }
}

/// The type of an option.
#[derive(Clone, Copy, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OptType {
    Text,
    Texts,
    Flag,
    Count,
    Duration,
    Seconds,
    Object,
    Fields,
    Clearable,
    Token,
    Pairs,
    Body,
}

/// A method of a client.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub name: String,
    pub node: Option<String>,
    #[serde(default)]
    pub customer: bool,
    #[serde(default)]
    pub arguments: Vec<String>,
    #[serde(default)]
    pub options: Vec<Opt>,
    pub result: Option<String>,
    pub list: Option<String>,
    #[serde(default)]
    pub wait: bool,
    /// It goes on, event by event.
    #[serde(default)]
    pub feed: bool,
    /// Its body and its response's body are streamed.
    #[serde(default)]
    pub proxy: bool,
    /// Nothing is sent: no call options, and nothing to cancel.
    #[serde(default)]
    pub local: bool,
    pub capability: Option<String>,
    pub doc: String,
    pub more: Option<String>,
    #[serde(default)]
    pub raises: Vec<Raises>,
}

/// An error that a method can give beside those of all methods.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Raises {
    pub error: String,
    pub when: String,
}

/// A list of words on the wire.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    pub name: String,
    /// Its name in Swift, where the common one is taken.
    pub swift: Option<String>,
    pub doc: String,
    pub values: IndexMap<String, String>,
}

/// What the service answers.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub name: String,
    /// The name of a list of them on the wire, where there are lists.
    pub list: Option<String>,
    /// What a page of such a list is.
    pub page: Option<String>,
    pub doc: String,
    pub more: Option<String>,
    /// Whether it holds a credential, so that nothing serialises it.
    #[serde(default)]
    pub credential: bool,
    pub fields: Vec<Field>,
}

/// A member of a model.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name where the one on the wire is a keyword.
    pub rename: Option<String>,
    #[serde(default)]
    pub secret: bool,
    pub doc: String,
}

/// A type of events.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventType {
    #[serde(rename = "type")]
    pub kind: String,
    /// The model of its `data`.
    pub data: String,
    pub doc: String,
}

/// A class of errors.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorClass {
    pub class: String,
    /// Python's own class that it is too.
    pub python: Option<String>,
    pub doc: String,
    pub codes: Vec<Code>,
}

/// A code of errors.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    pub code: String,
    pub status: Option<u16>,
    #[serde(default)]
    pub base: bool,
    pub doc: String,
    pub action: Option<String>,
}

/// The folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Manifest {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read or is not what this module says.
    pub fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let text = std::fs::read_to_string(root().join("core/manifest.yaml"))?;
        Ok(serde_saphyr::from_str(&text)?)
    }
}
