public import Foundation
internal import PabblyConnectNative

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
    /// The customer's e-mail is missing or malformed.
    case invalidUserEmail(ErrorDetails)
    /// The tenant's budget of requests is used up: wait for ``ErrorDetails/retryAfter``.
    case rateLimited(ErrorDetails)
    /// The provider or the service is briefly unavailable, also after the retries.
    case upstreamUnavailable(ErrorDetails)
    /// A wait's own deadline passed while the connection was still pending; ``ErrorDetails/connection`` is its last
    /// known state.
    case waitTimeout(ErrorDetails)
    /// No complete answer arrived in time.
    case timeout(ErrorDetails)
    /// The service could not be reached, or the connection broke before the answer was complete.
    case network(ErrorDetails)
    /// A successful answer could not be understood.
    case decode(ErrorDetails)
    /// An argument, option or setting was refused before anything was sent.
    case invalidArgument(ErrorDetails)
    /// Any other answer: the status and the code are kept as they came.
    case other(ErrorDetails)

    /// What every error carries, whatever its case.
    public var details: ErrorDetails {
        switch self {
        case .needsReconnection(let details), .authentication(let details), .capabilityDisabled(let details),
            .connectionDeleted(let details), .connectionInUse(let details), .invalidUserEmail(let details),
            .rateLimited(let details), .upstreamUnavailable(let details), .waitTimeout(let details),
            .timeout(let details), .network(let details), .decode(let details), .invalidArgument(let details),
            .other(let details):
            details
        }
    }

    /// The case of this name in the core's table.
    private init(_ kind: String, _ details: ErrorDetails) {
        self =
            switch kind {
            case "NeedsReconnectionError": .needsReconnection(details)
            case "AuthenticationError": .authentication(details)
            case "CapabilityDisabledError": .capabilityDisabled(details)
            case "ConnectionDeletedError": .connectionDeleted(details)
            case "ConnectionInUseError": .connectionInUse(details)
            case "InvalidUserEmailError": .invalidUserEmail(details)
            case "RateLimitedError": .rateLimited(details)
            case "UpstreamUnavailableError": .upstreamUnavailable(details)
            case "WaitTimeoutError": .waitTimeout(details)
            case "TimeoutError": .timeout(details)
            case "NetworkError": .network(details)
            case "DecodeError": .decode(details)
            case "InvalidArgumentError": .invalidArgument(details)
            default: .other(details)
            }
    }
}

/// What every ``PabblyConnectError`` carries.
public struct ErrorDetails: Hashable, Sendable {
    /// What happened and what to do.
    public let message: String
    /// The HTTP status of the answer; `nil` where there was no usable answer.
    public let status: Int?
    /// The service's `data.code` as it came; the SDK's own code for errors that no answer caused.
    public let code: String?
    /// The answer behind the error, without credentials.
    public let response: ErrorResponse?
    /// How many requests were sent for this call.
    public let attempts: Int
    /// How long the service asked to wait before the next request.
    public let retryAfter: Duration?
    /// The connection as a wait last saw it, if it did; only with ``PabblyConnectError/waitTimeout(_:)``.
    public let connection: Connection?

    /// Makes the details of an error; only the SDK and tests do.
    public init(
        message: String, status: Int? = nil, code: String? = nil, response: ErrorResponse? = nil, attempts: Int = 0,
        retryAfter: Duration? = nil, connection: Connection? = nil
    ) {
        self.message = message
        self.status = status
        self.code = code
        self.response = response
        self.attempts = attempts
        self.retryAfter = retryAfter
        self.connection = connection
    }
}

/// The answer that an error was made from, without credentials.
public struct ErrorResponse: Codable, Hashable, Sendable {
    /// The HTTP status.
    public let status: Int
    /// The headers, names in lower case, without those that hold credentials or cookies.
    public let headers: [String: String]
    /// The body: parsed where it was JSON, else its text; `nil` where it was empty or did not arrive.
    public let body: JSONValue?
}

extension PabblyConnectError: CustomStringConvertible, LocalizedError {
    /// The message with the HTTP status and the code.
    public var description: String {
        let known = [details.status.map { "HTTP \($0)" }, details.status.flatMap { _ in details.code }].compactMap(
            \.self)
        return known.isEmpty ? details.message : "\(details.message) (\(known.joined(separator: ", ")))"
    }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}

extension PabblyConnectError {
    /// What Swift makes of an error that came from Rust.
    init(_ error: any Error) {
        guard
            case Failure.Failed(
                let kind, let message, let status, let code, let response, let attempts,
                let retryAfter, let connection) = error
        else {
            self = .other(ErrorDetails(message: "the SDK itself failed: \(error)"))
            return
        }
        let details = ErrorDetails(
            message: message, status: status.map(Int.init), code: code, response: response.flatMap { try? decoded($0) },
            attempts: Int(attempts), retryAfter: retryAfter.map { .seconds($0) },
            connection: connection.flatMap { try? decoded($0) })
        self.init(kind, details)
    }
}
