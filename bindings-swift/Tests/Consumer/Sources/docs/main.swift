// Runs the examples of docs/swift.md, which `Tests/examples.py` makes functions of, against `connect-service dev`, which
// `PC_BASE_URL` names.

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
    let authorization = headers["Authorization"] ?? ""
    guard authorization.hasPrefix("Bearer dev-access-") else { throw Failed(description: "not the token") }
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

/// Lets the customer of `Tests/customer.py` do what the link asks for.
func connect(_ link: RequestLink) async throws {
    var request = URLRequest(url: URL(string: ProcessInfo.processInfo.environment["CUSTOMER"] ?? "")!)
    request.httpMethod = "POST"
    request.httpBody = Data(link.requestLink.utf8)
    _ = try await URLSession.shared.data(for: request)
}

try await runExamples()
