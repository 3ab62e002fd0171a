use super::*;

fn parse(text: &str) -> Result<App, String> {
    App::parse("test.toml", text).map_err(|error| error.to_string())
}

fn with_auth(auth: &str) -> String {
    format!(
        "id = \"x\"\nname = \"X\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"k\"\ntitle = \"T\"\n{auth}"
    )
}

#[test]
fn every_file_is_built_in_and_usable() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    let catalogue = Catalogue::load(None).unwrap();
    for path in toml_files(&dir).unwrap() {
        let id = path.file_stem().unwrap().to_str().unwrap();
        assert!(catalogue.get(id).is_some(), "{id} is not in builtin.rs, or its id is not its file's name");
    }
    assert_eq!(catalogue.len(), toml_files(&dir).unwrap().len());
}

#[test]
fn the_guides_four_auth_types_are_there() {
    let catalogue = Catalogue::load(None).unwrap();
    for wanted in [AuthType::OAuth, AuthType::ApiKey, AuthType::Basic, AuthType::Header] {
        assert!(catalogue.apps.iter().any(|app| app.auth_type() == wanted), "{wanted:?}");
    }
}

#[test]
fn search_looks_at_names_ids_and_categories() {
    let catalogue = Catalogue::load(None).unwrap();
    let ids = |search| catalogue.search(search).iter().map(|app| app.id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids("  GMAIL "), ["gmail"]);
    assert_eq!(ids("google")[..3], ["google-calendar", "google-drive", "google-sheets"]);
    assert!(ids("crm").contains(&"pipedrive"));
    assert_eq!(ids("no such app"), [""; 0]);
    assert_eq!(ids("").len(), catalogue.len());
}

