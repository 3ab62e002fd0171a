//! Fills the templates.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use minijinja::{Environment, State, UndefinedBehavior, context, path_loader};
use serde_json::{Value, json};

use crate::apps;
use crate::manifest::{Manifest, Method, Model, Opt, OptType, root};
use crate::spelling::{self, Language, camel_case, case, snake, swift, wrap};

/// What a field's type has around the name of what it is made of.
const TYPE_MARKS: [char; 5] = ['[', ']', '{', '}', '?'];

/// How long lines may be, in every language.
const WIDTH: usize = 120;

/// What is written: the template, the file, and the language whose names it has.
#[rustfmt::skip]
const OUTPUTS: &[(&str, &str, Language)] = &[
    ("core/by_name.rs", "core/src/bindings/by_name.rs", Language::Rust),
    ("core/kinds.rs", "core/src/error/kinds.rs", Language::Rust),
    ("core/models.rs", "core/src/model/models.rs", Language::Rust),
    ("core/shapes.rs", "core/src/shape/shapes.rs", Language::Rust),
    ("core/link_options.rs", "core/src/link/options.rs", Language::Rust),
    ("core/body_calls.rs", "core/src/body_calls.rs", Language::Rust),
    ("docs/apps.md", "docs/apps.md", Language::Node),
    ("docs/contacts.md", "docs/contacts.md", Language::Node),
    ("docs/options.md", "docs/options.md", Language::Node),
    ("node/client.ts", "bindings-node/ts/generated/client.ts", Language::Node),
    ("node/errors.ts", "bindings-node/ts/generated/errors.ts", Language::Node),
    ("node/models.ts", "bindings-node/ts/generated/models.ts", Language::Node),
    ("node/options.ts", "bindings-node/ts/generated/options.ts", Language::Node),
    ("swift/client.swift", "bindings-swift/Sources/PabblyConnect/Generated/Client.swift", Language::Swift),
    ("swift/errors.swift", "bindings-swift/Sources/PabblyConnect/Generated/Error.swift", Language::Swift),
    ("swift/fakes.swift", "bindings-swift/Sources/PabblyConnectTesting/Generated/FakeMethods.swift", Language::Swift),
    ("swift/models.swift", "bindings-swift/Sources/PabblyConnect/Generated/Models.swift", Language::Swift),
    ("python/__init__.py", "bindings-python/python/pabbly_connect/__init__.py", Language::Python),
    ("python/client.py", "bindings-python/python/pabbly_connect/_client.py", Language::Python),
    ("python/client.py", "bindings-python/python/pabbly_connect/_async.py", Language::Python),
    ("python/errors.py", "bindings-python/python/pabbly_connect/errors.py", Language::Python),
    ("python/models.py", "bindings-python/python/pabbly_connect/_models.py", Language::Python),
    ("python/fakes.py", "bindings-python/python/pabbly_connect/testing/_fakes.py", Language::Python),
];

/// Folders of packages, each with a copy of the licences: a package is made of its own folder alone. Node's script packs
/// the repository's.
const PACKAGES: &[&str] = &["core", "service", "bindings-python", "bindings-swift", "browser"];

/// What is written, with the path in the repository.
///
/// # Errors
/// Where the manifest or a template is wrong, or where there is no `rustfmt`.
pub fn files() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let manifest = Arc::new(Manifest::read()?);
    let environment = environment(&manifest);
    let mut described = describe(&manifest)?;
    described["apps"] = apps::read()?.into();
    let mut files = Vec::new();
    for &(template, path, language) in OUTPUTS {
        let text = environment.get_template(template)?.render(context! {
            language => language as u8,
            asyncio => path.ends_with("_async.py"),
            generated => "Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.",
            ..minijinja::Value::from_serialize(&described)
        })?;
        let text = if path.ends_with(".rs") { rustfmt(&text)? } else { text };
        files.push((path.to_owned(), text));
    }
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let text = std::fs::read_to_string(root().join(license))?;
        files.extend(PACKAGES.iter().map(|package| (format!("{package}/{license}"), text.clone())));
    }
    Ok(files)
}

