//! Which class an error answer belongs to.

use super::table::{CODES, ErrorKind};

/// What a call is about, as far as the meaning of a bare status depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// No existing connection is named: the catalogue, lists, a new link.
    General,
    /// One existing connection is named.
    Connection,
    /// One existing connection is to be deleted.
    DeleteConnection,
}

/// A known code decides; where there is none, or one that this version does not know, the status does.
pub(crate) fn classify(status: u16, code: Option<&str>, scope: Scope) -> ErrorKind {
    if let Some(row) = code.and_then(|code| CODES.iter().find(|row| row.status.is_some() && row.code == code))
    {
        return row.kind;
    }
    match (status, scope) {
        // Nobody is sent through the connect flow on a guess.
        (401, _) if code.is_some() => ErrorKind::Other,
        (401, Scope::General) => ErrorKind::Authentication,
        (401, _) => ErrorKind::NeedsReconnection,
        (403, _) => ErrorKind::CapabilityDisabled,
        (404, Scope::Connection | Scope::DeleteConnection) => ErrorKind::ConnectionDeleted,
        (409, Scope::DeleteConnection) => ErrorKind::ConnectionInUse,
        (429, _) => ErrorKind::RateLimited,
        (503, _) => ErrorKind::UpstreamUnavailable,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_outranks_the_status() {
        assert_eq!(
            classify(500, Some("rate_limited"), Scope::General),
            ErrorKind::RateLimited
        );
        assert_eq!(
            classify(401, Some("invalid_api_key"), Scope::Connection),
            ErrorKind::Authentication
        );
        assert_eq!(
            classify(404, Some("app_not_found"), Scope::Connection),
            ErrorKind::Other
        );
    }

    #[test]
    fn a_code_of_the_sdk_is_unknown_on_the_wire() {
        assert_eq!(
            classify(503, Some("timeout"), Scope::General),
            ErrorKind::UpstreamUnavailable
        );
    }

    #[test]
    fn an_unknown_code_leaves_it_to_the_status_but_for_401() {
        assert_eq!(
            classify(429, Some("slow_down"), Scope::General),
            ErrorKind::RateLimited
        );
        assert_eq!(
            classify(401, Some("something_new"), Scope::Connection),
            ErrorKind::Other
        );
    }

    #[test]
    fn a_bare_status_means_what_the_call_is_about() {
        assert_eq!(classify(401, None, Scope::General), ErrorKind::Authentication);
        assert_eq!(
            classify(401, None, Scope::Connection),
            ErrorKind::NeedsReconnection
        );
        assert_eq!(classify(404, None, Scope::General), ErrorKind::Other);
        assert_eq!(
            classify(404, None, Scope::DeleteConnection),
            ErrorKind::ConnectionDeleted
        );
        assert_eq!(classify(409, None, Scope::Connection), ErrorKind::Other);
        assert_eq!(
            classify(409, None, Scope::DeleteConnection),
            ErrorKind::ConnectionInUse
        );
    }
}
