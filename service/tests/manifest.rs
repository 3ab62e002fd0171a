//! Files of the catalogue that are made of connectors' manifests, and the pages that come out of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::catalogue::Catalogue;
use connect_service::config::Config;
use serde_json::{Value, json};
use support::{Home, Platform, text};

fn insightly() -> Value {
    let button = json!({"ui:field": "button", "ui:variant": "contained", "ui:fullWidth": true});
    json!({"platforms": {"insightlyTest": {"auth": {"type": "apiKey", "apiKey": {"page": {
        "title": "Insightly",
        "warning": "To manually connect, please go to <b>User Settings</b> and then copy info in API section over.",
        "content": [
            {"const": "insightlyGetApiKey", "title": "Get API Key", "type": "string", "uiSchema": button},
            {"const": "apiKey", "title": "apiKey", "type": "string", "required": true},
            {"const": "apiUrl", "title": "apiUrl", "type": "string", "required": true},
            {"const": "note", "title": "Note", "type": "string"},
            {"const": "isSandbox", "title": "Sandbox", "type": "boolean"},
        ],
    }}}}}})
}

fn clio() -> Value {
    json!({"platforms": {"clio": {"name": "Clio", "auth": {"type": "oauth", "oauth": {
        "authUrl": "https://app.clio.com/oauth/authorize",
        "clientId": "the-client",
        "redirectUri": "https://apps.example.com/redirect.html",
        "scope": "scopes=write,read&prompt=consent",
        "customState": "platform=clio",
        "other": 1,
    }}}}})
}