/// The manifest's errors, methods, options and models as JSON, for tests of other languages to compare with.
///
/// # Errors
/// Where the manifest is wrong.
pub fn tables() -> Result<Value, Box<dyn Error>> {
    let manifest = Manifest::read()?;
    let options = |options: &[Opt]| -> Vec<Value> {
        let option = |option: &Opt| json!({"name": option.name_with_unit(), "default": option.default});
        options.iter().map(option).collect()
    };
    let method = |method: &Method| {
        let email = method.customer.then_some("email");
        json!({
            "name": method.name,
            "arguments": email.into_iter().chain(method.arguments.iter().map(String::as_str)).collect::<Vec<_>>(),
            "options": options(&method.options),
            "pages": method.list.is_some(),
            "feed": method.feed,
            "sends": !method.local,
        })
    };
    let model = |model: &Model| {
        let fields: Vec<_> = model.fields.iter().map(|field| &field.name).collect();
        json!({"name": model.name, "fields": fields})
    };
    let codes = manifest.errors.iter().flat_map(|class| {
        class.codes.iter().map(|code| {
            json!({"code": code.code, "status": code.status, "class": class.class, "base": code.base, "meaning": code.doc,
                "action": code.action})
        })
    });
    Ok(json!({
        "classes": manifest.errors.iter().map(|class| &class.class).collect::<Vec<_>>(),
        "codes": codes.collect::<Vec<_>>(),
        "methods": manifest.methods.iter().map(method).collect::<Vec<_>>(),
        "models": manifest.models.iter().map(model).collect::<Vec<_>>(),
        "callOptions": options(&manifest.call_options),
        "clientOptions": options(&manifest.client_options),
    }))
}

/// The manifest with the names and texts that several templates need.
fn describe(manifest: &Manifest) -> Result<Value, Box<dyn Error>> {
    let mut all = serde_json::to_value(manifest)?;
    for (index, method) in manifest.methods.iter().enumerate() {
        let described = &mut all["methods"][index];
        described["snake"] = snake(&method.name).into();
        described["swift"] = swift(&method.name).into();
        described["variant"] = variant(method).into();
        described["body"] = has_body(method).into();
        // Node has the method's own options and those of every call in one object.
        let is_merged =
            method.proxy || method.result.as_deref() == Some("Token") && !method.options.is_empty();
        described["merged"] = is_merged.into();
        described["secrets"] = secrets(method, manifest).into();
        described["node"] = options_type(method).into();
        let list = manifest.models.iter().find(|model| Some(&model.name) == method.list.as_ref());
        described["member"] = list.and_then(|model| model.list.clone()).into();
        describe_options(&mut described["options"], &method.options);
    }
    describe_options(&mut all["callOptions"], &manifest.call_options);
    describe_options(&mut all["clientOptions"], &manifest.client_options);
    let listed = in_lists(manifest);
    for (index, model) in manifest.models.iter().enumerate() {
        all["models"][index]["listed"] = listed.contains(model.name.as_str()).into();
        all["models"][index]["page_name"] = format!("{}Page", model.name).into();
        all["models"][index]["async_page_name"] = format!("Async{}Page", model.name).into();
        for (field, described) in
            model.fields.iter().zip(all["models"][index]["fields"].as_array_mut().into_iter().flatten())
        {
            let kind = field.kind.trim_matches(TYPE_MARKS);
            let model = manifest.models.iter().find(|model| model.name == kind);
            described["model"] = model.map(|model| model.name.clone()).into();
            described["swift"] = swift(field.rename.as_ref().unwrap_or(&field.name)).into();
            described["hidden"] = (field.secret || kind == "secret").into();
        }
    }
    for (index, event) in manifest.events.iter().enumerate() {
        all["events"][index]["case"] = spelling::pascal(&event.kind.replace('.', "_")).into();
        all["events"][index]["swift"] = spelling::camel(&event.kind.replace('.', "_")).into();
    }
    for (index, class) in manifest.errors.iter().enumerate() {
        all["errors"][index]["case"] = case(&class.class).into();
        all["errors"][index]["swift"] = camel_case(&class.class).into();
    }
    let renamed =
        manifest.words.iter().filter_map(|word| Some((word.name.clone(), word.swift.clone()?.into())));
    all["names"] = Value::Object(renamed.collect());
    let results = manifest.methods.iter().filter_map(|method| method.result.as_ref());
    let results: BTreeSet<_> = results.filter(|result| *result != "Token").collect();
    all["results"] = json!(results);
    let options = manifest.methods.iter().flat_map(|method| &method.options);
    all["words_of_options"] =
        json!(options.filter_map(|option| option.word.as_ref()).collect::<BTreeSet<_>>());
    let options = manifest.methods.iter().flat_map(|method| &method.options).chain(&manifest.call_options);
    let names = options.map(|option| (&option.name, swift(&option.name)));
    all["respelled"] = json!(names.filter(|(name, swift)| *name != swift).collect::<BTreeMap<_, _>>());
    let lists = all["models"].as_array().into_iter().flatten();
    all["lists"] = lists.filter(|model| !model["list"].is_null()).cloned().collect();
    Ok(all)
}

