import Foundation
import Testing

@testable import PabblyConnectFlow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// As the platform answers, passed on by a backend.
let answer = """
    {"request_link": "https://connect.example/platform/v1/connect/rl_canary", "request_token": "rt_canary",
     "connection_id": "conn_1", "expires_at": "2026-11-21T10:00:00Z", "status_url": "https://connect.example/x",
     "app": {"id": "gmail"}, "operation": "creation"}
    """

func decode(_ json: String) throws -> ConnectLink {
    try JSONDecoder().decode(ConnectLink.self, from: Data(json.utf8))
}

@Suite(.timeLimit(.minutes(5)))
struct LinkTests {
    @Test func thePlatformsAnswerIsALink() throws {
        let link = try decode(answer)
        #expect(link.requestLink.absoluteString == "https://connect.example/platform/v1/connect/rl_canary")
        #expect(link.requestToken == "rt_canary")
        #expect(link.connectionID == "conn_1")
        #expect(link.expiresAt == Date(timeIntervalSince1970: 1_795_255_200))
    }

    @Test(arguments: ["2026-11-21T10:00:00.000Z", "2026-11-21T11:00:00+01:00"])
    func timesAreThoseOfRFC3339(time: String) throws {
        let link = try decode(answer.replacingOccurrences(of: "2026-11-21T10:00:00Z", with: time))
        #expect(link.expiresAt == Date(timeIntervalSince1970: 1_795_255_200))
    }

    @Test func whatIsNoTimeIsRefused() {
        #expect(throws: DecodingError.self) {
            try decode(answer.replacingOccurrences(of: "2026-11-21T10:00:00Z", with: "tomorrow"))
        }
    }

    @Test func aKeptLinkIsTheSame() throws {
        let link = try decode(answer)
        #expect(try JSONDecoder().decode(ConnectLink.self, from: JSONEncoder().encode(link)) == link)
    }

    @Test func noPrintedFormShowsTheTokenOrTheAddress() throws {
        let link = try decode(answer)
        var dumped = ""
        dump([link], to: &dumped)
        let session = ConnectSession(link, userAgent: TestUserAgent())
        var dumpedSession = ""
        dump(session, to: &dumpedSession)
        let forms = [
            "\(link)", String(describing: [link]), String(reflecting: link), link.debugDescription, dumped,
            "\(session)", dumpedSession, "\(Mirror(reflecting: link).children.map(\.value))", "\(try Platform(link))",
        ]
        for form in forms {
            #expect(!form.contains("canary"), "\(form)")
        }
        #expect(dumped.contains("conn_1"))
    }

    @Test(arguments: [
        ("https://connect.example", "http://connect.example"), ("https://connect.example", "file://connect.example"),
        ("rt_canary", ""), ("rt_canary", "rt canary\\n"), ("conn_1", ".."), ("conn_1", ""),
    ])
    func whatIsNoLinkIsRefused(part: String, other: String) async throws {
        let link = try decode(answer.replacingOccurrences(of: part, with: other))
        do {
            let outcome = try await ConnectSession(link, userAgent: TestUserAgent()).run()
            Issue.record("\(outcome)")
        } catch ConnectError.invalidLink(let reason) {
            #expect(!reason.contains("canary"))
        }
    }

    // MARK: - questions of the core

    /// The link of a server on this machine.
    func link(port: UInt16) throws -> ConnectLink {
        try decode(answer.replacingOccurrences(of: "https://connect.example", with: "http://127.0.0.1:\(port)"))
    }

    @Test(arguments: [
        (
            "200 OK", #"{"status": "pending", "phase": "form", "operation": "reauth", "expires_in": 5}"#,
            "pending form reauth 6.0 seconds"
        ),
        // More than any link can have.
        (
            "200 OK", #"{"status": "new", "expires_in": 18446744073709551615, "more": []}"#,
            "new nil nil 86400.0 seconds"
        ),
        ("429 Too Many Requests\r\nretry-after: 7", "null", "busy 7.0 seconds"),
        ("429 Too Many Requests\r\nretry-after: 99999999999999999999", "null", "busy 86400.0 seconds"),
        ("503 Service Unavailable\r\nretry-after: 7", "null", "failed 7.0 seconds"),
        ("500 Internal Server Error", "null", "failed nil"),
        ("302 Found\r\nlocation: /", "null", "failed nil"),
        ("200 OK", "rt_canary", "failed nil"),
        ("404 Not Found", "null", "unknownLink"),
        // What stands in between says such things, and they may pass.
        ("401 Unauthorized", "null", "failed nil"),
        ("407 Proxy Authentication Required", "null", "failed nil"),
        ("431 Request Header Fields Too Large", "null", "failed nil"),
    ])
    func anAnswerIsUnderstood(head: String, data: String, expected: String) async throws {
        let server = try TestServer()
        let platform = try Platform(link(port: server.port))
        async let asked = try platform.answer(holding: .zero)
        let connection = await server.accept()
        await connection.answer(head, #"{"status": "error", "message": "rt_canary", "data": \#(data)}"#)
        let found: String
        do {
            found = describe(try await asked)
        } catch ConnectError.unknownLink(let reason) {
            #expect(!reason.contains("canary"))
            found = "unknownLink"
        }
        #expect(found == expected)
    }

    func describe(_ answer: StatusAnswer) -> String {
        func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "nil" }
        switch answer {
        case .status(let status):
            return "\(status.status) \(text(status.phase)) \(text(status.operation)) \(text(status.expiresIn))"
        case .busy(let retryAfter): return "busy \(text(retryAfter))"
        case .failed(let reason, let retryAfter):
            #expect(!reason.contains("canary"))
            return "failed \(text(retryAfter))"
        }
    }

    @Test func aQuestionWithoutANetworkFails() async throws {
        let answer = try await Platform(link(port: 1)).answer(holding: .zero)
        guard case .failed(let reason, nil) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(reason.contains("could not be reached"))
    }

    @Test func aQuestionIsCancelledBeforeItIsAsked() async throws {
        let platform = try Platform(link(port: 1))
        let asking = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await platform.answer(holding: .zero)
        }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
    }

    /// Nobody answers; only the cancellation ends it before its time.
    @Test func aQuestionIsCancelledWhileItWaits() async throws {
        let server = try TestServer()
        let platform = try Platform(link(port: server.port))
        let asking = Task { try await platform.answer(holding: .seconds(3600)) }
        let connection = await server.accept()
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        #expect(await connection.isClosed())
    }
}

