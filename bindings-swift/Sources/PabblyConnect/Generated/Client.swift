// The clients and their methods.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

internal import PabblyConnectNative

/// Options of one call; where one is `nil` the client's own setting holds.
public struct CallOptions: Hashable, Sendable {
    /// Bounds each attempt, its body included. Default: the client's.
    public var timeout: Duration?
    /// Bounds the whole call: all attempts and the waits between them. Default: none.
    public var deadline: Duration?
    /// How often a 503 is tried again; 0 means never. Default: the client's.
    public var maxRetries: Int?

    /// Makes options; those that are left out are the client's.
    public init(timeout: Duration? = nil, deadline: Duration? = nil, maxRetries: Int? = nil) {
        self.timeout = timeout
        self.deadline = deadline
        self.maxRetries = maxRetries
    }

    var given: Given {
        ["timeout": timeout, "deadline": deadline, "maxRetries": maxRetries]
    }
}

/// A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open.
///
/// Its key is only for a backend: never put it into an app. Apps use the product `PabblyConnectFlow`.
///
/// A call throws ``PabblyConnectError``, or `CancellationError` where its task was cancelled; cancelling stops the
/// request itself, wherever it is.
public final class PabblyConnectPlatform: Sendable {
    let caller: Caller

    /// Checks the settings and makes a client; nothing is sent.
    ///
    /// - Parameters:
    ///   - apiKey: The tenant key, `pk_live_…`. Default: `PC_TENANT_KEY` of the environment.
    ///   - baseURL: Where the service is. Default: `PC_BASE_URL` of the environment, else
    ///     `https://connect.pabbly.com/platform/v1`.
    ///   - maxRetries: How often a 503 is tried again; 0 means never. Nothing else is ever tried again. Default: 2.
    ///   - timeout: Bounds each attempt, its body included. Default: 30 s.
    ///   - backoff: The longest pause before the first retry; it doubles with each, up to 16 times. Default: 500 ms.
    ///   - allowInsecureHTTP: Allows plain `http://` to other machines than this one. Over it the tenant key and the
    ///     vended credentials can be read by everybody in between. Default: false.
    ///   - proxy: Sends everything through this proxy, such as `http://user:password@127.0.0.1:3128`. Default:
    ///     `HTTPS_PROXY`, `NO_PROXY` and the like of the environment.
    ///   - caCertificates: Trusts these certificate authorities (PEM, one or many) beside Mozilla's roots or those that
    ///     the environment names instead.
    ///   - systemTrustStore: Trusts the operating system's trust store instead of Mozilla's roots. On Linux it is read
    ///     when the client is made, which takes about 3 ms. Default: false.
    ///   - userAgent: Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
    ///   - requestsPerMinute: The tenant's budget for everything but tokens, which waits keep. The service tells its
    ///     own. Default: 120.
    ///   - onEvent: Called for each attempt, answer, retry and poll, on the thread that works on all calls: return
    ///     quickly. Events hold no secrets.
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where a setting is missing or malformed.
    public init(
        apiKey: String? = nil,
        baseURL: String? = nil,
        maxRetries: Int? = nil,
        timeout: Duration? = nil,
        backoff: Duration? = nil,
        allowInsecureHTTP: Bool = false,
        proxy: String? = nil,
        caCertificates: String? = nil,
        systemTrustStore: Bool = false,
        userAgent: String? = nil,
        requestsPerMinute: Int? = nil,
        onEvent: (@Sendable (PabblyConnectEvent) -> Void)? = nil
    ) throws(PabblyConnectError) {
        let product = "pabbly-connect-swift/\(version())"
        let given: Given = [
            "apiKey": apiKey,
            "baseUrl": baseURL,
            "maxRetries": maxRetries,
            "timeout": timeout,
            "backoff": backoff,
            "allowInsecureHttp": allowInsecureHTTP,
            "proxy": proxy,
            "caCertificates": caCertificates,
            "systemTrustStore": systemTrustStore,
            "userAgent": userAgent.map { "\($0) \(product)" } ?? product,
            "requestsPerMinute": requestsPerMinute,
        ]
        let listener = onEvent.map { onEvent in Forwarder { PabblyConnectEvent($0).map(onEvent) } }
        caller = Caller(core: try immediate { try Client(settings: options(given), listener: listener) })
    }

