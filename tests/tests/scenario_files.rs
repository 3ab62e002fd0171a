//! The scenario files are what their schema says, and leave nothing of the SDK's surface out.

use std::collections::BTreeSet;

use connect_tests::scripted::load;
use connect_tests::scripted::scenario::{ExpectedError, Scenario, Step};
use pabbly_connect::{CODES, ErrorKind};
use serde_json::Value;
use xtask::manifest::{Manifest, Opt};

/// Fewer were never meant to be enough.
const AT_LEAST: usize = 150;

fn scenarios() -> Vec<Scenario> {
    let index = load::load(&load::folder()).expect("the files are right");
    index.scenarios.into_iter().map(|entry| entry.parsed).collect()
}

fn steps(scenarios: &[Scenario]) -> impl Iterator<Item = &Step> {
    scenarios.iter().flat_map(|scenario| &scenario.steps)
}

fn errors(scenarios: &[Scenario]) -> impl Iterator<Item = &ExpectedError> {
    let of_steps = steps(scenarios).filter_map(|step| step.expect.error.as_ref());
    of_steps.chain(scenarios.iter().filter_map(|scenario| scenario.refused.as_ref()))
}

/// The options as scenarios spell them.
fn names(options: &[Opt]) -> Vec<String> {
    options.iter().map(Opt::name_with_unit).collect()
}

/// Whatever of `all` is not in `there`.
fn missing<'a>(all: impl IntoIterator<Item = &'a str>, there: &BTreeSet<&str>) -> Vec<&'a str> {
    all.into_iter().filter(|name| !there.contains(name)).collect()
}

#[test]
fn every_file_fits_its_schema() {
    let folder = load::folder();
    let schema = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    let (area, index) = (schema("schema.json"), schema("index.schema.json"));
    for (name, value) in load::files(&folder).unwrap() {
        let validator = if name == "index.yaml" { &index } else { &area };
        let problems: Vec<_> = validator
            .iter_errors(&value)
            .map(|problem| format!("{name} {}: {problem}", problem.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_misspelt() {
    let text = std::fs::read_to_string(load::folder().join("schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let (_, good) =
        load::files(&load::folder()).unwrap().into_iter().find(|(name, _)| name == "calls.yaml").unwrap();
    assert!(schema.is_valid(&good));
    for (pointer, name) in [
        ("", "scenario"),
        ("/scenarios/0", "step"),
        ("/scenarios/0/steps/0", "expects"),
        ("/scenarios/0/steps/0/exchanges/0", "replies"),
        ("/scenarios/0/steps/0/exchanges/0/reply", "statuz"),
        ("/scenarios/0/steps/0/expect", "eror"),
    ] {
        let mut bad = good.clone();
        bad.pointer_mut(pointer).unwrap()[name] = Value::Null;
        assert!(!schema.is_valid(&bad), "{pointer}/{name}");
    }
}

#[test]
fn there_are_enough_and_few_are_skipped() {
    let index = load::load(&load::folder()).unwrap();
    let count = index.scenarios.len();
    assert!(count >= AT_LEAST, "{count}");
    for language in ["rust", "node", "python", "swift"] {
        let ids = index.scenarios.iter().map(|entry| entry.parsed.id.as_str());
        let skipped = ids.filter(|id| index.skip(id, language).is_some()).count();
        assert!(skipped * 50 <= count, "{language} skips {skipped} of {count}");
    }
}

#[test]
fn every_method_and_option_is_used() {
    let scenarios = scenarios();
    let manifest = Manifest::read().unwrap();
    for method in &manifest.methods {
        let of_method: Vec<&Step> = steps(&scenarios).filter(|step| step.call == method.name).collect();
        let given: BTreeSet<&str> =
            of_method.iter().flat_map(|step| step.with.keys()).map(String::as_str).collect();
        let email = method.customer.then_some("email");
        let arguments = method.arguments.iter().map(String::as_str).chain(email);
        let options = names(&method.options);
        let all = arguments.chain(options.iter().map(String::as_str));
        assert_eq!(missing(all, &given), [""; 0], "{}", method.name);
        let is_iterated = method.list.is_some() || method.feed;
        assert_eq!(of_method.iter().any(|step| step.iterate), is_iterated, "{}", method.name);
        let options: BTreeSet<&str> =
            of_method.iter().flat_map(|step| step.options.keys()).map(String::as_str).collect();
        if !method.local && !method.wait {
            let all = names(&manifest.call_options);
            assert_eq!(missing(all.iter().map(String::as_str), &options), [""; 0], "{}", method.name);
        }
        let ends: BTreeSet<bool> = of_method.iter().map(|step| step.expect.error.is_some()).collect();
        assert_eq!(ends.len(), 2, "{} must be seen to succeed and to fail", method.name);
        assert_eq!(
            of_method.iter().any(|step| step.expect.cancelled),
            !method.local,
            "{} must be seen cancelled",
            method.name
        );
    }
    let methods: BTreeSet<&str> = manifest.methods.iter().map(|method| method.name.as_str()).collect();
    assert_eq!(missing(steps(&scenarios).map(|step| step.call.as_str()), &methods), [""; 0]);
}

#[test]
fn every_client_option_is_used() {
    let scenarios = scenarios();
    let given: BTreeSet<&str> =
        scenarios.iter().flat_map(|scenario| scenario.client.keys()).map(String::as_str).collect();
    let all = names(&Manifest::read().unwrap().client_options);
    let all: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(missing(all.iter().copied(), &given), [""; 0]);
    assert_eq!(missing(given.iter().copied(), &all), [""; 0], "not in the SDK's own list");
}

#[test]
fn every_class_and_code_is_expected() {
    let scenarios = scenarios();
    let mut classes: BTreeSet<&str> = errors(&scenarios).map(|error| error.class.as_str()).collect();
    if steps(&scenarios).any(|step| step.expect.cancelled) {
        classes.insert("CancelledError"); // Or the language's own word for it.
    }
    // What no service answers is in tests/webhooks.json.
    let answered = |kind: &&ErrorKind| **kind != ErrorKind::WebhookVerification;
    let all: BTreeSet<&str> = ErrorKind::ALL.iter().filter(answered).map(|kind| kind.class()).collect();
    assert_eq!(missing(all.iter().copied(), &classes), [""; 0]);
    assert_eq!(missing(classes.iter().copied(), &all), [""; 0], "not in the SDK's own table");

    for row in CODES.iter().filter(|row| row.code != "cancelled" && answered(&&row.kind)) {
        let found = errors(&scenarios).any(|error| {
            let local = error.status.is_null() || error.class == "DecodeError";
            error.code == row.code && error.class == row.kind.class() && (row.status.is_some() || local)
        });
        assert!(found, "no scenario ends with {}", row.code);
        let status = row.status.map_or(Value::Null, Value::from);
        let found = errors(&scenarios).any(|error| error.code == row.code && error.status == status);
        assert!(found || row.code == "decode_error", "no scenario has {} on its own status", row.code);
    }
}
