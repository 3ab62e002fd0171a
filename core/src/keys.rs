//! The tenant key, which can be exchanged while calls are under way.

use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use secrecy::SecretString;

use crate::error::{Error, Redactor};
use crate::settings;

/// One tenant key, with the header that carries it.
pub(crate) struct Key {
    secret: SecretString,
    pub(crate) authorization: HeaderValue,
}

/// The key that new calls use, and the one before it, which calls under way may still use.
pub(crate) struct Keys(RwLock<Pair>);

#[derive(Clone)]
struct Pair {
    current: Arc<Key>,
    previous: Option<Arc<Key>>,
}

impl Key {
    fn new(secret: SecretString) -> Result<Arc<Self>, Error> {
        let authorization = settings::authorization(&secret)?;
        Ok(Arc::new(Self { secret, authorization }))
    }
}

impl Keys {
    pub(crate) fn new(secret: SecretString) -> Result<Self, Error> {
        Ok(Self(RwLock::new(Pair { current: Key::new(secret)?, previous: None })))
    }

    /// The key for a call that begins now; it keeps it to its end.
    pub(crate) fn current(&self) -> Arc<Key> {
        self.pair().current
    }

    pub(crate) fn exchange(&self, secret: SecretString) -> Result<(), Error> {
        let current = Key::new(secret)?;
        let mut pair = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let previous = Some(std::mem::replace(&mut pair.current, current));
        pair.previous = previous;
        Ok(())
    }

    /// Removes every key that the response to a call with `used` could repeat.
    pub(crate) fn redactor(&self, used: &Key) -> Redactor {
        let Pair { current, previous } = self.pair();
        let mut secrets = vec![used.secret.clone(), current.secret.clone()];
        secrets.extend(previous.map(|key| key.secret.clone()));
        Redactor::new(secrets)
    }

    fn pair(&self) -> Pair {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_keeps_its_key_and_no_error_shows_any() {
        let keys = Keys::new("pk_live_a".into()).unwrap();
        let used = keys.current();
        keys.exchange("pk_live_b".into()).unwrap();
        keys.exchange("pk_live_c".into()).unwrap();
        assert_eq!(used.authorization, "Bearer pk_live_a");
        assert_eq!(keys.current().authorization, "Bearer pk_live_c");
        let body = keys.redactor(&used).body(b"pk_live_a pk_live_b pk_live_c");
        assert_eq!(body, Some(json!("[redacted] [redacted] [redacted]")));
    }

    #[test]
    fn a_key_that_is_none_changes_nothing() {
        let keys = Keys::new("pk_live_a".into()).unwrap();
        assert!(keys.exchange("pk live".into()).is_err());
        assert!(keys.exchange("".into()).is_err());
        assert_eq!(keys.current().authorization, "Bearer pk_live_a");
    }
}
