//! A vended credential.

use std::collections::BTreeMap;
use std::fmt;

use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::api_request::ApiRequest;
use crate::error::Error;
use crate::model::{Account, AuthType};

/// A working credential for one connection. Use it at once; never store or log it.
///
/// What a customer consented to at the provider, or what was exchanged there, gives [`access_token`](Self::access_token);
/// what the customer entered gives [`fields`](Self::fields). [`apply`](Self::apply) makes the difference disappear.
/// Secret values are only reached through [`ExposeSecret::expose_secret`]. There is deliberately no way to serialise a
/// token.
///
/// The values, and the SDK's own copy of the response that they came in, are zeroed when dropped. Other copies are not:
/// the read buffers of the HTTP and TLS libraries, which keep a response until a later one on the same connection is
/// written over it, or beyond that in memory that was freed; and a parser's buffer where JSON escapes a character of the
/// value. A core dump may hold them.
#[derive(Clone)]
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
    /// The OAuth scopes that were granted; `None` where they are not known.
    pub scopes: Option<Vec<String>>,
    /// Whose account it is at the provider; `None` where that is not known.
    pub account: Option<Account>,
    /// What calls to the provider need beside the credential, such as a company's id.
    pub provider_data: SecretFields,
    /// Where the provider's API is; `None` where the catalogue does not tell.
    pub api_base_url: Option<SecretString>,
    /// The headers of a call to the provider's API; `None` from a service that does not know of them.
    pub api_headers: Option<SecretFields>,
    /// The query parameters of a call to the provider's API; `None` from a service that does not know of them.
    pub api_query: Option<SecretFields>,
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

    /// The SHA-256 of the credential in lower-case hexadecimal digits, by which a backend names a token that the provider's
    /// API refused: of the access token, or of the fields as canonical JSON (RFC 8785).
    pub(crate) fn sha256(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        match (&self.access_token, &self.fields) {
            (Some(token), _) => context.update(token.expose_secret().as_bytes()),
            (None, Some(fields)) => {
                let fields: BTreeMap<_, _> =
                    fields.iter().map(|(name, value)| (name, value.expose_secret())).collect();
                let json = Zeroizing::new(serde_json::to_vec(&fields).unwrap_or_default());
                context.update(&json);
            }
            (None, None) => {}
        }
        context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where and how to call the provider's API: the URL and headers of a request, the credential included wherever this
    /// app wants it. Nothing is sent.
    ///
    /// `path` follows [`api_base_url`](Self::api_base_url), with or without a slash at its beginning, and may have a
    /// query. An absolute URL has to lie below the base URL; where there is none, it has to be one, over HTTPS or to this
    /// machine.
    ///
    /// Send it with a client that follows no redirect: HTTP clients remove at most `Authorization` where one leads to
    /// another host, and many apps want their key in another header.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer, http: reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use pabbly_connect::ExposeSecret;
    /// let request = alice.get_token("conn_1").await?.apply("/contacts?limit=10")?;
    /// let response = http.get(request.url.expose_secret()).headers(request.headers).send().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where the path leads out of the base URL or is no URL, where nothing tells how this app
    /// is called, or where what the service tells cannot be sent.
    pub fn apply(&self, path: &str) -> Result<ApiRequest, Error> {
        ApiRequest::new(self, path)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REDACTED: &str = "[redacted]";
        f.debug_struct("Token")
            .field("auth_type", &self.auth_type)
            .field("access_token", &self.access_token)
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("fields", &self.fields)
            .field("scopes", &self.scopes.as_ref().map(|_| REDACTED))
            .field("account", &self.account.as_ref().map(|_| REDACTED))
            .field("provider_data", &self.provider_data)
            .field("api_base_url", &self.api_base_url)
            .field("api_headers", &self.api_headers)
            .field("api_query", &self.api_query)
            .field("extra", &self.extra)
            .finish()
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
        let (mut scopes, mut account, mut provider_data) = (None, None, None);
        let (mut api_base_url, mut api_headers, mut api_query) = (None, None, None);
        let mut extra = SecretFields::default();
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "auth_type" => auth_type = Some(members.next_value::<AuthType>()?),
                "access_token" => access_token = members.next_value::<Option<SecretString>>()?,
                "token_type" => token_type = members.next_value()?,
                "expires_in" => expires_in = members.next_value()?,
                "fields" => fields = members.next_value::<Option<SecretFields>>()?,
                "scopes" => scopes = members.next_value()?,
                "account" => account = members.next_value()?,
                "provider_data" => provider_data = members.next_value::<Option<SecretFields>>()?,
                "api_base_url" => api_base_url = members.next_value::<Option<SecretString>>()?,
                "api_headers" => api_headers = members.next_value()?,
                "api_query" => api_query = members.next_value()?,
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
        let provider_data = provider_data.unwrap_or_default();
        Ok(Token {
            auth_type,
            access_token,
            token_type,
            expires_in,
            fields,
            scopes,
            account,
            provider_data,
            api_base_url,
            api_headers,
            api_query,
            extra,
        })
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
    fn a_token_is_named_by_its_digest() {
        let digest = |json: &str| serde_json::from_str::<Token>(json).unwrap().sha256();
        // Of "abc", by FIPS 180-2.
        assert_eq!(
            digest(r#"{"auth_type":"o_auth","access_token":"abc","expires_in":null}"#),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // Of {"a":"\"","b":"é\n"}.
        let fields = digest(r#"{"auth_type":"basic","fields":{"b":"\u00e9\n","a":"\""}}"#);
        assert_eq!(fields, "fddc60c3322f357558e5e8656915fc5b939e3b7b6fb5b4c013ea7b5e450d4bfb");
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
            (r#"{"auth_type":"o_auth","access_token":"a","api_base_url":""#, r#""}"#),
            (r#"{"auth_type":"o_auth","access_token":"a","api_headers":{"a":""#, r#""}}"#),
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