/// A server that accepts one connection.
struct TestServer {
    let port: UInt16
    private let listener: Int32

    init() throws {
        #if canImport(Glibc)
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) + listen(listener, 1) + getsockname(listener, $0, &length)
            }
        }
        try #require(failed == 0)
        port = UInt16(bigEndian: address.sin_port)
    }

    struct Connection: Sendable {
        let socket: Int32

        /// Reads the request and answers it.
        func answer(_ head: String, _ body: String) async {
            await onAnotherThread {
                var buffer = [UInt8](repeating: 0, count: 4096)
                _ = read(socket, &buffer, buffer.count)
                let text = "HTTP/1.1 \(head)\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
                _ = Array(text.utf8).withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
                close(socket)
            }
        }

        /// Reads until the other side closes.
        func isClosed() async -> Bool {
            await onAnotherThread {
                var buffer = [UInt8](repeating: 0, count: 4096)
                var count = 1
                while count > 0 { count = read(socket, &buffer, buffer.count) }
                close(socket)
                return true
            }
        }
    }

    func accept() async -> Connection {
        let listener = listener
        return await onAnotherThread {
            let connection = Connection(socket: PlatformSockets.accept(listener, nil, nil))
            close(listener)
            return connection
        }
    }
}

#if canImport(Glibc)
    private enum PlatformSockets { static let accept = Glibc.accept }
#else
    private enum PlatformSockets { static let accept = Darwin.accept }
#endif

/// Swift's own threads must not block.
private func onAnotherThread<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread { continuation.resume(returning: work()) }.start()
    }
}
