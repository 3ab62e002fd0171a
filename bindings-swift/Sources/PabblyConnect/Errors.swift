public import Foundation
internal import PabblyConnectNative

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
    /// Of `submitCredentials` and `importConnection`, what is wrong with each field of
    /// the form, as sentences for the customer.
    public let fields: [String: String]?
    /// Where the feed of events begins now; only with ``PabblyConnectError/cursorExpired(_:)``.
    public let oldestCursor: String?

    /// Makes the details of an error; only the SDK and tests do.
    public init(
        message: String, status: Int? = nil, code: String? = nil, response: ErrorResponse? = nil, attempts: Int = 0,
        retryAfter: Duration? = nil, connection: Connection? = nil, fields: [String: String]? = nil,
        oldestCursor: String? = nil
    ) {
        self.message = message
        self.status = status
        self.code = code
        self.response = response
        self.attempts = attempts
        self.retryAfter = retryAfter
        self.connection = connection
        self.fields = fields
        self.oldestCursor = oldestCursor
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

/// An error of the core, as JSON.
private struct CoreError: Decodable {
    let `class`: String
    let message: String
    let status: Int?
    let code: String?
    let response: ErrorResponse?
    let attempts: Int
    let retryAfter: Double?
    let connection: Connection?
    let fields: [String: String]?
    let oldestCursor: String?
}

extension PabblyConnectError {
    /// What Swift makes of an error that came from Rust.
    init(_ error: any Error) {
        guard case Failure.Failed(let json) = error, let core: CoreError = try? decoded(json) else {
            self = .other(ErrorDetails(message: "the SDK itself failed: \(error)"))
            return
        }
        let details = ErrorDetails(
            message: core.message, status: core.status, code: core.code, response: core.response,
            attempts: core.attempts, retryAfter: core.retryAfter.map { .seconds($0) }, connection: core.connection,
            fields: core.fields, oldestCursor: core.oldestCursor)
        self.init(core.class, details)
    }
}
