import Foundation
import PabblyConnect
import PabblyConnectTesting
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite struct EmulatorTests {
    @Test func itIsSteeredAndLeavesNothing() async throws {
        let emulator = try await Emulator.start(arguments: ["--seed"])
        #expect(emulator.environment.keys.sorted() == ["PC_BASE_URL", "PC_DEV_URL", "PC_TENANT_KEY"])
        let pc = try PabblyConnectPlatform(apiKey: emulator.tenantKey, baseURL: emulator.baseURL)
        let link = try await pc.createRequestLink(email, appID: "gmail", name: "Work")
        #expect(try await emulator.ctl("connect", link.requestLink)["status"] == .string("active"))
        #expect(try await pc.getToken(email, link.connectionID).tokenType == "Bearer")
        try await emulator.ctl("revoke", link.connectionID)
        let revoked = await failure { try await pc.getToken(email, link.connectionID) } as? PabblyConnectError
        #expect(revoked?.details.code == "needs_reconnection")

        let refused = await failure { try await emulator.ctl("expire", "conn_unknown") } as? EmulatorError
        #expect(refused?.standardError.contains("There is no such connection") == true)
        #expect("\(refused!)".hasPrefix("connect-service dev ctl expire failed:\n"))
        #expect(!"\(emulator) \(String(reflecting: emulator))".contains("pk_test_"))
        #expect(await isListening(emulator.baseURL))
        await emulator.stop()
        #expect(await !isListening(emulator.baseURL))
        await emulator.stop()
    }

    @Test func itEndsOnceNothingRefersToIt() async throws {
        let address = try await Emulator.start().baseURL
        let deadline = Date(timeIntervalSinceNow: 30)
        while await isListening(address) {
            #expect(Date() < deadline)
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func itTellsWhyItDoesNotStart() async throws {
        let missing = await failure { try await Emulator.start(binary: "/nowhere/connect-service") }
        #expect("\(missing!)".contains("no program /nowhere/connect-service: build it"))
        let wrong = await failure { try await Emulator.start(arguments: ["--prot", "1"]) } as? EmulatorError
        #expect(wrong?.message.hasSuffix("ended with 2") == true)
        #expect(wrong?.standardError.contains("unexpected argument '--prot'") == true)
    }
}

private func isListening(_ address: String) async -> Bool {
    (try? await URLSession.shared.data(from: URL(string: address)!)) != nil
}
