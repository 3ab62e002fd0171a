// What the service answers. Members that this version does not know are kept in `extra`, and words that it does not know
// as they came, so that a newer service does not break an older client.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

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

/// What to show to the person who is to enter the organization's OAuth client.
///
/// The option's `inputSchema` has the fields for it, `oauth_client_id` and `oauth_client_secret`.
public struct ClientSetup: Codable, Hashable, Sendable {
    /// The organization's name.
    public let organization: String
    /// Whether this customer may enter it. Others are to ask an admin.
    public let allowed: Bool
    /// The address to register with the client.
    public let redirectUri: String
    /// How to get one: paragraphs, lists, headings, code and `https` links, safe to show.
    public let instructionsHtml: String
    /// Whether the secret that was entered before is still there, so that its field may be left empty.
    public let secretIsKnown: Bool
    /// What was entered before.
    public let clientID: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        organization: String,
        allowed: Bool,
        redirectUri: String,
        instructionsHtml: String,
        secretIsKnown: Bool,
        clientID: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.organization = organization
        self.allowed = allowed
        self.redirectUri = redirectUri
        self.instructionsHtml = instructionsHtml
        self.secretIsKnown = secretIsKnown
        self.clientID = clientID
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        organization = try members.required("organization")
        allowed = try members.required("allowed")
        redirectUri = try members.required("redirect_uri")
        instructionsHtml = try members.required("instructions_html")
        secretIsKnown = try members.required("secret_is_known")
        clientID = try members.optional("client_id")
        extra = try members.others(
            than: "organization", "allowed", "redirect_uri", "instructions_html", "secret_is_known", "client_id")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(organization, forKey: Member("organization"))
        try members.encode(allowed, forKey: Member("allowed"))
        try members.encode(redirectUri, forKey: Member("redirect_uri"))
        try members.encode(instructionsHtml, forKey: Member("instructions_html"))
        try members.encode(secretIsKnown, forKey: Member("secret_is_known"))
        try members.encodeIfPresent(clientID, forKey: Member("client_id"))
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
    /// The app; only in the list of a link's options.
    public let app: AppRef?
    /// A JSON Schema of what the customer is asked for; empty where nothing is asked.
    public let inputSchema: JSONValue?
    /// Only in the list of a link's options, and only where the organization's OAuth client has to be entered.
    public let clientSetup: ClientSetup?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        key: String,
        authType: AuthType,
        title: String,
        description: String? = nil,
        app: AppRef? = nil,
        inputSchema: JSONValue? = nil,
        clientSetup: ClientSetup? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.key = key
        self.authType = authType
        self.title = title
        self.description = description
        self.app = app
        self.inputSchema = inputSchema
        self.clientSetup = clientSetup
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        key = try members.required("key")
        authType = try members.required("type")
        title = try members.required("title")
        description = try members.optional("description")
        app = try members.optional("app")
        inputSchema = try members.optional("input_schema")
        clientSetup = try members.optional("client_setup")
        extra = try members.others(
            than: "key", "type", "title", "description", "app", "input_schema", "client_setup")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(key, forKey: Member("key"))
        try members.encode(authType, forKey: Member("type"))
        try members.encode(title, forKey: Member("title"))
        try members.encodeIfPresent(description, forKey: Member("description"))
        try members.encodeIfPresent(app, forKey: Member("app"))
        try members.encodeIfPresent(inputSchema, forKey: Member("input_schema"))
        try members.encodeIfPresent(clientSetup, forKey: Member("client_setup"))
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
    /// Whether your customers can connect it: by a form, or by OAuth with a client.
    public let connectable: Bool?
    /// Whose OAuth client it is connected with; absent where there is none, or none is needed.
    public let clientSource: ClientSource?
    /// The address to register with an OAuth client of your own; absent without OAuth.
    public let redirectUri: String?
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
        connectable: Bool? = nil,
        clientSource: ClientSource? = nil,
        redirectUri: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.name = name
        self.authType = authType
        self.description = description
        self.categories = categories
        self.docsURL = docsURL
        self.authOptions = authOptions
        self.connectable = connectable
        self.clientSource = clientSource
        self.redirectUri = redirectUri
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
        connectable = try members.optional("connectable")
        clientSource = try members.optional("client_source")
        redirectUri = try members.optional("redirect_uri")
        extra = try members.others(
            than: "id", "name", "auth_type", "description", "categories", "docs_url", "auth_options", "connectable",
            "client_source", "redirect_uri")
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
        try members.encodeIfPresent(connectable, forKey: Member("connectable"))
        try members.encodeIfPresent(clientSource, forKey: Member("client_source"))
        try members.encodeIfPresent(redirectUri, forKey: Member("redirect_uri"))
        try members.encode(extra)
    }
}

/// An account at a provider, in the provider's own words.
public struct Account: Codable, Hashable, Sendable, Identifiable {
    /// What the provider calls it.
    public let id: String?
    /// A name for people, such as an e-mail or a workspace.
    public let label: String?
    /// Its address for people.
    public let url: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String? = nil,
        label: String? = nil,
        url: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.label = label
        self.url = url
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.optional("id")
        label = try members.optional("label")
        url = try members.optional("url")
        extra = try members.others(
            than: "id", "label", "url")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encodeIfPresent(id, forKey: Member("id"))
        try members.encodeIfPresent(label, forKey: Member("label"))
        try members.encodeIfPresent(url, forKey: Member("url"))
        try members.encode(extra)
    }
}

/// Why a connection needs the customer again.
public struct Reconnection: Codable, Hashable, Sendable {
    /// A word: `grant_refused`, the provider refused to refresh the credential; `no_refresh_token`, it has expired and
    /// there is nothing to refresh it with; `refresh_failed`, the provider refused to refresh it for days, in words
    /// that do not say why; `client_changed`, its OAuth client was changed or removed. More may follow.
    public let reason: String
    /// When that was found.
    public let since: Timestamp
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        reason: String,
        since: Timestamp,
        extra: [String: JSONValue] = [:]
    ) {
        self.reason = reason
        self.since = since
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        reason = try members.required("reason")
        since = try members.required("since")
        extra = try members.others(
            than: "reason", "since")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(reason, forKey: Member("reason"))
        try members.encode(since, forKey: Member("since"))
        try members.encode(extra)
    }
}

