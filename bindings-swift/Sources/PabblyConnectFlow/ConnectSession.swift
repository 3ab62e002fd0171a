import Foundation

/// One attempt of one customer to connect.
///
/// ```swift
/// let session = ConnectSession(link, userAgent: userAgent)
/// switch try await session.run() {
/// case .success(let connectionID, _): print("connected", connectionID)
/// case .exit(let reason): print("no connection:", reason)
/// }
/// ```
public struct ConnectSession: Sendable {
    private let link: ConnectLink
    private let userAgent: any ConnectUserAgent
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - link: What your backend handed out.
    ///   - userAgent: What shows the hosted page.
    ///   - clock: By which the session waits; it should go on while the device sleeps, as the default does.
    public init(_ link: ConnectLink, userAgent: any ConnectUserAgent, clock: any Clock<Duration> = ContinuousClock()) {
        self.link = link
        self.userAgent = userAgent
        self.clock = clock
    }

    /// Shows the hosted page and asks the platform every two seconds how the link stands, until that is settled; then
    /// closes the page. Losing the network is no error: the session goes on until the link lapses.
    ///
    /// When the customer leaves the page the platform is asked a few times more before the outcome is
    /// ``ConnectExitReason/closed``. Cancelling the task closes the page and stops the request that is under way.
    ///
    /// - Throws: ``ConnectError``; `CancellationError`; whatever the user agent throws.
    public func run() async throws -> ConnectOutcome {
        try await run(asking: Platform(link))
    }

    /// Tells how an attempt ended that outlived the app, without showing the page. Where the customer may still come
    /// back from a provider it waits, at most until the link lapses; cancel the task to give up earlier.
    ///
    /// - Throws: ``ConnectError``; `CancellationError`.
    public static func resume(
        _ link: ConnectLink, clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> ConnectOutcome {
        try await resume(link, clock: clock, asking: Platform(link))
    }

    func run(asking platform: some StatusSource) async throws -> ConnectOutcome {
        try await run(StatusWatch(link, clock: clock, asking: platform))
    }

    static func resume(
        _ link: ConnectLink, clock: any Clock<Duration>, asking platform: some StatusSource
    ) async throws -> ConnectOutcome {
        try await StatusWatch(link, clock: clock, asking: platform).outcome(whilePageIs: .elsewhere)
    }

    private func run(_ watch: StatusWatch) async throws -> ConnectOutcome {
        let settled = try await withThrowingTaskGroup(of: ConnectOutcome?.self) { group in
            group.addTask {
                try await userAgent.show(link.requestLink)
                return nil
            }
            group.addTask { try await watch.outcome(whilePageIs: .open) }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        if let settled { return settled }
        return try await watch.outcome(whilePageIs: .closed)
    }
}