/// The type of the method's own options in TypeScript, where it has any.
fn options_type(method: &Method) -> Option<String> {
    let name = spelling::pascal(&method.name);
    let named = match () {
        () if method.options.is_empty() => return None,
        () if method.wait => "WaitOptions".to_owned(),
        () if method.list.is_some() => format!("{name}Query"),
        () => format!("{name}Request"),
    };
    Some(method.node.clone().unwrap_or(named))
}

/// The case of the core's `PreparedCall`.
fn variant(method: &Method) -> &'static str {
    match method.result.as_deref() {
        _ if method.wait => "Wait",
        _ if method.feed => "Feed",
        _ if method.list.is_some() => "List",
        Some("Token") => "Token",
        Some(_) => "Model",
        None => "Nothing",
    }
}

/// Whether its options are the members of a body, and nothing else of it is written by hand.
fn has_body(method: &Method) -> bool {
    let by_hand = method.list.is_some()
        || method.wait
        || method.feed
        || method.proxy
        || method.result.as_deref() == Some("Token")
        || method.name == "createRequestLink";
    !method.options.is_empty() && !by_hand
}

/// The names of what must not be seen among its arguments and options.
fn secrets(method: &Method, manifest: &Manifest) -> Vec<String> {
    let arguments = method.arguments.iter().filter(|name| manifest.arguments[*name].secret);
    let options = method.options.iter().filter(|option| option.secret || option.kind == OptType::Fields);
    arguments.chain(options.map(|option| &option.name)).map(|name| snake(name)).collect()
}

/// The models that are part of what lists hold.
fn in_lists(manifest: &Manifest) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<_> = manifest.models.iter().filter(|model| model.list.is_some()).collect();
    while let Some(model) = open.pop() {
        if found.insert(model.name.as_str()) {
            let kinds: Vec<_> =
                model.fields.iter().map(|field| field.kind.trim_matches(TYPE_MARKS)).collect();
            open.extend(manifest.models.iter().filter(|model| kinds.contains(&model.name.as_str())));
        }
    }
    found
}

fn describe_options(described: &mut Value, options: &[Opt]) {
    for (described, option) in described.as_array_mut().into_iter().flatten().zip(options) {
        let mut spellings = vec![snake(&option.name), option.name.clone(), option.name_with_unit()];
        spellings.dedup();
        described["snake"] = snake(&option.name).into();
        described["swift"] = swift(&option.name).into();
        described["node"] = option.name_with_unit().into();
        described["spellings"] = spellings.into();
        let default = option.default.iter().map(|default| format!(" Default: {default}."));
        described["docs"] = std::iter::once(option.doc.clone()).chain(default).collect::<String>().into();
    }
}

