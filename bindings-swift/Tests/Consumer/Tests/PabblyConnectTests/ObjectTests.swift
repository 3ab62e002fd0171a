import Foundation
import PabblyConnect
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Everything that Swift can print of a value.
private func printed(_ value: Any) -> String {
    var text = "\(value) \(String(reflecting: value)) \([value]) \(["key": value]) \(Optional(value) as Any)"
    dump(value, to: &text)
    dump([value], to: &text)
    func reflect(_ mirror: Mirror) {
        for (label, child) in mirror.children {
            text += " \(label ?? "")=\(child) \(String(reflecting: child))"
            reflect(Mirror(reflecting: child))
        }
    }
    reflect(Mirror(reflecting: value))
    return text
}

private struct Job {
    let token: Token
    let link: RequestLink?
}

@Suite struct ObjectTests {
    @Test func aTokenShowsItsSecretsToThoseWhoReadThem() async throws {
        let client = try Server.client()
        let token = try await client.getToken(email, "conn_1")
        #expect(token.accessToken == "ya29.canary")
        #expect(token.authorization == "Bearer ya29.canary")
        #expect(token.expiresIn == .seconds(3599))
        #expect(token.fields == nil)
        let other = try await client.getToken(email, "key_1")
        #expect(other.authType == .apiKey)
        #expect(other.fields?.names == ["api_key"])
        #expect(other.fields?["api_key"] == "SG.canary")
        #expect(other.fields?["password"] == nil)
        #expect(other.extra["hint"] == #""extra.canary""#)
    }

    @Test func noPrintedFormShowsASecret() async throws {
        let client = try Server.client()
        let token = try await client.getToken(email, "conn_1")
        let fields = try await client.getToken(email, "key_1")
        let all: [Any] = [client, token, fields, fields.fields as Any, fields.extra, Job(token: token, link: nil)]
        for value in all {
            #expect(!printed(value).contains("canary"))
        }
        #expect(printed(token).contains("accessToken: [redacted]"))
        #expect(printed(fields).contains("api_key: [redacted]"))
    }

    @Test func aTokenSaysHowTheProviderIsCalledAndShowsNothingOfIt() throws {
        let token = try Token.of(
            accessToken: "ya29.canary", scopes: ["canary.read"], account: Account(label: "canary@example.com"),
            providerData: ["shop": "canary"], apiBaseURL: "https://canary.example/v1", apiHeaders: ["X-Key": "canary"],
            apiQuery: ["k": "canary"])
        var request = try token.apply("/users")
        request.httpMethod = "POST"
        #expect(request.url?.absoluteString == "https://canary.example/v1/users?k=canary")
        #expect(request.value(forHTTPHeaderField: "x-key") == "canary")
        #expect(token.account?.label == "canary@example.com")
        #expect(!printed(token).contains("canary"))
        for path in ["https://evil.example/", "/../users"] {
            #expect(throws: PabblyConnectError.self) { try token.apply(path) }
        }
    }

    @Test func testsMakeTokensAndResultsOfTheirOwn() throws {
        let token = try Token.of(accessToken: "ya29.canary", tokenType: "Bearer", expiresIn: 60)
        #expect(token.authorization == "Bearer ya29.canary")
        #expect(token.expiresIn == .seconds(60))
        #expect(try Token.of(authType: .basic, fields: ["user": "canary"]).fields?["user"] == "canary")
        #expect(!printed(token).contains("canary"))
        #expect(throws: PabblyConnectError.self) { try Token.of() }
        #expect(throws: PabblyConnectError.self) { try Token.of(authType: .apiKey) }
        let connection = Connection(id: "c1", status: .active, app: AppRef(id: "gmail"))
        #expect(connection.app?.id == "gmail")
        #expect(connection.extra.isEmpty)
    }

    @Test func whatIsSecretCannotBeEncoded() async throws {
        let client = try Server.client()
        let token = try await client.getToken(email, "key_1")
        for secret in [client, token, token.fields as Any] as [Any] {
            #expect(!(secret is any Encodable))
        }
    }

    @Test func aLinkEncodesWholeAndPrintsWithoutItsSecrets() throws {
        let wire = """
            {"connection_id":"conn_1","expires_at":"2026-11-21T10:00:00.5+01:00","qr_code":"x",\
            "request_link":"https://connect.example/canary","request_token":"rt_canary"}
            """
        let link = try JSONDecoder().decode(RequestLink.self, from: Data(wire.utf8))
        #expect(!printed(link).contains("canary"))
        #expect(printed(link).contains("[redacted]"))
        #expect(link.extra["qr_code"]?.string == "x")
        #expect(link.expiresAt.date == Date(timeIntervalSince1970: 1_795_251_600.5))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(String(decoding: try encoder.encode(link), as: UTF8.self) == wire)
    }

    @Test func whatIsNoTimeIsRefused() {
        #expect(Timestamp("tomorrow") == nil)
        #expect(Timestamp("1969-12-31T23:59:59Z")?.date == Date(timeIntervalSince1970: -1))
    }

    @Test func anErrorSaysWhatHappened() async throws {
        let details = ErrorDetails(message: "the grant was revoked", status: 401, code: "needs_reconnection")
        let error = PabblyConnectError.needsReconnection(details)
        #expect("\(error)" == "the grant was revoked (HTTP 401, needs_reconnection)")
        #expect(error.localizedDescription == "\(error)")
        #expect(error.details.attempts == 0)
    }

    @Test func valuesThatMakeNoSenseAreRefusedBeforeAnythingIsSent() async throws {
        let client = try Server.client()
        for options in [CallOptions(timeout: .seconds(-1)), CallOptions(deadline: .zero), CallOptions(maxRetries: -1)] {
            await #expect(throws: PabblyConnectError.self) {
                try await client.getConnection(email, "refused", options: options)
            }
        }
        await #expect(throws: PabblyConnectError.self) { try await client.listApps(page: 0).page() }
        await #expect(throws: PabblyConnectError.self) { try await client.listConnections("nobody").page() }
        #expect(try await Server.seen()["/connections/refused"] == nil)
        #expect(throws: PabblyConnectError.self) { try client.customer("nobody") }
        #expect(throws: PabblyConnectError.self) { try client.setAPIKey("") }
        #expect(throws: PabblyConnectError.self) { try PabblyConnectPlatform(apiKey: "pk", timeout: .seconds(-1)) }
    }

    @Test func theMainActorMayCall() async throws {
        let client = try Server.client()
        let task = Task { @MainActor in
            let token = try await client.getToken(email, "conn_1")
            MainActor.assertIsolated()
            return token.tokenType
        }
        #expect(try await task.value == "Bearer")
    }
}
