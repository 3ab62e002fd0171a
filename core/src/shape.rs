//! What the items of a list must be where only their JSON text is wanted: the models again, with nothing kept but the id. Making the items of a page costs more than the rest of the call.

mod shapes;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) use shapes::{AppShape, ConnectionShape, ContactShape};

/// Any text, not kept.
struct Text;

/// A [`Timestamp`](crate::Timestamp), not kept.
struct Time;

/// An object whose members are `T`, not kept.
struct Members<T>(PhantomData<T>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;

        impl Visitor<'_> for AnyText {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }

        deserializer.deserialize_str(AnyText)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyTime;

        impl Visitor<'_> for AnyTime {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                OffsetDateTime::parse(text, &Rfc3339).map_err(E::custom)?;
                Ok(Time)
            }
        }

        deserializer.deserialize_str(AnyTime)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyMembers<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyMembers<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
                while members.next_entry::<IgnoredAny, T>()?.is_some() {}
                Ok(Members(PhantomData))
            }
        }

        deserializer.deserialize_map(AnyMembers(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Account, App, AppRef, AuthOption, AuthType, Connection, ConnectionStatus, LastError, Operation,
        Origin, Reconnection,
    };
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    /// The value with each of its members in turn left out, or replaced by each of some others, however deep.
    fn variants(value: &Value) -> Vec<Value> {
        let others = || {
            vec![
                json!(null),
                json!(1),
                json!("x"),
                json!(true),
                json!([1]),
                json!(["x"]),
                json!({"id": "x"}),
                json!({"id": 1}),
                json!("2026-11-21T10:00:00Z"),
            ]
        };
        let mut all = others();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let mut without = members.clone();
                    without.remove(name);
                    all.push(without.into());
                    for variant in variants(member) {
                        let mut with = members.clone();
                        with.insert(name.clone(), variant);
                        all.push(with.into());
                    }
                }
                let mut more = members.clone();
                more.insert("unknown".to_owned(), json!([{}]));
                all.push(more.into());
            }
            Value::Array(items) => {
                for item in items {
                    all.extend(variants(item).into_iter().map(|variant| json!([item, variant])));
                }
            }
            _ => {}
        }
        all
    }

    fn agree<T: DeserializeOwned, S: DeserializeOwned>(value: &Value) {
        let mut accepted = 0;
        let all = variants(value);
        for variant in &all {
            let text = variant.to_string();
            let (whole, shape) = (serde_json::from_str::<T>(&text), serde_json::from_str::<S>(&text));
            assert_eq!(whole.is_ok(), shape.is_ok(), "{text}: {:?} {:?}", whole.err(), shape.err());
            accepted += usize::from(shape.is_ok());
        }
        assert!(accepted > 10 && accepted < all.len() - 10, "{accepted} of {}", all.len());
    }

    // Written member by member, so that a new one cannot be forgotten here.
    #[test]
    fn an_app_is_refused_by_both_or_by_none() {
        let option = AuthOption {
            app: None,
            key: "k".to_owned(),
            auth_type: AuthType::OAuth,
            title: "t".to_owned(),
            description: Some("\"é".to_owned()),
            input_schema: Some(json!({})),
            extra: Map::new(),
        };
        let app = App {
            id: "a".to_owned(),
            name: "n".to_owned(),
            auth_type: Some(AuthType::ApiKey),
            description: Some("d\n".to_owned()),
            categories: Some(vec!["c".to_owned()]),
            docs_url: Some("https://a.example".to_owned()),
            auth_options: Some(vec![option]),
            extra: Map::new(),
        };
        agree::<App, AppShape>(&serde_json::to_value(app).unwrap());
    }

    #[test]
    fn a_connection_is_refused_by_both_or_by_none() {
        let time = || serde_json::from_value(json!("2026-11-21T10:00:00.5+01:00")).unwrap();
        let connection = Connection {
            id: "c".to_owned(),
            status: ConnectionStatus::Active,
            name: Some("n".to_owned()),
            app: Some(AppRef { id: "a".to_owned(), name: Some("n".to_owned()), extra: Map::new() }),
            auth_type: Some(AuthType::OAuth),
            user_email: Some("a@b".to_owned()),
            created_at: Some(time()),
            updated_at: Some(time()),
            expires_at: Some(time()),
            operation: Some(Operation::Reauth),
            origin: Some(Origin::Import),
            usages: Some(vec!["u".to_owned()]),
            last_error: Some(LastError {
                code: "c".to_owned(),
                message: "m".to_owned(),
                provider_message: None,
                extra: Map::new(),
            }),
            account: Some(Account {
                id: Some("i".to_owned()),
                label: Some("l".to_owned()),
                url: Some("u".to_owned()),
                extra: Map::new(),
            }),
            provider_data: Some([("realm_id".to_owned(), "1".to_owned())].into()),
            api_base_url: Some("https://a".to_owned()),
            scopes: Some(vec!["s".to_owned()]),
            needs_reconnection: Some(true),
            reconnection: Some(Reconnection { reason: "r".to_owned(), since: time(), extra: Map::new() }),
            last_refreshed_at: Some(time()),
            last_used_at: Some(time()),
            metadata: Some(Map::from_iter([("plan".to_owned(), json!(["pro"]))])),
            customer_id: Some("cus".to_owned()),
            customer_name: Some("n".to_owned()),
            extra: Map::new(),
        };
        agree::<Connection, ConnectionShape>(&serde_json::to_value(connection).unwrap());
    }
}
