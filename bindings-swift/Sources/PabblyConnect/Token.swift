internal import PabblyConnectNative

#if canImport(FoundationNetworking)
    internal import Foundation
    public import FoundationNetworking
#else
    public import Foundation
#endif

/// A working credential for one connection. Use it at once; never store or log it.
///
/// What a customer consented to, or what was exchanged for a token, gives ``accessToken``; what the customer entered gives
/// ``fields``; ``apply(_:)`` makes the difference disappear. Reading a member is the only way to its value:
/// no printed form shows one, and there is deliberately no way to serialise a token.
public struct Token: Sendable {
    let native: PabblyConnectNative.Token

    /// Which of the two shapes this is.
    public var authType: AuthType { AuthType(rawValue: native.authType()) }
    /// The access token of an OAuth app.
    public var accessToken: String? { native.accessToken() }
    /// How the access token is presented, such as `Bearer`.
    public var tokenType: String? { native.tokenType() }
    /// How long the access token lives; `nil` where the provider does not say.
    public var expiresIn: Duration? { native.expiresIn().map { .seconds(Int64(clamping: $0)) } }
    /// The value of an `Authorization` header, `{tokenType} {accessToken}`; `nil` where the app is not OAuth.
    public var authorization: String? { native.authorization() }
    /// The credential values of an API-key, basic or header app, by the name of the field.
    public var fields: SecretFields? { secrets(.fields) }
    /// The OAuth scopes that were granted; `nil` where they are not known.
    public var scopes: [String]? { native.scopes() }
    /// Whose account it is at the provider; `nil` where that is not known.
    public var account: Account? { native.account().flatMap { try? decoded($0) } }
    /// What calls to the provider need beside the credential, such as a company's id.
    public var providerData: SecretFields { secrets(.providerData) ?? SecretFields(names: []) { _ in nil } }
    /// Where the provider's API is; `nil` where the catalogue does not tell.
    public var apiBaseURL: String? { native.apiBaseUrl() }
    /// The headers of a call to the provider's API; `nil` from a service that does not know of them.
    public var apiHeaders: SecretFields? { secrets(.apiHeaders) }
    /// The query parameters of a call to the provider's API; `nil` from a service that does not know of them.
    public var apiQuery: SecretFields? { secrets(.apiQuery) }
    /// Members that this version does not know, as JSON text.
    public var extra: SecretFields { secrets(.extra) ?? SecretFields(names: []) { _ in nil } }

    private func secrets(_ kind: Secrets) -> SecretFields? {
        native.names(of: kind).map { [native] in SecretFields(names: $0) { native.value(of: kind, name: $0) } }
    }

    /// A request to the provider's API, the credential included wherever this app wants it. Nothing is sent.
    ///
    /// Follow no redirect to another host: `URLSession` removes at most `Authorization` on the way, and many apps want their
    /// key in another header.
    ///
    /// - Parameter path: Follows ``apiBaseURL`` and may have a query. An absolute URL has to lie below the base URL; where
    ///   there is none, it has to be one, over HTTPS or to this machine.
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where the path leads out of the base URL or is no URL, and where
    ///   nothing tells how this app is called.
    public func apply(_ path: String) throws(PabblyConnectError) -> URLRequest {
        let made: Applied = try decoded(try immediate { try native.apply(path: path) })
        guard let url = URL(string: made.url) else {
            throw .invalidArgument(ErrorDetails(message: "the path makes no URL", code: "invalid_argument"))
        }
        var request = URLRequest(url: url)
        for (name, value) in made.headers {
            request.setValue(value, forHTTPHeaderField: name)
        }
        return request
    }
}

/// A request as the core makes it.
private struct Applied: Decodable {
    let url: String
    let headers: [String: String]
}

extension Token {
    /// Makes a token for a test, of the members that the service would send.
    ///
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where an OAuth token has no access token, or another no
    ///   fields.
    public static func of(
        authType: AuthType = .oAuth, accessToken: String? = nil, tokenType: String? = nil, expiresIn: Int? = nil,
        fields: [String: String]? = nil, scopes: [String]? = nil, account: Account? = nil,
        providerData: [String: String]? = nil, apiBaseURL: String? = nil, apiHeaders: [String: String]? = nil,
        apiQuery: [String: String]? = nil
    ) throws(PabblyConnectError) -> Token {
        func texts(_ members: [String: String]?) -> JSONValue? {
            members.map { .object($0.mapValues(JSONValue.string)) }
        }
        let members: [String: JSONValue?] = [
            "auth_type": .string(authType.rawValue), "access_token": accessToken.map(JSONValue.string),
            "token_type": tokenType.map(JSONValue.string), "expires_in": expiresIn.map { .integer(Int64($0)) },
            "fields": texts(fields), "scopes": scopes.map { .array($0.map(JSONValue.string)) },
            "account": try account.map { account throws(PabblyConnectError) in try decoded(jsonText(account)) },
            "provider_data": texts(providerData), "api_base_url": apiBaseURL.map(JSONValue.string),
            "api_headers": texts(apiHeaders), "api_query": texts(apiQuery),
        ]
        return try immediate {
            Token(native: try PabblyConnectNative.Token.of(json: jsonText(members.compactMapValues(\.self))))
        }
    }
}

/// Secret values by name. Names are printed, values are not.
public struct SecretFields: Sendable {
    /// The names, in order.
    public let names: [String]
    let read: @Sendable (String) -> String?

    init(names: [String], read: @escaping @Sendable (String) -> String?) {
        self.names = names
        self.read = read
    }

    /// The value of one field.
    public subscript(name: String) -> String? { read(name) }
}

extension Token: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private var shown: [(label: String?, value: Any)] {
        let all: [(String, Any?)] = [
            ("authType", authType),
            // Not by reading it, which would copy it.
            ("accessToken", authType == .oAuth ? Redacted() : nil),
            ("tokenType", tokenType),
            ("expiresIn", expiresIn),
            ("fields", fields),
            ("scopes", scopes.map { _ in Redacted() }),
            ("account", account.map { _ in Redacted() }),
            ("providerData", providerData.names.isEmpty ? nil : providerData),
            ("apiBaseURL", apiBaseURL.map { _ in Redacted() }),
            ("apiHeaders", apiHeaders),
            ("apiQuery", apiQuery),
            ("extra", extra.names.isEmpty ? nil : extra),
        ]
        return all.compactMap { label, value in value.map { (label, $0) } }
    }

    /// Shows everything but the secrets.
    public var description: String {
        "Token(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }
}

extension SecretFields: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows the names.
    public var description: String {
        "[\(names.isEmpty ? ":" : names.map { "\($0): [redacted]" }.joined(separator: ", "))]"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows the names.
    public var customMirror: Mirror {
        Mirror(self, children: names.map { ($0, Redacted()) }, displayStyle: .struct)
    }
}

/// In the place of a secret.
struct Redacted: CustomStringConvertible, CustomDebugStringConvertible {
    var description: String { "[redacted]" }
    var debugDescription: String { description }
}
