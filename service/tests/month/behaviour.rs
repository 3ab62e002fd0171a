//! What connections are like: how a provider treats each kind, how often a backend uses it, and what has to become of it.

use std::ops::RangeInclusive;

/// Ticks of a day.
pub(crate) const TICKS: u32 = 4;
/// The last day.
pub(crate) const DAYS: u32 = 30;

/// A kind of connections. Each is of an app of its own, whose OAuth client is not throttled because of another's.
pub(crate) struct Behaviour {
    /// Of the app, too.
    pub(crate) name: &'static str,
    /// Of a hundred connections.
    pub(crate) share: usize,
    pub(crate) calls: Calls,
    /// Further keys of `[auth.oauth]`.
    pub(crate) keys: &'static str,
    pub(crate) keep_alive: bool,
    pub(crate) has_refresh_token: bool,
    /// What the provider says to a refresh of this account at this tick.
    pub(crate) reply: fn(account: usize, tick: u32) -> Reply,
    /// Why the connection ends, if it does.
    pub(crate) ends: Option<&'static str>,
    /// How many requests the provider gets for this account in the month.
    pub(crate) requests: fn(account: usize) -> RangeInclusive<u32>,
}

/// When a backend asks for the token. On the last day it asks for all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    Never,
    Daily,
    EachTick,
    /// At each tick twice, and so again a minute later.
    Insistently,
}

/// What a token endpoint says to a refresh.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    Tokens,
    /// The grant is gone.
    Ended(u16, &'static str),
    /// A failure, which does not say when to come back.
    Failure(u16, &'static str),
    /// A 429 with this `Retry-After`.
    Throttled(u64),
}

pub(crate) const BEHAVIOURS: [Behaviour; 11] = [
    Behaviour { name: "rotating", share: 40, requests: |_| DAYS..=DAYS, ..USUAL },
    Behaviour { name: "unused", share: 15, calls: Calls::Never, requests: |_| 1..=1, ..USUAL },
    // Between 14 and 16 days after the latest refresh; on the last day it may be due for a call, too.
    Behaviour { name: "kept-alive", share: 10, requests: |_| 2..=3, ..IDLE },
    Behaviour {
        name: "died-unused",
        share: 3,
        keep_alive: false,
        ends: Some("grant_refused"),
        requests: |_| 1..=1,
        ..IDLE
    },
    Behaviour {
        name: "throttled",
        share: 5,
        calls: Calls::Insistently,
        reply: |_, tick| {
            if (40..52).contains(&tick) { Reply::Throttled(23 * 60 * 60) } else { Reply::Tokens }
        },
        // At most four in the three days, and those of the three other ticks that a pause may cover yet.
        requests: |_| 105..=112,
        ..USUAL
    },
    Behaviour {
        name: "provider-down",
        share: 5,
        calls: Calls::Insistently,
        reply: |account, tick| match tick {
            20 | 21 | 40 | 41 | 60 | 61 => Reply::Failure([500, 502, 503, 504][account % 4], "{}"),
            _ => Reply::Tokens,
        },
        // Six of the 120 ticks bring two; more only where a busy machine lets a pause of a second pass between two calls.
        requests: |_| 124..=138,
        ..USUAL
    },
    Behaviour {
        name: "not-a-refusal",
        share: 2,
        calls: Calls::EachTick,
        reply: |account, tick| match (tick, account % 2) {
            // Ten days.
            (20..60, 0) => Reply::Failure(401, r#"{"error":"invalid_client"}"#),
            (20..60, _) => Reply::Failure(403, "<html>Blocked</html>"),
            _ => Reply::Tokens,
        },
        requests: |_| 120..=120,
        ..USUAL
    },
    Behaviour {
        name: "other-words",
        share: 6,
        reply: |account, tick| {
            let (status, body) = OTHER_WORDS[account % OTHER_WORDS.len()];
            if tick / TICKS < last_day(account) { Reply::Tokens } else { Reply::Ended(status, body) }
        },
        ends: Some("grant_refused"),
        requests: |account| last_day(account)..=last_day(account),
        ..USUAL
    },
    Behaviour {
        name: "revoked",
        share: 6,
        reply: |account, tick| match tick / TICKS < last_day(account) {
            true => Reply::Tokens,
            false => Reply::Ended(400, r#"{"error":"invalid_grant"}"#),
        },
        ends: Some("grant_refused"),
        requests: |account| last_day(account)..=last_day(account),
        ..USUAL
    },
    Behaviour {
        name: "refused-for-days",
        share: 4,
        calls: Calls::EachTick,
        reply: |_, tick| match tick {
            ..12 => Reply::Tokens,
            _ => Reply::Failure(400, r#"{"message":"Location is not active"}"#),
        },
        ends: Some("refresh_failed"),
        // The seventeenth refusal comes four days after the first.
        requests: |_| 28..=28,
        ..USUAL
    },
    Behaviour {
        name: "no-refresh-token",
        share: 4,
        has_refresh_token: false,
        ends: Some("no_refresh_token"),
        requests: |_| 0..=0,
        ..USUAL
    },
];

const USUAL: Behaviour = Behaviour {
    name: "",
    share: 0,
    calls: Calls::Daily,
    keys: "",
    keep_alive: true,
    has_refresh_token: true,
    reply: |_, _| Reply::Tokens,
    ends: None,
    requests: |_| 0..=0,
};

/// How many days a refresh token of [`IDLE`] lives unused.
pub(crate) const IDLE_DAYS: u32 = 20;

const IDLE: Behaviour = Behaviour { calls: Calls::Never, keys: "refresh_idle_days = 20", ..USUAL };

/// Refusals that say by other words, or elsewhere, that a grant is gone.
const OTHER_WORDS: [(u16, &str); 5] = [
    (200, r#"{"error":"bad_refresh_token"}"#),
    (400, r#"{"error":"invalid_token"}"#),
    (400, r#"{"errors":[{"errorType":"invalid_grant"}]}"#),
    (401, r#"{"message":"Your refresh token has expired"}"#),
    (403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#),
];

/// On which day of four weeks an account's grant ends, if it does.
fn last_day(account: usize) -> u32 {
    1 + (account % 28) as u32
}

impl Calls {
    /// Whether a backend asks at this tick.
    pub(crate) fn are_at(self, tick: u32) -> bool {
        match self {
            Self::Never => tick == DAYS * TICKS,
            Self::Daily => tick.is_multiple_of(TICKS),
            Self::EachTick | Self::Insistently => true,
        }
    }
}
