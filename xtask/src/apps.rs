//! What the files in `service/catalogue/` say, for the page that lists all apps.

use std::error::Error;

use serde_json::Value;

use crate::manifest::root;

/// The built-in apps, sorted by name. Each is its file, as it is.
///
/// # Errors
/// Where a file cannot be read.
pub fn read() -> Result<Vec<Value>, Box<dyn Error>> {
    let mut apps: Vec<Value> = Vec::new();
    for entry in std::fs::read_dir(root().join("service/catalogue"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path)?;
            apps.push(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    apps.sort_by_key(|app| app["name"].as_str().unwrap_or_default().to_lowercase());
    Ok(apps)
}
