import Foundation
import Testing

@testable import PabblyConnectFlow

/// Each test is a conversation: what the session asks, what it gets, how long it then sleeps. No time passes.
@Suite(.timeLimit(.minutes(5)))
struct SessionTests {
    let clock = TestClock()
    let platform = TestPlatform()
    let userAgent = TestUserAgent()

    /// A link that expires in so many seconds by the device's clock.
    func link(lifetime: Double = 600) -> ConnectLink {
        ConnectLink(
            requestLink: URL(string: "https://connect.example/platform/v1/connect/rl_1")!, requestToken: "rt_1",
            connectionID: "conn_1", expiresAt: Date(timeIntervalSinceNow: lifetime))
    }

    /// Runs a session up to its first question.
    func start(lifetime: Double = 600) async throws -> (Task<ConnectOutcome, any Error>, TestPlatform.Question) {
        let session = ConnectSession(link(lifetime: lifetime), userAgent: userAgent, clock: clock)
        let run = Task { try await session.run(asking: platform) }
        #expect(try await userAgent.page() == link().requestLink)
        return (run, try await platform.question())
    }

    func resume(lifetime: Double = 600) -> Task<ConnectOutcome, any Error> {
        Task { try await ConnectSession.resume(link(lifetime: lifetime), clock: clock, asking: platform) }
    }

    /// Sleeps for as long as expected and waits for the question after it.
    func next(after duration: Duration) async throws -> TestPlatform.Question {
        let nap = try await clock.nap()
        #expect(nap.duration == duration)
        nap.end()
        return try await platform.question()
    }