#[test]
fn an_operators_file_adds_and_replaces() {
    let dir = std::env::temp_dir().join(format!("catalogue-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let auth = "type = \"api_key\"\n[[auth.fields]]\nname = \"key\"\ntitle = \"Key\"";
    std::fs::write(dir.join("mine.toml"), with_auth(auth).replace("\"x\"", "\"mine\"")).unwrap();
    std::fs::write(dir.join("gmail.toml"), with_auth(auth).replace("\"x\"", "\"gmail\"")).unwrap();
    std::fs::write(dir.join("notes.txt"), "no app").unwrap();
    let loaded = Catalogue::load(Some(&dir));
    std::fs::remove_dir_all(&dir).unwrap();

    let catalogue = loaded.unwrap();
    assert_eq!(catalogue.len(), builtin::FILES.len() + 1);
    assert_eq!(catalogue.get("gmail").unwrap().auth_type(), AuthType::ApiKey);
    assert!(matches!(Catalogue::load(Some(&dir)), Err(CatalogueError::Read { .. })));
}

#[test]
fn bad_files_are_refused_with_the_reason() {
    let oauth = |url: &str| {
        with_auth(&format!(
            "type = \"o_auth\"\n[[auth.fields]]\nname = \"free\"\ntitle = \"Free\"\n\
             [auth.oauth]\nauthorization_url = \"{url}\"\ntoken_url = \"https://example.com/\""
        ))
    };
    for (text, reason) in [
        (with_auth("type = \"o_auth\""), "needs [auth.oauth]"),
        (with_auth("type = \"api_key\""), "asks for nothing"),
        (with_auth("type = \"magic\""), "unknown variant"),
        (with_auth("type = \"api_key\"\nsecret = 1"), "unknown field"),
        (with_auth("type = \"api_key\"\nhelp_url = \"javascript:alert(1)\""), "not https"),
        (with_auth("type = \"api_key\"\n[[auth.fields]]\nname = \"A b\"\ntitle = \"A\""), "snake_case"),
        (oauth("http://example.com/"), "not https"),
        (oauth("nonsense"), "no address"),
        (oauth("https://example.com/{other}"), "placeholder"),
        // Free text must not choose a host.
        (oauth("https://{free}.example.com/"), "placeholder"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(reason), "{error} does not tell {reason}");
    }
}

#[test]
fn bad_oauth_keys_are_refused_with_the_reason() {
    let oauth = |keys: &str| {
        with_auth(&format!(
            "type = \"o_auth\"\n[[auth.fields]]\nname = \"secret\"\ntitle = \"Secret\"\nformat = \"password\"\n\
             [[auth.fields]]\nname = \"free\"\ntitle = \"Free\"\n[auth.oauth]\n\
             authorization_url = \"https://a.example/\"\ntoken_url = \"https://a.example/\"\n{keys}"
        ))
    };
    let fine = "token_params = { a = \"{secret}{app.x}{client_id}\" }\nauthorize_params = { a = \"{free}{nonce}\" }\n\
        exchange = { url = \"http://127.0.0.1:1/\", params = { a = \"{access_token}{client_secret}\" } }";
    let app = parse(&oauth(fine)).unwrap();
    assert_eq!(app.app_params().into_iter().collect::<Vec<_>>(), ["x"]);
    for (keys, reason) in [
        ("token_params = { a = \"{other}\" }", "token_params has the placeholder `other`"),
        ("refresh_params = { a = \"{access_token}\" }", "refresh_params has the placeholder `access_token`"),
        ("token_headers = { a = \"{nonce}\" }", "token_headers has the placeholder `nonce`"),
        ("authorize_params = { a = \"{client_secret}\" }", "authorize_params has the placeholder"),
        ("authorize_params = { a = \"x{secret}\" }", "would show the secret `secret`"),
        ("token_params = { a = \"{\" }", "brace"),
        ("token_params = { a = \"{a b}\" }", "the placeholder `a b`"),
        ("token_headers = { \"a b\" = \"1\" }", "no header"),
        ("token_headers = { Authorization = \"1\" }", "no header"),
        ("token_headers = { Content-Length = \"1\" }", "no header"),
        ("refresh_url = \"http://a.example/\"", "not https"),
        ("refresh_url = \"https://{free}/\"", "placeholder"),
        ("refresh_url = \"https:/a.example/\"", "no address"),
        ("exchange = { url = \"https://a.example/{secret}\" }", "placeholder"),
        ("exchange = { url = \"https://a.example/\", params = { a = \"{nonce}\" } }", "exchange.params"),
        ("token_pointer = \"data\"", "JSON pointer"),
        ("expires_at = \"a/b\"", "JSON pointer"),
        ("lifetime = 0", "lifetime"),
        ("lifetime = 315360001", "lifetime"),
        ("lifetime = -1", "invalid value"),
        ("lifetime = 99999999999999999999", "expected u64"),
        ("refresh_margin = 86401", "refresh_margin"),
        ("refresh_idle_days = 0", "refresh_idle_days"),
        ("refresh_idle_days = 3651", "refresh_idle_days"),
        ("invalid_grant_text = \"(\"", "pattern"),
        ("client_auth = \"private_key_jwt\"", "unknown variant"),
        ("names = { state = \"s\" }", "unknown field"),
        ("names = { callback_code = \"state\" }", "callback_code"),
        ("names = { code = \"client_id\" }", "twice"),
        ("names = { code = \"\" }", "empty"),
        ("names = { client_id = \"state\" }", "`state` twice"),
        ("names = { client_id = \"scope\" }", "`scope` twice"),
        ("scope_params = { state = [\"a\"] }", "`state` twice"),
        ("authorize_params = { client_id = \"x\" }", "`client_id` twice"),
        ("authorize_params = { redirect_uri = \"x\" }", "`redirect_uri` twice"),
    ] {
        let error = parse(&oauth(keys)).unwrap_err();
        assert!(error.contains(reason), "{keys}: {error} does not tell {reason}");
    }
}

#[test]
fn bad_tables_of_fetched_types_are_refused_with_the_reason() {
    let fields = "[[auth.fields]]\nname = \"id\"\ntitle = \"Id\"\n\
        [[auth.fields]]\nname = \"host\"\ntitle = \"Host\"\nformat = \"host\"\n\
        [[auth.fields]]\nname = \"secret\"\ntitle = \"Secret\"\nformat = \"password\"\n\
        [[auth.fields]]\nname = \"key\"\ntitle = \"Key\"\nformat = \"private_key\"\n";
    let table = |name: &str, keys: &str| {
        with_auth(&format!(
            "type = \"{name}\"\nconstants = {{ area = \"eu\" }}\n{fields}[auth.{name}]\n{keys}"
        ))
    };
    let client = "token_url = \"https://{host}/\"\nclient_id = \"id\"\nclient_secret = \"secret\"\n";
    let exchange = "url = \"https://{host}/\"\n";
    let jwt = "algorithm = \"RS256\"\nkey = \"key\"\n";
    for (name, keys) in [
        ("client_credentials", format!("{client}token_params = {{ a = \"{{area}}{{id}}\" }}")),
        ("token_exchange", format!("{exchange}headers = {{ Authorization = \"Token {{secret}}\" }}")),
        ("jwt_bearer", format!("{jwt}claims = {{ jti = \"{{nonce}}\" }}")),
    ] {
        parse(&table(name, &keys)).unwrap();
    }
    let no_table = |auth_type: &str| with_auth(&format!("type = \"{auth_type}\"\n{fields}"));
    for (text, reason) in [
        (no_table("client_credentials"), "needs [auth.client_credentials]"),
        (no_table("token_exchange"), "needs [auth.token_exchange]"),
        (no_table("jwt_bearer"), "needs [auth.jwt_bearer]"),
        (
            table("client_credentials", client).replace("\"client_credentials\"", "\"api_key\""),
            "belongs to type",
        ),
        (table("client_credentials", "token_url = \"https://a.example/\""), "no field `client_id`"),
        (table("client_credentials", &client.replace("\"secret\"", "\"id\"")), "no secret field `id`"),
        (table("client_credentials", &client.replace("{host}", "{id}")), "placeholder"),
        (table("client_credentials", &client.replace("{host}", "{secret}")), "placeholder"),
        (table("client_credentials", &client.replace("https://{host}", "http://a.example")), "not https"),
        (table("client_credentials", &format!("{client}lifetime = 0")), "lifetime"),
        (
            table("client_credentials", &format!("{client}token_params = {{ a = \"{{app.x}}\" }}")),
            "nothing fills",
        ),
        (table("client_credentials", &format!("{client}token_headers = {{ Host = \"a\" }}")), "no header"),
        (table("token_exchange", &format!("{exchange}params = {{ a = \"{{b}}\" }}")), "nothing fills"),
        (
            table(
                "token_exchange",
                &format!("{exchange}basic = {{ username = \"{{b}}\", password = \"\" }}"),
            ),
            "nothing fills",
        ),
        (table("token_exchange", &format!("{exchange}headers = {{ Content-Length = \"1\" }}")), "no header"),
        (table("token_exchange", &format!("{exchange}token_pointer = \"a\"")), "pointer"),
        (table("token_exchange", &format!("{exchange}invalid_statuses = [99999]")), "expected u16"),
        (table("token_exchange", &format!("{exchange}method = \"DELETE\"")), "unknown variant"),
        (table("jwt_bearer", "algorithm = \"none\""), "unknown variant"),
        (table("jwt_bearer", "algorithm = \"ES256\"\nkey = \"secret\""), "no private_key field `secret`"),
        (table("jwt_bearer", "algorithm = \"HS256\"\nkey = \"id\""), "no secret field `id`"),
        (table("jwt_bearer", &format!("{jwt}header = {{ alg = \"none\" }}")), "`alg` is set"),
        (table("jwt_bearer", &format!("{jwt}claims = {{ exp = \"9\" }}")), "`exp` is set"),
        (table("jwt_bearer", &format!("{jwt}claims = {{ a = \"{{key}}\" }}")), "would show the key"),
        (table("jwt_bearer", &format!("{jwt}jwt_lifetime = 86401")), "jwt_lifetime"),
        (table("jwt_bearer", &format!("{jwt}token_url = \"http://a.example/\"")), "not https"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(reason), "{error} does not tell {reason}");
    }
}

/// Which of two a provider takes is anybody's guess.
#[test]
fn no_parameter_is_sent_twice_to_the_provider() {
    let oauth = |url: &str, more: &str| {
        with_auth(&format!(
            "type = \"o_auth\"\n[auth.oauth]\nauthorization_url = \"{url}\"\ntoken_url = \"https://example.com/\"\n{more}"
        ))
    };
    let plain = "https://example.com/auth";
    for (url, more, name) in [
        (plain, "authorize_params = { state = \"x\" }", "state"),
        (plain, "authorize_params = { response_type = \"token\" }", "response_type"),
        (plain, "authorize_params = { scope = \"a\" }", "scope"),
        (plain, "authorize_params = { code_challenge = \"a\" }", "code_challenge"),
        (plain, "authorize_params = { user_scope = \"a\" }\nscope_param = \"user_scope\"", "user_scope"),
        (plain, "scope_param = \"state\"", "state"),
        ("https://example.com/auth?client_id=x", "", "client_id"),
        ("https://example.com/auth?prompt=a", "authorize_params = { prompt = \"b\" }", "prompt"),
        ("https://example.com/auth?a=1&a=2", "", "a"),
    ] {
        let error = parse(&oauth(url, more)).unwrap_err();
        assert!(error.contains(&format!("`{name}` twice")), "{error}");
    }
    let fine = "authorize_params = { scope = \"a\", prompt = \"b\" }\nscope_param = \"user_scope\"";
    assert!(parse(&oauth("https://example.com/auth?tenant=t", fine)).is_ok());
}

#[test]
fn the_operators_addresses_are_held_to_the_same() {
    let catalogue = Catalogue::load(None).unwrap();
    let problem = |authorization_url, token_url| {
        let app = catalogue.get("zendesk").unwrap();
        app.problem_of_addresses(authorization_url, token_url, None)
    };
    assert_eq!(problem(None, None), None);
    assert_eq!(
        problem(Some("http://127.0.0.1/{subdomain}?a=b"), Some("https://{subdomain}.x.example/")),
        None
    );
    for (authorization_url, token_url, reason) in [
        (None, Some("https://{password}.x.example/"), "placeholder"),
        (Some("https://{username}.x.example/"), None, "placeholder"),
        (Some("nonsense"), None, "no address"),
        (Some("https://x.example/?state=1"), None, "`state` twice"),
    ] {
        let found = problem(authorization_url, token_url).unwrap();
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn an_option_on_the_wire_has_five_members_and_its_fields_in_order() {
    let catalogue = Catalogue::load(None).unwrap();
    let option = serde_json::to_string(&catalogue.get("insightly").unwrap().auth_options[0]).unwrap();
    let value: serde_json::Value = serde_json::from_str(&option).unwrap();
    let members: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["description", "input_schema", "key", "title", "type"]);
    assert_eq!(value["input_schema"]["required"], serde_json::json!(["api_key", "api_url"]));
    assert_eq!(value["input_schema"]["properties"]["api_key"]["writeOnly"], true);
    assert_eq!(value["input_schema"]["properties"]["api_url"]["format"], "uri");
    assert!(option.find("\"api_key\":{") < option.find("\"api_url\":{"));
}
