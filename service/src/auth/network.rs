//! Where a request comes from, to limit how often something is asked for.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;

use crate::state::AppState;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where the connection comes from: the client, or the nearest reverse proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

/// The client's network: its address, or the /64 of an IPv6 one, of which everybody has many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) String);

impl FromRequestParts<AppState> for Network {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let address = match app.config.trusted_proxies {
            0 => peer,
            proxies => forwarded(parts, proxies).or(peer),
        };
        Ok(Self(address.map(network).unwrap_or_default()))
    }
}

/// Each proxy adds the address that it was called from at the end. What stands before those is anybody's word.
fn forwarded(parts: &Parts, proxies: u32) -> Option<IpAddr> {
    let values = parts.headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let addresses: Vec<_> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let index = addresses.len().checked_sub(usize::try_from(proxies).ok()?)?;
    addresses.get(index)?.parse().ok()
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from_bits(prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_network_is_an_address_or_a_64() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }

    /// A client can write whatever it likes before what the proxies add.
    #[test]
    fn only_what_trusted_proxies_add_counts() {
        let request = Request::builder()
            .header("x-forwarded-for", "203.0.113.9, 198.51.100.1")
            .header("x-forwarded-for", "192.0.2.7");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(forwarded(&parts, 1), "192.0.2.7".parse().ok());
        assert_eq!(forwarded(&parts, 2), "198.51.100.1".parse().ok());
        assert_eq!(forwarded(&parts, 3), "203.0.113.9".parse().ok());
        assert_eq!(forwarded(&parts, 4), None);
    }
}