/// Why a customer could not finish the latest link so far.
public struct LastError: Codable, Hashable, Sendable {
    /// A word for programs, such as `provider_unavailable`.
    public let code: String
    /// A sentence for people, in the service's own words.
    public let message: String
    /// What the provider said, where it sent the customer back with an error. It comes by the customer's browser:
    /// escape it, and decide nothing by it.
    public let providerMessage: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        code: String,
        message: String,
        providerMessage: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.code = code
        self.message = message
        self.providerMessage = providerMessage
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        code = try members.required("code")
        message = try members.required("message")
        providerMessage = try members.optional("provider_message")
        extra = try members.others(
            than: "code", "message", "provider_message")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(code, forKey: Member("code"))
        try members.encode(message, forKey: Member("message"))
        try members.encodeIfPresent(providerMessage, forKey: Member("provider_message"))
        try members.encode(extra)
    }
}

/// The organization that a connection is for.
public struct ConnectionOrganization: Codable, Hashable, Sendable, Identifiable {
    /// Your own id for it.
    public let id: String
    /// Its name.
    public let name: String
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        name: String,
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
        name = try members.required("name")
        extra = try members.others(
            than: "id", "name")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(name, forKey: Member("name"))
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
    /// Whether the latest link made the connection or re-authorises it.
    public let operation: LinkOperation?
    /// How it came by its credential: by a link, or by `importConnection`.
    public let origin: ConnectionOrigin?
    /// What uses the connection, see `addUsage`.
    public let usages: [String]?
    /// Why the customer could not finish the latest link so far.
    public let lastError: LastError?
    /// Whose account it is at the provider, where that is known.
    public let account: Account?
    /// What calls to the provider need beside the credential, as far as it is public.
    public let providerData: [String: String]?
    /// Where the provider's API is; absent where that is not known, or is secret.
    public let apiBaseURL: String?
    /// The OAuth scopes that were granted.
    public let scopes: [String]?
    /// Whether the customer has to connect again.
    public let needsReconnection: Bool?
    /// Why, where `needsReconnection` is true.
    public let reconnection: Reconnection?
    /// When the credential was last refreshed at the provider.
    public let lastRefreshedAt: Timestamp?
    /// When the credential was last vended.
    public let lastUsedAt: Timestamp?
    /// Your own JSON object.
    public let metadata: [String: JSONValue]?
    /// Your own id for the customer.
    public let customerID: String?
    /// Your own name for the customer.
    public let customerName: String?
    /// Whose OAuth client it was made with, and is refreshed by.
    public let clientSource: ClientSource?
    /// The organization that it is for, if it is for one.
    public let organization: ConnectionOrganization?
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
        operation: LinkOperation? = nil,
        origin: ConnectionOrigin? = nil,
        usages: [String]? = nil,
        lastError: LastError? = nil,
        account: Account? = nil,
        providerData: [String: String]? = nil,
        apiBaseURL: String? = nil,
        scopes: [String]? = nil,
        needsReconnection: Bool? = nil,
        reconnection: Reconnection? = nil,
        lastRefreshedAt: Timestamp? = nil,
        lastUsedAt: Timestamp? = nil,
        metadata: [String: JSONValue]? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        clientSource: ClientSource? = nil,
        organization: ConnectionOrganization? = nil,
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
        self.operation = operation
        self.origin = origin
        self.usages = usages
        self.lastError = lastError
        self.account = account
        self.providerData = providerData
        self.apiBaseURL = apiBaseURL
        self.scopes = scopes
        self.needsReconnection = needsReconnection
        self.reconnection = reconnection
        self.lastRefreshedAt = lastRefreshedAt
        self.lastUsedAt = lastUsedAt
        self.metadata = metadata
        self.customerID = customerID
        self.customerName = customerName
        self.clientSource = clientSource
        self.organization = organization
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
        operation = try members.optional("operation")
        origin = try members.optional("origin")
        usages = try members.optional("usages")
        lastError = try members.optional("last_error")
        account = try members.optional("account")
        providerData = try members.optional("provider_data")
        apiBaseURL = try members.optional("api_base_url")
        scopes = try members.optional("scopes")
        needsReconnection = try members.optional("needs_reconnection")
        reconnection = try members.optional("reconnection")
        lastRefreshedAt = try members.optional("last_refreshed_at")
        lastUsedAt = try members.optional("last_used_at")
        metadata = try members.optional("metadata")
        customerID = try members.optional("customer_id")
        customerName = try members.optional("customer_name")
        clientSource = try members.optional("client_source")
        organization = try members.optional("organization")
        extra = try members.others(
            than: "id", "status", "name", "app", "auth_type", "user_email", "created_at", "updated_at", "expires_at",
            "operation", "origin", "usages", "last_error", "account", "provider_data", "api_base_url", "scopes",
            "needs_reconnection", "reconnection", "last_refreshed_at", "last_used_at", "metadata", "customer_id",
            "customer_name", "client_source", "organization")
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
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encodeIfPresent(origin, forKey: Member("origin"))
        try members.encodeIfPresent(usages, forKey: Member("usages"))
        try members.encodeIfPresent(lastError, forKey: Member("last_error"))
        try members.encodeIfPresent(account, forKey: Member("account"))
        try members.encodeIfPresent(providerData, forKey: Member("provider_data"))
        try members.encodeIfPresent(apiBaseURL, forKey: Member("api_base_url"))
        try members.encodeIfPresent(scopes, forKey: Member("scopes"))
        try members.encodeIfPresent(needsReconnection, forKey: Member("needs_reconnection"))
        try members.encodeIfPresent(reconnection, forKey: Member("reconnection"))
        try members.encodeIfPresent(lastRefreshedAt, forKey: Member("last_refreshed_at"))
        try members.encodeIfPresent(lastUsedAt, forKey: Member("last_used_at"))
        try members.encodeIfPresent(metadata, forKey: Member("metadata"))
        try members.encodeIfPresent(customerID, forKey: Member("customer_id"))
        try members.encodeIfPresent(customerName, forKey: Member("customer_name"))
        try members.encodeIfPresent(clientSource, forKey: Member("client_source"))
        try members.encodeIfPresent(organization, forKey: Member("organization"))
        try members.encode(extra)
    }
}

