import Foundation
import PabblyConnect
import PabblyConnectTesting
import Testing

/// Far more than what sockets and their two sides keep.
let large = 64 << 20
let kept = 24 << 20

/// Bodies of proxied calls: how they pass, and how they end. What all languages share is in tests/scenarios.
@Suite(.serialized) struct ProxyTests {
    struct Echo: Decodable {
        let method: String
        let path: String
        let body: String
    }

    @Test func aReaderThatIsSlowStopsTheSender() async throws {
        let response = try await Server.client().proxy(email, "c", path: "export")
        var parts = response.body.makeAsyncIterator()
        var read = try await parts.next()?.count ?? 0
        try await Task.sleep(for: .milliseconds(500))
        let sent: Int = try await Server.asked("/sent")
        #expect(sent < kept)
        while let part = try await parts.next() { read += part.count }
        #expect(read == large)
    }

    @Test func aProviderThatIsSlowStopsTheSource() async throws {
        let given = Counter()
        let part = Data(repeating: 120, count: 64 << 10)
        let source = AsyncStream<Data> { given.add(part.count) <= large ? part : nil }
        async let response = Server.client().proxy(
            email, "c", method: "POST", path: "import", body: ProxyBody(stream: source))
        try await Task.sleep(for: .milliseconds(400))
        #expect(given.value < kept)
        #expect(try await response.json(Int.self) == large)
    }

    @Test func theOtherSideSeesACancellation() async throws {
        let client = try Server.client()
        var delays: [String] = []
        func measured(_ path: String, _ cancel: () async -> Void) async throws {
            let start = Date.now.timeIntervalSince1970
            await cancel()
            while true {
                let ended: [String: Double] = try await Server.asked("/ended")
                if let end = ended[path] {
                    let delay = (end - start) * 1000
                    delays.append("\(path) \(String(format: "%.1f", delay)) ms")
                    #expect(delay < 2000)
                    return
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        for path in ["hang-call", "begin-body"] {
            let call = Task { try await client.proxy(email, "c", path: path).data() }
            try await Server.hasSeen("/connections/c/proxy/\(path)")
            try await Task.sleep(for: .milliseconds(50))
            try await measured(path) { call.cancel() }
            #expect(await thrown(call) is CancellationError)
        }
        let never = AsyncStream<Data> { _ in }
        let upload = Task {
            try await client.proxy(email, "c", method: "POST", path: "hang-upload", body: ProxyBody(stream: never))
        }
        try await Server.hasSeen("/connections/c/proxy/hang-upload")
        try await measured("hang-upload") { upload.cancel() }
        #expect(await thrown(upload) is CancellationError)

        let closed = try await client.proxy(email, "c", path: "begin-close")
        try await measured("begin-close") { closed.close() }
        #expect(try await closed.data().isEmpty)

        var dropped: ProxyResponse? = try await client.proxy(email, "c", path: "begin-drop")
        #expect(dropped?.status == 200)
        try await measured("begin-drop") { dropped = nil }
        print("\(delays.count) cancellations were seen by the other side after: \(delays.joined(separator: ", "))")
    }

    @Test func whatASourceThrowsIsWhatTheCallThrows() async throws {
        struct Mine: Error {}
        let client = try Server.client()
        let source = AsyncThrowingStream<Data, any Error> { parts in
            parts.yield(Data("begin".utf8))
            parts.finish(throwing: Mine())
        }
        await #expect(throws: Mine.self) {
            try await client.proxy(email, "c", method: "POST", path: "a", body: ProxyBody(stream: source))
        }
    }

    @Test func bodiesComeInEveryShape() async throws {
        let alice = try Server.client().customer(email)
        let stream = AsyncStream<Data> { parts in
            parts.yield(Data("\"h".utf8))
            parts.yield(Data("i\"".utf8))
            parts.finish()
        }
        for body in ["\"hi\"", ProxyBody(Data("\"hi\"".utf8)), try .json("hi"), ProxyBody(stream: stream)] {
            let response = try await alice.proxy("c", method: "POST", path: "a", query: ["q": "a&b"], body: body)
            let echo: Echo = try await response.json()
            #expect(echo.body == "\"hi\"")
            #expect(echo.path.hasSuffix("/proxy/a?q=a%26b"))
            #expect(response.source == "provider")
            #expect("\(response) \(Mirror(reflecting: response).children.count)" == "ProxyResponse(status: 200) 1")
        }
    }

    @Test func aFakeGivesAResponse() async throws {
        let fake = try FakeClient()
        fake.on(.proxy, return: ProxyResponse(status: 404, body: Data("hi".utf8)))
        let response = try await fake.platform.proxy(email, "c", path: "a", query: ["x": "1"])
        #expect(response.status == 404)
        #expect(try await response.data() == Data("hi".utf8))
        let options: [String: JSONValue] = ["path": .string("a"), "query": .object(["x": .string("1")])]
        #expect(fake.calls == [FakeCall(.proxy, email: email, arguments: ["c"], options: options)])
        await #expect(throws: PabblyConnectError.self) { try await fake.platform.proxy(email, "c", path: "../a") }
    }
}

/// A number that several tasks may add to.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var value: Int { lock.withLock { count } }

    func add(_ number: Int) -> Int {
        lock.withLock {
            count += number
            return count
        }
    }
}
