//! The built-in apps.

use super::*;

/// Where each app is called, and for OAuth where it signs in and issues tokens, written down a second time: a file that
/// changes by mistake fails here.
#[rustfmt::skip]
const ADDRESSES: [(&str, &str, &str, &str, &str); 53] = [
    ("activecampaign", "header", "{provider_data.api_url}/api/3", "", ""),
    ("airtable", "oauth", "https://api.airtable.com/v0", "https://airtable.com/oauth2/v1/authorize", "https://airtable.com/oauth2/v1/token"),
    ("asana", "oauth", "https://app.asana.com/api/1.0", "https://app.asana.com/-/oauth_authorize", "https://app.asana.com/-/oauth_token"),
    ("bamboohr", "basic", "https://{provider_data.subdomain}.bamboohr.com/api/v1", "", ""),
    ("brevo", "header", "https://api.brevo.com/v3", "", ""),
    ("calendly", "oauth", "https://api.calendly.com", "https://auth.calendly.com/oauth/authorize", "https://auth.calendly.com/oauth/token"),
    ("clio", "oauth", "https://{provider_data.region}.clio.com/api/v4", "https://{region}.clio.com/oauth/authorize", "https://{region}.clio.com/oauth/token"),
    ("discord", "oauth", "https://discord.com/api/v10", "https://discord.com/oauth2/authorize", "https://discord.com/api/oauth2/token"),
    ("dropbox", "oauth", "https://api.dropboxapi.com/2", "https://www.dropbox.com/oauth2/authorize", "https://api.dropboxapi.com/oauth2/token"),
    ("freshdesk", "basic", "https://{provider_data.subdomain}.freshdesk.com/api/v2", "", ""),
    ("github", "oauth", "https://api.github.com", "https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token"),
    ("github", "token", "https://api.github.com", "", ""),
    ("gitlab", "oauth", "https://gitlab.com/api/v4", "https://gitlab.com/oauth/authorize", "https://gitlab.com/oauth/token"),
    ("gitlab", "token", "{provider_data.url}/api/v4", "", ""),
    ("gmail", "oauth", "https://gmail.googleapis.com", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"),
    ("gohighlevel", "oauth", "https://services.leadconnectorhq.com", "https://marketplace.gohighlevel.com/oauth/chooselocation", "https://services.leadconnectorhq.com/oauth/token"),
    ("google-calendar", "oauth", "https://www.googleapis.com/calendar/v3", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"),
    ("google-drive", "oauth", "https://www.googleapis.com", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"),
    ("google-sheets", "oauth", "https://sheets.googleapis.com/v4", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"),
    ("hubspot", "oauth", "https://api.hubapi.com", "https://app.hubspot.com/oauth/authorize", "https://api.hubapi.com/oauth/2026-03/token"),
    ("hubspot", "private_app", "https://api.hubapi.com", "", ""),
    ("insightly", "api_key", "{provider_data.api_url}", "", ""),
    ("intercom", "oauth", "https://api.intercom.io", "https://{region}.intercom.com/oauth", "https://api.intercom.io/auth/eagle/token"),
    ("jira", "api_token", "https://{provider_data.subdomain}.atlassian.net/rest/api/3", "", ""),
    ("jira", "oauth", "https://api.atlassian.com/ex/jira/{provider_data.cloud_id}/rest/api/3", "https://auth.atlassian.com/authorize", "https://auth.atlassian.com/oauth/token"),
    ("klaviyo", "header", "https://a.klaviyo.com/api", "", ""),
    ("klaviyo", "oauth", "https://a.klaviyo.com/api", "https://www.klaviyo.com/oauth/authorize", "https://a.klaviyo.com/oauth/token"),
    ("linear", "oauth", "https://api.linear.app/graphql", "https://linear.app/oauth/authorize", "https://api.linear.app/oauth/token"),
    ("linkedin", "oauth", "https://api.linkedin.com", "https://www.linkedin.com/oauth/v2/authorization", "https://www.linkedin.com/oauth/v2/accessToken"),
    ("mailchimp", "oauth", "{provider_data.api_endpoint}/3.0", "https://login.mailchimp.com/oauth2/authorize", "https://login.mailchimp.com/oauth2/token"),
    ("mailgun", "basic", "https://{provider_data.region}.mailgun.net", "", ""),
    ("microsoft-outlook", "oauth", "https://graph.microsoft.com/v1.0", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
    ("monday-crm", "api_token", "https://api.monday.com/v2", "", ""),
    ("monday-crm", "oauth", "https://api.monday.com/v2", "https://auth.monday.com/oauth2/authorize", "https://auth.monday.com/oauth_ms/oauth/token"),
    ("notion", "oauth", "https://api.notion.com/v1", "https://api.notion.com/v1/oauth/authorize", "https://api.notion.com/v1/oauth/token"),
    ("openai", "api_key", "https://api.openai.com/v1", "", ""),
    ("pipedrive", "api_token", "https://{provider_data.subdomain}.pipedrive.com/api", "", ""),
    ("pipedrive", "oauth", "{provider_data.api_domain}/api", "https://oauth.pipedrive.com/oauth/authorize", "https://oauth.pipedrive.com/oauth/token"),
    ("quickbooks", "oauth", "https://quickbooks.api.intuit.com/v3/company/{provider_data.realm_id}", "https://appcenter.intuit.com/connect/oauth2", "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"),
    ("salesforce", "my_domain", "{provider_data.instance_url}/services", "https://{host}/services/oauth2/authorize", "https://{host}/services/oauth2/token"),
    ("salesforce", "oauth", "{provider_data.instance_url}/services", "https://{login}.salesforce.com/services/oauth2/authorize", "https://{login}.salesforce.com/services/oauth2/token"),
    ("sendgrid", "api_key", "https://{provider_data.region}.sendgrid.com/v3", "", ""),
    ("shopify", "oauth", "https://{provider_data.shop}.myshopify.com/admin/api/2026-10", "https://{shop}.myshopify.com/admin/oauth/authorize", "https://{shop}.myshopify.com/admin/oauth/access_token"),
    ("slack", "oauth", "https://slack.com/api", "https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access"),
    ("stripe", "api_key", "https://api.stripe.com/v1", "", ""),
    ("trello", "api_key", "https://api.trello.com/1", "", ""),
    ("twilio", "basic", "https://api.twilio.com/2010-04-01", "", ""),
    ("typeform", "oauth", "https://api.typeform.com", "https://api.typeform.com/oauth/authorize", "https://api.typeform.com/oauth/token"),
    ("xero", "oauth", "https://api.xero.com/api.xro/2.0", "https://login.xero.com/identity/connect/authorize", "https://identity.xero.com/connect/token"),
    ("zendesk", "api_token", "https://{provider_data.subdomain}.zendesk.com/api/v2", "", ""),
    ("zendesk", "oauth", "https://{provider_data.subdomain}.zendesk.com/api/v2", "https://{subdomain}.zendesk.com/oauth/authorizations/new", "https://{subdomain}.zendesk.com/oauth/tokens"),
    ("zoho-crm", "oauth", "{provider_data.api_domain}/crm/v8", "https://accounts.{domain}/oauth/v2/auth", "https://accounts.{domain}/oauth/v2/token"),
    ("zoom", "oauth", "https://api.zoom.us/v2", "https://zoom.us/oauth/authorize", "https://zoom.us/oauth/token"),
];

/// Every option of every app, with its app and the file's text.
fn options(catalogue: &Catalogue) -> impl Iterator<Item = (&App, &AuthOption, &'static str)> {
    catalogue.apps.iter().flat_map(|app| {
        let (_, text) = builtin::FILES.iter().find(|(name, _)| *name == app.id).unwrap();
        app.auth_options.iter().map(move |option| (&**app, option, *text))
    })
}

fn text(template: Option<&Template>) -> String {
    template.map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_address_is_the_expected_one() {
    let catalogue = Catalogue::load(None).unwrap();
    let mut found = Vec::new();
    for (app, option, _) in options(&catalogue) {
        let base_url = option.api.as_ref().and_then(|api| api.base_url.as_ref());
        let oauth = option.oauth.as_ref();
        found.push([
            app.id.clone(),
            option.key.clone(),
            base_url.map(ToString::to_string).unwrap_or_default(),
            text(oauth.map(|oauth| &oauth.authorization_url)),
            text(oauth.map(|oauth| &oauth.token_url)),
        ]);
    }
    found.sort();
    let expected: Vec<_> =
        ADDRESSES.iter().map(|(a, b, c, d, e)| [*a, b, c, d, e].map(str::to_owned)).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn every_option_says_how_its_api_is_called() {
    let catalogue = Catalogue::load(None).unwrap();
    for (app, option, _) in options(&catalogue) {
        let name = format!("{}, {}", app.id, option.key);
        let api = option.api.as_ref().unwrap_or_else(|| panic!("{name} has no [auth.api]"));
        assert!(api.base_url.is_some(), "{name} has no base_url");
        let inputs: Inputs =
            option.input.fields.iter().map(|field| (field.name.clone(), "x1".into())).collect();
        let token = option.auth_type.is_token().then_some("x2");
        let values = CallValues {
            inputs: Some(&inputs).filter(|_| token.is_none()),
            access_token: token,
            client_id: token,
            app_params: None,
            provider_data: &ProviderData::new(),
            sandbox: false,
        };
        let call = option.api_call(&values);
        let carries =
            |value: &String| value.contains("x1") || value.contains("x2") || value.starts_with("Basic ");
        let placed = call.headers.values().chain(call.query.values()).any(carries);
        assert!(placed, "{name} does not say where the credential goes");
    }
}

#[test]
fn every_option_is_checked_or_says_why_not() {
    let catalogue = Catalogue::load(None).unwrap();
    for (app, option, text) in options(&catalogue) {
        let explained = text.contains("# No [auth.verify]: ");
        assert!(option.verify.is_some() != explained, "{}, {}", app.id, option.key);
    }
}

/// A token of an app that is deleted goes on opening it where nobody ends it.
#[test]
fn every_oauth_option_is_revoked_or_says_why_not() {
    let catalogue = Catalogue::load(None).unwrap();
    for (app, option, text) in options(&catalogue).filter(|(_, option, _)| option.oauth.is_some()) {
        let explained = text.contains("# No [auth.revoke]: ");
        assert!(option.revoke.is_some() != explained, "{}, {}", app.id, option.key);
    }
    // The four apps of Google are one grant of the person's.
    let google = options(&catalogue).filter(|(app, ..)| app.categories.iter().any(|name| name == "google"));
    let revoke: Vec<_> = google.filter_map(|(_, option, _)| option.revoke.as_ref()).collect();
    assert_eq!(revoke.len(), 4);
    let address = "https://oauth2.googleapis.com/revoke";
    assert!(revoke.iter().all(|revoke| revoke.ends_whole_grant && revoke.url.to_string() == address));
}

#[test]
fn every_file_tells_where_its_facts_come_from() {
    let catalogue = Catalogue::load(None).unwrap();
    for app in &catalogue.apps {
        let date = app.checked.as_ref().unwrap_or_else(|| panic!("{} was never checked", app.id));
        assert!(date.date.is_some() && date.time.is_none(), "{}: checked is a date", app.id);
        assert!(!app.sources.is_empty(), "{} has no sources", app.id);
        assert!(app.sources.iter().all(|page| !page.about.is_empty()), "{}", app.id);
        assert!(app.docs_url.is_some(), "{} has no docs_url", app.id);
        let has_oauth = app.auth_options.iter().any(|option| option.oauth.is_some());
        assert_eq!(app.guide_url.is_some(), has_oauth, "{}: guide_url is for OAuth clients", app.id);
    }
}

#[test]
fn apps_are_found_by_what_else_they_are_called() {
    let catalogue = Catalogue::load(None).unwrap();
    for (search, id) in
        [("Intuit", "quickbooks"), ("sendinblue", "brevo"), ("office 365", "microsoft-outlook")]
    {
        let found: Vec<_> = catalogue.search(search).into_iter().map(|app| app.id.as_str()).collect();
        assert_eq!(found, [id]);
    }
    for app in &catalogue.apps {
        assert!(app.aliases.iter().all(|alias| *alias == alias.to_lowercase()), "{}", app.id);
    }
}

/// A token endpoint below the API's address would answer a proxied call, too.
#[test]
fn no_token_endpoint_is_called_by_the_proxy() {
    let catalogue = Catalogue::load(None).unwrap();
    let mut below = 0;
    for (id, key, base, _, token_url) in ADDRESSES {
        let Some(path) = token_url.strip_prefix(base).filter(|_| !token_url.is_empty()) else { continue };
        let option = catalogue.get(id).unwrap().auth_option(key).unwrap();
        assert!(option.denies(path.split('/')), "{id} {key}: {path}");
        assert!(!option.denies("/contacts".split('/')), "{id} {key}");
        below += 1;
    }
    assert!(below >= 4, "{below}");
}

/// Beside token endpoints, some APIs give out keys, or the credential itself.
#[test]
fn no_path_that_gives_credentials_out_is_called() {
    let catalogue = Catalogue::load(None).unwrap();
    for (id, key, denied, called) in [
        ("twilio", "basic", "/Accounts.json", "/Accounts/AC1/Messages.json"),
        ("twilio", "basic", "/Accounts/AC1.json", "/Accounts/AC1/Calls/CA1.json"),
        ("twilio", "basic", "/Accounts/AC1/Keys.json", "/Accounts/AC1/IncomingPhoneNumbers"),
        ("gitlab", "token", "/personal_access_tokens/self/rotate", "/user"),
        ("gitlab", "token", "/projects/1/access_tokens", "/projects/1/issues"),
        ("gitlab", "oauth", "/groups/1/access_tokens/2/rotate", "/groups/1"),
        ("zoom", "oauth", "/users/me/zak", "/users/me"),
        ("sendgrid", "api_key", "/api_keys", "/mail/send"),
        ("zendesk", "api_token", "/api_tokens.json", "/users/me.json"),
        ("openai", "api_key", "/organization/admin_api_keys", "/models"),
    ] {
        let option = catalogue.get(id).unwrap().auth_option(key).unwrap();
        assert!(option.denies(denied.split('/')), "{id} {key}: {denied}");
        assert!(!option.denies(called.split('/')), "{id} {key}: {called}");
    }
    for (app, option, text) in options(&catalogue) {
        let explained = text.contains("# No deny_paths: ");
        let denies_any = option.api.as_ref().is_some_and(|api| !api.deny_paths.is_empty());
        assert!(denies_any != explained, "{}, {}", app.id, option.key);
    }
}