/// A contact of one of the customer's CRMs, in the shape that all of them share.
public struct Contact: Codable, Hashable, Sendable, Identifiable, ListItem {
    /// `contacts`
    public static var listName: String { "contacts" }

    /// What the CRM calls it; unique within the connection.
    public let id: String
    /// The connection that it came by.
    public let connectionID: String
    /// The CRM, such as `hubspot`.
    public let appID: String
    /// Given name.
    public let firstName: String?
    /// Family name.
    public let lastName: String?
    /// A name for people.
    public let displayName: String?
    /// E-mail addresses, the usual one first.
    public let emails: [String]
    /// Phone numbers as the CRM writes them, the usual one first.
    public let phones: [String]
    /// Whom the contact works for.
    public let company: String?
    /// What the contact does there.
    public let title: String?
    /// The contact's page in the CRM.
    public let url: String?
    /// When it was made.
    public let createdAt: Timestamp?
    /// When it last changed.
    public let updatedAt: Timestamp?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        connectionID: String,
        appID: String,
        firstName: String? = nil,
        lastName: String? = nil,
        displayName: String? = nil,
        emails: [String],
        phones: [String],
        company: String? = nil,
        title: String? = nil,
        url: String? = nil,
        createdAt: Timestamp? = nil,
        updatedAt: Timestamp? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.connectionID = connectionID
        self.appID = appID
        self.firstName = firstName
        self.lastName = lastName
        self.displayName = displayName
        self.emails = emails
        self.phones = phones
        self.company = company
        self.title = title
        self.url = url
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        connectionID = try members.required("connection_id")
        appID = try members.required("app_id")
        firstName = try members.optional("first_name")
        lastName = try members.optional("last_name")
        displayName = try members.optional("display_name")
        emails = try members.required("emails")
        phones = try members.required("phones")
        company = try members.optional("company")
        title = try members.optional("title")
        url = try members.optional("url")
        createdAt = try members.optional("created_at")
        updatedAt = try members.optional("updated_at")
        extra = try members.others(
            than: "id", "connection_id", "app_id", "first_name", "last_name", "display_name", "emails", "phones",
            "company", "title", "url", "created_at", "updated_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(connectionID, forKey: Member("connection_id"))
        try members.encode(appID, forKey: Member("app_id"))
        try members.encodeIfPresent(firstName, forKey: Member("first_name"))
        try members.encodeIfPresent(lastName, forKey: Member("last_name"))
        try members.encodeIfPresent(displayName, forKey: Member("display_name"))
        try members.encode(emails, forKey: Member("emails"))
        try members.encode(phones, forKey: Member("phones"))
        try members.encodeIfPresent(company, forKey: Member("company"))
        try members.encodeIfPresent(title, forKey: Member("title"))
        try members.encodeIfPresent(url, forKey: Member("url"))
        try members.encodeIfPresent(createdAt, forKey: Member("created_at"))
        try members.encodeIfPresent(updatedAt, forKey: Member("updated_at"))
        try members.encode(extra)
    }
}

/// A connection whose contacts are missing, or the rest of them.
public struct FailedConnection: Codable, Hashable, Sendable {
    /// The connection's id.
    public let connectionID: String
    /// The CRM.
    public let appID: String
    /// A word for programs: `needsReconnection`, `rate_limited`, `upstream_unavailable`, `provider_refused`,
    /// `provider_response_invalid`, `connection_deleted`. More may follow.
    public let code: String
    /// A sentence for people, in the service's own words.
    public let message: String
    /// Seconds until it is worth another try, where that is known.
    public let retryAfter: Int?
    /// The HTTP status of the CRM, where there was one.
    public let providerStatus: Int?
    /// Goes on where it failed, with this connection alone.
    public let cursor: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connectionID: String,
        appID: String,
        code: String,
        message: String,
        retryAfter: Int? = nil,
        providerStatus: Int? = nil,
        cursor: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connectionID = connectionID
        self.appID = appID
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.providerStatus = providerStatus
        self.cursor = cursor
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connectionID = try members.required("connection_id")
        appID = try members.required("app_id")
        code = try members.required("code")
        message = try members.required("message")
        retryAfter = try members.optional("retry_after")
        providerStatus = try members.optional("provider_status")
        cursor = try members.optional("cursor")
        extra = try members.others(
            than: "connection_id", "app_id", "code", "message", "retry_after", "provider_status", "cursor")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connectionID, forKey: Member("connection_id"))
        try members.encode(appID, forKey: Member("app_id"))
        try members.encode(code, forKey: Member("code"))
        try members.encode(message, forKey: Member("message"))
        try members.encodeIfPresent(retryAfter, forKey: Member("retry_after"))
        try members.encodeIfPresent(providerStatus, forKey: Member("provider_status"))
        try members.encodeIfPresent(cursor, forKey: Member("cursor"))
        try members.encode(extra)
    }
}

