//! A choice that the provider corrects: a customer may not know in which data centre the account is, the callback does.

use serde::Deserialize;
use serde_json::Value;

use super::input::{Field, Inputs};
use super::template::Template;
use super::{AuthOption, AuthType};

/// The parameter of the callback by which the right choice is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The parameter's name.
    pub parameter: String,
    /// What it says for a choice, which the field's name in braces stands for.
    pub says: Template,
}

impl Field {
    /// The choice that the callback names. Nothing but the file's own choices is believed.
    fn corrected(&self, callback: &Value) -> Option<&str> {
        let correction = self.correction.as_ref()?;
        let said = callback.get(&correction.parameter)?.as_str()?;
        let said = said.strip_suffix('/').unwrap_or(said);
        let mut choices = self.choices.iter().map(|choice| choice.value.as_str());
        choices.find(|choice| correction.says.fill(|_| Some(choice)).as_deref() == Some(said))
    }
}

impl AuthOption {
    /// What the customer entered, with the choices that the callback names in the place of wrong ones.
    pub fn corrected(&self, mut entered: Inputs, callback: &Value) -> Inputs {
        let fields = self.input.fields.iter();
        let corrected =
            fields.filter_map(|field| Some((field.name.clone(), field.corrected(callback)?.to_owned())));
        entered.extend(corrected);
        entered
    }

    /// The first thing that makes a correction unusable.
    pub(super) fn correction_problem(&self) -> Option<String> {
        self.input.fields.iter().find_map(|field| {
            let correction = field.correction.as_ref()?;
            let names_field = correction.says.placeholders().eq([field.name.as_str()]);
            let is_usable = names_field && !field.choices.is_empty() && self.auth_type == AuthType::OAuth;
            let problem = "has a correction, which is for choices of type o_auth and names the field once";
            (!is_usable).then(|| format!("field `{}` {problem}", field.name))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::{App, Catalogue};

    /// What is entered at Zoho as `zoho.com`, after a callback whose `accounts-server` says this.
    fn corrected(said: Value) -> String {
        let catalogue = Catalogue::load(None).unwrap();
        let option = &catalogue.get("zoho-crm").unwrap().auth_options[0];
        let entered = Inputs::from([("domain".to_owned(), "zoho.com".to_owned())]);
        let inputs = option.corrected(entered, &json!({"accounts-server": said}));
        inputs["domain"].clone()
    }

    #[test]
    fn the_right_data_centre_is_asked_for_the_token() {
        assert_eq!(corrected(json!("https://accounts.zoho.eu")), "zoho.eu");
        assert_eq!(corrected(json!("https://accounts.zohocloud.ca/")), "zohocloud.ca");
    }

    /// A client secret goes there: what the file does not list changes nothing.
    #[test]
    fn a_foreign_host_is_not_believed() {
        for said in [
            json!("https://accounts.zoho.example"),
            json!("https://accounts.zoho.eu.evil.example"),
            json!("https://accounts.zoho.eu:8443"),
            json!("https://user@accounts.zoho.eu"),
            json!("https://accounts.zoho.eu/path"),
            json!("http://accounts.zoho.eu"),
            json!("accounts.zoho.eu"),
            json!("{domain}"),
            json!(""),
            Value::Null,
        ] {
            assert_eq!(corrected(said.clone()), "zoho.com", "{said}");
        }
    }

    #[test]
    fn a_correction_is_for_choices_alone() {
        let app = |field: &str| {
            let file = format!(
                "id = \"x\"\nname = \"X\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"k\"\n\
                 title = \"T\"\ntype = \"o_auth\"\n[[auth.fields]]\nname = \"dc\"\ntitle = \"D\"\n{field}\n\
                 [auth.oauth]\nauthorization_url = \"https://a.example\"\ntoken_url = \"https://a.example\""
            );
            App::parse("x.toml", &file).map(|_| ()).map_err(|error| error.to_string())
        };
        let choices = "choices = [{ value = \"a\", title = \"A\" }]\n";
        let correction = |says: &str| format!("correction = {{ parameter = \"p\", says = \"{says}\" }}");
        assert_eq!(app(&format!("{choices}{}", correction("x.{dc}"))), Ok(()));
        for field in [
            correction("x.{dc}"),
            format!("{choices}{}", correction("x")),
            format!("{choices}{}", correction("{dc}.{dc}")),
            format!("{choices}{}", correction("{other}")),
        ] {
            assert!(app(&field).unwrap_err().contains("correction"), "{field}");
        }
    }
}
