//! What `connect-service dev` remembers beside the service's database, in `dev.json` of its folder: the provider's
//! grants, the tenant key, and how far the clock is ahead. Codes and consents live in memory alone.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Millis;
use crate::ids;
use crate::state::SetupError;

/// How long access tokens live.
const LIFETIME: Millis = 60 * 60 * 1000;

/// See the module.
pub(super) struct Ledger {
    path: PathBuf,
    pub(super) saved: Saved,
    consents: HashMap<String, Consent>,
    codes: HashMap<String, Consent>,
}

/// What outlives the process.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Where the running instance is controlled; `connect-service dev ctl --dir` reads it.
    pub(super) control_url: Option<String>,
    pub(super) tenant_key: Option<String>,
    /// By how much the clock is ahead.
    pub(super) ahead: Millis,
    /// Where it listened the last time, to be found there again.
    #[serde(default)]
    pub(super) place: Option<Place>,
    grants: BTreeMap<u64, Grant>,
}

/// What an instance's addresses are made of.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// The service's port.
    pub(super) port: u16,
    /// The port of the provider and of the control API.
    pub(super) control_port: u16,
    /// The secret in the control API's address.
    pub(super) control_token: String,
}

/// What a customer is asked for, or has consented to.
#[derive(Clone)]
pub(super) struct Consent {
    pub(super) app: String,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) scope: String,
    /// Of PKCE, where the app uses it.
    pub(super) challenge: Option<String>,
}

/// Its tokens are made of its id, their generation and its secret.
#[derive(Serialize, Deserialize)]
struct Grant {
    app: String,
    scope: String,
    secret: String,
    /// The latest: 0 came with the code, 1 with the first refresh.
    generation: u32,
    /// The latest whose refresh token was used.
    used: Option<u32>,
    /// When the latest tokens were issued; none for those of earlier versions.
    #[serde(default)]
    issued_at: Option<Millis>,
    expires_at: Millis,
    revoked: bool,
}

/// Tokens as they are issued.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) scope: String,
    /// In seconds.
    pub(super) expires_in: Millis,
}