    @Test func successClosesThePage() async throws {
        let (run, first) = try await start()
        first.reply("pending", "created")
        let second = try await next(after: .seconds(2))
        second.reply("active", "returned", operation: "reauth")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .reauth))
        try await userAgent.dismissed.next()
    }

    @Test(arguments: [("rejected", ConnectExitReason.rejected), ("expired", .expired)])
    func thePlatformSaysWhyThereIsNoConnection(status: String, reason: ConnectExitReason) async throws {
        let (run, question) = try await start()
        question.reply(status)
        #expect(try await run.value == .exit(reason))
        try await userAgent.dismissed.next()
    }

    @Test func theAnswerIsHeldWhileThePageIsOpen() async throws {
        let (run, first) = try await start()
        #expect(first.hold == .seconds(25))
        clock.advance(by: .seconds(25))
        first.reply("pending", expiresIn: .seconds(5))
        // At once, since it was held for longer than the interval; and not beyond the link's life.
        let second = try await platform.question()
        #expect(second.hold == .seconds(15))
        second.reply("active")
        _ = try await run.value
    }

    @Test func aClosedPageIsAskedAboutBeforeItIsSaidToBe() async throws {
        let (run, first) = try await start()
        userAgent.leave()
        // The held question is taken back, for one that is answered at once.
        try await platform.cancelled.next()
        var question = try await platform.question()
        _ = first
        for _ in 1..<4 {
            #expect(question.hold == .zero)
            question.reply("pending", "at_provider")
            question = try await next(after: .seconds(1))
        }
        question.reply("pending", "at_provider")
        #expect(try await run.value == .exit(.closed))
    }

    @Test func whatTheCustomerDidLastStillCounts() async throws {
        let (run, _) = try await start()
        userAgent.leave()
        try await platform.question().reply("pending", "returned")
        try await next(after: .seconds(1)).reply("pending", "returned")
        try await next(after: .seconds(1)).reply("active", "returned")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func leavingCutsTheWaitShort() async throws {
        let (run, first) = try await start()
        first.reply("pending")
        _ = try await clock.nap()
        userAgent.leave()
        try await platform.question().reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func theCodeGoesToTheBackendBeforeThePlatformIsAsked() async throws {
        let codes = Inbox<String>()
        let session = ConnectSession(link(), userAgent: userAgent, clock: clock)
        let run = Task { try await session.run(asking: platform, confirm: { codes.send($0) }) }
        _ = try await platform.question()
        let query = "a=b&connection_id=conn_1&status=pending&confirmation_code=c0_d-e"
        userAgent.leave(by: URL(string: "com.example.app://connected?\(query)"))
        #expect(try await codes.next() == "c0_d-e")
        try await platform.question().reply("active", "returned")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test(arguments: [
        nil, "com.example.app://connected", "com.example.app://connected?connection_id=conn_1&status=active",
        "com.example.app://connected?connection_id=conn_2&confirmation_code=c0de",
        "com.example.app://connected?confirmation_code=c0de", "mailto:confirmation_code=c0de",
    ])
    func noCodeOrAnotherLinksIsNotHandedOn(address: String?) async throws {
        let session = ConnectSession(link(), userAgent: userAgent, clock: clock)
        let run = Task {
            try await session.run(asking: platform, confirm: { Issue.record("\($0)") })
        }
        _ = try await platform.question()
        userAgent.leave(by: address.flatMap(URL.init(string:)))
        try await platform.question().reply("rejected")
        #expect(try await run.value == .exit(.rejected))
    }

    @Test func aBackendThatDoesNotConfirmEndsTheAttempt() async throws {
        struct NotYours: Error {}
        let session = ConnectSession(link(), userAgent: userAgent, clock: clock)
        let run = Task { try await session.run(asking: platform, confirm: { _ in throw NotYours() }) }
        _ = try await platform.question()
        userAgent.leave(by: URL(string: "a:b?connection_id=conn_1&confirmation_code=c0de"))
        await #expect(throws: NotYours.self) { try await run.value }
    }

    /// The browser came back as if all were well; the platform knows better.
    @Test func aLyingCallbackIsNotBelieved() async throws {
        let (run, _) = try await start()
        userAgent.leave()
        try await platform.question().reply("rejected")
        #expect(try await run.value == .exit(.rejected))
    }

    @Test func timeThatPassesInTheBackgroundIsNoReasonToGiveUp() async throws {
        let (run, first) = try await start()
        first.fail()
        // The app is suspended; when it wakes there is no network yet.
        let nap = try await clock.nap()
        nap.end(late: .seconds(300))
        try await platform.question().fail()
        try await next(after: .seconds(8)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    /// The system closed the page of an app in the background.
    @Test func aPageThatClosedInTheBackgroundIsAskedAboutAfterwards() async throws {
        let (run, _) = try await start()
        userAgent.leave()
        try await platform.question().fail()
        let nap = try await clock.nap()
        nap.end(late: .seconds(300))
        try await platform.question().reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func losingTheNetworkIsNoError() async throws {
        let (run, first) = try await start()
        first.fail()
        for pause in [4, 8, 16, 30, 30, 30] {
            try await next(after: .seconds(pause)).fail()
        }
        try await next(after: .seconds(30)).reply("pending")
        try await next(after: .seconds(2)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func withoutThePlatformALapsedLinkIsATimeout() async throws {
        let (run, first) = try await start(lifetime: 100)
        first.fail()
        for pause in [4, 8, 16, 30, 30] { try await next(after: .seconds(pause)).fail() }
        // The link's life and ten seconds, by the device's clock, which has gone on since the link was made.
        let nap = try await clock.nap()
        #expect(nap.duration <= .seconds(22))
        nap.end()
        try await platform.question().fail()
        #expect(try await run.value == .exit(.timeout))
        try await userAgent.dismissed.next()
    }

    @Test func aDeviceThatWakesAfterTheLinkLapsedAsksHowItEnded() async throws {
        let (run, first) = try await start()
        first.reply("pending")
        let nap = try await clock.nap()
        nap.end(late: .seconds(7_200))
        try await platform.question().fail()
        try await next(after: .seconds(4)).fail()
        try await next(after: .seconds(8)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func theLinkLapsesWhileThePageIsOpen() async throws {
        let (run, first) = try await start()
        first.reply("pending", expiresIn: .seconds(1))
        try await next(after: .seconds(2)).reply("expired", expiresIn: .seconds(1))
        #expect(try await run.value == .exit(.expired))
        try await userAgent.dismissed.next()
    }

    @Test func aPlatformThatDoesNotLetALinkLapseIsLeft() async throws {
        let (run, first) = try await start()
        first.reply("pending", expiresIn: .seconds(1))
        for pause in [2, 2, 2, 2, 2, 1] {
            try await next(after: .seconds(pause)).reply("pending", expiresIn: .seconds(1))
        }
        #expect(try await run.value == .exit(.timeout))
    }

    @Test func aDeviceWhoseClockIsWrongAsksAllTheSame() async throws {
        let (run, first) = try await start(lifetime: -86_400)
        first.fail()
        try await next(after: .seconds(4)).reply("pending", expiresIn: .seconds(590))
        for _ in 0..<60 {
            try await next(after: .seconds(2)).reply("pending", expiresIn: .seconds(590))
        }
        try await next(after: .seconds(2)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func aBusyPlatformIsLeftAlone() async throws {
        let (run, first) = try await start()
        first.reply(.busy(retryAfter: .seconds(7)))
        try await next(after: .seconds(7)).reply(.busy(retryAfter: nil))
        let nap = try await clock.nap()
        #expect(nap.duration == .seconds(10))
        // Also when the page is gone.
        userAgent.leave()
        try await next(after: .seconds(10)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func aBusyPlatformKeepsNobodyWaitingForAClosedPage() async throws {
        let (run, first) = try await start()
        first.reply(.busy(retryAfter: .seconds(3600)))
        let nap = try await clock.nap()
        #expect(nap.duration > .seconds(300) && nap.duration <= .seconds(610))
        userAgent.leave()
        try await next(after: .seconds(30)).reply(.busy(retryAfter: .seconds(3600)))
        try await next(after: .seconds(30)).reply("active")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func aBusyPlatformDoesNotOutlastTheLink() async throws {
        let (run, first) = try await start(lifetime: 100)
        first.fail(retryAfter: .seconds(3600))
        let nap = try await clock.nap()
        #expect(nap.duration > .seconds(31) && nap.duration <= .seconds(110))
        nap.end()
        try await platform.question().fail(retryAfter: .seconds(3600))
        for _ in 0..<3 {
            try await next(after: .seconds(30)).fail(retryAfter: .seconds(3600))
        }
        #expect(try await run.value == .exit(.timeout))
    }

    @Test func nobodyIsKeptWaitingForAClosedPage() async throws {
        let (run, first) = try await start()
        first.fail()
        for pause in [4, 8, 16, 30] {
            try await next(after: .seconds(pause)).fail()
        }
        // That was while the page was open; it is counted anew.
        let nap = try await clock.nap()
        #expect(nap.duration == .seconds(30))
        userAgent.leave()
        try await platform.question().fail()
        for pause in [4, 8, 16, 30] {
            try await next(after: .seconds(pause)).fail()
        }
        await #expect(throws: ConnectError.unreachable("no network")) { try await run.value }
    }

    @Test func anUnknownLinkEndsTheSession() async throws {
        let (run, question) = try await start()
        question.reply(ConnectError.unknownLink("unknown"))
        await #expect(throws: ConnectError.unknownLink("unknown")) { try await run.value }
        try await userAgent.dismissed.next()
    }

    @Test func aPageThatCannotBeShownEndsTheSession() async throws {
        let (run, _) = try await start()
        userAgent.fail(ConnectError.pageNotShown("no window"))
        await #expect(throws: ConnectError.pageNotShown("no window")) { try await run.value }
        try await platform.cancelled.next()
    }

    @Test func wordsOfANewerPlatformChangeNothing() async throws {
        let (run, first) = try await start()
        first.reply("paused", "thinking", operation: "repair")
        try await next(after: .seconds(2)).reply("active", "thinking", operation: "repair")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func cancellingTheTaskClosesThePageAndTakesTheQuestionBack() async throws {
        let (run, _) = try await start()
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        try await platform.cancelled.next()
        try await userAgent.dismissed.next()
    }

    @Test func cancellingTheTaskEndsItsSleep() async throws {
        let (run, first) = try await start()
        first.reply("pending")
        _ = try await clock.nap()
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        try await userAgent.dismissed.next()
    }

    @Test func aTaskThatIsCancelledWhileThePageIsGoneSaysNothing() async throws {
        let (run, _) = try await start()
        userAgent.leave()
        _ = try await platform.question()
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
    }

    // MARK: - after a restart

    @Test func aLinkThatWasKeptTellsHowItEnded() async throws {
        let kept = try JSONDecoder().decode(ConnectLink.self, from: JSONEncoder().encode(link()))
        let run = Task { try await ConnectSession.resume(kept, clock: clock, asking: platform) }
        let question = try await platform.question()
        #expect(question.hold == .zero)
        question.reply("active", "returned")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func nobodyComesBackToAFormAfterARestart() async throws {
        let run = resume()
        try await platform.question().reply("pending", "form")
        for _ in 0..<3 {
            try await next(after: .seconds(1)).reply("pending", "form")
        }
        #expect(try await run.value == .exit(.closed))
    }

    @Test func whoIsAtAProviderMayComeBackAfterARestart() async throws {
        let run = resume()
        try await platform.question().reply("pending", "at_provider")
        for _ in 0..<20 {
            try await next(after: .seconds(1)).reply("pending", "at_provider")
        }
        try await next(after: .seconds(1)).reply("active", "returned")
        #expect(try await run.value == .success(connectionID: "conn_1", operation: .creation))
    }

    @Test func aLinkThatLapsedLongAgoIsAskedAbout() async throws {
        let run = resume(lifetime: -1_000_000)
        try await platform.question().reply("expired", expiresIn: .seconds(1))
        #expect(try await run.value == .exit(.expired))
    }
}
