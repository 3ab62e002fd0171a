internal import PabblyConnectNative

/// A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open.
///
/// Its key is only for a backend: never put it into an app. Apps use the product `PabblyConnectFlow`.
///
/// A call throws ``PabblyConnectError``, or `CancellationError` where its task was cancelled; cancelling stops the
/// request itself, wherever it is.
public final class PabblyConnectPlatform: Sendable {
    let native: Client

    /// Checks the settings and makes a client; nothing is sent.
    ///
    /// - Parameters:
    ///   - apiKey: The tenant key, `pk_live_…`; the environment's `PC_TENANT_KEY` unless given.
    ///   - baseURL: Where the service is; the environment's `PC_BASE_URL`, else
    ///     `https://connect.pabbly.com/platform/v1`.
    ///   - maxRetries: How often a 503 is tried again (2); nothing else ever is.
    ///   - timeout: Bounds each attempt, its body included (30 s).
    ///   - backoff: The longest pause before the first retry (500 ms); it doubles with each, up to 16 times.
    ///   - allowInsecureHTTP: Allows plain HTTP to other machines than this one.
    ///   - proxy: Sends everything through this proxy; `HTTPS_PROXY` and the like unless given.
    ///   - caCertificates: Trusts these certificate authorities (PEM) beside the others: Mozilla's roots, or those that
    ///     `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead.
    ///   - userAgent: Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
    ///   - requestsPerMinute: The tenant's budget for everything but tokens, which waits keep (120).
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
        userAgent: String? = nil,
        requestsPerMinute: Int? = nil,
        onEvent: (@Sendable (PabblyConnectEvent) -> Void)? = nil
    ) throws(PabblyConnectError) {
        native = try immediate {
            try Client(
                apiKey: apiKey, baseUrl: baseURL, maxRetries: maxRetries.map(Int64.init), timeout: timeout?.seconds,
                backoff: backoff?.seconds, allowInsecureHttp: allowInsecureHTTP, proxy: proxy,
                caCertificates: caCertificates, userAgent: userAgent,
                requestsPerMinute: requestsPerMinute.map(Int64.init), listener: onEvent.map(EventListener.init))
        }
    }

    /// Exchanges the tenant key while calls are under way: what has begun finishes with the old key; later calls, and
    /// the next poll of a wait, use the new one. That is how a key is rotated without a restart: rotate, give the new
    /// key to every client, promote.
    ///
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where it is no key; the client then goes on with the old one.
    public func setAPIKey(_ apiKey: String) throws(PabblyConnectError) {
        try immediate { try native.setApiKey(apiKey: apiKey) }
    }

    /// Narrows the client to one customer, named by e-mail; take it from your own authenticated session.
    ///
    /// - Throws: ``PabblyConnectError/invalidUserEmail(_:)`` where the address is missing or malformed.
    public func customer(_ email: String) throws(PabblyConnectError) -> Customer {
        try immediate { try native.checkEmail(email: email) }
        return Customer(client: native, email: email)
    }

    /// The app catalogue: one page with ``PagedList/page()``, all apps with `for try await`. Needs the capability
    /// `apps`.
    ///
    /// - Parameters:
    ///   - search: Only apps whose name, id or category holds this.
    ///   - page: Which page, from 1.
    ///   - limit: How many apps a page holds, 1 to 100 (20 unless told).
    ///   - options: Hold for the call of each page.
    public func listApps(
        search: String? = nil, page: Int? = nil, limit: Int? = nil, options: CallOptions = CallOptions()
    ) -> PagedList<App> {
        PagedList { [native] in
            try native.listApps(
                search: search, page: page.map(Int64.init), limit: limit.map(Int64.init), options: options.native)
        }
    }

    /// One app of the catalogue. Needs the capability `apps`.
    ///
    /// - Throws: ``PabblyConnectError/other(_:)`` with the code `app_not_found` for an unknown one.
    public func getApp(_ appID: String, options: CallOptions = CallOptions()) async throws -> App {
        let json = try await cancellable {
            try await native.getApp(appId: appID, options: options.native, cancellation: $0)
        }
        return try decoded(json)
    }

    /// See ``Customer/createRequestLink(appID:name:connectionID:authOptionKey:allowedApps:returnURL:allowedOrigin:displayName:expiresIn:allowMultipleConnections:scopes:confirm:idempotencyKey:options:)``.
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
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> RequestLink {
        try await Customer(client: native, email: email).createRequestLink(
            appID: appID, name: name, connectionID: connectionID, authOptionKey: authOptionKey,
            allowedApps: allowedApps, returnURL: returnURL, allowedOrigin: allowedOrigin, displayName: displayName,
            expiresIn: expiresIn, allowMultipleConnections: allowMultipleConnections, scopes: scopes,
            confirm: confirm, idempotencyKey: idempotencyKey, options: options)
    }

    /// See ``Customer/getConnection(_:options:)``.
    public func getConnection(
        _ email: String, _ id: String, options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(client: native, email: email).getConnection(id, options: options)
    }

    /// See ``Customer/confirmConnection(_:_:options:)``.
    public func confirmConnection(
        _ email: String, _ id: String, _ code: String, options: CallOptions = CallOptions()
    ) async throws -> Connection {
        try await Customer(client: native, email: email).confirmConnection(id, code, options: options)
    }

    /// See ``Customer/waitForConnection(_:interval:timeout:onPoll:)``.
    public func waitForConnection(
        _ email: String, _ id: String, interval: Duration? = nil, timeout: Duration? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Connection {
        try await Customer(client: native, email: email)
            .waitForConnection(id, interval: interval, timeout: timeout, onPoll: onPoll)
    }

    /// See ``Customer/getToken(_:options:)``.
    public func getToken(_ email: String, _ id: String, options: CallOptions = CallOptions()) async throws -> Token {
        try await Customer(client: native, email: email).getToken(id, options: options)
    }

    /// See ``Customer/listConnections(appID:page:limit:options:)``.
    public func listConnections(
        _ email: String, appID: String? = nil, page: Int? = nil, limit: Int? = nil,
        options: CallOptions = CallOptions()
    ) -> PagedList<Connection> {
        Customer(client: native, email: email).listConnections(appID: appID, page: page, limit: limit, options: options)
    }

    /// See ``Customer/deleteConnection(_:options:)``.
    public func deleteConnection(_ email: String, _ id: String, options: CallOptions = CallOptions()) async throws {
        try await Customer(client: native, email: email).deleteConnection(id, options: options)
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
