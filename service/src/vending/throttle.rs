//! What a 429 means for others. It may be meant for one account, or for the OAuth client as a whole, which many tenants
//! share. So connections of the same client at the same host wait as well, for a minute at most, but for one that probes:
//! if its refresh is not throttled, all go on. A tenant's 429s say nothing of others: its own connections have a probe of
//! theirs, and others go on waiting only where one of another tenant is throttled, too.
//!
//! It is known to this process alone: a few requests more or less harm nobody.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{Millis, millis};
use crate::oauth::{Failure, ProviderError};

/// No connection waits longer because of another.
const MAX_HELD: Millis = 60_000;
/// For how long others wait where the provider does not say.
const MIN_PAUSE: Millis = 1000;
/// What a connection waits for a probe that is under way.
const PROBE: Millis = 1000;

/// Who is throttled: an OAuth client at the host of a token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Throttled {
    pub(super) client_id: String,
    pub(super) host: String,
}

/// The clients that are throttled, and the connections that wait because of it.
#[derive(Default)]
pub(super) struct Throttles(Mutex<State>);

#[derive(Default)]
struct State {
    clients: HashMap<Throttled, Pause>,
    held: HashMap<String, Held>,
}

struct Pause {
    until: Millis,
    /// Whose 429 it began with.
    tenant: String,
    /// By that tenant.
    own: Probe,
    /// By any other.
    others: Probe,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Probe {
    Free,
    UnderWay,
    Throttled,
}

struct Held {
    by: Throttled,
    tenant: String,
    since: Millis,
}

/// How a connection was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Free,
    /// As the one that finds out whether the client as a whole is throttled.
    Probe,
}

impl Throttles {
    /// Lets a connection ask its provider, or tells how long it has to wait because of others.
    pub(super) fn admit(
        &self,
        client: &Throttled,
        tenant: &str,
        connection: &str,
        now: Millis,
    ) -> Result<Admission, Millis> {
        let mut state = self.state();
        let State { clients, held } = &mut *state;
        let Some(pause) = clients.get_mut(client).filter(|pause| pause.until > now) else {
            held.remove(connection);
            return Ok(Admission::Free);
        };
        let since = held.get(connection).map_or(now, |held| held.since);
        if now - since >= MAX_HELD {
            held.remove(connection);
            return Ok(Admission::Free);
        }
        let probe = pause.probe_mut(tenant);
        if *probe == Probe::Free {
            *probe = Probe::UnderWay;
            held.remove(connection);
            return Ok(Admission::Probe);
        }
        let new = || Held { by: client.clone(), tenant: tenant.to_owned(), since };
        held.entry(connection.to_owned()).or_insert_with(new);
        Err(pause.left(tenant, since, now))
    }

    /// What is left of the time that this connection has to wait because of others, as far as that is known.
    pub(super) fn pause(&self, connection: &str, now: Millis) -> Option<Millis> {
        let state = self.state();
        let held = state.held.get(connection)?;
        let pause = state.clients.get(&held.by).filter(|pause| pause.until > now)?;
        let has_to = pause.probe(&held.tenant) != Probe::Free && now - held.since < MAX_HELD;
        has_to.then(|| pause.left(&held.tenant, held.since, now))
    }

    /// Notes how the provider responded to a connection that was let through.
    pub(super) fn note(
        &self,
        client: &Throttled,
        tenant: &str,
        admission: Admission,
        error: Option<&ProviderError>,
        now: Millis,
    ) {
        let is_probe = admission == Admission::Probe;
        match error {
            Some(ProviderError::Unavailable { retry_after, failure: Failure::Throttled }) => {
                let pause = retry_after.map_or(MIN_PAUSE, millis).clamp(MIN_PAUSE, MAX_HELD);
                self.throttled(client, tenant, is_probe, pause, now);
            }
            // A lost response says nothing: another may probe.
            Some(ProviderError::Unavailable { failure: Failure::NoResponse, .. }) if is_probe => {
                if let Some(pause) = self.state().clients.get_mut(client) {
                    *pause.probe_mut(tenant) = Probe::Free;
                }
            }
            _ if is_probe => {
                let mut state = self.state();
                state.clients.remove(client);
                state.held.retain(|_, held| held.by != *client);
            }
            _ => {}
        }
    }

