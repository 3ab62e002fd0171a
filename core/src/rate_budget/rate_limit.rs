//! What a service tells of its budget: the headers `RateLimit-Policy` and `RateLimit`, lists of structured fields such
//! as `"default";q=120;w=60` and `"default";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers).

use std::time::Duration;

use http::HeaderMap;

/// No window is believed to be longer, in seconds: sums with times stay in range, whatever a service says.
const MAX_WINDOW: u64 = 86_400;

/// What the headers of one response tell, as far as they can be read.
#[derive(Debug, PartialEq)]
pub(super) struct RateLimit {
    pub(super) policy: Option<Policy>,
    pub(super) remainder: Option<Remainder>,
}

/// How much may be used.
#[derive(Debug, PartialEq)]
pub(super) struct Policy {
    /// Requests per window; at least one.
    pub(super) limit: f64,
    /// From a second to a day.
    pub(super) window: Duration,
}

/// How much of it is left.
#[derive(Debug, PartialEq)]
pub(super) struct Remainder {
    /// Requests until the window ends.
    pub(super) left: f64,
    /// From now until then, as told: however long a service says.
    pub(super) reset_in: Duration,
}

impl RateLimit {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        // Of several policies the one that allows the fewest requests in the long run.
        let policy = items(headers, "ratelimit-policy", "q", "w").min_by(|one, other| {
            // Their quotients, compared without dividing.
            let in_seconds_of = |of: &Item, seconds| u128::from(of.amount) * u128::from(seconds);
            in_seconds_of(one, other.seconds).cmp(&in_seconds_of(other, one.seconds))
        });
        let states = || items(headers, "ratelimit", "r", "t");
        let named = policy.as_ref().and_then(|policy| states().find(|state| state.name == policy.name));
        let state = named.or_else(|| states().min_by_key(|state| state.amount));
        Self {
            policy: policy.map(|item| Policy {
                limit: item.amount.max(1) as f64,
                window: Duration::from_secs(item.seconds.clamp(1, MAX_WINDOW)),
            }),
            remainder: state.map(|item| Remainder {
                left: item.amount as f64,
                reset_in: Duration::from_secs(item.seconds),
            }),
        }
    }
}

/// What one policy allows, or what is left of it.
#[derive(Debug, PartialEq, Eq)]
struct Item<'a> {
    /// Of the policy.
    name: &'a str,
    amount: u64,
    seconds: u64,
}

/// The items of a header that have both of these parameters.
fn items<'a>(
    headers: &'a HeaderMap,
    header: &str,
    amount: &str,
    seconds: &str,
) -> impl Iterator<Item = Item<'a>> {
    let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(','));
    items.filter_map(move |item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next()?;
        let parameter = |name| {
            let mut parameters = parts.clone().filter_map(|part| part.split_once('='));
            parameters.find(|(key, _)| *key == name)?.1.parse().ok()
        };
        Some(Item { name, amount: parameter(amount)?, seconds: parameter(seconds)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(policy: &str, state: &str) -> RateLimit {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-policy", policy.parse().unwrap());
        headers.insert("ratelimit", state.parse().unwrap());
        RateLimit::read(&headers)
    }

    fn policy(limit: f64, seconds: u64) -> Option<Policy> {
        let window = Duration::from_secs(seconds);
        Some(Policy { limit, window })
    }

    fn remainder(left: f64, seconds: u64) -> Option<Remainder> {
        let reset_in = Duration::from_secs(seconds);
        Some(Remainder { left, reset_in })
    }

    #[test]
    fn the_current_form_is_read_and_other_parameters_are_ignored() {
        let told = read(r#""default"; q=120; w=60;more=1"#, r#""default";more=1;r=50;t=30"#);
        assert_eq!(told.policy, policy(120.0, 60));
        assert_eq!(told.remainder, remainder(50.0, 30));
    }

    #[test]
    fn nonsense_is_ignored() {
        for value in [
            "",
            "default",
            r#""default";r=x;t=1;q=x;w=1"#,
            r#""default";r=-1;t=1;q=-1;w=1"#,
            r#""default";r=1;q=1"#,
            ";;=,,",
        ] {
            let told = read(value, value);
            assert_eq!((told.policy, told.remainder), (None, None), "{value}");
        }
        let told = read("nonsense", r#""a"; r=5; t=9, nonsense, "b";r=3;t=2"#);
        assert_eq!(told.remainder, remainder(3.0, 2));
    }

    #[test]
    fn absurd_policies_are_brought_into_range() {
        let told = read(&format!("a;q=0;w={}", u64::MAX), "");
        assert_eq!(told.policy, policy(1.0, MAX_WINDOW));
        assert_eq!(read("a;q=5;w=0", "").policy, policy(5.0, 1));
    }

    #[test]
    fn of_several_policies_the_one_that_allows_least_in_the_long_run_is_kept() {
        for (policies, least) in [
            (r#""second";q=10;w=1, "minute";q=120;w=60"#, policy(120.0, 60)),
            (r#""burst";q=100;w=60, "daily";q=1000;w=86400"#, policy(1000.0, 86_400)),
        ] {
            assert_eq!(read(policies, "").policy, least, "{policies}");
        }
    }

    #[test]
    fn what_is_left_is_told_of_the_policy_by_its_name_and_of_the_least_if_by_none() {
        for (state, expected) in [
            (r#""second";r=9;t=1, "minute";r=13;t=60"#, remainder(13.0, 60)),
            (r#""other";r=20;t=1, "another";r=14;t=60"#, remainder(14.0, 60)),
        ] {
            let told = read(r#""second";q=10;w=1, "minute";q=120;w=60"#, state);
            assert_eq!(told.remainder, expected, "{state}");
        }
    }
}
