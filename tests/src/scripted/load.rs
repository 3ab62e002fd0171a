//! Reads `scenarios/`: the index, then one file per area.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fill;
use super::scenario::{Scenario, Times};

/// `scenarios/index.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexFile {
    /// The files, in the order in which a newcomer should read them.
    areas: Vec<String>,
    /// Scenario id to language to the reason why it makes no sense there.
    #[serde(default)]
    skip: BTreeMap<String, BTreeMap<String, String>>,
}

/// One area's file: a title and its scenarios, some of them given as a pattern with a table of rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaFile {
    /// What this area proves.
    #[serde(rename = "area")]
    _area: String,
    scenarios: Vec<Map<String, Value>>,
}

/// A scenario as it is written, its placeholders not yet filled in, and what it says.
#[derive(Debug, Clone)]
pub struct Entry {
    pub source: Value,
    pub parsed: Scenario,
}

/// Every scenario, in order, and the few exceptions.
#[derive(Debug, Clone)]
pub struct Index {
    pub scenarios: Vec<Entry>,
    skip: BTreeMap<String, BTreeMap<String, String>>,
}

impl Index {
    /// Why `language` leaves this scenario out, if it does.
    pub fn skip(&self, id: &str, language: &str) -> Option<&str> {
        self.skip.get(id)?.get(language).map(String::as_str)
    }

    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.scenarios.iter().find(|entry| entry.parsed.id == id)
    }
}

/// The folder of the scenario files in this repository.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Every YAML file of the folder as (name, content); the index is one of them.
pub fn files(folder: &Path) -> Result<Vec<(String, Value)>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let name = entry.map_err(|e| e.to_string())?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            names.push(name);
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let text = fs::read_to_string(folder.join(&name)).map_err(|e| format!("{name}: {e}"))?;
            let value = serde_saphyr::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
            Ok((name, value))
        })
        .collect()
}

/// Loads and checks everything.
///
/// # Errors
/// A text that names the file and what is wrong with it.
pub fn load(folder: &Path) -> Result<Index, String> {
    let mut files: BTreeMap<String, Value> = files(folder)?.into_iter().collect();
    let index = files.remove("index.yaml").ok_or("index.yaml is missing")?;
    let index: IndexFile = serde_json::from_value(index).map_err(|e| format!("index.yaml: {e}"))?;
    let mut scenarios = Vec::new();
    for name in &index.areas {
        let value =
            files.remove(name).ok_or_else(|| format!("{name} is in the index but not in the folder"))?;
        let area: AreaFile = serde_json::from_value(value).map_err(|e| format!("{name}: {e}"))?;
        for pattern in area.scenarios {
            for row in rows(pattern).map_err(|e| format!("{name}: {e}"))? {
                let id = row.get("id").and_then(Value::as_str).unwrap_or("?").to_owned();
                let source = Value::Object(row);
                let parsed = serde_json::from_value(source.clone())
                    .map_err(|e| e.to_string())
                    .and_then(|parsed| check(&parsed).map(|()| parsed))
                    .map_err(|e| format!("{name}, scenario {id}: {e}"))?;
                scenarios.push(Entry { source, parsed });
            }
        }
    }
    if let Some((name, _)) = files.first_key_value() {
        return Err(format!("{name} is in the folder but not in the index"));
    }
    let mut ids = BTreeSet::new();
    if let Some(twice) = scenarios.iter().find(|s| !ids.insert(s.parsed.id.as_str())) {
        return Err(format!("the id {} is used twice", twice.parsed.id));
    }
    if let Some(id) = index.skip.keys().find(|id| !ids.contains(id.as_str())) {
        return Err(format!("index.yaml skips {id}, which does not exist"));
    }
    Ok(Index { scenarios, skip: index.skip })
}

/// A pattern with `each: [{name: value}…]` stands for one scenario per row, `{{name}}` replaced by its value.
fn rows(mut pattern: Map<String, Value>) -> Result<Vec<Map<String, Value>>, String> {
    let Some(each) = pattern.remove("each") else {
        return Ok(vec![pattern]);
    };
    let each: Vec<Map<String, Value>> = serde_json::from_value(each).map_err(|e| format!("each: {e}"))?;
    let columns: BTreeSet<String> = each.iter().flat_map(|row| row.keys().cloned()).collect();
    // A column that a row leaves out is null there.
    let cell = |row: &Map<String, Value>, name: &str| match row.get(name) {
        None if columns.contains(name) => Some(Value::Null),
        value => value.cloned(),
    };
    let pattern = Value::Object(pattern);
    each.into_iter()
        .map(|row| match fill::fill(&pattern, &|name| cell(&row, name)) {
            Value::Object(object) => Ok(object),
            _ => Err("a scenario is not an object".to_owned()),
        })
        .collect()
}

/// What the types alone cannot say.
fn check(scenario: &Scenario) -> Result<(), String> {
    let exchanges: Vec<_> = scenario.steps.iter().flat_map(|step| &step.exchanges).collect();
    for (i, exchange) in exchanges.iter().enumerate() {
        let next = exchanges.get(i + 1);
        if matches!(exchange.times, Some(Times::Between { .. }))
            && next.is_some_and(|next| next.request == exchange.request)
        {
            return Err("an exchange that comes an open number of times ends with another request".to_owned());
        }
        if exchange.request.split_once(' ').is_none_or(|(_, target)| !target.starts_with('/')) {
            return Err(format!("`{}` is not a method and a target", exchange.request));
        }
    }
    for step in &scenario.steps {
        let expect = &step.expect;
        let ways = [expect.value.is_some(), expect.items.is_some(), expect.cancelled, expect.nothing];
        let ways = ways.iter().filter(|way| **way).count();
        let error_is_right = match &expect.error {
            Some(_) => ways == 0 || (ways == 1 && expect.items.is_some()),
            None => ways == 1 || (ways == 2 && expect.items.is_some() && expect.cancelled),
        };
        if !error_is_right {
            return Err(format!("{} must end in one way", step.call));
        }
        if expect.items.is_some() != step.iterate {
            return Err("items and iterate belong together".to_owned());
        }
        if step.cancel.is_some() && step.rekey.is_some() {
            return Err("cancel and rekey exclude each other".to_owned());
        }
        let cancel = step.cancel.as_ref().and_then(|cancel| cancel.of);
        let rekey = step.rekey.as_ref().and_then(|rekey| rekey.of);
        if let Some(of) = cancel.or(rekey)
            && !(1..=step.exchanges.len()).contains(&of)
        {
            return Err(format!("of: {of} is not one of the step's exchanges"));
        }
    }
    if scenario.refused.is_some() != scenario.steps.is_empty() {
        return Err("a scenario has steps, or its client is refused".to_owned());
    }
    Ok(())
}
