//! Which class an error response belongs to.

use serde_json::Value;

use super::kinds::{CODES, ErrorKind};

/// What a call is about, as far as the meaning of a bare status depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestTarget {
    /// No existing connection is named: the catalogue, lists, a new link.
    General,
    /// One existing connection is named.
    Connection,
    /// One existing connection is to be deleted.
    DeleteConnection,
    /// A customer's credentials are submitted for one connection.
    SubmitCredentials,
    /// A credential is brought for a connection that does not exist yet.
    ImportConnection,
}

/// The class of an error response. A known code decides; without one the status does, but only where the body has the
/// contract's shape: a proxy or firewall in between knows nothing about a customer's connection.
pub(crate) fn classify(
    status: u16,
    code: Option<&str>,
    has_contract_shape: bool,
    target: RequestTarget,
) -> ErrorKind {
    if let Some(kind) = code.and_then(known) {
        return kind;
    }
    if !has_contract_shape {
        return ErrorKind::Other;
    }
    match (status, target) {
        // Nobody is sent through the connect flow, or forgets an id, on a guess.
        (401 | 404, _) if code.is_some() => ErrorKind::Other,
        (401, RequestTarget::General | RequestTarget::ImportConnection) => ErrorKind::Authentication,
        (401, _) => ErrorKind::NeedsReconnection,
        (403, _) => ErrorKind::CapabilityDisabled,
        (404, RequestTarget::General | RequestTarget::ImportConnection) => ErrorKind::Other,
        (404, _) => ErrorKind::ConnectionDeleted,
        (409, RequestTarget::DeleteConnection) => ErrorKind::ConnectionInUse,
        (429, _) => ErrorKind::RateLimited,
        (503, _) => ErrorKind::UpstreamUnavailable,
        _ => ErrorKind::Other,
    }
}

/// The class that a code alone chooses.
pub(crate) fn kind_of_code(code: &str) -> ErrorKind {
    known(code).unwrap_or(ErrorKind::Other)
}

fn known(code: &str) -> Option<ErrorKind> {
    CODES.iter().find(|row| row.status.is_some() && row.code == code).map(|row| row.kind)
}

/// Whether a body is an error as the contract writes it: `{"status": "error", "message": text, "data": anything}`.
pub(crate) fn has_contract_shape(body: &Value) -> bool {
    body["status"] == "error" && body["message"].is_string() && body.get("data").is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The class of a response with the contract's shape.
    fn contract(status: u16, code: Option<&str>, target: RequestTarget) -> ErrorKind {
        classify(status, code, true, target)
    }

    #[test]
    fn a_known_code_outranks_the_status() {
        for shape in [true, false] {
            let class = |status, code, target| classify(status, Some(code), shape, target);
            assert_eq!(class(500, "rate_limited", RequestTarget::General), ErrorKind::RateLimited);
            assert_eq!(class(401, "invalid_api_key", RequestTarget::Connection), ErrorKind::Authentication);
            assert_eq!(class(404, "app_not_found", RequestTarget::Connection), ErrorKind::Other);
        }
    }

    #[test]
    fn a_code_of_the_sdk_is_unknown_on_the_wire() {
        assert_eq!(contract(503, Some("timeout"), RequestTarget::General), ErrorKind::UpstreamUnavailable);
    }

    #[test]
    fn an_unknown_code_leaves_it_to_the_status_but_for_401_and_404() {
        let unknown = |status| contract(status, Some("something_new"), RequestTarget::Connection);
        assert_eq!(unknown(429), ErrorKind::RateLimited);
        assert_eq!(unknown(401), ErrorKind::Other);
        assert_eq!(unknown(404), ErrorKind::Other);
    }

    #[test]
    fn a_bare_status_means_what_the_call_is_about() {
        assert_eq!(contract(401, None, RequestTarget::General), ErrorKind::Authentication);
        assert_eq!(contract(401, None, RequestTarget::Connection), ErrorKind::NeedsReconnection);
        assert_eq!(contract(401, None, RequestTarget::ImportConnection), ErrorKind::Authentication);
        assert_eq!(contract(404, None, RequestTarget::ImportConnection), ErrorKind::Other);
        assert_eq!(contract(404, None, RequestTarget::General), ErrorKind::Other);
        assert_eq!(contract(404, None, RequestTarget::DeleteConnection), ErrorKind::ConnectionDeleted);
        assert_eq!(contract(409, None, RequestTarget::Connection), ErrorKind::Other);
        assert_eq!(contract(409, None, RequestTarget::DeleteConnection), ErrorKind::ConnectionInUse);
    }

    #[test]
    fn a_proxys_status_means_nothing() {
        for status in [401, 403, 404, 409, 429, 503] {
            for target in [
                RequestTarget::General,
                RequestTarget::Connection,
                RequestTarget::DeleteConnection,
                RequestTarget::SubmitCredentials,
                RequestTarget::ImportConnection,
            ] {
                assert_eq!(classify(status, None, false, target), ErrorKind::Other, "{status}");
            }
        }
    }

    #[test]
    fn the_contracts_shape_is_its_three_members() {
        for body in [
            json!({"status": "error", "message": "No.", "data": null}),
            json!({"status": "error", "message": "", "data": {"code": "x"}, "more": 1}),
        ] {
            assert!(has_contract_shape(&body), "{body}");
        }
        for body in [
            json!(null),
            json!("<html>"),
            json!([{"status": "error", "message": "", "data": null}]),
            json!({"status": 404, "message": "Not Found", "data": null}),
            json!({"status": "success", "message": "", "data": null}),
            json!({"status": "error", "data": null}),
            json!({"status": "error", "message": 7, "data": null}),
            json!({"status": "error", "message": "Forbidden"}),
        ] {
            assert!(!has_contract_shape(&body), "{body}");
        }
    }
}
