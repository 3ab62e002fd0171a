// What the service answers. Members that this version does not know are kept in `extra`, and words that it does not know
// as they came, so that a newer service does not break an older client.

public import Foundation
internal import PabblyConnectNative

/// An app of the catalogue, such as Gmail.
public struct App: Codable, Hashable, Sendable, Identifiable, ListItem {
    /// `apps`
    public static var listName: String { "apps" }

    /// Opaque; store it exactly as it came.
    public let id: String
    /// The name to show.
    public let name: String
    /// How the app's customers authorise.
    public let authType: AuthType?
    /// One sentence for a catalogue page.
    public let description: String?
    /// What the app is for, such as `email`.
    public let categories: [String]?
    /// The ways to authorise, for those who build their own connection page.
    public let authOptions: [AuthOption]?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        name = try members.required("name")
        authType = try members.optional("auth_type")
        description = try members.optional("description")
        categories = try members.optional("categories")
        authOptions = try members.optional("auth_options")
        extra = try members.others(than: "id", "name", "auth_type", "description", "categories", "auth_options")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(name, forKey: Member("name"))
        try members.encodeIfPresent(authType, forKey: Member("auth_type"))
        try members.encodeIfPresent(description, forKey: Member("description"))
        try members.encodeIfPresent(categories, forKey: Member("categories"))
        try members.encodeIfPresent(authOptions, forKey: Member("auth_options"))
        try members.encode(extra)
    }
}

/// One way to authorise an app.
public struct AuthOption: Codable, Hashable, Sendable {
    /// Unique within the app; a request link takes it as `authOptionKey`.
    public let key: String
    /// How the customer authorises.
    public let authType: AuthType
    /// The name to show.
    public let title: String
    /// What the customer needs for it.
    public let description: String?
    /// A JSON Schema of what the customer is asked for; empty where nothing is asked.
    public let inputSchema: JSONValue?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        key = try members.required("key")
        authType = try members.required("type")
        title = try members.required("title")
        description = try members.optional("description")
        inputSchema = try members.optional("input_schema")
        extra = try members.others(than: "key", "type", "title", "description", "input_schema")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(key, forKey: Member("key"))
        try members.encode(authType, forKey: Member("type"))
        try members.encode(title, forKey: Member("title"))
        try members.encodeIfPresent(description, forKey: Member("description"))
        try members.encodeIfPresent(inputSchema, forKey: Member("input_schema"))
        try members.encode(extra)
    }
}

/// The app that a connection or a link belongs to.
public struct AppRef: Codable, Hashable, Sendable, Identifiable {
    /// The app's id in the catalogue.
    public let id: String
    /// The name to show.
    public let name: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        name = try members.optional("name")
        extra = try members.others(than: "id", "name")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encodeIfPresent(name, forKey: Member("name"))
        try members.encode(extra)
    }
}

/// One authorisation of one app, owned by one customer.
public struct Connection: Codable, Hashable, Sendable, Identifiable, ListItem {
    /// `connections`
    public static var listName: String { "connections" }

    /// Opaque; store it exactly as it came.
    public let id: String
    /// Where the connection is in its life.
    public let status: ConnectionStatus
    /// The name that the link was made with.
    public let name: String?
    /// The app; `nil` while the customer has not chosen one yet.
    public let app: AppRef?
    /// How the customer authorised.
    public let authType: AuthType?
    /// The customer's e-mail.
    public let userEmail: String?
    /// When the connection was made.
    public let createdAt: Timestamp?
    /// When the connection last changed.
    public let updatedAt: Timestamp?
    /// When the open link lapses; only while one is open.
    public let expiresAt: Timestamp?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        status = try members.required("status")
        name = try members.optional("name")
        app = try members.optional("app")
        authType = try members.optional("auth_type")
        userEmail = try members.optional("user_email")
        createdAt = try members.optional("created_at")
        updatedAt = try members.optional("updated_at")
        expiresAt = try members.optional("expires_at")
        extra = try members.others(
            than: "id", "status", "name", "app", "auth_type", "user_email", "created_at", "updated_at", "expires_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(status, forKey: Member("status"))
        try members.encodeIfPresent(name, forKey: Member("name"))
        try members.encodeIfPresent(app, forKey: Member("app"))
        try members.encodeIfPresent(authType, forKey: Member("auth_type"))
        try members.encodeIfPresent(userEmail, forKey: Member("user_email"))
        try members.encodeIfPresent(createdAt, forKey: Member("created_at"))
        try members.encodeIfPresent(updatedAt, forKey: Member("updated_at"))
        try members.encodeIfPresent(expiresAt, forKey: Member("expires_at"))
        try members.encode(extra)
    }
}

