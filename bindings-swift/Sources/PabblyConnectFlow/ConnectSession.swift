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
    /// closes the page. Losing the network is no error: the session goes on until the link expires.
    ///
    /// When the customer leaves the page the platform is asked a few times more before the outcome is
    /// ``ConnectExitReason/closed``. Cancelling the task closes the page and stops the request that is under way.
    ///
    /// - Parameter confirm: For a link with `confirm`. Takes the one-time code, which the hosted page gives to the
    ///   customer who consented here, to your backend; that calls `confirmConnection` in the name of the customer who is
    ///   signed in to the app. Until then there is no connection.
    /// - Throws: ``ConnectError``; `CancellationError`; whatever the user agent or `confirm` throws.
    public func run(
        confirm: (@Sendable (_ code: String) async throws -> Void)? = nil
    ) async throws -> ConnectOutcome {
        try await run(asking: Platform(link), confirm: confirm)
    }

    /// Tells how an attempt ended that outlived the app, without showing the page. Where the customer may still come
    /// back from a provider it waits, at most until the link expires; cancel the task to give up earlier.
    ///
    /// - Throws: ``ConnectError``; `CancellationError`.
    public static func resume(
        _ link: ConnectLink, clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> ConnectOutcome {
        try await resume(link, clock: clock, asking: Platform(link))
    }

    func run(
        asking platform: some StatusSource, confirm: (@Sendable (_ code: String) async throws -> Void)? = nil
    ) async throws -> ConnectOutcome {
        let watch = StatusWatch(link, clock: clock, asking: platform)
        switch try await firstEvent(watch) {
        case .settled(let outcome): return outcome
        case .left(let address):
            if let confirm, let code = address.flatMap(link.confirmationCode(in:)) { try await confirm(code) }
            return try await watch.outcome(whilePageIs: .closed)
        }
    }

    static func resume(
        _ link: ConnectLink, clock: any Clock<Duration>, asking platform: some StatusSource
    ) async throws -> ConnectOutcome {
        try await StatusWatch(link, clock: clock, asking: platform).outcome(whilePageIs: .elsewhere)
    }

    private enum Event: Sendable {
        case settled(ConnectOutcome)
        /// The customer left the page, which led back to the app by this address.
        case left(URL?)
    }

    /// Shows the page and asks the platform, until either ends.
    private func firstEvent(_ watch: StatusWatch) async throws -> Event {
        try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask { .left(try await userAgent.show(link.requestLink)) }
            group.addTask { .settled(try await watch.outcome(whilePageIs: .open)) }
            defer { group.cancelAll() }
            return try await group.next() ?? .left(nil)
        }
    }
}
