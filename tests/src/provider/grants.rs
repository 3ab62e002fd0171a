//! What the provider remembers: requests, codes, grants, tokens; and the rules for exchanging them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{Mode, Options};
use crate::random;

/// How often each thing happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Consent pages shown.
    pub consents: u32,
    /// Codes exchanged for tokens.
    pub exchanges: u32,
    /// Refreshes asked for, whatever came of them.
    pub refreshes: u32,
    /// Used refresh tokens that came back where that is not allowed.
    pub reuses: u32,
    /// API calls with a token that was good.
    pub api_calls: u32,
}

/// What happens when a used refresh token comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// The grant ends at once (RFC 9700, section 4.14.2).
    EndsGrant,
    /// It works again as long as no successor of it was used, so that a lost answer can be asked for again; after
    /// that the grant ends.
    UntilSuccessorUsed,
}

/// One refresh that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// The grant it was for.
    pub grant: u64,
    /// The generation of the refresh token: 0 came with the code, 1 with the first refresh.
    pub presented: u32,
    /// Whether tokens were issued.
    pub granted: bool,
}

/// A customer's consent that is being asked for.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) scope: String,
    pub(super) challenge: String,
}

#[derive(Debug)]
struct Grant {
    scope: String,
    latest: u32,
    highest_used: Option<u32>,
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    grant: u64,
    generation: u32,
    expires: Instant,
}

/// Freshly issued tokens.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) scope: String,
    pub(super) lifetime: Duration,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) lifetime: Duration,
    pub(super) mode: Mode,
    pub(super) counts: Counts,
    pub(super) refreshes: Vec<Refresh>,
    pub(super) secrets: Vec<String>,
    reuse: Reuse,
    requests: HashMap<String, Request>,
    codes: HashMap<String, Request>,
    grants: HashMap<u64, Grant>,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
}

impl Ledger {
    pub(super) fn new(options: &Options) -> Ledger {
        Ledger {
            lifetime: options.lifetime,
            mode: Mode::Normal,
            counts: Counts::default(),
            refreshes: Vec::new(),
            secrets: vec![options.client_secret.clone()],
            reuse: options.reuse,
            requests: HashMap::new(),
            codes: HashMap::new(),
            grants: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
        }
    }

    /// Remembers a consent that is being asked for; the answer names it in the page's form.
    pub(super) fn ask(&mut self, request: Request) -> String {
        self.counts.consents += 1;
        let id = random::text(16);
        self.requests.insert(id.clone(), request);
        id
    }

    /// Takes a consent that was asked for; it can be answered once.
    pub(super) fn take_request(&mut self, id: &str) -> Option<Request> {
        self.requests.remove(id)
    }

    /// A code for a consent that was given.
    pub(super) fn issue_code(&mut self, request: Request) -> String {
        let code = format!("code-{}", random::text(32));
        self.secrets.push(code.clone());
        self.codes.insert(code.clone(), request);
        code
    }

    /// Exchanges a code, once.
    pub(super) fn exchange(&mut self, code: &str, verifier: &str, redirect_uri: &str) -> Option<Issued> {
        let request = self.codes.remove(code)?;
        self.secrets.push(verifier.to_owned());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        if challenge != request.challenge || redirect_uri != request.redirect_uri {
            return None;
        }
        self.counts.exchanges += 1;
        let id = self.grants.len() as u64 + 1;
        let grant = Grant { scope: request.scope, latest: 0, highest_used: None, ended: false };
        self.grants.insert(id, grant);
        Some(self.issue(id, 0))
    }

    /// Exchanges a refresh token for the next generation of tokens.
    pub(super) fn refresh(&mut self, refresh_token: &str) -> Option<Issued> {
        let token = *self.refresh.get(refresh_token)?;
        let issued = self.refresh_grant(token);
        let Token { grant, generation: presented, .. } = token;
        self.refreshes.push(Refresh { grant, presented, granted: issued.is_some() });
        issued
    }

    fn refresh_grant(&mut self, token: Token) -> Option<Issued> {
        let grant = self.grants.get_mut(&token.grant)?;
        if grant.ended {
            return None;
        }
        let successor_used = grant.highest_used.is_some_and(|highest| highest > token.generation);
        let allowed = match self.reuse {
            Reuse::EndsGrant => token.generation == grant.latest,
            Reuse::UntilSuccessorUsed => !successor_used,
        };
        if !allowed {
            grant.ended = true;
            self.counts.reuses += 1;
            return None;
        }
        grant.highest_used = grant.highest_used.max(Some(token.generation));
        grant.latest += 1;
        let generation = grant.latest;
        Some(self.issue(token.grant, generation))
    }

    fn issue(&mut self, grant: u64, generation: u32) -> Issued {
        let name = format!("{grant}-{generation}-{}", random::text(32));
        let access_token = format!("access-{name}");
        let refresh_token = format!("refresh-{name}");
        let token = Token { grant, generation, expires: Instant::now() + self.lifetime };
        self.access.insert(access_token.clone(), token);
        self.refresh.insert(refresh_token.clone(), token);
        self.secrets.extend([access_token.clone(), refresh_token.clone()]);
        let scope = self.grants.get(&grant).map(|grant| grant.scope.clone()).unwrap_or_default();
        Issued { access_token, refresh_token, scope, lifetime: self.lifetime }
    }

    pub(super) fn generation(&self, access_token: &str) -> Option<(u64, u32)> {
        self.access.get(access_token).map(|token| (token.grant, token.generation))
    }

    /// Whether the API takes this token now.
    pub(super) fn accepts(&mut self, access_token: &str) -> bool {
        let good = self.access.get(access_token).is_some_and(|token| {
            token.expires > Instant::now() && self.grants.get(&token.grant).is_some_and(|grant| !grant.ended)
        });
        self.counts.api_calls += u32::from(good);
        good
    }

    /// Ends the grant of a token, whichever kind it is (RFC 7009).
    pub(super) fn revoke(&mut self, token: &str) {
        let token = self.refresh.get(token).or_else(|| self.access.get(token));
        if let Some(grant) = token.and_then(|token| self.grants.get_mut(&token.grant)) {
            grant.ended = true;
        }
    }

    pub(super) fn revoke_all(&mut self) {
        self.grants.values_mut().for_each(|grant| grant.ended = true);
    }
}
