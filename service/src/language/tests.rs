//! Each language has every text, and fills in what the English one fills in.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderValue;

use super::*;
use crate::catalogue::Catalogue;

/// The placeholders of every text of a file.
fn placeholders(tag: &str, source: &str) -> BTreeMap<String, BTreeSet<String>> {
    FluentResource::try_new(source.to_owned()).unwrap_or_else(|(_, errors)| panic!("{tag}: {errors:?}"));
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut key = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        let is_key = line.starts_with(|c: char| c.is_ascii_lowercase());
        if let Some((name, _)) = line.split_once(" =").filter(|_| is_key) {
            name.clone_into(&mut key);
            assert!(texts.insert(key.clone(), BTreeSet::new()).is_none(), "{tag}: {key} is there twice");
        }
        let names = line.split("{ $").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
        texts.entry(key.clone()).or_default().extend(names.map(str::to_owned));
    }
    texts.remove("");
    texts
}

#[test]
fn every_language_has_every_text_and_placeholder() {
    let (_, english) = FILES[0];
    let expected = placeholders("en", english);
    assert!(expected.len() > 100, "{}", expected.len());
    for (tag, source) in &FILES[1..] {
        let found = placeholders(tag, source);
        for (key, names) in &expected {
            assert_eq!(found.get(key), Some(names), "{tag}: {key}");
        }
        let unknown: Vec<_> = found.keys().filter(|key| !expected.contains_key(*key)).collect();
        assert!(unknown.is_empty(), "{tag} has what English has not: {unknown:?}");
    }
}

#[test]
fn every_file_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/language");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut found: Vec<_> =
        names.filter_map(|name| name.to_str()?.strip_suffix(".ftl").map(str::to_owned)).collect();
    let mut listed: Vec<_> = FILES.iter().map(|(tag, _)| (*tag).to_owned()).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

/// Every key that the program or a template names is one that there is; and none is left over.
#[test]
fn every_key_is_used() {
    fn read(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_own = path.ends_with("language") || path.ends_with("tests.rs");
            if path.is_dir() && !is_own {
                read(&path, text);
            } else if !is_own
                && path.extension().is_some_and(|end| end == "rs" || end == "html" || end == "toml")
            {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut program = String::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    read(&root.join("src"), &mut program);
    read(&root.join("catalogue"), &mut program);
    // Keys that are made of a code, an id or a title.
    let is_made = |key: &str| ["link-error-", "app-", "title-"].iter().any(|start| key.starts_with(start));
    for key in placeholders("en", FILES[0].1).keys().filter(|key| !is_made(key)) {
        assert!(program.contains(&format!("\"{key}\"")), "nothing says {key}");
    }
    for part in ["look.text(", "look.markup(", "language.text(", "language.markup(", "Message::new("] {
        for rest in program.split(part).skip(1) {
            let Some(key) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
            assert!(Language::english().has(key), "{key} has no text");
            assert_eq!(key.ends_with("-html"), part.ends_with("markup("), "{key}");
        }
    }
}

#[test]
fn markup_is_in_texts_for_markup_alone() {
    for (tag, source) in FILES {
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let mut rest = line;
            while let Some((_, behind)) = rest.split_once('<') {
                let (inside, behind) = behind.split_once('>').unwrap_or_else(|| panic!("{tag}: {line}"));
                assert!(["strong", "/strong", "code", "/code"].contains(&inside), "{tag}: {line}");
                let key = line.split(" =").next().unwrap_or_default();
                assert!(key.ends_with("-html"), "{tag}: {line}");
                rest = behind;
            }
        }
    }
}

#[test]
fn values_are_escaped_in_markup_and_in_no_text() {
    for language in Language::all() {
        let name = "<b>\"Acme\" & 'Co'</b>";
        let html = language.markup("connect-lead-html").with("product", name).with("app", "x").to_string();
        assert!(
            html.contains("<strong>&#60;b&#62;&#34;Acme&#34; &#38; &#39;Co&#39;&#60;/b&#62;</strong>"),
            "{html}"
        );
        let text = language.text("connect-title").with("app", name).to_string();
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn numbers_have_their_plural() {
    let minutes = |tag: &str, minutes| {
        Language::of_tag(tag).unwrap().say(&Message::new("page-works-for").with_number("minutes", minutes))
    };
    assert_eq!(minutes("en", 9), "This page works for 9 more minutes.");
    assert_eq!(minutes("en", 1), "This page works for one more minute.");
    assert_eq!(minutes("en", 0), "This page works for less than a minute.");
    assert_eq!(minutes("de", 9), "Diese Seite ist noch 9 Minuten lang gültig.");
    assert_eq!(minutes("es", 1), "Esta página es válida durante un minuto más.");
    assert_eq!(minutes("fr", 9), "Cette page est encore valable 9 minutes.");
}

#[test]
fn a_browser_gets_what_it_prefers_of_what_is_offered() {
    let all: Vec<_> = Language::all().collect();
    let accepted = |header: &str, offered: &[Language]| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        Language::accepted(&headers, offered).map(Language::tag)
    };
    for (header, expected) in [
        ("de", Some("de")),
        ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
        ("nl, fr-CH;q=0.5, en;q=0.4", Some("fr")),
        ("en;q=0.1, ES;q=0.9", Some("es")),
        ("de;q=0, en", Some("en")),
        ("*", None),
        ("nl", None),
        ("", None),
        ("de;q=x, ;;;,=,fr", Some("fr")),
        ("\u{fc}", None),
    ] {
        assert_eq!(accepted(header, &all), expected, "{header}");
    }
    assert_eq!(accepted("de, en;q=0.5", &[Language::english()]), Some("en"));
    assert_eq!(accepted(&"de,".repeat(10_000), &all), Some("de"));
}

/// What the catalogue says no more is in no file any more, either.
#[test]
fn texts_of_apps_are_those_of_the_catalogue() {
    let catalogue = Catalogue::load(None).unwrap();
    let german = Language::of_tag("de").unwrap();
    let apps = catalogue.search("");
    for key in placeholders("en", FILES[0].1).keys() {
        let text = Language::english().say(&Message::new(key.clone()));
        if let Some(id) = key.strip_prefix("app-") {
            assert_eq!(catalogue.get(id).unwrap().description, text, "{key}");
        } else if key.starts_with("title-") {
            let options = apps.iter().flat_map(|app| &app.auth_options);
            let mut titles = options.flat_map(|option| {
                option.input.fields.iter().map(|field| &field.title).chain([&option.title])
            });
            assert!(titles.any(|title| *title == text), "no app has {text}");
        }
    }
    let gmail = catalogue.get("gmail").unwrap();
    assert_eq!(german.description_of(gmail), "E-Mails lesen und senden.");
    assert_eq!(german.title("Sign in with Google"), "Mit Google anmelden");
    assert_eq!(german.title("Email and API token"), "E-Mail-Adresse und API-Token");
    let message = Message::new("field-required").with_message("field", Message::title("API key"));
    assert_eq!(german.say(&message), "Bitte ausfüllen: API-Schlüssel.");
    assert_eq!(message.to_string(), "API key is required.");
    assert_eq!(german.title("A title of an operator's"), "A title of an operator's");
    let own = App { description: "Our own mail.".into(), ..App::clone(gmail) };
    assert_eq!(german.description_of(&own), "Our own mail.");
}
