// Between the calls that users make and those of the native module.

internal import PabblyConnectNative

/// Gives a result in the place of the service, of a method's name, the customer, the arguments and the options.
package typealias Responder = @Sendable (String, String?, [String], [String: JSONValue]) async throws -> any Sendable

/// Makes the calls of a client.
struct Caller: Sendable {
    let core: Client
    /// In tests, what responds instead of the service. The core then only checks what it is given.
    var responder: Responder?

    /// Makes a call and reads what it gives.
    func result<Value: Decodable & Sendable>(
        _ method: String, _ email: String?, _ arguments: [String], _ own: Given, _ shared: CallOptions? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Value {
        if responder != nil {
            return try await response(method, email, arguments, options(own, shared))
        }
        return try decoded(try await json(method, email, arguments, own, shared, onPoll: onPoll))
    }

    /// Makes a call and gives the JSON text that came.
    @discardableResult
    func json(
        _ method: String, _ email: String?, _ arguments: [String], _ own: Given, _ shared: CallOptions? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> String {
        if responder != nil {
            let _: Void = try await response(method, email, arguments, options(own, shared))
            return ""
        }
        return try await cancellable {
            try await core.json(
                method: method, email: email, arguments: arguments, options: options(own, shared),
                listener: onPoll.map { onPoll in Forwarder { onPoll(Poll($0)) } }, cancellation: $0)
        }
    }

    /// Makes a call that gives a credential.
    func token(
        _ method: String, _ email: String, _ arguments: [String], _ own: Given, _ shared: CallOptions
    ) async throws -> Token {
        if responder != nil {
            return try await response(method, email, arguments, options(own, shared))
        }
        let native = try await cancellable {
            try await core.token(
                method: method, email: email, arguments: arguments, options: options(own, shared), cancellation: $0)
        }
        return Token(native: native)
    }

    /// A list, of which nothing is sent yet.
    func list<Item: ListItem>(
        _ method: String, _ email: String?, _ own: Given, _ shared: CallOptions
    ) -> PagedList<Item> {
        let start = { @Sendable [core] in try core.list(method: method, email: email, options: options(own, shared)) }
        guard responder != nil else { return PagedList(.core(start)) }
        return PagedList(
            .only { [self] in
                _ = try immediate(start)
                return try await respond(method, email, [], options(own, shared))
            })
    }

    /// The feed, of which nothing is sent yet.
    func feed(_ method: String, after: String?, _ own: Given, _ shared: CallOptions) -> EventFeed {
        let start = { @Sendable [core] in try core.feed(method: method, options: options(own, shared)) }
        guard responder != nil else { return EventFeed(after: after, source: .core(start)) }
        return EventFeed(
            after: after,
            source: .only { [self] in
                _ = try immediate(start)
                return try await respond(method, nil, [], options(own, shared))
            })
    }
}

// MARK: In tests

extension PabblyConnectPlatform {
    /// A client that calls no service.
    package convenience init(responder: @escaping Responder) throws(PabblyConnectError) {
        let settings = options(["apiKey": "pk_test_fake", "baseUrl": "http://127.0.0.1"])
        let core = try immediate { try Client(settings: settings, listener: nil) }
        self.init(caller: Caller(core: core, responder: responder))
    }
}

extension Caller {
    /// What a test gives to a call that the core would send.
    private func response<Value: Sendable>(
        _ method: String, _ email: String?, _ arguments: [String], _ options: [String: OptionValue]
    ) async throws -> Value {
        try await response(method, email, arguments, options) {
            _ = try await core.json(
                method: method, email: email, arguments: arguments, options: options, listener: nil, cancellation: $0)
        }
    }

    func response<Value: Sendable>(
        _ method: String, _ email: String?, _ arguments: [String], _ options: [String: OptionValue],
        send: (Cancellation) async throws -> Void
    ) async throws -> Value {
        // What is cancelled before it begins is checked, and then not sent.
        let cancellation = Cancellation()
        cancellation.cancel()
        do {
            try await send(cancellation)
        } catch Failure.Cancelled {
            // It is as it should be.
        } catch {
            throw PabblyConnectError(error)
        }
        return try await respond(method, email, arguments, options)
    }

    private func respond<Value: Sendable>(
        _ method: String, _ email: String?, _ arguments: [String], _ options: [String: OptionValue]
    ) async throws -> Value {
        try Task.checkCancellation()
        let given = try await responder?(method, email, arguments, options.mapValues(\.shown))
        guard let value = given as? Value else {
            throw PabblyConnectError.other(ErrorDetails(message: "what was given to \(method) is not its result"))
        }
        return value
    }
}

extension OptionValue {
    /// As a test is shown it.
    fileprivate var shown: JSONValue {
        switch self {
        case .flag(let flag): .bool(flag)
        case .integer(let integer): .integer(integer)
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        case .texts(let texts): .array(texts.map(JSONValue.string))
        case .object(let json): (try? decoded(json)) ?? .null
        case .token(let token): token.accessToken().map(JSONValue.string) ?? .null
        case .null: .null
        }
    }
}
