internal import Foundation
internal import PabblyConnectNative

/// A working credential for one connection. Use it at once; never store or log it.
///
/// An OAuth app gives ``accessToken``, every other kind gives ``fields``. Reading a member is the only way to its value:
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
    public var fields: SecretFields? {
        native.fieldNames().map { [native] in SecretFields(names: $0) { native.field(name: $0) } }
    }
    /// Members that this version does not know, as JSON text.
    public var extra: SecretFields {
        SecretFields(names: native.extraNames()) { [native] in native.extra(name: $0) }
    }
}

extension Token {
    /// Makes a token for a test, of the members that the service would send.
    ///
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where an OAuth token has no access token, or another no
    ///   fields.
    public static func of(
        authType: AuthType = .oAuth, accessToken: String? = nil, tokenType: String? = nil, expiresIn: Int? = nil,
        fields: [String: String]? = nil
    ) throws(PabblyConnectError) -> Token {
        let members: [String: JSONValue?] = [
            "auth_type": .string(authType.rawValue), "access_token": accessToken.map(JSONValue.string),
            "token_type": tokenType.map(JSONValue.string), "expires_in": expiresIn.map { .integer(Int64($0)) },
            "fields": fields.map { .object($0.mapValues(JSONValue.string)) },
        ]
        return try immediate {
            let json = try JSONEncoder().encode(members.compactMapValues(\.self))
            return Token(native: try PabblyConnectNative.Token.of(json: String(decoding: json, as: UTF8.self)))
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
