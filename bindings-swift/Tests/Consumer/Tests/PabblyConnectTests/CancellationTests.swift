import PabblyConnect
import Testing

@Suite struct CancellationTests {
    @Test func aTaskCancelledBeforeItsCallSendsNothing() async throws {
        let client = try Server.client()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.getConnection(email, "before-start")
        }
        #expect(await thrown(task) is CancellationError)
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await Server.seen()["/connections/before-start"] == nil)
    }

    @Test func cancellingEndsACallThatIsNeverAnswered() async throws {
        let client = try Server.client()
        let task = Task { try await client.getToken(email, "hang-token") }
        try await Server.hasSeen("/connections/hang-token/token")
        task.cancel()
        #expect(await thrown(task) is CancellationError)
    }

    @Test func leavingAGroupCancelsItsCalls() async throws {
        let client = try Server.client()
        let ended = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // It would never end by itself.
                    await #expect(throws: CancellationError.self) {
                        try await client.getConnection(email, "hang-group")
                    }
                }
                group.addTask {
                    try await Server.hasSeen("/connections/hang-group")
                    _ = try await client.getConnection("not an address", "conn_1")
                }
                // The first error leaves the group.
                while try await group.next() != nil {}
            }
        }
        #expect(await thrown(ended) is PabblyConnectError)
    }

    @Test func cancellingEndsAnIteration() async throws {
        let client = try Server.client()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            for try await _ in client.listConnections(email) {}
        }
        #expect(await thrown(task) is CancellationError)
    }

    /// A thousand waits, half of them cancelled at once: nobody asks for those any more, and the others end well.
    @Test func halfOfAThousandWaitsAreCancelled() async throws {
        let client = try Server.client(requestsPerMinute: 60_000)
        let polls = { (numbers: Range<Int>) in
            let seen = try await Server.seen()
            return numbers.map { seen["/connections/wait-\($0)"] ?? 0 }
        }
        let waits = (0..<1_000).map { number in
            Task {
                try await client.waitForConnection(
                    email, "wait-\(number)", interval: .seconds(1), timeout: .seconds(300))
            }
        }
        while try await polls(0..<1_000).contains(0) {
            try await Task.sleep(for: .milliseconds(100))
        }
        for wait in waits[..<500] { wait.cancel() }
        for wait in waits[..<500] {
            #expect(await thrown(wait) is CancellationError)
        }
        // What was on its way arrives.
        try await Task.sleep(for: .seconds(1))
        let cancelled = try await polls(0..<500)
        // Two rounds later the others have been asked for again.
        let others = try await polls(500..<1_000)
        while zip(try await polls(500..<1_000), others).contains(where: { $0 < $1 + 2 }) {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try await polls(0..<500) == cancelled)
        try await Server.release()
        for wait in waits[500...] {
            #expect(try await wait.value.status == .active)
        }
    }
}
