//! How calls are put together, and what is kept for them.

use serde_json::{Value, json};

use super::*;

/// An option of `type o_auth` with the field `shop`, and these tables.
fn oauth(tables: &str) -> Result<AuthOption, String> {
    option(&format!(
        "type = \"o_auth\"\n\
         fields = [{{ name = \"shop\", title = \"Shop\", format = \"subdomain\" }},\n\
                   {{ name = \"pin\", title = \"Pin\", format = \"password\" }},\n\
                   {{ name = \"free\", title = \"Free\" }}]\n\
         [auth.oauth]\nauthorization_url = \"https://id.example/a\"\ntoken_url = \"https://id.example/t\"\n{tables}"
    ))
}

/// An option of this type with the fields `username`, `password` and `api_url`, and these tables.
fn keyed(auth_type: &str, tables: &str) -> Result<AuthOption, String> {
    option(&format!(
        "type = \"{auth_type}\"\n\
         fields = [{{ name = \"username\", title = \"User\" }},\n\
                   {{ name = \"password\", title = \"Password\", format = \"password\" }},\n\
                   {{ name = \"api_url\", title = \"API\", format = \"uri\", required = false }}]\n{tables}"
    ))
}

fn option(text: &str) -> Result<AuthOption, String> {
    let app = format!(
        "id = \"x\"\nname = \"X\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"k\"\ntitle = \"T\"\n{text}"
    );
    let app = App::parse("test.toml", &app).map_err(|error| error.to_string())?;
    Ok(app.auth_options[0].clone())
}

/// What the reference finds in a token response.
fn found(reference: &str, response: Value) -> Option<String> {
    let option = oauth(&format!("[auth.provider_data]\nx = {reference}")).unwrap();
    let mut documents = Documents::default();
    documents.add_token_response("at", response);
    option.read_provider_data(&documents).0.remove("x")
}

