//! Rows about the SDKs, which scenarios of `tests/scenarios` show in every language.

use std::path::Path;

use crate::cases;

cases! {
    65, "apache/devlake#7132", "SDK: a key with a line break, spaces, or other letters" => keys;
    67, "stripe/stripe-node#1336", "SDK: the server closes a connection that is reused" => reused_connections;
    68, "ThalesGroup/terraform-provider-ciphertrust#111", "SDK: a proxy's HTML with 401, 403 or 404" => proxies;
}

/// Fails where a file has no scenario of this id.
fn has_scenario(file: &str, id: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let ids = text.lines().filter_map(|line| line.strip_prefix("  - id: "));
    assert!(ids.map(|found| found.trim_matches('"')).any(|found| found == id), "{id} of {file}");
}

async fn keys() {
    has_scenario("configuration.yaml", "key-that-is-{{what}}-is-refused");
    has_scenario("configuration.yaml", "key-of-the-environment-with-a-line-feed-is-refused");
}

async fn reused_connections() {
    has_scenario("connections.yaml", "{{end}}-{{after_ms}}-ms-after-each-response-{{pause}}");
}

async fn proxies() {
    has_scenario("error-statuses.yaml", "proxy-{{status}}-on-{{call}}");
    has_scenario("error-statuses.yaml", "proxy-401-on-the-catalogue");
}