    init(caller: Caller) {
        self.caller = caller
    }

    /// Narrows the client to one customer, named by e-mail; take it from your own authenticated session.
    ///
    /// - Throws: ``PabblyConnectError/invalidUserEmail(_:)`` where the address is missing or malformed.
    public func customer(_ email: String) throws(PabblyConnectError) -> Customer {
        try immediate { try caller.core.checkEmail(email: email) }
        return Customer(caller: caller, email: email)
    }

    /// The app catalogue. One page with ``PagedList/page()``, all items with `for try await`. Needs the capability
    /// `apps`.
    ///
    /// - Parameters:
    ///   - search: Only apps whose name, id or category holds this.
    ///   - page: Which page, from 1. Default: the first.
    ///   - limit: How many apps a page holds, 1 to 100. Default: the service's, 20.
    ///   - options: Hold for the call of each page.
    public func listApps(
        search: String? = nil,
        page: Int? = nil,
        limit: Int? = nil,
        options: CallOptions = CallOptions()
    ) -> PagedList<App> {
        let given: Given = [
            "search": search,
            "page": page,
            "limit": limit,
        ]
        return caller.list("listApps", nil, given, options)
    }

    /// One app of the catalogue. Needs the capability `apps`.
    ///
    /// - Parameters:
    ///   - appID: The app's id, from the catalogue.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `app_not_found` for an unknown one.
    public func getApp(
        _ appID: String,
        options: CallOptions = CallOptions()
    ) async throws -> App {
        try await caller.result("getApp", nil, [appID], [:], options)
    }