/// A hosted page where one customer connects one app. Encode it and hand it to the front end, and nothing else of the
/// SDK's.
///
/// It encodes whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's
/// address.
public struct RequestLink: Codable, Hashable, Sendable {
    /// The connection that the link is for; it is `pending` until the customer is done.
    public let connectionID: String
    /// Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone.
    public let requestToken: String
    /// The address of the hosted page.
    public let requestLink: String
    /// When the link lapses.
    public let expiresAt: Timestamp
    /// The app; `nil` where the customer picks one on the hosted page.
    public let app: AppRef?
    /// The address of the public status, gated by the request token.
    public let statusURL: String?
    /// Whether the link makes a connection or re-authorises one in place.
    public let operation: LinkOperation?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connectionID = try members.required("connection_id")
        requestToken = try members.required("request_token")
        requestLink = try members.required("request_link")
        expiresAt = try members.required("expires_at")
        app = try members.optional("app")
        statusURL = try members.optional("status_url")
        operation = try members.optional("operation")
        extra = try members.others(
            than: "connection_id", "request_token", "request_link", "expires_at", "app", "status_url", "operation")
    }

    /// Writes what the service sent, the request token too.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connectionID, forKey: Member("connection_id"))
        try members.encode(requestToken, forKey: Member("request_token"))
        try members.encode(requestLink, forKey: Member("request_link"))
        try members.encode(expiresAt, forKey: Member("expires_at"))
        try members.encodeIfPresent(app, forKey: Member("app"))
        try members.encodeIfPresent(statusURL, forKey: Member("status_url"))
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encode(extra)
    }
}

extension RequestLink: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows what tells links apart.
    public var description: String {
        "RequestLink(connectionID: \(connectionID), requestToken: [redacted], requestLink: [redacted], "
            + "expiresAt: \(expiresAt))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror {
        let children: KeyValuePairs<String, Any> = [
            "connectionID": connectionID, "requestToken": Redacted(), "requestLink": Redacted(),
            "expiresAt": expiresAt, "app": app as Any, "statusURL": statusURL as Any, "operation": operation as Any,
            "extra": extra,
        ]
        return Mirror(self, children: children, displayStyle: .struct)
    }
}

/// A point in time, as the service wrote it (RFC 3339).
public struct Timestamp: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The text as it came.
    public let text: String
    /// The same as a date.
    public let date: Date

    /// Reads a text; `nil` where it is no time.
    public init?(_ text: String) {
        guard let seconds = unixTime(text: text) else { return nil }
        self.text = text
        date = Date(timeIntervalSince1970: seconds)
    }

    /// Reads a text.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        guard let timestamp = Timestamp(try value.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "not a time of RFC 3339")
        }
        self = timestamp
    }

    /// Writes the text as it came.
    public func encode(to encoder: any Encoder) throws {
        try text.encode(to: encoder)
    }

    /// The text as it came.
    public var description: String { text }
}

/// A word of the contract, open to words that a newer service may send.
public protocol OpenWord: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible
where RawValue == String {
    /// Takes a word as it is on the wire.
    init(rawValue: String)
}

extension OpenWord {
    /// The word as it is on the wire.
    public var description: String { rawValue }
}

/// Where a connection is in its life: `pending`, then one of the others.
public struct ConnectionStatus: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The customer has not finished yet.
    public static let pending = ConnectionStatus(rawValue: "pending")
    /// The customer authorised: tokens can be vended.
    public static let active = ConnectionStatus(rawValue: "active")
    /// The customer declined.
    public static let rejected = ConnectionStatus(rawValue: "rejected")
    /// The link lapsed before the customer was done.
    public static let expired = ConnectionStatus(rawValue: "expired")
}

/// How an app's customers authorise.
public struct AuthType: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// OAuth 2: a token is vended.
    public static let oAuth = AuthType(rawValue: "o_auth")
    /// An API key: fields are vended.
    public static let apiKey = AuthType(rawValue: "api_key")
    /// A name and a password: fields are vended.
    public static let basic = AuthType(rawValue: "basic")
    /// Values for request headers: fields are vended.
    public static let header = AuthType(rawValue: "header")
}

/// What a request link does.
public struct LinkOperation: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It makes a new connection.
    public static let creation = LinkOperation(rawValue: "creation")
    /// It re-authorises an existing connection, which keeps its id.
    public static let reauth = LinkOperation(rawValue: "reauth")
}
