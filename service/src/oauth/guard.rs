//! Which addresses a provider may have. Operators and customers influence host names, so a name that leads into the
//! machine's own network must lead nowhere (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

/// Names that one client resolves at once. Each takes a thread of those that the whole process has for what blocks.
const MAX_LOOKUPS: usize = 64;

/// For a lookup, with the time until there is room for it.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether an address is on the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0 // "this network"
        || address.is_private()
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT, and some clouds' metadata
        || address.is_loopback()
        || address.is_link_local() // and most clouds' metadata
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || address.is_documentation()
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || a >= 224; // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only 2000::/3 is given out at all; within it, some blocks lead elsewhere.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = match segments[0] {
        0x2001 => segments[1] < 0x0200 || segments[1] == 0x0db8, // Teredo, ORCHID, benchmarks; documentation
        0x3fff => segments[1] < 0x1000,                          // documentation
        _ => false,
    };
    global && !special
}

/// The IPv4 address that a translated IPv6 one really leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)), // NAT64
        [0x2002, high, low, ..] => Some(v4(high, low)),               // 6to4
        _ => None,
    }
}

/// Whether a URL may be called as it is written: `https`, and no literal address inside the network. Names are
/// looked at when they are resolved, by [`Resolver`].
pub(crate) fn may_call(url: &Url) -> bool {
    url.scheme() == "https"
        && match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        }
}

/// Whether an address that a customer entered may be handed to a backend, which will call it: [`may_call`], and no
/// name of the machine itself. What other names lead to is for the backend to see, when it resolves them.
pub(crate) fn is_public_address(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    may_call(url) && host != "localhost" && !host.ends_with(".localhost")
}

/// Resolves names, to public addresses alone unless `private` ones are allowed. The connection is made to the very
/// addresses that were looked at, so that a second, different DNS answer changes nothing.
#[derive(Clone)]
pub(super) struct Resolver {
    private: bool,
    room: Arc<Semaphore>,
}

/// Why a name leads nowhere. In the chain of an error it tells that the name was at fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// The system's resolver found nothing, or failed.
    #[error("the name does not resolve: {0}")]
    Failed(#[from] std::io::Error),
    /// It took too long, or too many others do.
    #[error("the name does not resolve in time")]
    Timeout,
    /// All addresses are inside the network.
    #[error("the name has no public address")]
    NotPublic,
}

impl Resolver {
    pub(super) fn new(private: bool) -> Self {
        Self { private, room: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }

    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let (room, name) = (self.room.clone(), name.to_owned());
        let lookup = async {
            let permit = room.acquire_owned().await;
            // A lookup goes on after its caller has left, and keeps its room so long.
            let found = tokio::spawn(async move {
                let found = tokio::net::lookup_host((name, 0)).await.map(Vec::from_iter);
                drop(permit);
                found
            });
            found.await.map_err(std::io::Error::other).flatten()
        };
        let found = timeout(LOOKUP_TIMEOUT, lookup).await.map_err(|_| ResolveError::Timeout)??.into_iter();
        let allowed: Vec<_> = found.filter(|address| self.private || is_public(address.ip())).collect();
        if allowed.is_empty() {
            return Err(ResolveError::NotPublic);
        }
        Ok(allowed)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn literal_addresses_are_seen_through_their_spellings() {
        for url in [
            "https://127.0.0.1/token",
            "https://2130706433/token",
            "https://0x7f.1/token",
            "https://017700000001/",
            "https://[::1]/token",
            "https://[::ffff:169.254.169.254]/",
            "https://169.254.169.254/latest",
            "http://example.com/token",
            "ftp://example.com/",
        ] {
            assert!(!may_call(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(may_call(&Url::parse("https://example.com/token").unwrap()));
        assert!(may_call(&Url::parse("https://8.8.8.8/token").unwrap()));
    }

    #[tokio::test]
    async fn a_name_that_leads_home_leads_nowhere() {
        let name = || "localhost".parse().unwrap();
        assert!(Resolver::new(false).resolve(name()).await.is_err());
        assert!(Resolver::new(true).resolve(name()).await.is_ok());
    }

    #[test]
    fn a_customers_address_is_not_the_machine_itself() {
        for url in [
            "https://localhost/",
            "https://LOCALHOST./",
            "https://api.localhost/",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/",
            "http://api.example.com/",
        ] {
            assert!(!is_public_address(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(is_public_address(&Url::parse("https://localhost.example.com/").unwrap()));
    }
}