fn environment(manifest: &Arc<Manifest>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_loader(path_loader(root().join("xtask/templates")));
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.add_filter("snake", |name: &str| snake(name));
    environment.add_filter("camel", |name: &str| spelling::camel(name));
    environment.add_filter("pascal", |name: &str| spelling::pascal(name));
    environment.add_filter("swift", |name: &str| swift(name));
    environment.add_filter("swift_member", |value: &str| spelling::swift_member(value));
    // What a list of a model is in Python.
    environment.add_filter("list_class", |model: &str, asyncio: bool| {
        if asyncio { format!("Async{model}List") } else { format!("{model}Page") }
    });
    environment.add_filter("wrap", |text: &str, width: usize, prefix: &str| wrap(text, width, prefix));

    // What follows spells the names in a text as the language does.
    let say = |manifest: &Arc<Manifest>| {
        let manifest = manifest.clone();
        move |state: &State<'_, '_>, text: &str| spelling::say(text, language(state), &manifest)
    };
    environment.add_filter("say", say(manifest));
    // Lines of comment that begin with a mark, indented.
    let spelled = say(manifest);
    environment.add_filter("comment", move |state: &State<'_, '_>, text: &str, indent: usize, mark: &str| {
        wrap(&spelled(state, text), WIDTH, &format!("{:indent$}{mark} ", ""))
    });
    let spelled = say(manifest);
    environment.add_filter("paragraph", move |state: &State<'_, '_>, text: &str, indent: usize| {
        wrap(&spelled(state, text), WIDTH, &" ".repeat(indent))
    });
    let spelled = say(manifest);
    environment.add_filter("bullet", move |state: &State<'_, '_>, text: &str, indent: usize| {
        let lines = wrap(&spelled(state, text), WIDTH, &" ".repeat(indent + 2));
        format!("{:indent$}- {}", "", lines.trim_start())
    });
    // A parameter in Swift's documentation; the text begins with its name.
    let spelled = say(manifest);
    environment.add_filter("parameter", move |state: &State<'_, '_>, text: &str, name: &str| {
        let doc = spelled(state, &text[name.len()..]);
        let lines = wrap(&format!("{}{doc}", swift(name)), WIDTH, "    ///     ");
        format!("    ///   - {}", &lines["    ///     ".len()..])
    });
    // A comment of JavaScript.
    let spelled = say(manifest);
    environment.add_filter("jsdoc", move |state: &State<'_, '_>, text: &str, indent: usize| {
        let (text, indent) = (spelled(state, text), " ".repeat(indent));
        let line = format!("{indent}/** {text} */");
        if line.chars().count() <= WIDTH && !text.contains('\n') {
            return line;
        }
        format!("{indent}/**\n{}\n{indent} */", wrap(&text, WIDTH, &format!("{indent} * ")))
    });
    environment
}

fn language(state: &State<'_, '_>) -> Language {
    let number = state.lookup("language").and_then(|language| u8::try_from(language).ok());
    let all = [Language::Rust, Language::Node, Language::Python, Language::Swift];
    all.into_iter().find(|language| Some(*language as u8) == number).unwrap_or(Language::Rust)
}

fn rustfmt(text: &str) -> Result<String, Box<dyn Error>> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = rustfmt.stdin.take().ok_or("rustfmt has no input")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    let formatted = rustfmt.wait_with_output()?;
    if !formatted.status.success() {
        return Err("rustfmt does not understand what was generated".into());
    }
    Ok(String::from_utf8(formatted.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_in_is_what_is_generated() {
        for (path, text) in files().unwrap() {
            let found = std::fs::read_to_string(root().join(&path)).unwrap();
            assert!(found == text, "{path} is stale: run `cargo xtask generate`");
        }
    }
}
