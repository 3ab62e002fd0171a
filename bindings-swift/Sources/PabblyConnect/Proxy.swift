public import Foundation
internal import PabblyConnectNative

/// The body of a proxied request: bytes, a text or a stream. A literal is a text.
public struct ProxyBody: Sendable, ExpressibleByStringLiteral {
    enum Content: Sendable {
        case whole(Data)
        /// Passes its parts on until it ends or no more is wanted.
        case parts(@Sendable (BodySender) async throws -> Void)
    }

    let content: Content

    /// Bytes.
    public init(_ bytes: Data) {
        content = .whole(bytes)
    }

    /// A text.
    public init(stringLiteral text: String) {
        content = .whole(Data(text.utf8))
    }

    /// What comes in parts. It is sent as fast as the provider takes it, and once at most.
    public init<Parts: AsyncSequence & Sendable>(stream parts: Parts) where Parts.Element == Data {
        content = .parts { sender in
            for try await part in parts {
                guard await sender.send(part: part) else { return }
            }
            sender.finish()
        }
    }

    /// A value as JSON; set the header `content-type` with it.
    public static func json(_ value: some Encodable) throws -> ProxyBody {
        ProxyBody(try JSONEncoder().encode(value))
    }
}

/// What the provider answered, whatever its status. Its body is read when it is asked for; when nobody holds the
/// response any more, the provider's call ends.
public struct ProxyResponse: Sendable {
    /// The provider's HTTP status.
    public let status: Int
    /// The headers, names in lower case; one that came several times is one, with commas.
    public let headers: [String: String]
    /// The body, part by part. Parts are given once.
    public let body: Body

    /// Makes a response for a test; only tests do.
    public init(status: Int, headers: [String: String] = [:], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = Body(source: .given(body))
    }

    init(_ native: Response, _ feeding: Feeding?) throws(PabblyConnectError) {
        struct Head: Decodable {
            let status: Int
            let headers: [[String]]
        }
        let head: Head = try decoded(native.head())
        status = head.status
        headers = Dictionary(head.headers.map { ($0[0], $0[1]) }) { "\($0), \($1)" }
        body = Body(source: .native(native, feeding))
    }

    /// Who answered, of `x-connect-source`: `provider`. What the platform answers is an error.
    public var source: String { headers["x-connect-source"] ?? "provider" }

    /// All of the body, which is as large as the provider likes.
    public func data() async throws -> Data {
        try await body.reduce(into: Data()) { $0.append($1) }
    }

    /// All of the body, read as JSON.
    public func json<Value: Decodable>(_ type: Value.Type = Value.self) async throws -> Value {
        try JSONDecoder().decode(type, from: try await data())
    }

    /// Ends the provider's call where it has not come to its end.
    public func close() {
        guard case .native(let native, let feeding) = body.source else { return }
        feeding?.stop()
        native.close()
    }

    /// The parts of a body, as they arrive. Nothing is read that was not asked for.
    public struct Body: AsyncSequence, Sendable {
        enum Source: Sendable {
            case native(Response, Feeding?)
            case given(Data)
        }

        let source: Source

        /// Goes over the parts.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(source: source)
        }

        /// Gives one part after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let source: Source
            var isOver = false

            init(source: Source) {
                self.source = source
            }

            /// The next part, as soon as it arrives; `nil` at the end.
            public mutating func next() async throws -> Data? {
                switch source {
                case .native(let native, _):
                    do {
                        return try await cancellable { try await native.next(cancellation: $0) }
                    } catch {
                        // Somebody may hold the response for long.
                        native.close()
                        throw error
                    }
                case .given(let data):
                    if isOver || data.isEmpty { return nil }
                    isOver = true
                    return data
                }
            }
        }
    }
}

extension ProxyResponse: CustomStringConvertible, CustomReflectable {
    /// Shows the status alone: headers and bodies are the provider's, and may hold anything.
    public var description: String { "ProxyResponse(status: \(status))" }
    /// The status alone.
    public var customMirror: Mirror { Mirror(self, children: ["status": status]) }
}

/// A request's body on its way. It stops with the call.
final class Feeding: @unchecked Sendable {
    let sender = BodySender()
    private let lock = NSLock()
    private var task: Task<Void, Never>?
    private var failure: (any Error)?

    /// Why the body could not be completed.
    var error: (any Error)? { lock.withLock { failure } }

    init(_ feed: @escaping @Sendable (BodySender) async throws -> Void) {
        let task = Task { [weak self, sender] in
            do {
                try await feed(sender)
            } catch {
                self?.fail(error)
            }
            sender.fail()
        }
        lock.withLock { self.task = task }
    }

    private func fail(_ error: any Error) {
        lock.withLock { failure = error }
    }

    func stop() {
        lock.withLock { task }?.cancel()
        sender.fail()
    }

    deinit {
        task?.cancel()
    }
}

extension Caller {
    /// Makes a proxied call.
    func proxy(
        _ method: String, _ email: String, _ arguments: [String], _ own: Given, _ body: ProxyBody?,
        _ shared: CallOptions
    ) async throws -> ProxyResponse {
        let given = options(own, shared)
        let send = { @Sendable [core] (whole: Data?, sender: BodySender?, cancellation: Cancellation) in
            try await core.proxy(
                email: email, id: arguments[0], body: whole, sender: sender, options: given, cancellation: cancellation)
        }
        if responder != nil {
            return try await response(method, email, arguments, given) { _ = try await send(nil, nil, $0) }
        }
        switch body?.content {
        case .parts(let feed):
            let feeding = Feeding(feed)
            do {
                return try ProxyResponse(try await cancellable { try await send(nil, feeding.sender, $0) }, feeding)
            } catch {
                feeding.stop()
                // What the body itself failed with tells more.
                throw error is CancellationError ? error : feeding.error ?? error
            }
        case .whole(let bytes):
            return try ProxyResponse(try await cancellable { try await send(bytes, nil, $0) }, nil)
        case nil:
            return try ProxyResponse(try await cancellable { try await send(nil, nil, $0) }, nil)
        }
    }
}