/// The outcome of a check of a credential.
public struct Verification: Codable, Hashable, Sendable {
    /// What the provider says.
    public let result: VerificationResult
    /// When it was asked.
    public let checkedAt: Timestamp
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        result: VerificationResult,
        checkedAt: Timestamp,
        extra: [String: JSONValue] = [:]
    ) {
        self.result = result
        self.checkedAt = checkedAt
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        result = try members.required("result")
        checkedAt = try members.required("checked_at")
        extra = try members.others(
            than: "result", "checked_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(result, forKey: Member("result"))
        try members.encode(checkedAt, forKey: Member("checked_at"))
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

/// The ways in which a link's app can be authorised.
public struct AuthOptionList: Codable, Hashable, Sendable {
    /// App by app, the usual one first.
    public let authOptions: [AuthOption]
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        authOptions: [AuthOption],
        extra: [String: JSONValue] = [:]
    ) {
        self.authOptions = authOptions
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        authOptions = try members.required("auth_options")
        extra = try members.others(
            than: "auth_options")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(authOptions, forKey: Member("auth_options"))
        try members.encode(extra)
    }
}

/// Where a connection stands after its form was submitted.
public struct Submission: Codable, Hashable, Sendable {
    /// Where the connection is in its life.
    public let status: ConnectionStatus
    /// For OAuth, where to send the customer's browser.
    public let authorizeURL: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        status: ConnectionStatus,
        authorizeURL: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.status = status
        self.authorizeURL = authorizeURL
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        status = try members.required("status")
        authorizeURL = try members.optional("authorize_url")
        extra = try members.others(
            than: "status", "authorize_url")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(status, forKey: Member("status"))
        try members.encodeIfPresent(authorizeURL, forKey: Member("authorize_url"))
        try members.encode(extra)
    }
}

/// One of the tenant's keys, without its text.
public struct TenantKey: Codable, Hashable, Sendable, Identifiable {
    /// The key's opaque id.
    public let id: String
    /// What people call it, if it has a name.
    public let name: String?
    /// Shared by a key and its successors.
    public let family: String
    /// What the key opens, such as `connections`.
    public let capabilities: [String]
    /// Whether it is the key that asks.
    public let current: Bool
    /// Whether a single MCP URL belongs to it.
    public let mcpURL: Bool
    /// When it was made.
    public let createdAt: Timestamp
    /// When it was first used, if it was.
    public let firstUsedAt: Timestamp?
    /// When a token was last asked for with it, if one was.
    public let lastUsedAt: Timestamp?
    /// When it was retired, if it was.
    public let revokedAt: Timestamp?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        name: String? = nil,
        family: String,
        capabilities: [String],
        current: Bool,
        mcpURL: Bool,
        createdAt: Timestamp,
        firstUsedAt: Timestamp? = nil,
        lastUsedAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.name = name
        self.family = family
        self.capabilities = capabilities
        self.current = current
        self.mcpURL = mcpURL
        self.createdAt = createdAt
        self.firstUsedAt = firstUsedAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        name = try members.optional("name")
        family = try members.required("family")
        capabilities = try members.required("capabilities")
        current = try members.required("current")
        mcpURL = try members.required("mcp_url")
        createdAt = try members.required("created_at")
        firstUsedAt = try members.optional("first_used_at")
        lastUsedAt = try members.optional("last_used_at")
        revokedAt = try members.optional("revoked_at")
        extra = try members.others(
            than: "id", "name", "family", "capabilities", "current", "mcp_url", "created_at", "first_used_at",
            "last_used_at", "revoked_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encodeIfPresent(name, forKey: Member("name"))
        try members.encode(family, forKey: Member("family"))
        try members.encode(capabilities, forKey: Member("capabilities"))
        try members.encode(current, forKey: Member("current"))
        try members.encode(mcpURL, forKey: Member("mcp_url"))
        try members.encode(createdAt, forKey: Member("created_at"))
        try members.encodeIfPresent(firstUsedAt, forKey: Member("first_used_at"))
        try members.encodeIfPresent(lastUsedAt, forKey: Member("last_used_at"))
        try members.encodeIfPresent(revokedAt, forKey: Member("revoked_at"))
        try members.encode(extra)
    }
}

/// The tenant's keys.
public struct KeyList: Codable, Hashable, Sendable {
    /// Those that work first, the newest of each first; 100 at most.
    public let keys: [TenantKey]
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        keys: [TenantKey],
        extra: [String: JSONValue] = [:]
    ) {
        self.keys = keys
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        keys = try members.required("keys")
        extra = try members.others(
            than: "keys")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(keys, forKey: Member("keys"))
        try members.encode(extra)
    }
}

/// A key's successor. Its text is shown this once.
public struct RotatedKey: Decodable, Hashable, Sendable {
    /// The new key's id.
    public let keyID: String
    /// The new key itself; give it to `setAPIKey`.
    public let apiKey: String
    /// The id of the key that it is to replace.
    public let replaces: String
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        keyID: String,
        apiKey: String,
        replaces: String,
        extra: [String: JSONValue] = [:]
    ) {
        self.keyID = keyID
        self.apiKey = apiKey
        self.replaces = replaces
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        keyID = try members.required("key_id")
        apiKey = try members.required("api_key")
        replaces = try members.required("replaces")
        extra = try members.others(
            than: "key_id", "api_key", "replaces")
    }
}

extension RotatedKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private var shown: [(label: String?, value: Any)] {
        let all: [(String, Any?)] = [
            ("keyID", keyID),
            ("apiKey", Redacted()),
            ("replaces", replaces),
            ("extra", extra.isEmpty ? nil : extra),
        ]
        return all.compactMap { label, value in value.map { (label, $0) } }
    }

    /// Shows everything but the secrets.
    public var description: String {
        "RotatedKey(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }
}

/// A finished rotation.
public struct PromotedKey: Codable, Hashable, Sendable {
    /// The id of the key that goes on.
    public let keyID: String
    /// The id of the key that ended.
    public let retired: String
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        keyID: String,
        retired: String,
        extra: [String: JSONValue] = [:]
    ) {
        self.keyID = keyID
        self.retired = retired
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        keyID = try members.required("key_id")
        retired = try members.required("retired")
        extra = try members.others(
            than: "key_id", "retired")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(keyID, forKey: Member("key_id"))
        try members.encode(retired, forKey: Member("retired"))
        try members.encode(extra)
    }
}

