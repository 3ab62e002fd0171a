import Foundation

@testable import PabblyConnectFlow

/// What one side of a test sends and the other takes, one after the other.
final class Inbox<Element: Sendable>: Sendable {
    private let elements: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    init() { (elements, continuation) = AsyncStream.makeStream() }

    func send(_ element: Element) { continuation.yield(element) }

    /// The next one; `CancellationError` where the task is cancelled first.
    func next() async throws -> Element {
        for await element in elements { return element }
        throw CancellationError()
    }
}

/// A clock that stands still until the test ends the nap of whoever sleeps.
final class TestClock: Clock, @unchecked Sendable {
    struct Instant: InstantProtocol {
        var time: Duration
        func advanced(by duration: Duration) -> Self { Self(time: time + duration) }
        func duration(to other: Self) -> Duration { other.time - time }
        static func < (one: Self, other: Self) -> Bool { one.time < other.time }
    }

    struct Nap: Sendable {
        let duration: Duration
        fileprivate let clock: TestClock
        fileprivate let wake: Inbox<Void>

        /// Lets the time pass; a device that slept itself wakes late.
        func end(late: Duration = .zero) {
            clock.advance(by: duration + late)
            wake.send(())
        }
    }

    private let lock = NSLock()
    private var time: Duration = .seconds(1_000)
    private let naps = Inbox<Nap>()

    var now: Instant { lock.withLock { Instant(time: time) } }
    var minimumResolution: Duration { .zero }

    func advance(by duration: Duration) { lock.withLock { time += duration } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let wake = Inbox<Void>()
        naps.send(Nap(duration: now.duration(to: deadline), clock: self, wake: wake))
        try await wake.next()
    }

    /// Waits until somebody sleeps.
    func nap() async throws -> Nap { try await naps.next() }
}

/// A platform whose answers the test gives.
struct TestPlatform: StatusSource {
    struct Question: Sendable {
        let hold: Duration
        fileprivate let replies = Inbox<Result<StatusAnswer, ConnectError>>()

        func reply(_ answer: StatusAnswer) { replies.send(.success(answer)) }
        func reply(_ error: ConnectError) { replies.send(.failure(error)) }

        func reply(
            _ status: String, _ phase: String = "form", operation: String = "creation",
            expiresIn: Duration = .seconds(590)
        ) {
            reply(.status(LinkStatus(status: status, phase: phase, operation: operation, expiresIn: expiresIn)))
        }

        func fail(retryAfter: Duration? = nil) { reply(.failed(reason: "no network", retryAfter: retryAfter)) }
    }

    private let questions = Inbox<Question>()
    /// Questions that were taken back.
    let cancelled = Inbox<Void>()

    func answer(holding hold: Duration) async throws -> StatusAnswer {
        let question = Question(hold: hold)
        questions.send(question)
        do {
            return try await question.replies.next().get()
        } catch let error as CancellationError {
            cancelled.send(())
            throw error
        }
    }

    /// Waits until it is asked.
    func question() async throws -> Question { try await questions.next() }
}

/// A page that the test closes.
struct TestUserAgent: ConnectUserAgent {
    private let pages = Inbox<URL>()
    private let departures = Inbox<Result<URL?, any Error>>()
    /// Says so where the session closed the page.
    let dismissed = Inbox<Void>()

    func show(_ page: URL) async throws -> URL? {
        pages.send(page)
        do {
            return try await departures.next().get()
        } catch let error as CancellationError {
            dismissed.send(())
            throw error
        }
    }

    /// Waits until a page is shown.
    func page() async throws -> URL { try await pages.next() }

    func leave(by address: URL? = nil) { departures.send(.success(address)) }
    func fail(_ error: any Error) { departures.send(.failure(error)) }
}
