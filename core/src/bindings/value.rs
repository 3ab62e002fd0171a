//! Options as languages give them: their name, spelled as in the language, and a value of whatever type it has there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::error::Error;
use crate::token::Token;

/// Those options of a call that were given.
pub type Options = Vec<(String, Value)>;

/// The value of an option.
#[derive(Clone)]
pub enum Value {
    /// Nothing. It removes what can be removed; any other option is as if it were not given.
    Null,
    /// A boolean.
    Flag(bool),
    /// A whole number of a language that tells them apart.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// Several strings.
    Texts(Vec<String>),
    /// An object, as JSON text.
    Object(String),
    /// A token that was vended.
    Token(Box<Token>),
}

impl Value {
    pub(super) fn flag(self, name: &str) -> Result<bool, Error> {
        match self {
            Self::Flag(flag) => Ok(flag),
            _ => Err(wrong(name, "true or false")),
        }
    }

    pub(super) fn text(self, name: &str) -> Result<String, Error> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(wrong(name, "a text")),
        }
    }

    pub(super) fn texts(self, name: &str) -> Result<Vec<String>, Error> {
        match self {
            Self::Texts(texts) => Ok(texts),
            _ => Err(wrong(name, "a list of texts")),
        }
    }

    /// Texts by name, or names and values in turn.
    pub(super) fn pairs(self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let Self::Texts(texts) = self else {
            return Ok(self.fields(name)?.into_iter().collect());
        };
        let mut texts = texts.into_iter();
        Ok(std::iter::from_fn(|| Some((texts.next()?, texts.next()?))).collect())
    }

    pub(super) fn object(self, name: &str) -> Result<Map<String, Json>, Error> {
        self.parsed(name, "a JSON object")
    }

    pub(super) fn fields(self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        self.parsed(name, "texts by name")
    }

    /// A token, or what is needed of it.
    pub(super) fn token(self, name: &str) -> Result<Token, Error> {
        match self {
            Self::Token(token) => Ok(*token),
            value => value.parsed(name, "a token"),
        }
    }

    fn parsed<T: DeserializeOwned>(self, name: &str, wanted: &str) -> Result<T, Error> {
        match self {
            Self::Object(json) => serde_json::from_str(&json).map_err(|_| wrong(name, wanted)),
            _ => Err(wrong(name, wanted)),
        }
    }

    /// A whole number from 0.
    pub(super) fn count<T: TryFrom<i64>>(self, name: &str) -> Result<T, Error> {
        // Up to where every whole number has a float of its own.
        const MAX: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
        let whole = match self {
            Self::Integer(whole) => Some(whole),
            Self::Number(number) if number.fract() == 0.0 && (0.0..=MAX).contains(&number) => {
                Some(number as i64)
            }
            _ => None,
        };
        whole
            .and_then(|whole| T::try_from(whole).ok())
            .ok_or_else(|| wrong(name, "a whole number that is not negative"))
    }

    /// Whole seconds.
    pub(super) fn seconds(self, name: &str) -> Result<Duration, Error> {
        Ok(Duration::from_secs(self.count(name)?))
    }

    /// Milliseconds where the name ends in `Ms`, else seconds. What is longer than can be counted is as long as can be.
    pub(super) fn duration(self, name: &str) -> Result<Duration, Error> {
        let (unit, divisor) = if name.ends_with("Ms") { ("milliseconds", 1000.0) } else { ("seconds", 1.0) };
        let number = match self {
            Self::Integer(whole) => whole as f64,
            Self::Number(number) => number,
            _ => f64::NAN,
        };
        let seconds = number / divisor;
        if seconds >= Duration::MAX.as_secs_f64() {
            return Ok(Duration::MAX);
        }
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| wrong(name, &format!("a number of {unit} that is not negative")))
    }
}

fn wrong(name: &str, wanted: &str) -> Error {
    Error::invalid_argument(format!("{name} must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_its_name_says() {
        let half = |name| Value::Number(0.5).duration(name).unwrap();
        assert_eq!(half("timeout"), Duration::from_millis(500));
        assert_eq!(half("timeoutMs"), Duration::from_micros(500));
        assert_eq!(Value::Integer(2).duration("timeout").unwrap(), Duration::from_secs(2));
        assert_eq!(Value::Number(f64::INFINITY).duration("timeoutMs").unwrap(), Duration::MAX);
        for value in [Value::Number(-1.0), Value::Number(f64::NAN), Value::Text("1".into())] {
            let error = value.duration("timeoutMs").unwrap_err().to_string();
            assert_eq!(error, "timeoutMs must be a number of milliseconds that is not negative");
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_by_name() {
        assert_eq!(Value::Integer(7).count::<u32>("limit").unwrap(), 7);
        assert_eq!(Value::Number(7.0).count::<u32>("limit").unwrap(), 7);
        for value in [
            Value::Integer(-1),
            Value::Integer(1 << 32),
            Value::Number(0.5),
            Value::Number(f64::INFINITY),
            Value::Flag(true),
        ] {
            let error = value.count::<u32>("limit").unwrap_err().to_string();
            assert_eq!(error, "limit must be a whole number that is not negative");
        }
        let object = |json: &str| Value::Object(json.to_owned());
        assert_eq!(object(r#"{"a": [1]}"#).object("m").unwrap()["a"][0], 1);
        assert_eq!(object(r#"{"a": "b"}"#).fields("f").unwrap()["a"], "b");
        let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for value in [object("[]"), object(r#"{"a": NaN}"#), object(&nested), Value::Text("{}".into())] {
            assert_eq!(value.object("m").unwrap_err().message(), "m must be a JSON object");
        }
        let error = object(r#"{"a": 1}"#).fields("f").unwrap_err();
        assert_eq!(error.message(), "f must be texts by name");
        let text = || Value::Text("x".into());
        assert_eq!(text().flag("a").unwrap_err().message(), "a must be true or false");
        assert_eq!(text().texts("a").unwrap_err().message(), "a must be a list of texts");
        assert_eq!(Value::Flag(true).text("a").unwrap_err().message(), "a must be a text");
    }
}
