//! The ways to authorise an app, as a connection form needs them: the fields in their order, which JSON libraries of Swift
//! would lose.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// One way to authorise one of the link's apps.
#[derive(Debug, PartialEq, uniffi::Record)]
pub(crate) struct AuthOption {
    app_id: Option<String>,
    app_name: Option<String>,
    key: String,
    auth_type: String,
    title: String,
    description: Option<String>,
    fields: Vec<FormField>,
}

/// One field of a form.
#[derive(Debug, PartialEq, uniffi::Record)]
pub(crate) struct FormField {
    name: String,
    title: Option<String>,
    description: Option<String>,
    format: Option<String>,
    is_required: bool,
    is_secret: bool,
    default_value: Option<String>,
    choices: Vec<FormChoice>,
}

/// One value to choose.
#[derive(Debug, Deserialize, PartialEq, uniffi::Record)]
pub(crate) struct FormChoice {
    #[serde(rename = "const")]
    value: String,
    title: String,
}

/// What the service sends; the core has checked that it is a list of options.
#[derive(Deserialize)]
struct Wire {
    auth_options: Vec<WireOption>,
}

#[derive(Deserialize)]
struct WireOption {
    app: Option<WireApp>,
    key: String,
    r#type: String,
    title: String,
    description: Option<String>,
    input_schema: Option<WireSchema>,
}

#[derive(Deserialize)]
struct WireApp {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireSchema {
    #[serde(default)]
    properties: InOrder,
    #[serde(default)]
    required: Vec<String>,
}

/// Members in the order in which they came.
#[derive(Default)]
struct InOrder(Vec<(String, WireField)>);

#[derive(Deserialize)]
struct WireField {
    title: Option<String>,
    description: Option<String>,
    format: Option<String>,
    #[serde(default, rename = "writeOnly")]
    write_only: bool,
    default: Option<String>,
    #[serde(default, rename = "oneOf")]
    one_of: Vec<FormChoice>,
}

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = InOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of a form")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<InOrder, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = members.next_entry()? {
                    fields.push(field);
                }
                Ok(InOrder(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Reads the `data` of the service's response; `None` where a schema is none that the contract knows.
pub(crate) fn auth_options(json: &str) -> Option<Vec<AuthOption>> {
    let wire: Wire = serde_json::from_str(json).ok()?;
    Some(wire.auth_options.into_iter().map(AuthOption::from).collect())
}

impl From<WireOption> for AuthOption {
    fn from(wire: WireOption) -> Self {
        let WireOption { app, key, r#type: auth_type, title, description, input_schema } = wire;
        let (fields, required) =
            input_schema.map(|schema| (schema.properties.0, schema.required)).unwrap_or_default();
        let field = |(name, field): (String, WireField)| FormField {
            is_required: required.contains(&name),
            name,
            title: field.title,
            description: field.description,
            is_secret: field.write_only || field.format.as_deref() == Some("password"),
            format: field.format,
            default_value: field.default,
            choices: field.one_of,
        };
        let fields = fields.into_iter().map(field).collect();
        let (app_id, app_name) = app.map(|app| (app.id, app.name)).unzip();
        Self { app_id, app_name: app_name.flatten(), key, auth_type, title, description, fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_say_what_a_form_needs() {
        let options = auth_options(
            r#"{"auth_options": [{"app": {"id": "a", "name": "An app"}, "key": "k", "type": "api_key", "title": "Key", "new": 1, "input_schema": {"type": "object",
            "properties": {"zone": {"type": "string", "oneOf": [{"const": "eu", "title": "Europe"}], "default": "eu"},
            "api_key": {"type": "string", "title": "Key", "format": "password"}, "name": {"type": "string", "writeOnly": true}},
            "required": ["api_key"]}}, {"key": "o", "type": "o_auth", "title": "OAuth"}]}"#,
        )
        .unwrap();
        let fields = &options[0].fields;
        assert_eq!(
            fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            ["zone", "api_key", "name"]
        );
        assert_eq!(fields.iter().map(|field| field.is_secret).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(fields.iter().map(|field| field.is_required).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(fields[0].choices[0], FormChoice { value: "eu".to_owned(), title: "Europe".to_owned() });
        assert_eq!(
            (options[0].app_id.as_deref(), options[0].app_name.as_deref()),
            (Some("a"), Some("An app"))
        );
        assert_eq!(options[1].app_id, None, "of an earlier version");
        assert_eq!((&options[1].key, options[1].fields.len()), (&"o".to_owned(), 0));
    }

    #[test]
    fn a_schema_that_is_none_is_no_form() {
        assert_eq!(
            auth_options(r#"{"auth_options": [{"key": "k", "type": "t", "title": "T", "input_schema": 7}]}"#),
            None
        );
        assert_eq!(auth_options(r#"{"auth_options": []}"#), Some(vec![]));
    }
}
