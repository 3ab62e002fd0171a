// Why a call failed.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

/// A call failed. Its texts and members are safe to log: they never hold a key or a token.
///
/// Match on the case and read the rest from ``details``. Later versions may add cases: end a `switch` with `default`.
public enum PabblyConnectError: Error, Hashable, Sendable {
    /// The customer's grant was revoked or has expired: send the customer through the connect flow again.
    case needsReconnection(ErrorDetails)
    /// The tenant key is missing, unknown or revoked.
    case authentication(ErrorDetails)
    /// The tenant key lacks the capability that this call needs.
    case capabilityDisabled(ErrorDetails)
    /// The connection does not exist, or is not this tenant's and customer's.
    case connectionDeleted(ErrorDetails)
    /// The connection cannot be deleted while something uses it.
    case connectionInUse(ErrorDetails)
    /// The cursor is older than the events that are kept: read the state of your connections anew, and go on from
    /// `oldestCursor`.
    case cursorExpired(ErrorDetails)
    /// The customer's e-mail is missing or malformed.
    case invalidUserEmail(ErrorDetails)
    /// The tenant's budget of requests is used up: wait for `retryAfter`.
    case rateLimited(ErrorDetails)
    /// The provider or the service is briefly unavailable, also after the retries.
    case upstreamUnavailable(ErrorDetails)
    /// A wait's own deadline passed while the connection was still pending; `connection` is what a poll last saw of it,
    /// if one did.
    case waitTimeout(ErrorDetails)
    /// No complete answer arrived in time.
    case timeout(ErrorDetails)
    /// The service could not be reached, or the connection broke before the answer was complete.
    case network(ErrorDetails)
    /// A successful answer could not be understood.
    case decode(ErrorDetails)
    /// A request is no webhook of yours: respond with 400, and do nothing that it says. The code tells why.
    case webhookVerification(ErrorDetails)
    /// An argument, option or setting was refused before anything was sent.
    case invalidArgument(ErrorDetails)
    /// Any other answer: the status and the code are kept as they came.
    case other(ErrorDetails)

    /// What every error carries, whatever its case.
    public var details: ErrorDetails {
        switch self {
        case .needsReconnection(let details): details
        case .authentication(let details): details
        case .capabilityDisabled(let details): details
        case .connectionDeleted(let details): details
        case .connectionInUse(let details): details
        case .cursorExpired(let details): details
        case .invalidUserEmail(let details): details
        case .rateLimited(let details): details
        case .upstreamUnavailable(let details): details
        case .waitTimeout(let details): details
        case .timeout(let details): details
        case .network(let details): details
        case .decode(let details): details
        case .webhookVerification(let details): details
        case .invalidArgument(let details): details
        case .other(let details): details
        }
    }

    /// The case of this class in the core's manifest.
    init(_ name: String, _ details: ErrorDetails) {
        self =
            switch name {
            case "NeedsReconnectionError": .needsReconnection(details)
            case "AuthenticationError": .authentication(details)
            case "CapabilityDisabledError": .capabilityDisabled(details)
            case "ConnectionDeletedError": .connectionDeleted(details)
            case "ConnectionInUseError": .connectionInUse(details)
            case "CursorExpiredError": .cursorExpired(details)
            case "InvalidUserEmailError": .invalidUserEmail(details)
            case "RateLimitedError": .rateLimited(details)
            case "UpstreamUnavailableError": .upstreamUnavailable(details)
            case "WaitTimeoutError": .waitTimeout(details)
            case "TimeoutError": .timeout(details)
            case "NetworkError": .network(details)
            case "DecodeError": .decode(details)
            case "WebhookVerificationError": .webhookVerification(details)
            case "InvalidArgumentError": .invalidArgument(details)
            default: .other(details)
            }
    }
}
