/// Where the hosted page is.
enum Page: Sendable {
    /// In front of the customer.
    case open
    /// Gone, and nobody can come back to it.
    case closed
    /// Not in this app, if anywhere: somebody may come back to it from a provider.
    case elsewhere
}

/// Asks the platform until it is settled how an attempt ended.
actor StatusWatch {
    /// Between two questions.
    private static let interval: Duration = .seconds(2)
    private static let longestInterval: Duration = .seconds(30)
    /// The same once the page is gone, and how many answers it then takes to say `closed`: what the customer did last
    /// may still be on its way.
    private static let graceInterval: Duration = .seconds(1)
    private static let graceAnswers = 4
    /// For how long the platform is asked to hold an answer: less than what networks close as idle.
    private static let longestHold: Duration = .seconds(25)
    /// How long a busy platform is left alone that does not say for how long.
    private static let busy: Duration = .seconds(10)
    /// Questions in a row without an answer, over a minute, after which the platform is out of reach. A device
    /// that wakes up has no network at first.
    private static let mostFailures = 5
    /// How long the platform may take to notice that a link has expired.
    private static let slack: Duration = .seconds(10)

    private let connectionID: String
    private let platform: any StatusSource
    private let time: Stopwatch
    /// When the attempt is over, however it stands: first by the device's word, then by the platform's, which can
    /// only bring it nearer.
    private var end: Duration
    private var platformHasTold = false
    /// The platform wants to be left alone until then.
    private var busyUntil: Duration = .zero
    private var failures = 0

    init(_ link: ConnectLink, clock: any Clock<Duration>, asking platform: any StatusSource) {
        connectionID = link.connectionID
        self.platform = platform
        time = Stopwatch(clock)
        end = .lifetime(seconds: link.expiresAt.timeIntervalSinceNow) + Self.slack
    }

    func outcome(whilePageIs page: Page) async throws -> ConnectOutcome {
        failures = 0
        var pending = 0
        var next = heeded(busyUntil, page)
        while true {
            try await time.sleep(until: next)
            let asked = time.now
            let hold = page == .open ? min(Self.longestHold, max(end - asked, .zero)) : .zero
            switch try await platform.answer(holding: hold) {
            case .status(let status):
                failures = 0
                if let left = status.expiresIn {
                    let expiry = time.now + left + Self.slack
                    end = platformHasTold ? min(end, expiry) : expiry
                    platformHasTold = true
                }
                if let outcome = status.outcome(of: connectionID) { return outcome }
                pending += 1
                let isGone = page == .closed || page == .elsewhere && !status.isWithProvider
                if isGone && pending >= Self.graceAnswers { return .exit(.closed) }
            case .busy(let retryAfter):
                busyUntil = time.now + (retryAfter ?? Self.busy)
            case .failed(let reason, let retryAfter):
                failures += 1
                if page != .open && failures >= Self.mostFailures { throw ConnectError.unreachable(reason) }
                busyUntil = time.now + (retryAfter ?? .zero)
            }
            let isCertain = failures == 0 || failures >= Self.mostFailures
            if time.now >= end && isCertain { return .exit(.timeout) }
            next = heeded(max(asked + pause(page), busyUntil), page)
        }
    }

    /// When to ask again that is not to be asked before then. However long the platform wants to be left alone, nobody
    /// waits long for the outcome of a page that is gone, nor beyond the link's end.
    private func heeded(_ wish: Duration, _ page: Page) -> Duration {
        let now = time.now
        if page == .closed || now >= end { return min(wish, now + Self.longestInterval) }
        return min(wish, end)
    }

    private func pause(_ page: Page) -> Duration {
        if failures > 0 { return min(Self.interval * (1 << min(failures, 4)), Self.longestInterval) }
        return page == .open ? Self.interval : Self.graceInterval
    }
}

/// A clock of which only the time since the start matters.
private struct Stopwatch: Sendable {
    private let elapsed: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        wait = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    var now: Duration { elapsed() }

    /// Returns at once where the time is past.
    func sleep(until time: Duration) async throws {
        try Task.checkCancellation()
        if time > now { try await wait(time) }
    }
}