    fn throttled(&self, client: &Throttled, tenant: &str, is_probe: bool, pause: Millis, now: Millis) {
        let mut state = self.state();
        state.held.retain(|_, held| now - held.since < 2 * MAX_HELD);
        state.clients.retain(|_, pause| pause.until > now);
        // A later 429 makes a pause no longer.
        let new =
            Pause { until: now + pause, tenant: tenant.to_owned(), own: Probe::Free, others: Probe::Free };
        let pause = state.clients.entry(client.clone()).or_insert(new);
        if is_probe {
            *pause.probe_mut(tenant) = Probe::Throttled;
            // What is meant for another tenant, too, is meant for all.
            pause.own = Probe::Throttled;
        }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pause {
    /// The probe that a connection of this tenant waits for.
    fn probe(&self, tenant: &str) -> Probe {
        if self.tenant == tenant { self.own } else { self.others }
    }

    fn probe_mut(&mut self, tenant: &str) -> &mut Probe {
        if self.tenant == tenant { &mut self.own } else { &mut self.others }
    }

    /// What is left of it for a connection that has waited since then.
    fn left(&self, tenant: &str, since: Millis, now: Millis) -> Millis {
        let left = self.until.min(since + MAX_HELD) - now;
        if self.probe(tenant) == Probe::UnderWay { left.min(PROBE) } else { left }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn client() -> Throttled {
        Throttled { client_id: "id".into(), host: "token.example".into() }
    }

    impl Throttles {
        /// Lets a connection through that must be, and notes that it was throttled.
        fn throttle(&self, connection: &str, admission: Admission, pause: Duration, now: Millis) {
            self.throttle_of(connection, connection, admission, pause, now);
        }

        fn throttle_of(
            &self,
            tenant: &str,
            connection: &str,
            admission: Admission,
            pause: Duration,
            now: Millis,
        ) {
            assert_eq!(self.admit(&client(), tenant, connection, now), Ok(admission));
            let error = ProviderError::Unavailable { retry_after: Some(pause), failure: Failure::Throttled };
            self.note(&client(), tenant, admission, Some(&error), now);
        }

        /// Asks for a connection whose tenant has no other.
        fn ask(&self, connection: &str, now: Millis) -> Result<Admission, Millis> {
            self.admit(&client(), connection, connection, now)
        }
    }

    #[test]
    fn one_probe_frees_all() {
        for error in [None, Some(&ProviderError::Declined)] {
            let throttles = Throttles::default();
            throttles.throttle("loud", Admission::Free, HOUR, 0);
            assert_eq!(throttles.ask("a", 10), Ok(Admission::Probe));
            assert_eq!(throttles.ask("b", 20), Err(PROBE));
            assert_eq!(throttles.pause("b", 30), Some(PROBE));
            throttles.note(&client(), "a", Admission::Probe, error, 40);
            assert_eq!(throttles.pause("b", 40), None);
            assert_eq!(throttles.ask("b", 40), Ok(Admission::Free));
        }
    }

    #[test]
    fn a_probe_that_is_throttled_leaves_the_pause_as_it_was() {
        let throttles = Throttles::default();
        throttles.throttle("loud", Admission::Free, HOUR, 0);
        throttles.throttle("a", Admission::Probe, HOUR, 30_000);
        assert_eq!(throttles.ask("b", 40_000), Err(20_000));
        assert_eq!(throttles.pause("b", 50_000), Some(10_000));
        let other = Throttled { host: "other.example".into(), ..client() };
        assert_eq!(throttles.admit(&other, "c", "c", 50_000), Ok(Admission::Free));
        assert_eq!(throttles.ask("b", 60_000), Ok(Admission::Free));
    }

    #[test]
    fn a_probe_without_a_response_is_repeated() {
        let throttles = Throttles::default();
        throttles.throttle("loud", Admission::Free, Duration::from_secs(30), 0);
        assert_eq!(throttles.ask("a", 0), Ok(Admission::Probe));
        let lost = ProviderError::Unavailable { retry_after: None, failure: Failure::NoResponse };
        throttles.note(&client(), "a", Admission::Probe, Some(&lost), 0);
        assert_eq!(throttles.ask("b", 0), Ok(Admission::Probe));
        assert_eq!(throttles.ask("a", 30_000), Ok(Admission::Free));
    }

    /// A tenant's second 429 says nothing of others, however often it comes.
    #[test]
    fn one_tenant_alone_keeps_no_other_waiting() {
        let throttles = Throttles::default();
        for minute in 0..3 {
            let now = minute * MAX_HELD;
            throttles.throttle_of("loud", "first", Admission::Free, HOUR, now);
            throttles.throttle_of("loud", "second", Admission::Probe, HOUR, now);
            assert_eq!(throttles.admit(&client(), "loud", "third", now), Err(MAX_HELD));
            assert_eq!(throttles.pause("third", now), Some(MAX_HELD));
            assert_eq!(throttles.ask("quiet", now), Ok(Admission::Probe));
            assert_eq!(throttles.ask("other", now), Err(PROBE));
            throttles.note(&client(), "quiet", Admission::Probe, None, now);
            assert_eq!(throttles.ask("other", now), Ok(Admission::Free));
            assert_eq!(throttles.admit(&client(), "loud", "third", now), Ok(Admission::Free));
        }
    }

    #[test]
    fn a_throttled_probe_of_another_tenant_is_one_for_all() {
        let throttles = Throttles::default();
        throttles.throttle_of("loud", "first", Admission::Free, HOUR, 0);
        throttles.throttle("quiet", Admission::Probe, HOUR, 0);
        assert_eq!(throttles.admit(&client(), "loud", "second", 0), Err(MAX_HELD));
        assert_eq!(throttles.ask("other", 0), Err(MAX_HELD));
    }

    /// One tenant that is throttled again and again keeps another waiting for a minute at most.
    #[test]
    fn nobody_is_held_for_longer_than_a_minute() {
        let throttles = Throttles::default();
        throttles.throttle("loud", Admission::Free, HOUR, 0);
        throttles.throttle("a", Admission::Probe, HOUR, 0);
        assert_eq!(throttles.ask("quiet", 30_000), Err(30_000));
        // A new pause begins at the end of the old one, and its probe is throttled too.
        throttles.throttle("loud", Admission::Free, HOUR, 60_000);
        throttles.throttle("a", Admission::Probe, HOUR, 60_000);
        assert_eq!(throttles.ask("quiet", 89_999), Err(1));
        assert_eq!(throttles.pause("quiet", 90_000), None);
        assert_eq!(throttles.ask("quiet", 90_000), Ok(Admission::Free));
    }
}