/// An OAuth client, without its secrets.
public struct OAuthClient: Codable, Hashable, Sendable {
    /// The app that it is for.
    public let appID: String
    /// Its id at the provider.
    public let clientID: String
    /// The names of its further values.
    public let params: [String]
    /// Whether it is one of the provider's sandbox.
    public let sandbox: Bool
    /// The address that must be registered with it.
    public let redirectUri: String
    /// How many connections work by it, or by one that it replaced.
    public let connections: Int
    /// Who entered it last: a key's id, or the e-mail of the customer who did so on the hosted page.
    public let setBy: String
    /// When it was first entered.
    public let createdAt: Timestamp
    /// When it was last changed.
    public let updatedAt: Timestamp
    /// The organization that it is of; absent for your own.
    public let organizationID: String?
    /// The scopes that are asked for; absent where they are the catalogue's.
    public let scopes: [String]?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        appID: String,
        clientID: String,
        params: [String],
        sandbox: Bool,
        redirectUri: String,
        connections: Int,
        setBy: String,
        createdAt: Timestamp,
        updatedAt: Timestamp,
        organizationID: String? = nil,
        scopes: [String]? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.appID = appID
        self.clientID = clientID
        self.params = params
        self.sandbox = sandbox
        self.redirectUri = redirectUri
        self.connections = connections
        self.setBy = setBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.organizationID = organizationID
        self.scopes = scopes
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        appID = try members.required("app_id")
        clientID = try members.required("client_id")
        params = try members.required("params")
        sandbox = try members.required("sandbox")
        redirectUri = try members.required("redirect_uri")
        connections = try members.required("connections")
        setBy = try members.required("set_by")
        createdAt = try members.required("created_at")
        updatedAt = try members.required("updated_at")
        organizationID = try members.optional("organization_id")
        scopes = try members.optional("scopes")
        extra = try members.others(
            than: "app_id", "client_id", "params", "sandbox", "redirect_uri", "connections", "set_by", "created_at",
            "updated_at", "organization_id", "scopes")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(appID, forKey: Member("app_id"))
        try members.encode(clientID, forKey: Member("client_id"))
        try members.encode(params, forKey: Member("params"))
        try members.encode(sandbox, forKey: Member("sandbox"))
        try members.encode(redirectUri, forKey: Member("redirect_uri"))
        try members.encode(connections, forKey: Member("connections"))
        try members.encode(setBy, forKey: Member("set_by"))
        try members.encode(createdAt, forKey: Member("created_at"))
        try members.encode(updatedAt, forKey: Member("updated_at"))
        try members.encodeIfPresent(organizationID, forKey: Member("organization_id"))
        try members.encodeIfPresent(scopes, forKey: Member("scopes"))
        try members.encode(extra)
    }
}

/// What an OAuth client that was removed leaves behind.
public struct OAuthClientRemoval: Codable, Hashable, Sendable {
    /// How many connections end with it.
    public let connections: Int
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connections: Int,
        extra: [String: JSONValue] = [:]
    ) {
        self.connections = connections
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connections = try members.required("connections")
        extra = try members.others(
            than: "connections")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connections, forKey: Member("connections"))
        try members.encode(extra)
    }
}

/// What you say of an app.
public struct AppSettings: Codable, Hashable, Sendable {
    /// The app.
    public let appID: String
    /// How to get a client, in CommonMark.
    public let instructions: String
    /// Whether only admins may enter one.
    public let adminRoleRequired: Bool
    /// Who brings OAuth clients beside you and the operator, if anybody does.
    public let managedBy: ManagedBy?
    /// The address to register with a client; absent for an app without OAuth.
    public let redirectUri: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        appID: String,
        instructions: String,
        adminRoleRequired: Bool,
        managedBy: ManagedBy? = nil,
        redirectUri: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.appID = appID
        self.instructions = instructions
        self.adminRoleRequired = adminRoleRequired
        self.managedBy = managedBy
        self.redirectUri = redirectUri
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        appID = try members.required("app_id")
        instructions = try members.required("instructions")
        adminRoleRequired = try members.required("admin_role_required")
        managedBy = try members.optional("managed_by")
        redirectUri = try members.optional("redirect_uri")
        extra = try members.others(
            than: "app_id", "instructions", "admin_role_required", "managed_by", "redirect_uri")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(appID, forKey: Member("app_id"))
        try members.encode(instructions, forKey: Member("instructions"))
        try members.encode(adminRoleRequired, forKey: Member("admin_role_required"))
        try members.encodeIfPresent(managedBy, forKey: Member("managed_by"))
        try members.encodeIfPresent(redirectUri, forKey: Member("redirect_uri"))
        try members.encode(extra)
    }
}

/// A hosted page where a person looks after the OAuth clients of an organization.
///
/// It serialises whole, because it is made to be handed on; its printed forms hide the address, since the first browser
/// that opens it may change the clients.
public struct AdminLink: Codable, Hashable, Sendable {
    /// Where to send the person's browser, once.
    public let adminLink: String
    /// Until when it works.
    public let expiresAt: Timestamp
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        adminLink: String,
        expiresAt: Timestamp,
        extra: [String: JSONValue] = [:]
    ) {
        self.adminLink = adminLink
        self.expiresAt = expiresAt
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        adminLink = try members.required("admin_link")
        expiresAt = try members.required("expires_at")
        extra = try members.others(
            than: "admin_link", "expires_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(adminLink, forKey: Member("admin_link"))
        try members.encode(expiresAt, forKey: Member("expires_at"))
        try members.encode(extra)
    }
}

extension AdminLink: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private var shown: [(label: String?, value: Any)] {
        let all: [(String, Any?)] = [
            ("adminLink", Redacted()),
            ("expiresAt", expiresAt),
            ("extra", extra.isEmpty ? nil : extra),
        ]
        return all.compactMap { label, value in value.map { (label, $0) } }
    }

    /// Shows everything but the secrets.
    public var description: String {
        "AdminLink(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }
}