#[test]
fn a_pointer_finds_text_whole_numbers_and_truth() {
    let response = json!({
        "text": "a", "number": 7, "long": 18_446_744_073_709_551_615_u64, "truth": false, "null": null,
        "fraction": 1.5, "empty": "", "object": {"a/b": {"c~d": "e"}}, "list": [["x"], "y"],
        "huge": "h".repeat(2049), "bidi": "a\u{202e}b", "break": "a\nb",
    });
    for (pointer, expected) in [
        ("/text", Some("a")),
        ("/number", Some("7")),
        ("/long", Some("18446744073709551615")),
        ("/truth", Some("false")),
        ("/object/a~1b/c~0d", Some("e")),
        ("/list/0/0", Some("x")),
        ("/list/1", Some("y")),
        // Nothing of this is a value that can be kept.
        ("", None),
        ("/null", None),
        ("/fraction", None),
        ("/empty", None),
        ("/object", None),
        ("/list", None),
        ("/huge", None),
        ("/bidi", None),
        ("/break", None),
        // Out of range.
        ("/absent", None),
        ("/text/0", None),
        ("/list/2", None),
        ("/list/-", None),
        ("/list/-1", None),
        ("/list/01", None),
        ("/list/+1", None),
        ("/list/99999999999999999999999", None),
        ("/object/a/b", None),
    ] {
        let value = found(&format!("\"token:{pointer}\""), response.clone());
        assert_eq!(value.as_deref(), expected, "{pointer}");
    }
    // JSON has numbers that no type of ours holds; another number is worse than none.
    let number: Value = serde_json::from_str(r#"{"n": 123456789012345678901234567890}"#).unwrap();
    assert_eq!(found("\"token:/n\"", number), None);
}

#[test]
fn of_a_list_the_element_is_picked_that_is_meant() {
    let two = json!({"sites": [{"id": "1", "event": "a"}, {"id": "2", "event": "b"}], "event": "b"});
    let one = json!({"sites": [{"id": "1"}]});
    let none = json!({"sites": []});
    let pick = |pick: &str| format!("{{ from = \"token\", pointer = \"/sites/id\", pick = {pick} }}");
    for (how, response, expected) in [
        ("\"first\"", &two, Some("1")),
        ("\"only\"", &two, None),
        ("\"only\"", &one, Some("1")),
        ("\"first\"", &none, None),
        ("\"only\"", &none, None),
        ("{ where = \"/event\", equals = \"token:/event\" }", &two, Some("2")),
        ("{ where = \"/event\", equals = \"token:/event\" }", &one, None),
        ("{ where = \"/absent\", equals = \"token:/absent\" }", &two, None),
    ] {
        assert_eq!(found(&pick(how), response.clone()).as_deref(), expected, "{how} {response}");
    }
}

#[test]
fn an_address_is_kept_only_if_its_host_is_on_the_list() {
    let hosts = "{ from = \"token\", pointer = \"/u\", hosts = [\".force.example\", \"api.other.example\"] }";
    for (url, expected) in [
        ("https://acme.my.force.example", Some("https://acme.my.force.example")),
        ("https://ACME.force.example/", Some("https://acme.force.example")),
        ("https://acme.force.example/base/", Some("https://acme.force.example/base")),
        ("https://acme.force.example:443", Some("https://acme.force.example")),
        ("https://api.other.example", Some("https://api.other.example")),
        ("https://evil.example", None),
        ("https://evilforce.example", None),
        ("https://force.example", None),
        ("https://.force.example", None),
        ("https://acme.force.example.evil.example", None),
        ("https://x.api.other.example", None),
        ("https://acme.force.example.", None),
        ("http://acme.force.example", None),
        ("https://me@acme.force.example", None),
        ("https://me:pw@acme.force.example", None),
        ("https://acme.force.example@evil.example", None),
        ("https://evil.example\\@acme.force.example", None),
        ("https://acme.force.example:8443", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
        ("https://acme.force.example/?a=b", None),
        ("https://acme.force.example/#a", None),
        ("acme.force.example", None),
        ("javascript:alert(1)", None),
        ("", None),
    ] {
        assert_eq!(found(hosts, json!({ "u": url })).as_deref(), expected, "{url}");
    }
}

#[test]
fn claims_of_both_tokens_can_be_named() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let jwt = |claims: Value| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let option = oauth("[auth.provider_data]\ntid = \"id_token:/tid\"\norg = \"claims:/org\"").unwrap();
    let read = |access_token: &str, response: Value| {
        let mut documents = Documents::default();
        documents.add_token_response(access_token, response);
        option.read_provider_data(&documents).0
    };
    let both = read(&jwt(json!({"org": 7})), json!({"id_token": jwt(json!({"tid": "t-1"}))}));
    assert_eq!((both["tid"].as_str(), both["org"].as_str()), ("t-1", "7"));
    for odd in ["", "opaque", "a.b", "a.!.c", "e30.bnVsbA.x", "..", "a.AAAA.c"] {
        assert!(read(odd, json!({"id_token": odd})).is_empty(), "{odd}");
    }
}

#[test]
fn an_accounts_address_is_one_that_people_can_click_on() {
    let option = oauth("[auth.account]\nid = \"token:/id\"\nurl = \"token:/url\"").unwrap();
    let read = |response: Value| {
        let mut documents = Documents::default();
        documents.add_token_response("at", response);
        option.read_account(&documents)
    };
    let url = |url: &str| read(json!({"id": 1, "url": url})).unwrap().url;
    assert_eq!(url("https://acme.example/x").as_deref(), Some("https://acme.example/x"));
    for odd in ["javascript:alert(1)", "http://acme.example", "//acme.example", "https://me@acme.example"] {
        assert_eq!(url(odd), None, "{odd}");
    }
    assert_eq!(read(json!({})), None);
}

#[test]
fn a_credential_goes_where_the_option_says() {
    let inputs = |values: &[(&str, &str)]| -> Inputs {
        values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let none = ProviderData::new();
    let entered = inputs(&[("username", "me"), ("password", "{username}")]);
    let fields = CallValues {
        inputs: Some(&entered),
        access_token: None,
        client_id: None,
        app_params: None,
        provider_data: &none,
        sandbox: false,
    };
    let basic = "Basic bWU6e3VzZXJuYW1lfQ==";
    for (auth_type, tables, name, value) in [
        ("basic", "", "Authorization", basic),
        ("header", "constants = { header_name = \"X-Key\" }", "X-Key", "{username}"),
        (
            "header",
            "constants = { header_name = \"X-Key\", header_prefix = \"Key \" }",
            "X-Key",
            "Key {username}",
        ),
        ("api_key", "[auth.api]\nheaders = { X-Key = \"{password}\" }", "X-Key", "{username}"),
        (
            "api_key",
            "[auth.api.basic]\nusername = \"{username}\"\npassword = \"{password}\"",
            "Authorization",
            basic,
        ),
    ] {
        let call = keyed(auth_type, tables).unwrap().api_call(&fields);
        assert_eq!(call.headers, BTreeMap::from([(name.to_owned(), value.to_owned())]), "{tables}");
        assert!(call.query.is_empty());
    }
    assert!(keyed("api_key", "").unwrap().api_call(&fields).headers.is_empty());
    let query =
        keyed("api_key", "[auth.api]\nquery = { key = \"{password}\", org = \"{api_url}\" }").unwrap();
    let call = query.api_call(&fields);
    assert_eq!(
        call.query,
        BTreeMap::from([("key".to_owned(), "{username}".to_owned())]),
        "an empty field is left out"
    );
    assert!(call.headers.is_empty());

    let data = ProviderData::from([("shop".to_owned(), "acme".to_owned())]);
    let token = CallValues {
        inputs: None,
        access_token: Some("{client_id}"),
        client_id: Some("id"),
        app_params: None,
        provider_data: &data,
        sandbox: false,
    };
    let call = oauth("").unwrap().api_call(&token);
    assert_eq!((call.base_url, call.headers["Authorization"].as_str()), (None, "Bearer {client_id}"));
    let tables = "[auth.provider_data]\nshop = \"input:shop\"\n[auth.api]\n\
                  base_url = \"https://{provider_data.shop}.api.example/\"\n\
                  sandbox_base_url = \"https://sandbox.example\"\n\
                  headers = { X-Token = \"{access_token}\", Client-Id = \"{client_id}\" }";
    let option = oauth(tables).unwrap();
    let call = option.api_call(&token);
    assert_eq!(call.base_url.as_deref(), Some("https://acme.api.example"));
    assert_eq!(
        (call.headers.len(), call.headers["X-Token"].as_str(), call.headers["Client-Id"].as_str()),
        (2, "{client_id}", "id")
    );
    let option =
        oauth("[auth.api]\nheaders = { Developer-Token = \"{app.developer_token}\", B = \"{app.absent}\" }")
            .unwrap();
    let params = BTreeMap::from([("developer_token".to_owned(), "s3cret".into())]);
    let call = option.api_call(&CallValues { app_params: Some(&params), ..token });
    assert_eq!(call.headers, BTreeMap::from([("Developer-Token".to_owned(), "s3cret".to_owned())]));
    let option = oauth(tables).unwrap();
    let sandbox = option.base_url(&CallValues { sandbox: true, ..token });
    assert_eq!(sandbox.as_deref(), Some("https://sandbox.example"));
    assert_eq!(option.base_url(&CallValues { provider_data: &none, ..token }), None);
    assert_eq!(format!("{call:?}"), "ApiCall(…)");
}

#[test]
fn files_that_cannot_work_are_refused_with_the_reason() {
    for (tables, reason) in [
        ("[auth.api]\nbase_url = \"http://api.example\"", "not https"),
        ("[auth.api]\nbase_url = \"https://{shop}.example\"", "names no provider_data"),
        ("[auth.api]\nbase_url = \"https://{provider_data.shop}.example\"", "names no provider_data"),
        ("[auth.api]\nbase_url = \"https://{access_token}.example\"", "names no provider_data"),
        ("[auth.api]\nheaders = { A = \"{password}\" }", "nothing fills"),
        ("[auth.api]\nheaders = { A = \"{shop}\" }", "nothing fills"),
        ("[auth.api]\nheaders = { \"A B\" = \"x\" }", "no name of a header"),
        ("[auth.api]\nheaders = { A = \"{\" }", "brace"),
        ("[auth.api]\nquery = { a = \"{provider_data.x}\" }", "nothing fills"),
        ("[auth.api]\nretry = 1", "unknown field"),
        ("[auth.api]\nsandbox_base_url = \"https://a.example\"", "base_url beside it"),
        ("[auth.provider_data]\nx = \"token\"", "no reference"),
        ("[auth.provider_data]\nx = \"cookie:/a\"", "no source"),
        ("[auth.provider_data]\nx = \"token:id\"", "no JSON pointer"),
        ("[auth.provider_data]\nx = { from = \"token\", pointer = \"/a\", host = [] }", "unknown field"),
        (
            "[auth.provider_data]\nx = { from = \"token\", pointer = \"/a\", pick = \"last\" }",
            "neither first nor only",
        ),
        (
            "[auth.provider_data]\nx = { from = \"token\", pointer = \"/a\", hosts = [\".com\"] }",
            "suffix such as",
        ),
        (
            "[auth.provider_data]\nx = { from = \"token\", pointer = \"/a\", hosts = [\"https://a.example\"] }",
            "suffix such as",
        ),
        ("[auth.provider_data]\n\"A b\" = \"token:/a\"", "no slug"),
        ("[auth.provider_data]\nx = \"input:absent\"", "no field"),
        ("[auth.provider_data]\nx = \"input:/shop/a\"", "no field"),
        ("[auth.provider_data]\nx = \"lookup.sites:/a\"", "no lookup"),
        ("[auth.provider_data]\nx = \"verify:/a\"", "no [auth.verify]"),
        ("[auth.provider_data]\nx = \"callback:/a/b\"", "one name"),
        // What is public holds no secret.
        ("[auth.provider_data]\nx = \"input:pin\"", "is a secret"),
        ("[auth.provider_data]\nx = \"token:/access_token\"", "is a secret"),
        ("[auth.provider_data]\nx = \"token:/authed_user/refresh_token\"", "is a secret"),
        (
            "[auth.provider_data]\nx = { from = \"token\", pointer = \"/a\", pick = { where = \"/b\", equals = \"input:pin\" } }",
            "is a secret",
        ),
        (
            "[auth.provider_data]\nx = { from = \"callback\", pointer = \"/code\", secret = true }",
            "service alone",
        ),
        ("[auth.provider_data]\nx = \"callback:/state\"", "service alone"),
        ("[auth.account]\nid = \"input:pin\"", "is a secret"),
        ("[auth.account]\nid = { from = \"input:pin\", secret = true }", "belong to provider_data"),
        ("[auth.account]\nid = { from = \"token:/id\", required = true }", "belong to provider_data"),
        ("[auth.account]\nname = \"token:/id\"", "unknown field"),
        // What the operator's client obtained goes to no host that a response or a customer names.
        (
            "[auth.provider_data]\nx = \"token:/u\"\n[auth.api]\nbase_url = \"{provider_data.x}/v1\"",
            "any host",
        ),
        (
            "[auth.provider_data]\nx = \"token:/u\"\n[auth.api]\nbase_url = \"https://{provider_data.x}.example\"",
            "any host",
        ),
        (
            "[auth.provider_data]\nx = \"input:free\"\n[auth.api]\nbase_url = \"https://{provider_data.x}.example\"",
            "any host",
        ),
        (
            "[auth.provider_data]\nx = \"callback:/u\"\n[auth.verify]\nurl = \"{provider_data.x}/me\"",
            "any host",
        ),
        (
            "[auth.provider_data]\nx = { from = \"token:/u\", hosts = [\".a.example\"] }\n[auth.api]\nbase_url = \"{provider_data.x}evil.example/\"",
            "change the host",
        ),
        ("[auth.verify]\npath = \"/me\"", "api.base_url"),
        ("[auth.verify]\nmethod = \"GET\"", "either a path or a url"),
        ("[auth.verify]\nmethod = \"DELETE\"\nurl = \"https://a.example\"", "unknown variant"),
        ("[auth.verify]\nurl = \"https://a.example\"\npath = \"/me\"", "either a path or a url"),
        ("[auth.api]\nbase_url = \"https://a.example\"\n[auth.verify]\npath = \"me\"", "begins with a slash"),
        ("[auth.verify]\nurl = \"http://a.example\"", "not https"),
        ("[auth.verify]\nurl = \"https://a.example\"\nrefused = [403]", "unknown field"),
        (
            "[auth.verify]\nurl = \"https://a.example\"\nexpect = \"/ok\"\ninvalid_errors = { pointer = \"/e\", words = [] }",
            "needs words",
        ),
        (
            "[auth.verify]\nurl = \"https://a.example\"\ninvalid_errors = { pointer = \"/e\", words = [\"x\"] }",
            "an expect beside it",
        ),
        ("[[auth.lookup]]\nname = \"A\"\nurl = \"https://a.example\"", "unique slug"),
        (
            "[[auth.lookup]]\nname = \"a\"\nurl = \"https://a.example\"\n[[auth.lookup]]\nname = \"a\"\nurl = \"https://a.example\"",
            "unique slug",
        ),
        (
            "[[auth.lookup]]\nname = \"a\"\nurl = \"https://a.example\"\n[[auth.lookup]]\nname = \"b\"\nurl = \"https://a.example\"\n\
          [[auth.lookup]]\nname = \"c\"\nurl = \"https://a.example\"",
            "more than 2",
        ),
        (
            "[auth.provider_data]\nx = \"verify:/x\"\n[auth.api]\nbase_url = \"https://a.example/{provider_data.x}\"\n\
          [auth.verify]\npath = \"/me\"",
            "only after it",
        ),
        (
            "[auth.provider_data]\nx = \"lookup.b:/x\"\n[[auth.lookup]]\nname = \"a\"\nurl = \"https://a.example/{provider_data.x}\"\n\
          [[auth.lookup]]\nname = \"b\"\nurl = \"https://a.example\"",
            "only after it",
        ),
    ] {
        let error = oauth(tables).unwrap_err();
        assert!(error.contains(reason), "{error}\ndoes not tell {reason}");
    }
    for (tables, reason) in [
        ("[auth.provider_data]\nx = \"token:/a\"", "types with tokens"),
        ("[auth.provider_data]\nx = \"callback:/a\"", "only type o_auth"),
        ("[auth.provider_data]\nx = \"input:password\"", "is a secret"),
        ("[auth.api]\nheaders = { A = \"{access_token}\" }", "nothing fills"),
        (
            "[auth.provider_data]\nx = \"input:username\"\n[auth.api]\nbase_url = \"{provider_data.x}\"",
            "any host",
        ),
    ] {
        let error = keyed("api_key", tables).unwrap_err();
        assert!(error.contains(reason), "{error}\ndoes not tell {reason}");
    }
    // A customer's own key goes to the host that the same customer entered.
    let own = "[auth.provider_data]\nx = \"input:api_url\"\n[auth.api]\nbase_url = \"{provider_data.x}/v1\"";
    assert!(keyed("api_key", own).is_ok());
    let secret = "[auth.provider_data]\nx = { from = \"input:pin\", secret = true }\n[auth.api]\n\
                  base_url = \"https://a.example/{provider_data.x}\"";
    assert!(oauth(secret).is_ok());
}

/// It goes with each call, and the tenant is told it.
#[test]
fn a_secret_of_the_operators_goes_to_no_host_that_is_typed() {
    let tables = |host: &str, header: &str| {
        format!(
            "[auth.provider_data]\nurl = \"input:api_url\"\n[auth.api]\nbase_url = \"{host}\"\n\
             headers = {{ X-Key = \"{{password}}\", X-Op = \"{header}\" }}"
        )
    };
    for auth_type in ["api_key", "basic"] {
        let made = keyed(auth_type, &tables("{provider_data.url}", "{app.secret}"));
        assert!(made.unwrap_err().contains("any host"));
        assert!(keyed(auth_type, &tables("{provider_data.url}", "{username}")).is_ok());
        assert!(keyed(auth_type, &tables("https://api.example", "{app.secret}")).is_ok());
    }
}

/// The values of an option without a credential.
fn call_values(data: &ProviderData) -> CallValues<'_> {
    CallValues {
        inputs: None,
        access_token: Some("at"),
        client_id: None,
        app_params: None,
        provider_data: data,
        sandbox: false,
    }
}

/// A value may have been stored when the catalogue allowed more.
#[test]
fn a_stored_value_is_checked_as_a_new_one_is() {
    let hosts = "hosts = [\".a.example\"]";
    let start = format!("[auth.provider_data]\nx = {{ from = \"token:/u\", {hosts} }}\n");
    let shop = "[auth.provider_data]\nx = \"input:shop\"\n";
    let url = "[auth.provider_data]\nx = \"input:api_url\"\n";
    let at = |base: &str| format!("[auth.api]\nbase_url = \"{base}\"\n[auth.verify]\nurl = \"{base}/me\"");
    let at_start = at("{provider_data.x}");
    for (option, value, expected) in [
        (oauth(&format!("{start}{at_start}")), "https://acme.a.example", Some("https://acme.a.example")),
        (oauth(&format!("{start}{at_start}")), "https://evil.example", None),
        (oauth(&format!("{start}{at_start}")), "https://acme.a.example:8443", None),
        (
            oauth(&format!("{shop}{}", at("https://{provider_data.x}.b.example"))),
            "acme",
            Some("https://acme.b.example"),
        ),
        (oauth(&format!("{shop}{}", at("https://{provider_data.x}.b.example"))), "acme.evil", None),
        (oauth(&format!("{shop}{}", at("https://{provider_data.x}"))), "evil.example", None),
        (keyed("api_key", &format!("{url}{at_start}")), "https://acme.example", Some("https://acme.example")),
        (keyed("api_key", &format!("{url}{at_start}")), "https://10.0.0.1", None),
    ] {
        let option = option.unwrap();
        let data = ProviderData::from([("x".to_owned(), value.to_owned())]);
        assert_eq!(option.base_url(&call_values(&data)).as_deref(), expected, "{value}");
        let verify = &option.verify.as_ref().unwrap().request;
        let address = option.request(verify, &call_values(&data)).map(|(address, _)| address);
        assert_eq!(address, expected.map(|base| format!("{base}/me")), "{value}");
    }
}

/// Browsers and HTTP libraries read a host where there seems to be a path.
#[test]
fn a_value_behind_the_host_never_becomes_the_host() {
    let beside =
        "[auth.provider_data]\na = { from = \"token:/a\", hosts = [\".example.com\"] }\nb = \"token:/b\"\n";
    for base in [
        "{provider_data.a}{provider_data.b}",
        "https:{provider_data.b}",
        "https:/{provider_data.b}",
        "https:///{provider_data.b}/x",
        "https://\\t/{provider_data.b}/x",
    ] {
        for tables in [
            format!("{beside}[auth.api]\nbase_url = \"{base}\""),
            format!("{beside}[auth.verify]\nurl = \"{base}\""),
        ] {
            let error = oauth(&tables).expect_err(base);
            assert!(error.contains("change the host"), "{base}: {error}");
        }
    }
    for address in ["https:///{seg}/t"] {
        let own = |key: &str| {
            let [authorization, token] = ["authorization_url", "token_url"].map(|name| match name == key {
                true => format!("{name} = \"{address}\""),
                false => format!("{name} = \"https://id.example/x\""),
            });
            format!(
                "type = \"o_auth\"\nfields = [{{ name = \"seg\", title = \"S\", format = \"segment\" }}]\n\
                 [auth.oauth]\n{authorization}\n{token}"
            )
        };
        for key in ["authorization_url", "token_url"] {
            let error = option(&own(key)).expect_err(address);
            assert!(error.contains("change the host"), "{address}: {error}");
        }
    }
}

/// The customer's browser brings them, with whatever it likes.
#[test]
fn the_callbacks_values_are_verified_or_kept_out_of_calls() {
    let realm = "[auth.provider_data]\nrealm = \"callback:/realm\"\n";
    let base = "[auth.api]\nbase_url = \"https://a.example/{provider_data.realm}\"\n";
    let plain = "[auth.api]\nbase_url = \"https://a.example\"\n";
    let account = "[auth.account]\nid = \"callback:/realm\"\n";
    let verify = |path: &str| format!("[auth.verify]\npath = \"{path}\"\n");
    let header =
        "[auth.api]\nbase_url = \"https://a.example\"\nheaders = { X-Realm = \"{provider_data.realm}\" }\n";
    for (tables, needs) in [
        (format!("{realm}{base}{}", verify("/me")), Ok(true)),
        (format!("{realm}{plain}{}{account}", verify("/{provider_data.realm}")), Ok(true)),
        (format!("{realm}{header}{}", verify("/me")), Ok(true)),
        // Nobody relies on it.
        (format!("{realm}{plain}{}", verify("/me")), Ok(false)),
        (format!("{realm}{plain}"), Ok(false)),
        (format!("{realm}{base}"), Err(())),
        (format!("{realm}{plain}{account}"), Err(())),
        (format!("{realm}{plain}{}{account}", verify("/me")), Err(())),
        (format!("{plain}{}{account}", verify("/me")), Err(())),
    ] {
        match (oauth(&tables), needs) {
            (Ok(option), Ok(needs)) => assert_eq!(option.relies_on_callback(), needs, "{tables}"),
            (Err(error), Err(())) => assert!(error.contains("[auth.verify]"), "{error}"),
            (made, _) => panic!("{tables}: {:?}", made.map(|_| ())),
        }
    }
}

#[test]
fn the_readmes_example_can_be_used() {
    let readme = include_str!("../../catalogue/README.md");
    let tables = readme.split("```toml\n").find(|block| block.starts_with("[auth.provider_data]")).unwrap();
    let (tables, _) = tables.split_once("```").unwrap();
    let option = oauth(tables).unwrap();
    assert_eq!((option.provider_data.len(), option.lookups.len()), (4, 1));
}

#[test]
fn the_catalogues_of_the_tests_can_be_used() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue");
    let mut catalogue = Catalogue::load(Some(&dir)).unwrap();
    catalogue.redirect_calls("http://127.0.0.1:1");
    let jira = &catalogue.get("jira").unwrap().auth_options[0];
    let data = ProviderData::from([("cloud_id".to_owned(), "c/1".to_owned())]);
    let base_url = jira.base_url(&call_values(&data));
    assert_eq!(base_url.as_deref(), Some("http://127.0.0.1:1/jira/ex/jira/c%2F1/rest/api/3"));
}
