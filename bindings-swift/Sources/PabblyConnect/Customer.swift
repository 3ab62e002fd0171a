internal import PabblyConnectNative

/// A client that acts for one customer. Made by ``PabblyConnectPlatform/customer(_:)``.
public struct Customer: Sendable, CustomStringConvertible {
    let client: Client
    /// The customer's e-mail.
    public let email: String

    /// Names the customer.
    public var description: String { "Customer(\(email))" }

    /// Makes a hosted page where the customer connects an app. Needs the capability `connections`.
    ///
    /// All options but the app and the name are extensions of the guide's contract.
    ///
    /// - Parameters:
    ///   - appID: The app, from the catalogue; left out where the customer picks one or the connection names it.
    ///   - name: What the customer sees later, such as `Work Gmail`.
    ///   - connectionID: Re-authorises this connection in place: it keeps its id, and takes this `name`.
    ///   - authOptionKey: Which of the app's auth options the customer uses, by its key.
    ///   - allowedApps: The ids of the apps that the customer may choose from.
    ///   - returnURL: Where the hosted page sends the customer when it is done, with `connection_id` and `status` in
    ///     the query.
    ///   - allowedOrigin: The only web origin that may read the link's public status. Any may, where none is named.
    ///   - displayName: The name of your product, or of the customer, on the hosted page.
    ///   - expiresIn: How long the link lives, in whole seconds, from a minute to a day (10 minutes unless told).
    ///   - allowMultipleConnections: Whether the customer may have several connections of this app. Where not, an
    ///     active one is re-authorised.
    ///   - scopes: The OAuth scopes to ask for instead of the app's own.
    ///   - confirm: Whether the grant waits until ``confirmConnection(_:_:options:)`` says whose it is. Needs a return
    ///     URL. For products whose customers do not know each other.
    ///   - idempotencyKey: Calls with the same key and options within a day make one link.
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
        idempotencyKey: String? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> RequestLink {
        let link = Link(
            appId: appID, name: name, connectionId: connectionID, authOptionKey: authOptionKey,
            allowedApps: allowedApps, returnUrl: returnURL, allowedOrigin: allowedOrigin, displayName: displayName,
            expiresIn: expiresIn?.seconds, allowMultipleConnections: allowMultipleConnections, scopes: scopes,
            confirm: confirm, idempotencyKey: idempotencyKey)
        let json = try await cancellable {
            try await client.createRequestLink(email: email, link: link, options: options.native, cancellation: $0)
        }
        return try decoded(json)
    }

    /// One connection and its status. Needs the capability `connections`.
    ///
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where there is no such connection of this tenant and
    ///   customer.
    public func getConnection(_ id: String, options: CallOptions = CallOptions()) async throws -> Connection {
        let json = try await cancellable {
            try await client.getConnection(email: email, id: id, options: options.native, cancellation: $0)
        }
        return try decoded(json)
    }

    /// Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - code: The `confirmation_code` with which the customer's browser came to the return URL. Take the customer from
    ///     the session of that very request: then nobody can have their link finished by somebody else.
    ///   - options: Of this call alone.
    /// - Throws: ``PabblyConnectError/connectionDeleted(_:)`` where the session's customer has no such connection.
    public func confirmConnection(
        _ id: String, _ code: String, options: CallOptions = CallOptions()
    ) async throws -> Connection {
        let json = try await cancellable {
            try await client.confirmConnection(
                email: email, id: id, code: code, options: options.native, cancellation: $0)
        }
        return try decoded(json)
    }

    /// Waits until the connection is no longer pending, and gives it. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - id: The connection, from its link.
    ///   - interval: The time between two polls (2 s unless told; at least 100 ms).
    ///   - timeout: How long to wait at most. Without it the wait ends when the link lapses.
    ///   - onPoll: Called after each poll that did not end the wait, on the thread that works on all calls: return
    ///     quickly.
    /// - Throws: ``PabblyConnectError/waitTimeout(_:)``, with the connection if a poll saw it, when the time is over.
    public func waitForConnection(
        _ id: String, interval: Duration? = nil, timeout: Duration? = nil, onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Connection {
        let json = try await cancellable {
            try await client.waitForConnection(
                email: email, id: id, interval: interval?.seconds, timeout: timeout?.seconds,
                listener: onPoll.map(PollForwarder.init), cancellation: $0)
        }
        return try decoded(json)
    }

    /// A credential that works now, refreshed where needed. Needs the capability `token`. Ask each time; never store or
    /// log it.
    ///
    /// - Throws: ``PabblyConnectError/needsReconnection(_:)`` where the grant was revoked or has expired: send the
    ///   customer through the connect flow again.
    public func getToken(_ id: String, options: CallOptions = CallOptions()) async throws -> Token {
        let token = try await cancellable {
            try await client.getToken(email: email, id: id, options: options.native, cancellation: $0)
        }
        return Token(native: token)
    }

    /// The customer's connections that this tenant made: one page with ``PagedList/page()``, all of them with
    /// `for try await`. Needs the capability `connections`.
    ///
    /// - Parameters:
    ///   - appID: Only connections of this app.
    ///   - page: Which page, from 1.
    ///   - limit: How many connections a page holds, 1 to 100 (20 unless told).
    ///   - options: Hold for the call of each page.
    public func listConnections(
        appID: String? = nil, page: Int? = nil, limit: Int? = nil, options: CallOptions = CallOptions()
    ) -> PagedList<Connection> {
        PagedList { [self] in
            try client.listConnections(
                email: email, appId: appID, page: page.map(Int64.init), limit: limit.map(Int64.init),
                options: options.native)
        }
    }

    /// Deletes a connection and its credential. Needs the capability `delete`.
    ///
    /// - Throws: ``PabblyConnectError/connectionInUse(_:)`` while something uses it.
    public func deleteConnection(_ id: String, options: CallOptions = CallOptions()) async throws {
        try await cancellable {
            try await client.deleteConnection(email: email, id: id, options: options.native, cancellation: $0)
        }
    }
}