/// What was removed.
public struct Erasure: Codable, Hashable, Sendable {
    /// How many connections there were.
    public let connections: Int
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connections: Int,
        extra: [String: JSONValue] = [:]
    ) {
        self.connections = connections
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connections = try members.required("connections")
        extra = try members.others(
            than: "connections")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connections, forKey: Member("connections"))
        try members.encode(extra)
    }
}

/// A connection as it was when an event happened.
///
/// What tells about people is absent where the service's operator keeps it out of events: then ask for the connection.
public struct EventConnection: Codable, Hashable, Sendable, Identifiable {
    /// The connection's id.
    public let id: String
    /// Where the connection was in its life.
    public let status: ConnectionStatus
    /// The app; absent while the customer has not chosen one yet.
    public let appID: String?
    /// How it came by its credential.
    public let origin: ConnectionOrigin?
    /// What the customer sees.
    public let name: String?
    /// The customer's e-mail.
    public let userEmail: String?
    /// Your own id for the customer.
    public let customerID: String?
    /// Your own name for the customer.
    public let customerName: String?
    /// Whose account it is at the provider, where that is known.
    public let account: Account?
    /// Your own JSON object.
    public let metadata: [String: JSONValue]?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        status: ConnectionStatus,
        appID: String? = nil,
        origin: ConnectionOrigin? = nil,
        name: String? = nil,
        userEmail: String? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        account: Account? = nil,
        metadata: [String: JSONValue]? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.status = status
        self.appID = appID
        self.origin = origin
        self.name = name
        self.userEmail = userEmail
        self.customerID = customerID
        self.customerName = customerName
        self.account = account
        self.metadata = metadata
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        status = try members.required("status")
        appID = try members.optional("app_id")
        origin = try members.optional("origin")
        name = try members.optional("name")
        userEmail = try members.optional("user_email")
        customerID = try members.optional("customer_id")
        customerName = try members.optional("customer_name")
        account = try members.optional("account")
        metadata = try members.optional("metadata")
        extra = try members.others(
            than: "id", "status", "app_id", "origin", "name", "user_email", "customer_id", "customer_name", "account",
            "metadata")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(status, forKey: Member("status"))
        try members.encodeIfPresent(appID, forKey: Member("app_id"))
        try members.encodeIfPresent(origin, forKey: Member("origin"))
        try members.encodeIfPresent(name, forKey: Member("name"))
        try members.encodeIfPresent(userEmail, forKey: Member("user_email"))
        try members.encodeIfPresent(customerID, forKey: Member("customer_id"))
        try members.encodeIfPresent(customerName, forKey: Member("customer_name"))
        try members.encodeIfPresent(account, forKey: Member("account"))
        try members.encodeIfPresent(metadata, forKey: Member("metadata"))
        try members.encode(extra)
    }
}

/// Why a link was not finished.
public struct LinkError: Codable, Hashable, Sendable {
    /// A word for programs, such as `provider_unavailable`.
    public let code: String
    /// A sentence for people, in the service's own words.
    public let message: String
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        code: String,
        message: String,
        extra: [String: JSONValue] = [:]
    ) {
        self.code = code
        self.message = message
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        code = try members.required("code")
        message = try members.required("message")
        extra = try members.others(
            than: "code", "message")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(code, forKey: Member("code"))
        try members.encode(message, forKey: Member("message"))
        try members.encode(extra)
    }
}

/// A tenant key that something happened to.
public struct EventKey: Codable, Hashable, Sendable, Identifiable {
    /// The key's opaque id.
    public let id: String
    /// What the key opens, such as `connections`.
    public let capabilities: [String]
    /// The key's name, if it has one.
    public let name: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        id: String,
        capabilities: [String],
        name: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.capabilities = capabilities
        self.name = name
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        capabilities = try members.required("capabilities")
        name = try members.optional("name")
        extra = try members.others(
            than: "id", "capabilities", "name")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(capabilities, forKey: Member("capabilities"))
        try members.encodeIfPresent(name, forKey: Member("name"))
        try members.encode(extra)
    }
}

/// A connection has a credential now.
public struct ConnectionActive: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// Whether the connection is new or was re-authorised.
    public let operation: LinkOperation?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        operation: LinkOperation? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.operation = operation
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        operation = try members.optional("operation")
        extra = try members.others(
            than: "connection", "operation")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encode(extra)
    }
}

/// An attempt to connect failed. The link stays open.
public struct ConnectionFailed: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// Why it failed.
    public let error: LinkError
    /// What the link does.
    public let operation: LinkOperation?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        error: LinkError,
        operation: LinkOperation? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.error = error
        self.operation = operation
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        error = try members.required("error")
        operation = try members.optional("operation")
        extra = try members.others(
            than: "connection", "error", "operation")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encode(error, forKey: Member("error"))
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encode(extra)
    }
}

/// The customer declined.
public struct ConnectionRejected: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// What the link does.
    public let operation: LinkOperation?
    /// Why, where that is known.
    public let error: LinkError?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        operation: LinkOperation? = nil,
        error: LinkError? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.operation = operation
        self.error = error
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        operation = try members.optional("operation")
        error = try members.optional("error")
        extra = try members.others(
            than: "connection", "operation", "error")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encodeIfPresent(error, forKey: Member("error"))
        try members.encode(extra)
    }
}

/// A link expired unused.
public struct ConnectionExpired: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// What the link does.
    public let operation: LinkOperation?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        operation: LinkOperation? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.operation = operation
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        operation = try members.optional("operation")
        extra = try members.others(
            than: "connection", "operation")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encodeIfPresent(operation, forKey: Member("operation"))
        try members.encode(extra)
    }
}

