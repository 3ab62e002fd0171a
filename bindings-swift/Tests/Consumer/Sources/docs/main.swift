// Runs the examples of docs/swift.md, which `Tests/examples.py` makes functions of, against the real service that
// `PC_BASE_URL` names, and plays the customer.

import Foundation
import PabblyConnect

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

// What the examples mention.
let pc = try PabblyConnectPlatform()
let customer = "alice@example.com"
let (connectionID, pendingID) = try await prepare()

func sendToFrontEnd(_ link: RequestLink) async throws {
    try await connect(link)
}

func callAPI(_ headers: [String: String]) async throws {
    guard headers["Authorization"] == "Bearer ya29.canary" else { throw Failed(description: "not the token") }
}

struct Failed: Error {
    let description: String
}

/// An active connection and one that stays pending.
func prepare() async throws -> (String, String) {
    let link = try await pc.createRequestLink(customer, appID: "gmail", name: "Gmail")
    try await connect(link)
    let pending = try await pc.createRequestLink(customer, appID: "gmail", name: "Pending")
    return (link.connectionID, pending.connectionID)
}

/// Does what a customer does on the hosted page; the provider consents at once.
func connect(_ link: RequestLink) async throws {
    let browser = URLSession(configuration: .ephemeral)
    let page = try await browser.data(from: URL(string: link.requestLink)!).0
    var fields = ["action=connect"]
    for input in String(decoding: page, as: UTF8.self).matches(of: #/type="hidden" name="(\w+)" value="([^"]*)"/#) {
        let value = input.2.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        fields.append("\(input.1)=\(value)")
    }
    var request = URLRequest(url: URL(string: link.requestLink)!)
    request.httpMethod = "POST"
    request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data(fields.joined(separator: "&").utf8)
    _ = try await browser.data(for: request)
    let connection = try await pc.waitForConnection(customer, link.connectionID, timeout: .seconds(60))
    guard connection.status == .active else { throw Failed(description: "the customer was not connected") }
}

try await runExamples()
