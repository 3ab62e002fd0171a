//! The `traceparent` of a request (W3C Trace Context): `00-TRACE_ID-SPAN_ID-FLAGS`, in hexadecimal.

use http::HeaderMap;

/// The caller's span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    /// Whether the caller's side is traced.
    pub(super) is_sampled: bool,
}

impl Parent {
    /// What the headers say; `None` where they say nothing, or nonsense.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all("traceparent").iter();
        let value = values.next()?.to_str().ok()?;
        // Two of them contradict each other.
        if values.next().is_some() {
            return None;
        }
        let mut parts = value.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (span_id, flags) = (parts.next()?, parts.next()?);
        let [version] = bytes(version)?;
        // A later version may have more at its end.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace_id, span_id): ([u8; 16], [u8; 8]) = (bytes(trace_id)?, bytes(span_id)?);
        let [flags] = bytes(flags)?;
        let is_valid = trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then_some(Self { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }
}

/// Hexadecimal in lower case, of exactly this length.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Option<Parent> {
        Parent::of(&HeaderMap::from_iter([("traceparent".parse().unwrap(), value.parse().unwrap())]))
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let parent = parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(crate::ids::hex(&parent.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(crate::ids::hex(&parent.span_id), "b7ad6b7169203331");
        assert!(parent.is_sampled);
        assert!(!parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_sampled);
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-ever").is_some());
    }

    #[test]
    fn nonsense_is_ignored() {
        for value in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-ééf7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(value), None, "{value}");
        }
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            headers.append("traceparent", value.parse().unwrap());
        }
        assert_eq!(Parent::of(&headers), None);
    }
}