/// What is printed, and what is told beside it.
fn import(home: &Home, manifest: &Value, arguments: &[&str]) -> (String, String) {
    std::fs::write(home.path("manifest.json"), manifest.to_string()).unwrap();
    let output = home.run(&[&["apps", "import", "manifest.json"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn fails(home: &Home, manifest: &str, arguments: &[&str], said: &str) {
    std::fs::write(home.path("manifest.json"), manifest).unwrap();
    let error = home.fail(&mut home.command(&[&["apps", "import", "manifest.json"], arguments].concat()));
    assert!(error.contains(said), "{said}: {error}");
}

#[test]
fn an_oauth_manifest_becomes_a_file_and_tells_the_rest() {
    let home = Home::new();
    let (file, notes) = import(&home, &clio(), &["--token-url", "https://app.clio.com/oauth/token"]);
    let mut catalogue = Catalogue::default();
    catalogue.add("clio.toml", &file).unwrap();
    let app = catalogue.get("clio").unwrap();
    assert_eq!(app.name, "Clio");
    let oauth = app.auth_options[0].oauth.as_ref().unwrap();
    assert_eq!(oauth.authorization_url.to_string(), "https://app.clio.com/oauth/authorize");
    assert_eq!(oauth.token_url.to_string(), "https://app.clio.com/oauth/token");
    assert_eq!((oauth.scope_param.as_str(), oauth.scope_separator.as_str()), ("scopes", ","));
    assert_eq!(oauth.scopes, ["write", "read"]);
    assert_eq!(oauth.authorize_params["prompt"].to_string(), "consent");
    assert!(!file.contains("the-client") && !file.contains("platform=clio"), "{file}");
    for said in [
        "clientId \"the-client\" is no part of a catalogue file: it is client_id of [apps.clio]",
        "register the service's own, which ends in /platform/v1/oauth/callback/clio",
        "customState is not carried over",
        "auth.oauth.other has nothing that it could be here",
        "How the API is called is no part of a manifest",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    assert!(notes.lines().all(|line| line.starts_with("note: ")), "{notes}");

    let printed = home.json(&["apps", "import", "manifest.json", "--token-url", "https://a.example/token"]);
    assert_eq!(printed[0]["id"], "clio");
    assert!(text(&printed[0]["file"]).contains("https://a.example/token"), "{printed:?}");
    assert_eq!(printed[0]["notes"].as_array().unwrap().len(), 5);
}

#[test]
fn scopes_are_read_as_they_are_written() {
    let home = Home::new();
    for (scope, param, separator, scopes) in [
        ("scope=a%20b", "scope", " ", &["a", "b"][..]),
        ("&scope=a+b", "scope", " ", &["a", "b"]),
        ("scope=https%3A%2F%2Fa.example%2Fread", "scope", " ", &["https://a.example/read"]),
        ("a b", "scope", " ", &["a", "b"]),
        ("user_scope=a,b", "user_scope", ",", &["a", "b"]),
    ] {
        let mut manifest = clio();
        manifest["platforms"]["clio"]["auth"]["oauth"]["scope"] = json!(scope);
        let (file, _) = import(&home, &manifest, &["--token-url", "https://app.clio.com/oauth/token"]);
        let mut catalogue = Catalogue::default();
        catalogue.add("clio.toml", &file).unwrap();
        let oauth = catalogue.get("clio").unwrap().auth_options[0].oauth.clone().unwrap();
        assert_eq!(
            (oauth.scope_param.as_str(), oauth.scope_separator.as_str()),
            (param, separator),
            "{scope}"
        );
        assert_eq!(oauth.scopes, scopes, "{scope}");
    }
}

#[test]
fn what_makes_no_file_is_refused_with_a_reason() {
    let home = Home::new();
    fails(&home, &clio().to_string(), &[], "give it by --token-url");
    fails(&home, &clio().to_string(), &["--token-url", "http://app.clio.com/token"], "https");
    fails(&home, "{", &[], "manifest.json");
    fails(&home, "{}", &[], "no platforms");
    fails(&home, "[1]", &[], "no platforms");
    fails(&home, r#"{"platforms": {"a": 1, "b": {}}}"#, &[], "--platform: a, b");
    fails(&home, r#"{"platforms": {"a": 1, "b": {}}}"#, &["--platform", "a"], "platforms.a is no object");
    fails(
        &home,
        r#"{"platforms": {"a": 1, "b": {}}}"#,
        &["--platform", "b"],
        "platforms.b.auth is no object",
    );
    fails(&home, r#"{"platforms": {"a": {"auth": {"type": "magic"}}}}"#, &[], "neither oauth nor apiKey");
    fails(&home, r#"{"platforms": {"a": {"auth": {"type": "apiKey"}}}}"#, &[], "auth.apiKey is no object");
    let mut bad = clio();
    bad["platforms"]["clio"]["auth"]["oauth"]["authUrl"] = json!("javascript:alert(1)");
    fails(&home, &bad.to_string(), &["--token-url", "https://app.clio.com/token"], "is no address");
    fails(&home, &insightly().to_string(), &["--help-url", "http://x.example"], "help_url is not https");
    fails(&home, &"[".repeat(100_000), &[], "recursion limit");
}

/// The seed of it is an API-key page: title, warning, fields, and a button that opens the provider's page.
#[tokio::test]
async fn an_api_key_page_becomes_a_hosted_page() {
    let home = Home::new();
    let help = "https://crm.na1.insightly.com/users/usersettings";
    let (file, notes) = import(&home, &insightly(), &["--help-url", help]);
    for said in [
        "apiKey is called api_key here",
        "api_key has the format \"password\" because of its name",
        "isSandbox is of type \"boolean\"",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    std::fs::create_dir(home.path("catalogue")).unwrap();
    std::fs::write(home.path("catalogue/insightlytest.toml"), &file).unwrap();
    let config = Config { catalogue_dir: Some(home.path("catalogue")), ..Config::default() };
    let platform = Platform::with(config).await;
    let link = platform.link(json!({"app_id": "insightlytest", "name": "CRM"})).await;
    let url = text(&link["request_link"]);
    let (_, path) = url.split_once("/platform/v1").unwrap();
    let page = platform.bare("GET", path).send().await;
    let html = &page.text;
    let order = [
        "please go to &#60;b&#62;User Settings&#60;/b&#62; and then copy",
        &format!(
            "<a class=\"button plain\" href=\"{help}\" target=\"_blank\" rel=\"noopener noreferrer\">Get API Key"
        ),
        "name=\"api_key\" type=\"password\"",
        "name=\"api_url\" type=\"url\"",
        "Note <span>(optional)</span>",
    ];
    let mut rest = html.as_str();
    for part in order {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part}: {html}"));
        rest = after;
    }
    assert!(!html.contains("Where to find it in"), "the button stands for the link");

    // Without the address there is no button, which is told.
    let (file, notes) = import(&home, &insightly(), &[]);
    assert!(
        notes.contains("The button \"Get API Key\" is left out") && !file.contains("help_title"),
        "{notes}"
    );
}
