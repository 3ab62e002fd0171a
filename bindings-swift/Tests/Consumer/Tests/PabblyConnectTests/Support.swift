import Foundation
import PabblyConnect

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

let email = "alice@example.com"

/// The server of `Tests/server.py`, which says what it has seen.
enum Server {
    static let address = ProcessInfo.processInfo.environment["TEST_SERVER"] ?? ""

    static func client(
        requestsPerMinute: Int? = nil, onEvent: (@Sendable (PabblyConnectEvent) -> Void)? = nil
    ) throws -> PabblyConnectPlatform {
        try PabblyConnectPlatform(
            apiKey: "pk_live_canary", baseURL: address, requestsPerMinute: requestsPerMinute, onEvent: onEvent)
    }

    /// How often each path was asked for.
    static func seen() async throws -> [String: Int] {
        try await asked("/seen")
    }

    static func asked<Value: Decodable>(_ path: String) async throws -> Value {
        let (data, _) = try await URLSession.shared.data(from: URL(string: address + path)!)
        return try JSONDecoder().decode(Value.self, from: data)
    }

    /// Makes all connections active.
    static func release() async throws {
        var request = URLRequest(url: URL(string: address + "/release")!)
        request.httpMethod = "POST"
        _ = try await URLSession.shared.data(for: request)
    }

    /// Returns when the server has been asked for a path.
    static func hasSeen(_ path: String) async throws {
        while try await seen()[path] == nil {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// What a task throws.
func thrown<Success>(_ task: Task<Success, any Error>) async -> (any Error)? {
    if case .failure(let error) = await task.result { error } else { nil }
}

/// What a call throws.
func failure<Success>(_ call: () async throws -> Success) async -> (any Error)? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}