/// A grant has ended. The customer has to connect again.
public struct ConnectionNeedsReconnection: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// A word, as in a connection's `reconnection`.
    public let reason: String
    /// When that was found.
    public let since: Timestamp
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        reason: String,
        since: Timestamp,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.reason = reason
        self.since = since
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        reason = try members.required("reason")
        since = try members.required("since")
        extra = try members.others(
            than: "connection", "reason", "since")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encode(reason, forKey: Member("reason"))
        try members.encode(since, forKey: Member("since"))
        try members.encode(extra)
    }
}

/// A grant will end in 14 days or less.
public struct ConnectionExpiring: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// When the grant ends.
    public let expiresAt: Timestamp
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        expiresAt: Timestamp,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.expiresAt = expiresAt
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        expiresAt = try members.required("expires_at")
        extra = try members.others(
            than: "connection", "expires_at")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encode(expiresAt, forKey: Member("expires_at"))
        try members.encode(extra)
    }
}

/// A connection's name, labels, metadata or account changed.
public struct ConnectionUpdated: Codable, Hashable, Sendable {
    /// The connection.
    public let connection: EventConnection
    /// The members that changed, such as `name`.
    public let changed: [String]
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        changed: [String],
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.changed = changed
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        changed = try members.required("changed")
        extra = try members.others(
            than: "connection", "changed")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encode(changed, forKey: Member("changed"))
        try members.encode(extra)
    }
}

/// A connection and its credential were deleted.
public struct ConnectionDeleted: Codable, Hashable, Sendable {
    /// The connection as it was.
    public let connection: EventConnection
    /// Who deleted it.
    public let by: DeletedBy
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        connection: EventConnection,
        by: DeletedBy,
        extra: [String: JSONValue] = [:]
    ) {
        self.connection = connection
        self.by = by
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        connection = try members.required("connection")
        by = try members.required("by")
        extra = try members.others(
            than: "connection", "by")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(connection, forKey: Member("connection"))
        try members.encode(by, forKey: Member("by"))
        try members.encode(extra)
    }
}

/// An OAuth client was made, changed or removed.
public struct OAuthClientChanged: Codable, Hashable, Sendable {
    /// The app that it is for.
    public let appID: String
    /// What happened to it.
    public let change: OAuthClientChange
    /// The organization that it belongs to; absent for your own.
    public let organizationID: String?
    /// Who did it, where that is known.
    public let by: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        appID: String,
        change: OAuthClientChange,
        organizationID: String? = nil,
        by: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.appID = appID
        self.change = change
        self.organizationID = organizationID
        self.by = by
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        appID = try members.required("app_id")
        change = try members.required("change")
        organizationID = try members.optional("organization_id")
        by = try members.optional("by")
        extra = try members.others(
            than: "app_id", "change", "organization_id", "by")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(appID, forKey: Member("app_id"))
        try members.encode(change, forKey: Member("change"))
        try members.encodeIfPresent(organizationID, forKey: Member("organization_id"))
        try members.encodeIfPresent(by, forKey: Member("by"))
        try members.encode(extra)
    }
}

/// Something happened to a tenant key.
public struct KeyChanged: Codable, Hashable, Sendable {
    /// The key, without its text.
    public let key: EventKey
    /// By what means, such as `api` or `command_line`.
    public let by: String?
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        key: EventKey,
        by: String? = nil,
        extra: [String: JSONValue] = [:]
    ) {
        self.key = key
        self.by = by
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        key = try members.required("key")
        by = try members.optional("by")
        extra = try members.others(
            than: "key", "by")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(key, forKey: Member("key"))
        try members.encodeIfPresent(by, forKey: Member("by"))
        try members.encode(extra)
    }
}

/// A request that tries a webhook endpoint out.
public struct WebhookTest: Codable, Hashable, Sendable {
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
        extra: [String: JSONValue] = [:]
    ) {
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        extra = try members.others()
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(extra)
    }
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
    /// An OAuth client of the customer's own: a token is vended.
    public static let clientCredentials = AuthType(rawValue: "client_credentials")
    /// Values for request headers: fields are vended.
    public static let header = AuthType(rawValue: "header")
    /// A private key that signs for a token: that token is vended.
    public static let jwtBearer = AuthType(rawValue: "jwt_bearer")
    /// OAuth 2: a token is vended.
    public static let oAuth = AuthType(rawValue: "o_auth")
    /// A credential that the provider exchanges for a token: that token is vended.
    public static let tokenExchange = AuthType(rawValue: "token_exchange")
}

/// What the provider says about a credential.
public struct VerificationResult: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It does not.
    public static let invalid = VerificationResult(rawValue: "invalid")
    /// It could not be asked, or gave no usable response.
    public static let unknown = VerificationResult(rawValue: "unknown")
    /// It accepts the credential.
    public static let valid = VerificationResult(rawValue: "valid")
}

/// How far a customer has come on the hosted page.
public struct LinkPhase: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The customer has gone on to the provider.
    public static let atProvider = LinkPhase(rawValue: "at_provider")
    /// Nobody has opened it yet.
    public static let created = LinkPhase(rawValue: "created")
    /// It was opened.
    public static let form = LinkPhase(rawValue: "form")
    /// The customer has come back from the provider.
    public static let returned = LinkPhase(rawValue: "returned")
}

/// How a connection came by its credential.
public struct ConnectionOrigin: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// You imported it.
    public static let `import` = ConnectionOrigin(rawValue: "import")
    /// The customer gave it, by a request link.
    public static let link = ConnectionOrigin(rawValue: "link")
}

/// Whose OAuth client an app is connected with.
public struct ClientSource: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// That of who runs the service.
    public static let `operator` = ClientSource(rawValue: "operator")
    /// That of one of your customers' organizations.
    public static let organization = ClientSource(rawValue: "organization")
    /// Your own.
    public static let tenant = ClientSource(rawValue: "tenant")
}

/// Who brings OAuth clients for an app beside you and the operator.
public struct ManagedBy: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Each organization brings one of its own.
    public static let organization = ManagedBy(rawValue: "organization")
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

