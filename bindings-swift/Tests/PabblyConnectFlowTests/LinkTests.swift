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
        let server = try SilentServer()
        let platform = try Platform(link(port: server.port))
        let asking = Task { try await platform.answer(holding: .seconds(3600)) }
        let connection = await server.accept()
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        #expect(await connection.isClosed())
    }
}

/// A server that accepts one connection and says nothing.
struct SilentServer {
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
