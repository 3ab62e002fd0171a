internal import Foundation
public import PabblyConnect

/// A client that calls no service: ``platform`` goes to what is tested, and responds as it was told to.
///
/// ```swift
/// let fake = try FakeClient()
/// fake.on(.getToken, return: try Token.of(accessToken: "test"))
/// ```
///
/// Arguments are checked as the real client checks them. A method that was told nothing throws a ``NoResultError``. A list
/// has the one page that it was given, and the feed the events. What is told can be changed at any time.
public final class FakeClient: Sendable {
    /// The client for what is tested.
    public let platform: PabblyConnectPlatform
    private let memory: Memory

    /// Makes one that was told nothing.
    ///
    /// - Throws: `PabblyConnectError.invalidArgument` where the environment names certificates that cannot be read.
    public init() throws(PabblyConnectError) {
        let memory = Memory()
        self.memory = memory
        platform = try PabblyConnectPlatform(responder: { method, email, arguments, options in
            try await memory.respond(FakeCall(method, email, arguments, options))
        })
    }

    /// The calls that were made so far, those of a `Customer` among them.
    public var calls: [FakeCall] { memory.calls }

    /// Has a method give this.
    public func on<Value>(_ method: FakeMethod<Value>, return value: Value) {
        memory.set(method.name) { _ in value }
    }

    /// Has a method throw this.
    public func on<Value>(_ method: FakeMethod<Value>, throw error: any Error) {
        memory.set(method.name) { _ in throw error }
    }

    /// Has a method give or throw what the closure does.
    public func on<Value>(
        _ method: FakeMethod<Value>, by respond: @escaping @Sendable (FakeCall) async throws -> Value
    ) {
        memory.set(method.name, respond)
    }
}

/// A method that calls the service; `Value` is what it gives: of a list its page, of the feed its events.
public struct FakeMethod<Value: Sendable>: Hashable, Sendable {
    /// The method's name.
    public let name: String

    init(name: String) {
        self.name = name
    }
}

/// A call that a ``FakeClient`` got.
public struct FakeCall: Hashable, Sendable {
    /// The method's name.
    public let method: String
    /// The customer; `nil` where the method takes none.
    public let email: String?
    /// The other arguments without a label, in order.
    public let arguments: [String]
    /// The arguments with a label that were given, and the members of `options`. Durations are seconds, a token is its access
    /// token, and what is to be removed is `null`.
    public let options: [String: JSONValue]

    /// Makes one to compare with.
    public init<Value>(
        _ method: FakeMethod<Value>, email: String? = nil, arguments: [String] = [], options: [String: JSONValue] = [:]
    ) {
        self.method = method.name
        self.email = email
        self.arguments = arguments
        self.options = options
    }

    /// The core's names of options become Swift's.
    init(_ method: String, _ email: String?, _ arguments: [String], _ options: [String: JSONValue]) {
        self.method = method
        self.email = email
        self.arguments = arguments
        let named = options.map { name, value in (swiftNames[name] ?? name, value) }
        self.options = Dictionary(uniqueKeysWithValues: named)
    }
}

/// A ``FakeClient`` was asked for what it was not told.
public struct NoResultError: Error, Hashable, CustomStringConvertible {
    /// The method.
    public let method: String

    /// Says how to tell it.
    public var description: String {
        "the fake client has no result for \(method): give it one, as in fake.on(.\(method), return: …)"
    }
}

/// What a fake was told and asked.
private final class Memory: @unchecked Sendable {
    typealias Response = @Sendable (FakeCall) async throws -> any Sendable

    private let lock = NSLock()
    private var responses: [String: Response] = [:]
    private var made: [FakeCall] = []

    var calls: [FakeCall] {
        lock.withLock { made }
    }

    func set(_ method: String, _ response: @escaping Response) {
        lock.withLock { responses[method] = response }
    }

    func respond(_ call: FakeCall) async throws -> any Sendable {
        let response = lock.withLock {
            made.append(call)
            return responses[call.method]
        }
        guard let response else { throw NoResultError(method: call.method) }
        return try await response(call)
    }
}
