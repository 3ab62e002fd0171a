import Foundation
import PabblyConnect
import Testing

/// Webhooks as tests/webhooks.json has them for every language.
@Suite struct WebhookTests {
    struct Case: Decodable, Sendable {
        let name: String
        let headers: [String: String]
        let body: String
        let secrets: [String]
        let received_at: Double
        let expect: Expected
    }

    struct Expected: Decodable, Sendable {
        let event: JSONValue?
        let code: String?
    }

    static func cases() throws -> [Case] {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.lastPathComponent != "bindings-swift" { folder.deleteLastPathComponent() }
        let file = folder.deletingLastPathComponent().appendingPathComponent("tests/webhooks.json")
        return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
    }

    @Test func everyWebhookEndsAsItsCaseSays() throws {
        let cases = try Self.cases()
        #expect(cases.count > 30)
        for webhook in cases {
            let outcome = Result { () throws(PabblyConnectError) in
                try Webhooks.verify(
                    headers: webhook.headers, body: Data(webhook.body.utf8), secrets: webhook.secrets,
                    receivedAt: Date(timeIntervalSince1970: webhook.received_at))
            }
            switch (outcome, webhook.expect.code) {
            case (.success(let event), nil):
                let json = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(event))
                #expect(json == webhook.expect.event, "\(webhook.name)")
            case (.failure(.invalidArgument(let details)), "invalid_argument"?):
                #expect(details.code == "invalid_argument")
            case (.failure(.webhookVerification(let details)), let code?):
                #expect(details.code == code, "\(webhook.name)")
            default:
                Issue.record("\(webhook.name): \(outcome)")
            }
        }
    }

    @Test func aKnownTypeIsACaseOfItsOwn() throws {
        let webhook = try #require(try Self.cases().first)
        let event = try Webhooks.verify(
            headers: webhook.headers, body: Data(webhook.body.utf8), secret: webhook.secrets[0],
            receivedAt: Date(timeIntervalSince1970: webhook.received_at))
        guard case .connectionActive(let data) = event.data else {
            Issue.record("\(event)")
            return
        }
        #expect(data.connection.status == .active)
        #expect(event.type == "connection.active")
    }

    @Test func byDefaultAWebhookCameNow() throws {
        let webhook = try #require(try Self.cases().first)
        do {
            _ = try Webhooks.verify(
                headers: webhook.headers, body: Data(webhook.body.utf8), secret: webhook.secrets[0])
            Issue.record("it is from another day")
        } catch {
            #expect(["too_old", "too_new"].contains(error.details.code))
        }
    }
}
