//! How each language spells the manifest's names, and how its texts become comments.

use crate::manifest::Manifest;

/// A language that is written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Language {
    Rust,
    Node,
    Python,
    Swift,
}

/// `returnUrl` as `return_url`, and `setOAuthClient` as `set_oauth_client`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.replace("OAuth", "Oauth").chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// `return_url` as `returnUrl`, and `o_auth` as `oAuth`.
pub(crate) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capitalised(part))
}

/// `pending` as `Pending`, and `at_provider` as `AtProvider`.
pub(crate) fn pascal(name: &str) -> String {
    capitalised(&camel(name))
}

pub(crate) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Swift's words that name nothing unless they stand in backticks.
#[rustfmt::skip]
const SWIFT_KEYWORDS: [&str; 49] = [
    "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else",
    "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init",
    "inout", "internal", "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "rethrows", "return",
    "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var",
    "where",
];

/// Swift writes initialisms in capitals: `returnURL`, but `apiKey`.
pub(crate) fn swift(name: &str) -> String {
    let mut swift = camel(name);
    for (initialism, capitals) in [("Id", "ID"), ("Url", "URL"), ("Http", "HTTP"), ("Api", "API")] {
        let mut from = 0;
        while let Some(found) = swift[from..].find(initialism) {
            let (start, end) = (from + found, from + found + initialism.len());
            let follows = swift[end..].chars().next();
            if start > 0 && follows.is_none_or(|letter| letter.is_ascii_uppercase()) {
                swift.replace_range(start..end, capitals);
            }
            from = end;
        }
    }
    swift
}

/// A member of a Swift type that is named by a value on the wire.
pub(crate) fn swift_member(value: &str) -> String {
    let name = camel(value);
    if SWIFT_KEYWORDS.contains(&name.as_str()) { format!("`{name}`") } else { name }
}

/// A text in which the names of the manifest are spelled as in the language.
pub(crate) fn say(text: &str, language: Language, manifest: &Manifest) -> String {
    let spelled = text.split('`').enumerate().map(|(index, part)| {
        // Every second part is between backticks.
        if index % 2 == 1 { name(part, language, manifest) } else { part.to_owned() }
    });
    spelled.collect::<Vec<_>>().join("`")
}

fn name(word: &str, language: Language, manifest: &Manifest) -> String {
    let methods = manifest.methods.iter();
    let options = methods.clone().flat_map(|method| &method.options);
    let options = options.chain(&manifest.client_options).chain(&manifest.call_options);
    let fields = manifest.models.iter().flat_map(|model| &model.fields);
    let known = (methods.map(|method| &method.name))
        .chain(options.map(|option| &option.name))
        .chain(fields.map(|field| &field.name))
        .any(|name| name == word)
        || word == "retryAfter";
    if let Some(class) = manifest.errors.iter().find(|class| class.class == word) {
        return match language {
            Language::Rust => format!("Error::{}", case(&class.class)),
            Language::Swift => format!("`PabblyConnectError/{}(_:)`", camel_case(&class.class)),
            Language::Node | Language::Python => word.to_owned(),
        };
    }
    match language {
        _ if !known => word.to_owned(),
        Language::Rust | Language::Python => snake(word),
        // Members of results are named as on the wire.
        Language::Node => word.to_owned(),
        Language::Swift => swift(word),
    }
}

/// `NeedsReconnectionError` as `NeedsReconnection`.
pub(crate) fn case(class: &str) -> String {
    match class.strip_suffix("Error").unwrap_or(class) {
        "PabblyConnect" => "Other".to_owned(),
        case => case.to_owned(),
    }
}

/// `NeedsReconnectionError` as `needsReconnection`.
pub(crate) fn camel_case(class: &str) -> String {
    let case = case(class);
    case[..1].to_ascii_lowercase() + &case[1..]
}

/// Lines of at most so many characters, each after the prefix. An empty line divides paragraphs.
pub(crate) fn wrap(text: &str, width: usize, prefix: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.split("\n") {
        let mut line = prefix.to_owned();
        let mut empty = true;
        for word in paragraph.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::replace(&mut line, prefix.to_owned()));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_spells_names_its_own_way() {
        assert_eq!(snake("allowInsecureHttp"), "allow_insecure_http");
        assert_eq!(snake("setOAuthClient"), "set_oauth_client");
        assert_eq!(pascal("at_provider"), "AtProvider");
        let names = ["returnUrl", "appId", "apiKey", "setApiKey", "status_url", "idempotencyKey", "identity"];
        let swift = names.map(swift);
        assert_eq!(
            swift,
            ["returnURL", "appID", "apiKey", "setAPIKey", "statusURL", "idempotencyKey", "identity"]
        );
        assert_eq!(
            (case("PabblyConnectError"), camel_case("RateLimitedError")),
            ("Other".into(), "rateLimited".into())
        );
    }

    #[test]
    fn texts_name_what_the_manifest_has_and_nothing_else() {
        let manifest = Manifest::read().unwrap();
        let text =
            "`returnUrl` with `waitForConnection`, else `TimeoutError`; not `workGmail`, not returnUrl";
        let spelled = |language| say(text, language, &manifest);
        assert_eq!(spelled(Language::Node), text);
        assert_eq!(
            spelled(Language::Python),
            "`return_url` with `wait_for_connection`, else `TimeoutError`; not `workGmail`, not returnUrl"
        );
        assert_eq!(
            spelled(Language::Swift),
            "`returnURL` with `waitForConnection`, else ``PabblyConnectError/timeout(_:)``; not `workGmail`, not returnUrl"
        );
    }

    #[test]
    fn lines_are_no_longer_than_allowed() {
        assert_eq!(wrap("one two three\n\nfour", 11, "// "), "// one two\n// three\n//\n// four");
    }
}