impl Ledger {
    /// Reads the file, if there is one.
    pub(super) fn open(path: PathBuf) -> Result<Self, SetupError> {
        let saved = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Saved::default(),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
        };
        Ok(Self { path, saved, consents: HashMap::new(), codes: HashMap::new() })
    }

    /// Writes the file anew, readable by its owner alone.
    pub(super) fn save(&self) -> std::io::Result<()> {
        let new = self.path.with_extension("json.new");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&self.saved)?)?;
        std::fs::rename(new, &self.path)
    }

    /// Remembers what a customer is asked for; the result names it in the page's form.
    pub(super) fn ask(&mut self, consent: Consent) -> String {
        let id = ids::random(24);
        self.consents.insert(id.clone(), consent);
        id
    }

    /// What was asked for; it can be answered once.
    pub(super) fn take_consent(&mut self, id: &str) -> Option<Consent> {
        self.consents.remove(id)
    }

    /// A code for a consent that was given.
    pub(super) fn issue_code(&mut self, consent: Consent) -> String {
        let code = format!("dev-code-{}", ids::secret());
        self.codes.insert(code.clone(), consent);
        code
    }

    /// Exchanges a code, once.
    pub(super) fn exchange(
        &mut self,
        app: &str,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: Millis,
    ) -> Option<Issued> {
        let consent = self.codes.remove(code)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let is_verified = consent.challenge.is_none_or(|expected| expected == challenge);
        if consent.app != app || consent.redirect_uri != redirect_uri || !is_verified {
            return None;
        }
        let id = self.saved.grants.keys().next_back().map_or(1, |last| last + 1);
        let grant = Grant {
            app: consent.app,
            scope: consent.scope,
            secret: ids::secret(),
            generation: 0,
            used: None,
            issued_at: None,
            expires_at: now,
            revoked: false,
        };
        self.saved.grants.insert(id, grant);
        self.issue(id, now)
    }

    /// Exchanges a refresh token for the next generation of tokens. A used one works until its successor was used, so
    /// that a lost response can be asked for again; after that it ends the grant (RFC 9700, section 4.14.2). With `idle`,
    /// one that was issued so long ago is dead.
    pub(super) fn refresh(
        &mut self,
        app: &str,
        refresh_token: &str,
        idle: Option<Millis>,
        now: Millis,
    ) -> Option<Issued> {
        let (id, generation) = self.find("refresh", refresh_token)?;
        let grant = self.saved.grants.get_mut(&id)?;
        let is_dead = grant.issued_at.zip(idle).is_some_and(|(issued_at, idle)| now >= issued_at + idle);
        if grant.revoked || grant.app != app || is_dead {
            return None;
        }
        if grant.used.is_some_and(|used| used > generation) {
            grant.revoked = true;
            self.changed();
            return None;
        }
        grant.used = Some(generation);
        grant.generation += 1;
        self.issue(id, now)
    }

    /// Whether the app's API takes this token.
    pub(super) fn accepts(&self, app: &str, access_token: &str, now: Millis) -> bool {
        let found = self.find("access", access_token);
        found.is_some_and(|(id, generation)| {
            let grant = &self.saved.grants[&id];
            grant.app == app && generation == grant.generation && !grant.revoked && now < grant.expires_at
        })
    }

    /// The grant of a token, of either kind.
    pub(super) fn grant_of(&self, token: &str) -> Option<u64> {
        let found = self.find("access", token).or_else(|| self.find("refresh", token));
        found.map(|(id, _)| id)
    }

    /// Lets a grant's access token expire.
    pub(super) fn expire(&mut self, grant: u64, now: Millis) {
        if let Some(grant) = self.saved.grants.get_mut(&grant) {
            grant.expires_at = now;
            self.changed();
        }
    }

    /// Ends a grant: no token of it works any more.
    pub(super) fn revoke(&mut self, grant: u64) {
        if let Some(grant) = self.saved.grants.get_mut(&grant) {
            grant.revoked = true;
            self.changed();
        }
    }

    /// Ends all grants of an app.
    pub(super) fn revoke_app(&mut self, app: &str) {
        self.saved
            .grants
            .values_mut()
            .filter(|grant| grant.app == app)
            .for_each(|grant| grant.revoked = true);
        self.changed();
    }

    /// Notes by how much more the clock is ahead.
    pub(super) fn advance(&mut self, by: Millis) {
        self.saved.ahead += by;
        self.changed();
    }

    fn issue(&mut self, id: u64, now: Millis) -> Option<Issued> {
        let grant = self.saved.grants.get_mut(&id)?;
        grant.issued_at = Some(now);
        grant.expires_at = now + LIFETIME;
        let token = |kind| format!("dev-{kind}-{id}-{}-{}", grant.generation, grant.secret);
        let issued = Issued {
            access_token: token("access"),
            refresh_token: token("refresh"),
            scope: grant.scope.clone(),
            expires_in: LIFETIME / 1000,
        };
        self.changed();
        Some(issued)
    }

    /// The grant and generation of a token of this kind.
    fn find(&self, kind: &str, token: &str) -> Option<(u64, u32)> {
        let rest = token.strip_prefix("dev-")?.strip_prefix(kind)?.strip_prefix('-')?;
        let mut parts = rest.splitn(3, '-');
        let id = parts.next()?.parse().ok()?;
        let generation = parts.next()?.parse().ok()?;
        let grant = self.saved.grants.get(&id)?;
        (parts.next()? == grant.secret && generation <= grant.generation).then_some((id, generation))
    }

    fn changed(&self) {
        if let Err(error) = self.save() {
            tracing::error!(%error, path = %self.path.display(), "dev.json is not saved");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACK: &str = "http://127.0.0.1:1/cb";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn ledger() -> Ledger {
        Ledger::open(std::env::temp_dir().join(format!("ledger-{}.json", ids::random(16)))).unwrap()
    }

    fn consent() -> Consent {
        Consent {
            app: "gmail".into(),
            redirect_uri: CALLBACK.into(),
            state: "s".into(),
            scope: "mail".into(),
            challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
        }
    }

    #[test]
    fn a_code_works_once_and_only_as_it_was_asked_for() {
        let mut ledger = ledger();
        for (app, redirect_uri, verifier) in [
            ("slack", CALLBACK, VERIFIER),
            ("gmail", "http://127.0.0.1:1/other", VERIFIER),
            ("gmail", CALLBACK, "another"),
        ] {
            let code = ledger.issue_code(consent());
            assert!(ledger.exchange(app, &code, redirect_uri, verifier, 0).is_none());
            assert!(ledger.exchange("gmail", &code, CALLBACK, VERIFIER, 0).is_none());
        }
        let code = ledger.issue_code(consent());
        assert!(ledger.exchange("gmail", &code, CALLBACK, VERIFIER, 0).is_some());
        assert!(ledger.exchange("gmail", &code, CALLBACK, VERIFIER, 0).is_none());
        std::fs::remove_file(&ledger.path).unwrap();
    }

    #[test]
    fn a_refresh_token_works_until_its_successor_was_used() {
        let mut ledger = ledger();
        let code = ledger.issue_code(consent());
        let first = ledger.exchange("gmail", &code, CALLBACK, VERIFIER, 0).unwrap();
        assert!(ledger.accepts("gmail", &first.access_token, LIFETIME - 1));
        assert!(!ledger.accepts("gmail", &first.access_token, LIFETIME));
        assert!(!ledger.accepts("slack", &first.access_token, 0));
        assert!(ledger.refresh("slack", &first.refresh_token, None, 0).is_none());
        assert!(ledger.refresh("gmail", &first.access_token, None, 0).is_none());

        ledger.refresh("gmail", &first.refresh_token, None, 0).unwrap();
        let second = ledger.refresh("gmail", &first.refresh_token, None, 0).unwrap();
        assert!(!ledger.accepts("gmail", &first.access_token, 0));
        // Another process reads what this one wrote.
        let mut ledger = Ledger::open(ledger.path).unwrap();
        let third = ledger.refresh("gmail", &second.refresh_token, None, 0).unwrap();
        assert!(ledger.accepts("gmail", &third.access_token, 0));

        assert!(ledger.refresh("gmail", &first.refresh_token, None, 0).is_none());
        assert!(!ledger.accepts("gmail", &third.access_token, 0), "the reuse ended the grant");
        std::fs::remove_file(&ledger.path).unwrap();
    }

    #[test]
    fn a_refresh_token_dies_of_disuse() {
        const IDLE: Option<Millis> = Some(10 * LIFETIME);
        let mut ledger = ledger();
        let code = ledger.issue_code(consent());
        let first = ledger.exchange("gmail", &code, CALLBACK, VERIFIER, 0).unwrap();
        let second = ledger.refresh("gmail", &first.refresh_token, IDLE, 10 * LIFETIME - 1).unwrap();
        // Each use starts the time anew.
        let third = ledger.refresh("gmail", &second.refresh_token, IDLE, 20 * LIFETIME - 2).unwrap();
        assert!(ledger.refresh("gmail", &third.refresh_token, IDLE, 30 * LIFETIME - 2).is_none());
        assert!(ledger.refresh("gmail", &third.refresh_token, None, 30 * LIFETIME - 2).is_some());
        std::fs::remove_file(&ledger.path).unwrap();
    }
}