/// What happened to an OAuth client.
public struct OAuthClientChange: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It was made.
    public static let created = OAuthClientChange(rawValue: "created")
    /// It was removed.
    public static let removed = OAuthClientChange(rawValue: "removed")
    /// It was changed.
    public static let updated = OAuthClientChange(rawValue: "updated")
}

/// Who deleted a connection.
public struct DeletedBy: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The customer.
    public static let customer = DeletedBy(rawValue: "customer")
    /// A member of yours, in the dashboard.
    public static let dashboard = DeletedBy(rawValue: "dashboard")
    /// Who runs the service.
    public static let `operator` = DeletedBy(rawValue: "operator")
    /// You, by the API.
    public static let tenant = DeletedBy(rawValue: "tenant")
}

/// What happened: a case for each type of event. Later versions may add cases: end a `switch` with `default`.
public enum EventData: Hashable, Sendable {
    /// `connection.active`: A connection has a credential now: a link was finished, or a credential imported.
    indirect case connectionActive(ConnectionActive)
    /// `connection.failed`: An attempt to connect failed. The link stays open.
    indirect case connectionFailed(ConnectionFailed)
    /// `connection.rejected`: The customer declined.
    indirect case connectionRejected(ConnectionRejected)
    /// `connection.expired`: A link expired unused.
    indirect case connectionExpired(ConnectionExpired)
    /// `connection.needs_reconnection`: A grant has ended: the customer has to connect again.
    indirect case connectionNeedsReconnection(ConnectionNeedsReconnection)
    /// `connection.expiring`: A grant will end in 14 days or less.
    indirect case connectionExpiring(ConnectionExpiring)
    /// `connection.updated`: A connection's name, labels, metadata or account changed.
    indirect case connectionUpdated(ConnectionUpdated)
    /// `connection.deleted`: A connection and its credential were deleted.
    indirect case connectionDeleted(ConnectionDeleted)
    /// `oauth_client.changed`: An OAuth client was made, changed or removed.
    indirect case oauthClientChanged(OAuthClientChanged)
    /// `key.created`: A tenant key was made.
    indirect case keyCreated(KeyChanged)
    /// `key.rotated`: A tenant key has a successor.
    indirect case keyRotated(KeyChanged)
    /// `key.promoted`: A tenant key was retired in favour of its successor.
    indirect case keyPromoted(KeyChanged)
    /// `key.revoked`: A tenant key was revoked.
    indirect case keyRevoked(KeyChanged)
    /// `webhook.test`: A request that tries a webhook endpoint out. It is in no feed.
    indirect case webhookTest(WebhookTest)
    /// A type that this version does not know, and what came with it.
    indirect case unknown(type: String, data: JSONValue)

    /// The type on the wire, such as `connection.active`.
    public var type: String {
        switch self {
        case .connectionActive: "connection.active"
        case .connectionFailed: "connection.failed"
        case .connectionRejected: "connection.rejected"
        case .connectionExpired: "connection.expired"
        case .connectionNeedsReconnection: "connection.needs_reconnection"
        case .connectionExpiring: "connection.expiring"
        case .connectionUpdated: "connection.updated"
        case .connectionDeleted: "connection.deleted"
        case .oauthClientChanged: "oauth_client.changed"
        case .keyCreated: "key.created"
        case .keyRotated: "key.rotated"
        case .keyPromoted: "key.promoted"
        case .keyRevoked: "key.revoked"
        case .webhookTest: "webhook.test"
        case .unknown(let type, _): type
        }
    }

    init(_ type: String, _ members: Members) throws {
        self =
            switch type {
            case "connection.active": .connectionActive(try members.required("data"))
            case "connection.failed": .connectionFailed(try members.required("data"))
            case "connection.rejected": .connectionRejected(try members.required("data"))
            case "connection.expired": .connectionExpired(try members.required("data"))
            case "connection.needs_reconnection": .connectionNeedsReconnection(try members.required("data"))
            case "connection.expiring": .connectionExpiring(try members.required("data"))
            case "connection.updated": .connectionUpdated(try members.required("data"))
            case "connection.deleted": .connectionDeleted(try members.required("data"))
            case "oauth_client.changed": .oauthClientChanged(try members.required("data"))
            case "key.created": .keyCreated(try members.required("data"))
            case "key.rotated": .keyRotated(try members.required("data"))
            case "key.promoted": .keyPromoted(try members.required("data"))
            case "key.revoked": .keyRevoked(try members.required("data"))
            case "webhook.test": .webhookTest(try members.required("data"))
            default: .unknown(type: type, data: try members.required("data"))
            }
    }

    func encode(_ members: inout KeyedEncodingContainer<Member>) throws {
        switch self {
        case .connectionActive(let data): try members.encode(data, forKey: Member("data"))
        case .connectionFailed(let data): try members.encode(data, forKey: Member("data"))
        case .connectionRejected(let data): try members.encode(data, forKey: Member("data"))
        case .connectionExpired(let data): try members.encode(data, forKey: Member("data"))
        case .connectionNeedsReconnection(let data): try members.encode(data, forKey: Member("data"))
        case .connectionExpiring(let data): try members.encode(data, forKey: Member("data"))
        case .connectionUpdated(let data): try members.encode(data, forKey: Member("data"))
        case .connectionDeleted(let data): try members.encode(data, forKey: Member("data"))
        case .oauthClientChanged(let data): try members.encode(data, forKey: Member("data"))
        case .keyCreated(let data): try members.encode(data, forKey: Member("data"))
        case .keyRotated(let data): try members.encode(data, forKey: Member("data"))
        case .keyPromoted(let data): try members.encode(data, forKey: Member("data"))
        case .keyRevoked(let data): try members.encode(data, forKey: Member("data"))
        case .webhookTest(let data): try members.encode(data, forKey: Member("data"))
        case .unknown(_, let data): try members.encode(data, forKey: Member("data"))
        }
    }
}
