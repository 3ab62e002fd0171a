//! A vended credential.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::AuthType;

/// A working credential for one connection. Use it at once; never store or log it.
///
/// An OAuth app gives [`access_token`](Self::access_token), every other kind gives [`fields`](Self::fields).
/// Secret values are only reached through [`ExposeSecret::expose_secret`]. There is deliberately no way to serialise a
/// token.
///
/// The values, and the SDK's own copy of the response that they came in, are zeroed when dropped. Other copies are not:
/// the read buffers of the HTTP and TLS libraries, which keep a response until a later one on the same connection is
/// written over it, or beyond that in memory that was freed; and a parser's buffer where JSON escapes a character of the
/// value. A core dump may hold them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Token {
    /// Which of the two shapes this is.
    pub auth_type: AuthType,
    /// The access token of an OAuth app.
    pub access_token: Option<SecretString>,
    /// How the access token is presented, such as `Bearer`.
    pub token_type: Option<String>,
    /// Seconds until the access token expires; `None` where the provider does not say.
    pub expires_in: Option<u64>,
    /// The credential values of an API-key, basic or header app, by the name of the field.
    pub fields: Option<SecretFields>,
    /// Members that this version does not know, as JSON text.
    pub extra: SecretFields,
}

impl Token {
    /// The value of an `Authorization` header, `{token_type} {access_token}`; `None` where the app is not OAuth.
    pub fn authorization(&self) -> Option<SecretString> {
        let token = self.access_token.as_ref()?.expose_secret();
        let kind = self.token_type.as_deref().unwrap_or("Bearer");
        Some(format!("{kind} {token}").into())
    }
}

/// Secret values by name. Names are printed, values are not.
#[derive(Clone, Default)]
pub struct SecretFields(BTreeMap<String, SecretString>);

impl SecretFields {
    /// The value of one field.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// All fields, ordered by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, _)| (name, "[redacted]"))).finish()
    }
}

impl<'de> Deserialize<'de> for SecretFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        Ok(Self(raw.into_iter().map(|(name, value)| (name, text_of(value))).collect()))
    }
}

/// JSON text, in the buffer that it came in: a copy would leave that one behind, not zeroed.
fn json_text(value: Box<RawValue>) -> SecretString {
    SecretString::new(value.into())
}

/// The value of a JSON string, and the JSON text of anything else.
fn text_of(value: Box<RawValue>) -> SecretString {
    let json = json_text(value);
    serde_json::from_str::<SecretString>(json.expose_secret()).unwrap_or(json)
}

// Written out, because serde's `flatten` would copy every secret into buffers that are not zeroed.
impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Token, M::Error> {
        let mut auth_type = None;
        let (mut access_token, mut token_type, mut expires_in, mut fields) = (None, None, None, None);
        let mut extra = SecretFields::default();
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "auth_type" => auth_type = Some(members.next_value::<AuthType>()?),
                "access_token" => access_token = members.next_value::<Option<SecretString>>()?,
                "token_type" => token_type = members.next_value()?,
                "expires_in" => expires_in = members.next_value()?,
                "fields" => fields = members.next_value::<Option<SecretFields>>()?,
                _ => {
                    extra.0.insert(name, json_text(members.next_value()?));
                }
            }
        }
        let auth_type = auth_type.ok_or_else(|| M::Error::missing_field("auth_type"))?;
        if auth_type == AuthType::OAuth && access_token.is_none() {
            return Err(M::Error::missing_field("access_token"));
        }
        if matches!(auth_type, AuthType::ApiKey | AuthType::Basic | AuthType::Header) && fields.is_none() {
            return Err(M::Error::missing_field("fields"));
        }
        Ok(Token { auth_type, access_token, token_type, expires_in, fields, extra })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read_and_printed_without_their_secrets() {
        let oauth: Token = serde_json::from_str(
            r#"{"access_token":"canary","token_type":"Bearer","expires_in":3599,"auth_type":"o_auth","new":["canary"]}"#,
        )
        .unwrap();
        assert_eq!(oauth.authorization().unwrap().expose_secret(), "Bearer canary");
        assert_eq!(oauth.extra.get("new").unwrap().expose_secret(), r#"["canary"]"#);
        let fields: Token = serde_json::from_str(
            r#"{"auth_type":"api_key","fields":{"key":"can\u0061ry","port":1},"expires_in":null}"#,
        )
        .unwrap();
        let values = fields.fields.as_ref().unwrap();
        assert_eq!(values.get("key").unwrap().expose_secret(), "canary");
        assert_eq!(values.get("port").unwrap().expose_secret(), "1");
        assert_eq!((values.len(), values.is_empty()), (2, false));
        assert!(SecretFields::default().is_empty());
        let printed = format!("{oauth:?}{fields:?}");
        assert!(!printed.contains("canary"));
        assert!(printed.contains("port"), "{printed}");
    }

    #[test]
    fn a_credential_without_its_value_is_refused() {
        assert!(serde_json::from_str::<Token>(r#"{"auth_type":"o_auth"}"#).is_err());
        assert!(serde_json::from_str::<Token>(r#"{"auth_type":"basic","fields":null}"#).is_err());
        assert!(serde_json::from_str::<Token>(r#"{"auth_type":"saml"}"#).is_ok());
        let error = serde_json::from_str::<Token>("7").unwrap_err().to_string();
        assert!(error.contains("expected a token"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_dropped_token_and_its_response_are_nowhere_in_memory() {
        use crate::memory::Needle;
        use zeroize::Zeroizing;

        for (before, after) in [
            (r#"{"auth_type":"o_auth","access_token":""#, r#""}"#),
            (r#"{"auth_type":"api_key","fields":{"key":""#, r#""}}"#),
            (r#"{"auth_type":"api_key","fields":{"key":[""#, r#""]}}"#),
            (r#"{"auth_type":"o_auth","access_token":"a","new":""#, r#""}"#),
        ] {
            let needle = Needle::new();
            let mut body = Zeroizing::new(Vec::with_capacity(512));
            body.extend_from_slice(before.as_bytes());
            needle.write(&mut body);
            body.extend_from_slice(after.as_bytes());
            let token: Token = serde_json::from_slice(&body).unwrap();
            assert_eq!(needle.count(), 2, "{before}");
            drop((token, body));
            assert_eq!(needle.count(), 0, "{before}");
        }
    }
}
