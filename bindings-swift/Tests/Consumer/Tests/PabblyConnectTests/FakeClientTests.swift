import PabblyConnect
import PabblyConnectTesting
import Testing

@Suite struct FakeClientTests {
    @Test func itGivesValuesErrorsAndWhatClosuresGive() async throws {
        let fake = try FakeClient()
        fake.on(.getToken, return: try Token.of(accessToken: "test"))
        fake.on(.getConnection) { call in
            Connection(id: call.arguments[0], status: .active, customerName: call.email)
        }
        fake.on(.verifyConnection, throw: PabblyConnectError.needsReconnection(ErrorDetails(message: "revoked")))
        fake.on(.deleteConnection, return: ())
        let pc = fake.platform
        #expect(try await pc.getToken(email, "c").authorization == "Bearer test")
        let connection = try await pc.getConnection(email, "c")
        #expect(connection == Connection(id: "c", status: .active, customerName: email))
        let revoked = await failure { try await pc.verifyConnection(email, "c") } as? PabblyConnectError
        #expect(revoked?.details.message == "revoked")
        try await pc.deleteConnection(email, "c")

        // From now on.
        fake.on(.verifyConnection, return: Verification(result: .valid, checkedAt: Timestamp("2026-11-21T10:00:00Z")!))
        #expect(try await pc.verifyConnection(email, "c").result == .valid)
    }

    @Test func itNamesTheMethodThatHasNoResult() async throws {
        let pc = try FakeClient().platform
        let missing = await failure { try await pc.removeUsage(email, "c", "u") }
        #expect("\(missing!)".contains("no result for removeUsage: give it one, as in fake.on(.removeUsage"))
        await #expect(throws: NoResultError.self) { for try await _ in pc.listApps() {} }
    }

    @Test func itTellsItsCallsThoseOfACustomerAmongThem() async throws {
        let fake = try FakeClient()
        let token = try Token.of(accessToken: "test")
        fake.on(.getToken, return: token)
        fake.on(.updateConnection) { Connection(id: $0.arguments[0], status: .active) }
        let pc = fake.platform
        _ = try await pc.getToken(email, "c")
        _ = try await pc.customer(email).getToken("d", rejected: token, options: CallOptions(timeout: .seconds(5)))
        _ = try await pc.updateConnection(
            email, "c", name: "Work", customerID: .clear, metadata: ["plan": .array([.integer(1), .null])])
        await #expect(throws: NoResultError.self) {
            try await pc.createRequestLink(email, appID: "gmail", name: "Work", expiresIn: .seconds(60), confirm: true)
        }
        #expect(
            fake.calls == [
                FakeCall(.getToken, email: email, arguments: ["c"]),
                FakeCall(
                    .getToken, email: email, arguments: ["d"],
                    options: ["rejected": .string("test"), "timeout": .number(5)]),
                FakeCall(
                    .updateConnection, email: email, arguments: ["c"],
                    options: [
                        "name": .string("Work"), "customerID": .null,
                        "metadata": .object(["plan": .array([.integer(1), .null])]),
                    ]),
                FakeCall(
                    .createRequestLink, email: email,
                    options: [
                        "appID": .string("gmail"), "name": .string("Work"), "expiresIn": .integer(60),
                        "confirm": .bool(true),
                    ]),
            ])
    }

    @Test func aListHasTheOnePageThatItWasGiven() async throws {
        let fake = try FakeClient()
        fake.on(.listApps, return: Page(items: [App(id: "gmail", name: "Gmail"), App(id: "slack", name: "Slack")]))
        fake.on(.listConnections, return: Page(items: []))
        let pc = fake.platform
        #expect(try await pc.listApps(search: "a").page().items.map(\.id) == ["gmail", "slack"])
        var ids: [String] = []
        for try await app in pc.listApps() { ids.append(app.id) }
        #expect(ids == ["gmail", "slack"])
        #expect(try await pc.customer(email).listConnections().page().items.isEmpty)
        #expect(
            fake.calls == [
                FakeCall(.listApps, options: ["search": .string("a")]), FakeCall(.listApps),
                FakeCall(.listConnections, email: email),
            ])
    }

    @Test func itRefusesWhatTheRealClientRefuses() async throws {
        let fake = try FakeClient()
        fake.on(.getToken, return: try Token.of(accessToken: "test"))
        fake.on(.addUsage, return: ())
        fake.on(.listConnections, return: Page(items: []))
        let pc = fake.platform
        let refused = await failure { try await pc.getToken("nobody", "c") } as? PabblyConnectError
        #expect(refused?.details.code == "invalid_user_email")
        for call in [
            { _ = try await pc.getToken(email, "c", options: CallOptions(maxRetries: -1)) },
            { try await pc.addUsage("nobody", "c", "u") },
            { _ = try await pc.listConnections("nobody").page() },
            { _ = try pc.customer("nobody") },
            { try pc.setAPIKey("") },
        ] as [@Sendable () async throws -> Void] {
            await #expect(throws: PabblyConnectError.self) { try await call() }
        }
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await pc.getToken(email, "c")
        }
        #expect(await thrown(cancelled) is CancellationError)
        #expect(fake.calls.isEmpty)
    }
}
