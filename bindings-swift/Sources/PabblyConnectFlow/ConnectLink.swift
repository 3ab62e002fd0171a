import Foundation

/// A request link: what your backend hands to the app so that one customer can connect one app.
///
/// It decodes from the platform's answer as your backend passes it on (`request_link`, `request_token`,
/// `connection_id`, `expires_at`; other members are ignored), and encodes whole, so that it can be kept until the app
/// comes back. Whoever has it can finish the connection: keep it in the keychain rather than in the defaults. Printed,
/// it shows neither the address nor the token.
public struct ConnectLink: Sendable, Hashable {
    /// The address of the hosted page.
    public let requestLink: URL
    /// Lets the app ask how the link stands. It could also send a form in, so it is for this customer's app alone.
    public let requestToken: String
    /// The connection that the link is for.
    public let connectionID: String
    /// When the link expires.
    public let expiresAt: Date

    public init(requestLink: URL, requestToken: String, connectionID: String, expiresAt: Date) {
        self.requestLink = requestLink
        self.requestToken = requestToken
        self.connectionID = connectionID
        self.expiresAt = expiresAt
    }
}

extension ConnectLink {
    /// The one-time code in the address by which the hosted page led back, if it is about this link.
    func confirmationCode(in address: URL) -> String? {
        let items = URLComponents(url: address, resolvingAgainstBaseURL: false)?.queryItems ?? []
        func value(_ name: String) -> String? { items.first { $0.name == name }?.value }
        return value("connection_id") == connectionID ? value("confirmation_code") : nil
    }
}

extension ConnectLink: Codable {
    private enum CodingKeys: String, CodingKey {
        case requestLink = "request_link"
        case requestToken = "request_token"
        case connectionID = "connection_id"
        case expiresAt = "expires_at"
    }

    /// The time is RFC 3339, whatever strategy the decoder has for dates.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let time = try values.decode(String.self, forKey: .expiresAt)
        guard let expiresAt = Date(rfc3339: time) else {
            throw DecodingError.dataCorruptedError(
                forKey: .expiresAt, in: values, debugDescription: "not a time of RFC 3339")
        }
        self.init(
            requestLink: try values.decode(URL.self, forKey: .requestLink),
            requestToken: try values.decode(String.self, forKey: .requestToken),
            connectionID: try values.decode(String.self, forKey: .connectionID),
            expiresAt: expiresAt)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(requestLink, forKey: .requestLink)
        try values.encode(requestToken, forKey: .requestToken)
        try values.encode(connectionID, forKey: .connectionID)
        try values.encode(expiresAt.formatted(.iso8601), forKey: .expiresAt)
    }
}

extension Date {
    fileprivate init?(rfc3339 text: String) {
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        guard let date = styles.lazy.compactMap({ try? $0.parse(text) }).first else { return nil }
        self = date
    }
}

extension ConnectLink: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "ConnectLink(connectionID: \(connectionID), expiresAt: \(expiresAt))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(self, children: ["connectionID": connectionID, "expiresAt": expiresAt], displayStyle: .struct)
    }
}
