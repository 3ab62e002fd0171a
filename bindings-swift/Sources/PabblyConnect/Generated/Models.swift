// What the service answers. Members that this version does not know are kept in `extra`, and words that it does not know
// as they came, so that a newer service does not break an older client.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

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

    /// Makes one; only the SDK and tests do.
    public init(
        key: String,
        authType: AuthType,
        title: String,
        description: String? = nil,
        inputSchema: JSONValue? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.key = key
        self.authType = authType
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        key = try members.required("key")
        authType = try members.required("type")
        title = try members.required("title")
        description = try members.optional("description")
        inputSchema = try members.optional("input_schema")
        extra = try members.others(
            than: "key", "type", "title", "description", "input_schema")
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
    /// The documentation of the app's own API, for developers.
    public let docsURL: String?
    /// The ways to authorise, for those who build their own connection page.
    public let authOptions: [AuthOption]?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        name: String,
        authType: AuthType? = nil,
        description: String? = nil,
        categories: [String]? = nil,
        docsURL: String? = nil,
        authOptions: [AuthOption]? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.name = name
        self.authType = authType
        self.description = description
        self.categories = categories
        self.docsURL = docsURL
        self.authOptions = authOptions
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        name = try members.required("name")
        authType = try members.optional("auth_type")
        description = try members.optional("description")
        categories = try members.optional("categories")
        docsURL = try members.optional("docs_url")
        authOptions = try members.optional("auth_options")
        extra = try members.others(
            than: "id", "name", "auth_type", "description", "categories", "docs_url", "auth_options")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(name, forKey: Member("name"))
        try members.encodeIfPresent(authType, forKey: Member("auth_type"))
        try members.encodeIfPresent(description, forKey: Member("description"))
        try members.encodeIfPresent(categories, forKey: Member("categories"))
        try members.encodeIfPresent(docsURL, forKey: Member("docs_url"))
        try members.encodeIfPresent(authOptions, forKey: Member("auth_options"))
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

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        name: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.name = name
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        name = try members.optional("name")
        extra = try members.others(
            than: "id", "name")
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
    /// The app; absent while the customer has not chosen one yet.
    public let app: AppRef?
    /// How the customer authorised.
    public let authType: AuthType?
    /// The customer's e-mail.
    public let userEmail: String?
    /// When the connection was made.
    public let createdAt: Timestamp?
    /// When the connection last changed.
    public let updatedAt: Timestamp?
    /// When the open link expires; only while one is open.
    public let expiresAt: Timestamp?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        status: ConnectionStatus,
        name: String? = nil,
        app: AppRef? = nil,
        authType: AuthType? = nil,
        userEmail: String? = nil,
        createdAt: Timestamp? = nil,
        updatedAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.status = status
        self.name = name
        self.app = app
        self.authType = authType
        self.userEmail = userEmail
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.expiresAt = expiresAt
        self.extra = extra
    }

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

/// A hosted page where one customer connects one app.
///
/// Hand `requestLink`, `requestToken` and `connectionID` to the front end, and nothing else of the SDK's. It serialises
/// whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's address,
/// since anybody who has it can connect an account of their own in the customer's place.
public struct RequestLink: Codable, Hashable, Sendable {
    /// The connection that the link is for; it is `pending` until the customer is done.
    public let connectionID: String
    /// Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone.
    public let requestToken: String
    /// The address of the hosted page.
    public let requestLink: String
    /// When the link expires.
    public let expiresAt: Timestamp
    /// The app; absent where the customer picks one on the hosted page.
    public let app: AppRef?
    /// The address of the public status, gated by the request token.
    public let statusURL: String?
    /// Whether the link makes a connection or re-authorises one in place.
    public let operation: LinkOperation?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connectionID: String,
        requestToken: String,
        requestLink: String,
        expiresAt: Timestamp,
        app: AppRef? = nil,
        statusURL: String? = nil,
        operation: LinkOperation? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connectionID = connectionID
        self.requestToken = requestToken
        self.requestLink = requestLink
        self.expiresAt = expiresAt
        self.app = app
        self.statusURL = statusURL
        self.operation = operation
        self.extra = extra
    }

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

    /// Writes what the service sent.
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
    private var shown: [(label: String?, value: Any)] {
        let all: [(String, Any?)] = [
            ("connectionID", connectionID),
            ("requestToken", Redacted()),
            ("requestLink", Redacted()),
            ("expiresAt", expiresAt),
            ("app", app),
            ("statusURL", statusURL),
            ("operation", operation),
            ("extra", extra.isEmpty ? nil : extra),
        ]
        return all.compactMap { label, value in value.map { (label, $0) } }
    }

    /// Shows everything but the secrets.
    public var description: String {
        "RequestLink(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }
}

/// Where a connection is in its life: `pending`, then one of the others.
public struct ConnectionStatus: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The customer authorised: tokens can be vended.
    public static let active = ConnectionStatus(rawValue: "active")
    /// The link expired before the customer was done.
    public static let expired = ConnectionStatus(rawValue: "expired")
    /// The customer has not finished yet.
    public static let pending = ConnectionStatus(rawValue: "pending")
    /// The customer declined.
    public static let rejected = ConnectionStatus(rawValue: "rejected")
}

/// How an app's customers authorise.
public struct AuthType: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// An API key: fields are vended.
    public static let apiKey = AuthType(rawValue: "api_key")
    /// A name and a password: fields are vended.
    public static let basic = AuthType(rawValue: "basic")
    /// Values for request headers: fields are vended.
    public static let header = AuthType(rawValue: "header")
    /// OAuth 2: a token is vended.
    public static let oAuth = AuthType(rawValue: "o_auth")
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