    /// See ``Customer/createRequestLink(appID:name:connectionID:authOptionKey:allowedApps:returnURL:allowedOrigin:displayName:expiresIn:allowMultipleConnections:scopes:confirm:allowAccountChange:customerID:customerName:metadata:organization:webhookURL:idempotencyKey:options:)``.
    public func createRequestLink(
        _ email: String,
        appID: String? = nil,
        name: String,
        connectionID: String? = nil,
        authOptionKey: String? = nil,
        allowedApps: [String]? = nil,
        returnURL: String? = nil,
        allowedOrigin: String? = nil,
        displayName: String? = nil,
        expiresIn: Duration? = nil,
        allowMultipleConnections: Bool? = nil,
        scopes: [String]? = nil,
        confirm: Bool? = nil,
        allowAccountChange: Bool? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        metadata: [String: JSONValue]? = nil,
        organization: [String: JSONValue]? = nil,
        webhookURL: String? = nil,
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> RequestLink {
        try await Customer(caller: caller, email: email).createRequestLink(
            appID: appID, name: name, connectionID: connectionID, authOptionKey: authOptionKey,
            allowedApps: allowedApps, returnURL: returnURL, allowedOrigin: allowedOrigin, displayName: displayName,
            expiresIn: expiresIn, allowMultipleConnections: allowMultipleConnections, scopes: scopes, confirm: confirm,
            allowAccountChange: allowAccountChange, customerID: customerID, customerName: customerName,
            metadata: metadata, organization: organization, webhookURL: webhookURL, idempotencyKey: idempotencyKey,
            options: options)
    }

    /// See ``Customer/getConnection(_:options:)``.
    public func getConnection(
        _ email: String,
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(caller: caller, email: email).getConnection(
            id, options: options)
    }

    /// See ``Customer/waitForConnection(_:interval:timeout:onPoll:)``.
    public func waitForConnection(
        _ email: String,
        _ id: String,
        interval: Duration? = nil,
        timeout: Duration? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Connection {
        try await Customer(caller: caller, email: email).waitForConnection(
            id, interval: interval, timeout: timeout, onPoll: onPoll)
    }

    /// See ``Customer/confirmConnection(_:_:options:)``.
    public func confirmConnection(
        _ email: String,
        _ id: String,
        _ code: String,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(caller: caller, email: email).confirmConnection(
            id, code, options: options)
    }

    /// See ``Customer/getToken(_:rejected:options:)``.
    public func getToken(
        _ email: String,
        _ id: String,
        rejected: Token? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Token {
        try await Customer(caller: caller, email: email).getToken(
            id, rejected: rejected, options: options)
    }

    /// See ``Customer/proxy(_:method:path:query:headers:body:options:)``.
    public func proxy(
        _ email: String,
        _ id: String,
        method: String? = nil,
        path: String,
        query: [String: String]? = nil,
        headers: [String: String]? = nil,
        body: ProxyBody? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> ProxyResponse {
        try await Customer(caller: caller, email: email).proxy(
            id, method: method, path: path, query: query, headers: headers, body: body, options: options)
    }

    /// See ``Customer/listConnections(appID:status:customerID:needsReconnection:page:limit:options:)``.
    public func listConnections(
        _ email: String,
        appID: String? = nil,
        status: ConnectionStatus? = nil,
        customerID: String? = nil,
        needsReconnection: Bool? = nil,
        page: Int? = nil,
        limit: Int? = nil,
        options: CallOptions = CallOptions()
    ) -> PagedList<Connection> {
        Customer(caller: caller, email: email).listConnections(
            appID: appID, status: status, customerID: customerID, needsReconnection: needsReconnection, page: page,
            limit: limit, options: options)
    }

    /// See ``Customer/updateConnection(_:name:customerID:customerName:metadata:options:)``.
    public func updateConnection(
        _ email: String,
        _ id: String,
        name: String? = nil,
        customerID: TextChange? = nil,
        customerName: TextChange? = nil,
        metadata: [String: JSONValue]? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(caller: caller, email: email).updateConnection(
            id, name: name, customerID: customerID, customerName: customerName, metadata: metadata, options: options)
    }

    /// See ``Customer/importConnection(appID:name:authOptionKey:fields:accessToken:tokenType:expiresIn:scopes:providerData:customerID:customerName:metadata:idempotencyKey:options:)``.
    public func importConnection(
        _ email: String,
        appID: String,
        name: String,
        authOptionKey: String? = nil,
        fields: [String: String]? = nil,
        accessToken: String? = nil,
        tokenType: String? = nil,
        expiresIn: Duration? = nil,
        scopes: [String]? = nil,
        providerData: [String: JSONValue]? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        metadata: [String: JSONValue]? = nil,
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(caller: caller, email: email).importConnection(
            appID: appID, name: name, authOptionKey: authOptionKey, fields: fields, accessToken: accessToken,
            tokenType: tokenType, expiresIn: expiresIn, scopes: scopes, providerData: providerData,
            customerID: customerID, customerName: customerName, metadata: metadata, idempotencyKey: idempotencyKey,
            options: options)
    }

    /// See ``Customer/verifyConnection(_:options:)``.
    public func verifyConnection(
        _ email: String,
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws -> Verification {
        try await Customer(caller: caller, email: email).verifyConnection(
            id, options: options)
    }

    /// See ``Customer/addUsage(_:_:options:)``.
    public func addUsage(
        _ email: String,
        _ id: String,
        _ usageID: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await Customer(caller: caller, email: email).addUsage(
            id, usageID, options: options)
    }

    /// See ``Customer/removeUsage(_:_:options:)``.
    public func removeUsage(
        _ email: String,
        _ id: String,
        _ usageID: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await Customer(caller: caller, email: email).removeUsage(
            id, usageID, options: options)
    }

    /// See ``Customer/deleteConnection(_:options:)``.
    public func deleteConnection(
        _ email: String,
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await Customer(caller: caller, email: email).deleteConnection(
            id, options: options)
    }

    /// The ways to authorise a link's app, for a connection form of your own.
    ///
    /// The request token takes the place of the tenant key, which is not sent. Lists the options of all apps that the
    /// link allows.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - requestToken: The link's `requestToken`.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such link.
    public func listAuthOptions(
        _ id: String,
        _ requestToken: String,
        options: CallOptions = CallOptions()
    ) async throws -> AuthOptionList {
        try await caller.result("listAuthOptions", nil, [id, requestToken], [:], options)
    }

    /// Submits a connection form of your own.
    ///
    /// The request token takes the place of the tenant key, which is not sent. For OAuth, send the customer's browser
    /// to the result's `authorizeURL`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - requestToken: The link's `requestToken`.
    ///   - authOptionKey: The `key` of the chosen auth option.
    ///   - appID: The id of the chosen app. Needed where the link allows several.
    ///   - fields: What the customer entered, by the names of the option's `inputSchema`. Not needed for OAuth.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such link.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `invalid_request` and `fields`, a sentence for each
    /// field that is at fault.
    public func submitCredentials(
        _ id: String,
        _ requestToken: String,
        authOptionKey: String,
        appID: String? = nil,
        fields: [String: String]? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Submission {
        let given: Given = [
            "authOptionKey": authOptionKey,
            "appId": appID,
            "fields": fields,
        ]
        return try await caller.result("submitCredentials", nil, [id, requestToken], given, options)
    }

    /// The tenant's keys, without their text. Needs the capability `admin`.
    ///
    /// - Parameters:
    ///   - options: Of this call alone.
    public func listKeys(
        options: CallOptions = CallOptions()
    ) async throws -> KeyList {
        try await caller.result("listKeys", nil, [], [:], options)
    }

    /// Makes a key's successor, which the result holds this once. Both keys work until `promoteKey`. Needs the
    /// capability `admin`.
    ///
    /// - Parameters:
    ///   - keyID: Which key. Default: the key that asks.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `key_not_found` or `rotation_conflict` where the keys
    /// are not in the state that this needs.
    public func rotateKey(
        keyID: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> RotatedKey {
        let given: Given = [
            "keyId": keyID
        ]
        return try await caller.result("rotateKey", nil, [], given, options)
    }

    /// Retires a key in favour of its successor, which must have been used before. Needs the capability `admin`.
    ///
    /// - Parameters:
    ///   - keyID: Either of the two keys. Default: the key that asks.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `key_not_found` or `rotation_conflict` where the keys
    /// are not in the state that this needs.
    public func promoteKey(
        keyID: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> PromotedKey {
        let given: Given = [
            "keyId": keyID
        ]
        return try await caller.result("promoteKey", nil, [], given, options)
    }

    /// The feed of what happens to the tenant's connections, OAuth clients and keys. `for try await` gives one after
    /// the other. Needs the capability `events`.
    ///
    /// Events come in their order, also those that happened while nobody asked. Store an event's `cursor` when you have
    /// handled it: `after` goes on from there, also after a restart. Events are kept for 30 days. An iteration that has
    /// begun retries 429, 502 to 504, broken connections and timeouts, and continues after the last event.
    ///
    /// - Parameters:
    ///   - after: Only events after this cursor. `latest`: only those that happen from now on. Default: the oldest
    ///     event that is kept.
    ///   - types: Only events of these types, such as `connection.needs_reconnection`. Default: all.
    ///   - connectionID: Only events of this connection.
    ///   - limit: How many events a request asks for, 1 to 100. Default: the service's, 20.
    ///   - wait: How long a request waits for an event where there is none. 0 ends the iteration there. Default: 50 s,
    ///     the longest.
    ///   - options: Hold for each request.
    /// - Throws: ``PabblyConnectError/cursorExpired(_:)`` where `after` is older than the events that are kept.
    public func events(
        after: String? = nil,
        types: [String]? = nil,
        connectionID: String? = nil,
        limit: Int? = nil,
        wait: Duration? = nil,
        options: CallOptions = CallOptions()
    ) -> EventFeed {
        let given: Given = [
            "after": after,
            "types": types,
            "connectionId": connectionID,
            "limit": limit,
            "wait": wait,
        ]
        return caller.feed("events", after: after, given, options)
    }

    /// Replaces the tenant key while calls are under way.
    ///
    /// What has begun finishes with the old key; later calls, and the next poll of a wait, use the new one. That is how
    /// a key is rotated without a restart: rotate, give the new key to every client, promote.
    ///
    /// - Parameters:
    ///   - apiKey: The new tenant key.
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where it is no key; the client then keeps the old one.
    public func setAPIKey(_ apiKey: String) throws(PabblyConnectError) {
        try immediate { try caller.core.setApiKey(apiKey: apiKey) }
    }
}

extension PabblyConnectPlatform: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows nothing of the settings, among which the key is.
    public var description: String { "PabblyConnectPlatform" }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Has no children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A client that acts for one customer. Made by ``PabblyConnectPlatform/customer(_:)``.
public struct Customer: Sendable, CustomStringConvertible {
    let caller: Caller
    /// The customer's e-mail.
    public let email: String

    /// Names the customer.
    public var description: String { "Customer(\(email))" }

    /// Makes a hosted page where the customer connects an app. Needs the capability `connections`.
    ///
    /// Hand the result's `requestLink`, `requestToken` and `connectionID` to your front end. All options but `appID`
    /// and `name` are extensions of the guide's contract.
    ///
    /// - Parameters:
    ///   - appID: The app, from the catalogue. Only with `allowedApps` or `connectionID` it may be left out.
    ///   - name: What the customer sees later, such as `Work Gmail`.
    ///   - connectionID: Re-authorises this connection in place: it keeps its id, and takes the link's `name`.
    ///   - authOptionKey: Which of the app's auth options the customer uses, by its key.
    ///   - allowedApps: The ids of the apps that the customer may choose from on the hosted page, instead of `appID`.
    ///   - returnURL: Where the hosted page sends the customer when it is done, with connection_id, status and
    ///     operation in the query, and without success error, error_description and errorData.
    ///   - allowedOrigin: The only web origin that may read the link's public status. Default: any.
    ///   - displayName: The name of your product, or of the customer, on the hosted page.
    ///   - expiresIn: How long the link lives, in whole seconds: from a minute to a day. Default: the service's, 10
    ///     minutes.
    ///   - allowMultipleConnections: Whether the customer may have several connections of this app. Where not, an
    ///     active one is re-authorised.
    ///   - scopes: The OAuth scopes to ask for instead of the app's own.
    ///   - confirm: Whether the grant waits until `confirmConnection` says whose it is. Needs `returnURL`. For products
    ///     whose customers do not know each other.
    ///   - allowAccountChange: With `connectionID`, whether the customer may choose another account than the one that
    ///     the connection is for. Default: false.
    ///   - customerID: Your own id for the customer, to find connections by. Nothing is authorised by it.
    ///   - customerName: Your own name for the customer.
    ///   - metadata: A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
    ///   - organization: The organization that the connection is for: `id` (your own, no email), and perhaps `name` and
    ///     `role`. Its OAuth client can be the one that the app is connected with.
    ///   - webhookURL: Where `connection.active`, `connection.failed`, `connection.rejected` and `connection.expired`
    ///     of this link are sent, too. Its scheme, host and port must be those of one of your webhook endpoints, whose
    ///     secret signs.
    ///   - idempotencyKey: Calls with the same key and options within a day make one link. Default: one for each call,
    ///     which its retries share.
    ///   - options: Of this call alone.
    public func createRequestLink(
        appID: String? = nil,
        name: String,
        connectionID: String? = nil,
        authOptionKey: String? = nil,
        allowedApps: [String]? = nil,
        returnURL: String? = nil,
        allowedOrigin: String? = nil,
        displayName: String? = nil,
        expiresIn: Duration? = nil,
        allowMultipleConnections: Bool? = nil,
        scopes: [String]? = nil,
        confirm: Bool? = nil,
        allowAccountChange: Bool? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        metadata: [String: JSONValue]? = nil,
        organization: [String: JSONValue]? = nil,
        webhookURL: String? = nil,
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> RequestLink {
        let given: Given = [
            "appId": appID,
            "name": name,
            "connectionId": connectionID,
            "authOptionKey": authOptionKey,
            "allowedApps": allowedApps,
            "returnUrl": returnURL,
            "allowedOrigin": allowedOrigin,
            "displayName": displayName,
            "expiresIn": expiresIn?.wholeSeconds,
            "allowMultipleConnections": allowMultipleConnections,
            "scopes": scopes,
            "confirm": confirm,
            "allowAccountChange": allowAccountChange,
            "customerId": customerID,
            "customerName": customerName,
            "metadata": metadata,
            "organization": organization,
            "webhookUrl": webhookURL,
            "idempotencyKey": idempotencyKey,
        ]
        return try await caller.result("createRequestLink", email, [], given, options)
    }

    /// One connection and its status. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such connection of this tenant and
    /// customer.
    public func getConnection(
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await caller.result("getConnection", email, [id], [:], options)
    }

    /// Waits until the connection is no longer pending, and gives it. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - interval: The time between two polls, at least 100 ms. Default: 2 s.
    ///   - timeout: How long to wait at most. Default: until the link expires.
    ///   - onPoll: Called after each poll that did not end the wait, on the thread that works on all calls: return
    ///     quickly.
    /// - Throws: ``PabblyConnectError/waitTimeout(_:)`` with the connection if a poll saw it, when the time is over.
    public func waitForConnection(
        _ id: String,
        interval: Duration? = nil,
        timeout: Duration? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Connection {
        let given: Given = [
            "interval": interval,
            "timeout": timeout,
        ]
        return try await caller.result("waitForConnection", email, [id], given, onPoll: onPoll)
    }

    /// Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.
    ///
    /// Take the e-mail from the session of that very request: then nobody can have their link finished by somebody
    /// else.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - code: The `confirmation_code` with which the customer's browser came to `returnURL`.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where the session's customer has no such connection.
    public func confirmConnection(
        _ id: String,
        _ code: String,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await caller.result("confirmConnection", email, [id, code], [:], options)
    }

    /// A credential that works now, refreshed where needed. Ask each time; never store or log it. Needs the capability
    /// `token`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - rejected: A token that the provider's API refused although it has not expired: if it is still the current
    ///     one, it is refreshed. Only its SHA-256 is sent.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/needsReconnection(_:)`` where the grant was revoked or has expired: send the
    /// customer through the connect flow again.
    public func getToken(
        _ id: String,
        rejected: Token? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Token {
        let given: Given = [
            "rejected": rejected
        ]
        return try await caller.token("getToken", email, [id], given, options)
    }

    /// Calls the provider's API through the platform, which adds the connection's credential. Needs the capability
    /// `proxy`.
    ///
    /// The provider's response is given back whatever its status, its body to be read as it arrives; only what the
    /// platform itself answers is an error. Nothing that may have reached the provider is sent again: a 503 of the
    /// platform is, where the body is no stream. `timeout` bounds each attempt up to the response's headers, and after
    /// that the time until each next part of its body.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - method: The HTTP method. Default: `GET`.
    ///   - path: What follows the connection's `apiBaseURL`, as the provider documents it; it may have a query.
    ///   - query: Query parameters beside those of the path.
    ///   - headers: Headers for the provider. `content-length` tells how long a body is that is a stream; some
    ///     providers refuse one without.
    ///   - body: The body. A stream is sent as fast as the provider takes it, and once at most.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/needsReconnection(_:)`` where the grant was revoked or has expired: send the
    /// customer through the connect flow again.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `provider_no_response` or `provider_timeout` where the
    /// provider may have carried the request out.
    public func proxy(
        _ id: String,
        method: String? = nil,
        path: String,
        query: [String: String]? = nil,
        headers: [String: String]? = nil,
        body: ProxyBody? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> ProxyResponse {
        let given: Given = [
            "method": method,
            "path": path,
            "query": query,
            "headers": headers,
        ]
        return try await caller.proxy("proxy", email, [id], given, body, options)
    }

    /// The customer's connections that this tenant made. One page with ``PagedList/page()``, all items with `for try
    /// await`. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - appID: Only connections of this app.
    ///   - status: Only connections with this status.
    ///   - customerID: Only connections with this `customerID`.
    ///   - needsReconnection: Only connections that need the customer again, or only the others.
    ///   - page: Which page, from 1. Default: the first.
    ///   - limit: How many connections a page holds, 1 to 100. Default: the service's, 20.
    ///   - options: Hold for the call of each page.
    public func listConnections(
        appID: String? = nil,
        status: ConnectionStatus? = nil,
        customerID: String? = nil,
        needsReconnection: Bool? = nil,
        page: Int? = nil,
        limit: Int? = nil,
        options: CallOptions = CallOptions()
    ) -> PagedList<Connection> {
        let given: Given = [
            "appId": appID,
            "status": status,
            "customerId": customerID,
            "needsReconnection": needsReconnection,
            "page": page,
            "limit": limit,
        ]
        return caller.list("listConnections", email, given, options)
    }

    /// Changes a connection's name, labels or metadata, and gives the connection. What is left out stays. Needs the
    /// capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - name: What the customer sees, such as `Work Gmail`.
    ///   - customerID: Your own id for the customer.
    ///   - customerName: Your own name for the customer.
    ///   - metadata: Replaces the whole object; an empty one removes it.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such connection of this tenant and
    /// customer.
    public func updateConnection(
        _ id: String,
        name: String? = nil,
        customerID: TextChange? = nil,
        customerName: TextChange? = nil,
        metadata: [String: JSONValue]? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        let given: Given = [
            "name": name,
            "customerId": customerID,
            "customerName": customerName,
            "metadata": metadata,
        ]
        return try await caller.result("updateConnection", email, [id], given, options)
    }

    /// Makes a connection of a credential that you have already, past the hosted page. Needs the capability `import`.
    ///
    /// Keys go into `fields`, an OAuth access token into `accessToken`; refresh tokens cannot be imported. The provider
    /// is asked whether it accepts the credential, where that can be asked. You answer for the customer's consent.
    ///
    /// - Parameters:
    ///   - appID: The app, from the catalogue.
    ///   - name: What the customer sees, such as `Work Gmail`.
    ///   - authOptionKey: The key of the app's auth option. Default: the first that such a credential is of.
    ///   - fields: The credential, by the names of the option's `inputSchema`; for OAuth what else the option asks for.
    ///   - accessToken: An access token, for an OAuth option.
    ///   - tokenType: The type of the access token. Default: `Bearer`.
    ///   - expiresIn: How long the access token lives, in whole seconds. It cannot be refreshed: then the customer has
    ///     to connect. Default: unknown.
    ///   - scopes: The OAuth scopes that were granted.
    ///   - providerData: What calls to the provider need beside the credential, as far as the app's file names it and
    ///     the provider does not tell.
    ///   - customerID: Your own id for the customer, to find connections by. Nothing is authorised by it.
    ///   - customerName: Your own name for the customer.
    ///   - metadata: A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
    ///   - idempotencyKey: Calls with the same key and options within a day make one connection. Default: one for each
    ///     call, which its retries share.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `invalid_request` and `fields`, a sentence for each
    /// field that is at fault.
    public func importConnection(
        appID: String,
        name: String,
        authOptionKey: String? = nil,
        fields: [String: String]? = nil,
        accessToken: String? = nil,
        tokenType: String? = nil,
        expiresIn: Duration? = nil,
        scopes: [String]? = nil,
        providerData: [String: JSONValue]? = nil,
        customerID: String? = nil,
        customerName: String? = nil,
        metadata: [String: JSONValue]? = nil,
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Connection {
        let given: Given = [
            "appId": appID,
            "name": name,
            "authOptionKey": authOptionKey,
            "fields": fields,
            "accessToken": accessToken,
            "tokenType": tokenType,
            "expiresIn": expiresIn?.wholeSeconds,
            "scopes": scopes,
            "providerData": providerData,
            "customerId": customerID,
            "customerName": customerName,
            "metadata": metadata,
            "idempotencyKey": idempotencyKey,
        ]
        return try await caller.result("importConnection", email, [], given, options)
    }

    /// Checks the connection's credential at the provider. The connection stays as it is. Needs the capability
    /// `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/needsReconnection(_:)`` where the grant was revoked or has expired: send the
    /// customer through the connect flow again.
    public func verifyConnection(
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws -> Verification {
        try await caller.result("verifyConnection", email, [id], [:], options)
    }

    /// Marks a connection as in use: it cannot be deleted until the usage is removed. Repeating it changes nothing.
    /// Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - usageID: Your own name for what uses the connection, such as a workflow's id.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such connection of this tenant and
    /// customer.
    public func addUsage(
        _ id: String,
        _ usageID: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await caller.json("addUsage", email, [id, usageID], [:], options)
    }

    /// Marks a connection as no longer in use. Removing a usage that is not there succeeds as well. Needs the
    /// capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - usageID: Your own name for what uses the connection, such as a workflow's id.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such connection of this tenant and
    /// customer.
    public func removeUsage(
        _ id: String,
        _ usageID: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await caller.json("removeUsage", email, [id, usageID], [:], options)
    }

    /// Deletes a connection and its credential. Needs the capability `delete`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionInUse(_:)`` while something uses it.
    public func deleteConnection(
        _ id: String,
        options: CallOptions = CallOptions()
    ) async throws {
        try await caller.json("deleteConnection", email, [id], [:], options)
    }
}
