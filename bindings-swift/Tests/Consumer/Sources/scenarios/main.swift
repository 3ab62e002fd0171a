// Plays every scenario of the project against the SDK, and fails unless the whole index has run.
//
//     scenarios SCRIPTED-SERVER [TEXT]
//
// SCRIPTED-SERVER is the program of that name; with TEXT only scenarios run whose id holds it. The server compares; this
// file makes the calls that it is told and reports how they ended and what was printed.

import Foundation
import PabblyConnect

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

let language = "swift"
/// Scenarios under way at once: they mostly wait.
let atOnce = 16

// --- the server ------------------------------------------------------------------------------------------------------

struct Failed: Error, CustomStringConvertible {
    let description: String
}

struct Entry: Decodable {
    let id: String
    let skip: String?
    let alone: Bool
}

struct Step: Decodable {
    let call: String
    let with: [String: JSONValue]
    let options: [String: JSONValue]
    let iterate: Bool
    let take: Int?
    let callers: Int
    let cancel: String?
    let rekey: String?
    let pause: String?
}

struct Session: Decodable {
    let session: Int
    let env: [String: String]
    let client: [String: JSONValue]
    let steps: [Step]
}

struct Verdict: Decodable {
    let failures: [String]
    let text: String?
}

struct Server: Sendable {
    let address: String
    let http: URLSession

    init(address: String) {
        self.address = address
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 4 * atOnce
        configuration.timeoutIntervalForRequest = 120
        http = URLSession(configuration: configuration)
    }

    func ask<Answer: Decodable>(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        var request = URLRequest(url: URL(string: address + path)!)
        request.httpMethod = method
        request.httpBody = try body.map { try JSONEncoder().encode($0) }
        let (data, response) = try await http.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            throw Failed(description: "\(method) \(path): \(String(decoding: data, as: UTF8.self))")
        }
        return try JSONDecoder().decode(Answer.self, from: data)
    }

    /// Pauses until the server has done what it does unasked after the responses so far; where `blocking`, on a thread
    /// that does nothing else meanwhile.
    func settle(_ session: Int, blocking: Bool) async throws {
        let path = "/sessions/\(session)/settled"
        if blocking {
            _ = try Data(contentsOf: URL(string: address + path)!)
        } else {
            let _: JSONValue = try await ask("GET", path)
        }
    }

    /// Returns when the scenario says that it is time.
    func moment(_ session: Int, _ step: Int) async throws {
        let _: JSONValue = try await ask("GET", "/sessions/\(session)/moment?step=\(step)")
    }
}

// --- what a scenario says, in Swift ----------------------------------------------------------------------------------

/// The options of a client or a call by their neutral names. What nobody asked for at the end is a mistake.
struct Options {
    private var rest: [String: JSONValue]

    init(_ options: [String: JSONValue]) {
        rest = options
    }

    private mutating func take<Value: Decodable>(_ name: String) throws -> Value? {
        guard let value = rest.removeValue(forKey: name), value != .null else { return nil }
        return try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    mutating func text(_ name: String) throws -> String? { try take(name) }
    mutating func texts(_ name: String) throws -> [String]? { try take(name) }
    mutating func bool(_ name: String) throws -> Bool? { try take(name) }
    mutating func int(_ name: String) throws -> Int? { try take(name) }
    mutating func object(_ name: String) throws -> [String: JSONValue]? { try take(name) }
    mutating func fields(_ name: String) throws -> [String: String]? { try take(name) }
    mutating func token(_ name: String) throws -> Token? {
        struct Members: Decodable {
            let auth_type: String
            let access_token: String?
            let fields: [String: String]?
        }
        let members: Members? = try take(name)
        return try members.map {
            try Token.of(
                authType: AuthType(rawValue: $0.auth_type), accessToken: $0.access_token, fields: $0.fields)
        }
    }
    mutating func change(_ name: String) throws -> TextChange? {
        if rest[name] == .null {
            rest[name] = nil
            return .clear
        }
        return try text(name).map(TextChange.set)
    }
    mutating func milliseconds(_ name: String) throws -> Duration? {
        let value: Double? = try take(name)
        return value.map { .milliseconds($0) }
    }

    mutating func ofCall() throws -> CallOptions {
        CallOptions(
            timeout: try milliseconds("timeoutMs"), deadline: try milliseconds("deadlineMs"),
            maxRetries: try int("maxRetries"))
    }

    func end() throws {
        if !rest.isEmpty { throw Failed(description: "options that the SDK does not have: \(rest.keys)") }
    }
}

func makeClient(_ settings: [String: JSONValue], _ report: Report) throws -> PabblyConnectPlatform {
    var options = Options(settings)
    let client = try PabblyConnectPlatform(
        apiKey: options.text("apiKey"), baseURL: options.text("baseUrl"), maxRetries: options.int("maxRetries"),
        timeout: options.milliseconds("timeoutMs"), backoff: options.milliseconds("backoffMs"),
        allowInsecureHTTP: options.bool("allowInsecureHttp") ?? false, proxy: options.text("proxy"),
        caCertificates: options.text("caCertificates"),
        systemTrustStore: options.bool("systemTrustStore") ?? false, userAgent: options.text("userAgent"),
        requestsPerMinute: options.int("requestsPerMinute"),
        onEvent: { report.print("log", "event", String(reflecting: $0)) })
    try options.end()
    return client
}

/// Makes the call of a step.
func perform(_ step: Step, _ client: PabblyConnectPlatform, _ outcome: Outcome, _ report: Report) async throws {
    var options = Options(step.with.merging(step.options) { $1 })
    let email = try options.text("email") ?? ""
    let id = try options.text("id") ?? ""
    switch step.call {
    case "listApps":
        let list = client.listApps(
            search: try options.text("search"), page: try options.int("page"), limit: try options.int("limit"),
            options: try options.ofCall())
        try options.end()
        try await read(list, step, outcome, report)
    case "listConnections":
        let list = client.listConnections(
            email, appID: try options.text("appId"), status: try options.text("status").map(ConnectionStatus.init),
            customerID: try options.text("customerId"), needsReconnection: try options.bool("needsReconnection"),
            page: try options.int("page"), limit: try options.int("limit"), options: try options.ofCall())
        try options.end()
        try await read(list, step, outcome, report)
    case "events":
        let feed = client.events(
            after: try options.text("after"), types: try options.texts("types"),
            connectionID: try options.text("connectionId"), limit: try options.int("limit"),
            wait: try options.milliseconds("waitMs"), options: try options.ofCall())
        try options.end()
        try await take(feed, step, outcome, report)
    case "getApp":
        let appID = try options.text("appId") ?? ""
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.getApp(appID, options: ofCall)))
    case "createRequestLink":
        let appID = try options.text("appId")
        let name = try options.text("name") ?? ""
        let connectionID = try options.text("connectionId")
        let authOptionKey = try options.text("authOptionKey")
        let allowedApps = try options.texts("allowedApps")
        let returnURL = try options.text("returnUrl")
        let allowedOrigin = try options.text("allowedOrigin")
        let displayName = try options.text("displayName")
        let expiresIn: Duration? = try options.int("expiresIn").map { .seconds($0) }
        let allowMultipleConnections = try options.bool("allowMultipleConnections")
        let scopes = try options.texts("scopes")
        let confirm = try options.bool("confirm")
        let allowAccountChange = try options.bool("allowAccountChange")
        let customerID = try options.text("customerId")
        let customerName = try options.text("customerName")
        let metadata = try options.object("metadata")
        let organization = try options.object("organization")
        let webhookURL = try options.text("webhookUrl")
        let idempotencyKey = try options.text("idempotencyKey")
        let ofCall = try options.ofCall()
        try options.end()
        let link = try await client.createRequestLink(
            email, appID: appID, name: name, connectionID: connectionID, authOptionKey: authOptionKey,
            allowedApps: allowedApps, returnURL: returnURL, allowedOrigin: allowedOrigin, displayName: displayName,
            expiresIn: expiresIn, allowMultipleConnections: allowMultipleConnections, scopes: scopes,
            confirm: confirm, allowAccountChange: allowAccountChange, customerID: customerID,
            customerName: customerName, metadata: metadata, organization: organization, webhookURL: webhookURL,
            idempotencyKey: idempotencyKey,
            options: ofCall)
        try outcome.set(report.value(link))
    case "getConnection":
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.getConnection(email, id, options: ofCall)))
    case "confirmConnection":
        let code = try options.text("code") ?? ""
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.confirmConnection(email, id, code, options: ofCall)))
    case "waitForConnection":
        let interval = try options.milliseconds("intervalMs")
        let timeout = try options.milliseconds("timeoutMs")
        let tellPolls = try options.bool("onPoll") ?? false
        try options.end()
        let onPoll: @Sendable (Poll) -> Void = { outcome.add(poll: $0) }
        let connection = try await client.waitForConnection(
            email, id, interval: interval, timeout: timeout, onPoll: tellPolls ? onPoll : nil)
        try outcome.set(report.value(connection))
    case "getToken":
        let path = try options.text("apply")
        let rejected = try options.token("rejected")
        let ofCall = try options.ofCall()
        try options.end()
        let token = try await client.getToken(email, id, rejected: rejected, options: ofCall)
        outcome.set(try report.token(token, applied: path))
    case "proxy":
        let method = try options.text("method")
        let path = try options.text("path") ?? ""
        let query = try options.fields("query")
        let headers = try options.fields("headers")
        let text = try options.text("body")
        let parts = try options.texts("bodyParts")
        let ofCall = try options.ofCall()
        try options.end()
        let stream = parts.map { parts in
            ProxyBody(
                stream: AsyncStream { continuation in
                    for part in parts { continuation.yield(Data(part.utf8)) }
                    continuation.finish()
                })
        }
        let response = try await client.proxy(
            email, id, method: method, path: path, query: query, headers: headers,
            body: stream ?? text.map { ProxyBody(Data($0.utf8)) }, options: ofCall)
        report.print("ProxyResponse", response)
        outcome.set(
            .object([
                "status": .integer(Int64(response.status)),
                "headers": .object(response.headers.mapValues { .string($0) }),
                "body": .string(String(decoding: try await response.data(), as: UTF8.self)),
            ]))
    case "updateConnection":
        let name = try options.text("name")
        let customerID = try options.change("customerId")
        let customerName = try options.change("customerName")
        let metadata = try options.object("metadata")
        let ofCall = try options.ofCall()
        try options.end()
        let connection = try await client.updateConnection(
            email, id, name: name, customerID: customerID, customerName: customerName, metadata: metadata,
            options: ofCall)
        try outcome.set(report.value(connection))
    case "importConnection":
        let appID = try options.text("appId") ?? ""
        let name = try options.text("name") ?? ""
        let authOptionKey = try options.text("authOptionKey")
        let fields = try options.fields("fields")
        let accessToken = try options.text("accessToken")
        let tokenType = try options.text("tokenType")
        let expiresIn: Duration? = try options.int("expiresIn").map { .seconds($0) }
        let scopes = try options.texts("scopes")
        let providerData = try options.object("providerData")
        let customerID = try options.text("customerId")
        let customerName = try options.text("customerName")
        let metadata = try options.object("metadata")
        let idempotencyKey = try options.text("idempotencyKey")
        let ofCall = try options.ofCall()
        try options.end()
        let connection = try await client.importConnection(
            email, appID: appID, name: name, authOptionKey: authOptionKey, fields: fields, accessToken: accessToken,
            tokenType: tokenType, expiresIn: expiresIn, scopes: scopes, providerData: providerData,
            customerID: customerID, customerName: customerName, metadata: metadata, idempotencyKey: idempotencyKey,
            options: ofCall)
        try outcome.set(report.value(connection))
    case "verifyConnection":
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.verifyConnection(email, id, options: ofCall)))
    case "addUsage", "removeUsage":
        let usage = try options.text("usageId") ?? ""
        let ofCall = try options.ofCall()
        try options.end()
        if step.call == "addUsage" {
            try await client.addUsage(email, id, usage, options: ofCall)
        } else {
            try await client.removeUsage(email, id, usage, options: ofCall)
        }
    case "listAuthOptions":
        let requestToken = try options.text("requestToken") ?? ""
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.listAuthOptions(id, requestToken, options: ofCall)))
    case "submitCredentials":
        let requestToken = try options.text("requestToken") ?? ""
        let key = try options.text("authOptionKey") ?? ""
        let appID = try options.text("appId")
        let fields = try options.fields("fields")
        let ofCall = try options.ofCall()
        try options.end()
        let submission = try await client.submitCredentials(
            id, requestToken, authOptionKey: key, appID: appID, fields: fields, options: ofCall)
        try outcome.set(report.value(submission))
    case "listKeys":
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.listKeys(options: ofCall)))
    case "rotateKey":
        let keyID = try options.text("keyId")
        let ofCall = try options.ofCall()
        try options.end()
        outcome.set(report.key(try await client.rotateKey(keyID: keyID, options: ofCall)))
    case "promoteKey":
        let keyID = try options.text("keyId")
        let ofCall = try options.ofCall()
        try options.end()
        try outcome.set(report.value(try await client.promoteKey(keyID: keyID, options: ofCall)))
    case "deleteConnection":
        let ofCall = try options.ofCall()
        try options.end()
        try await client.deleteConnection(email, id, options: ofCall)
    case "setApiKey":
        let key = try options.text("apiKey") ?? ""
        try options.end()
        try client.setAPIKey(key)
    default:
        throw Failed(description: "the runner does not know the call \(step.call)")
    }
}

func read<Item>(_ list: PagedList<Item>, _ step: Step, _ outcome: Outcome, _ report: Report) async throws {
    guard step.iterate else {
        return try outcome.set(report.value(try await list.page()))
    }
    try await take(list, step, outcome, report)
}

func take<Items: AsyncSequence>(_ items: Items, _ step: Step, _ outcome: Outcome, _ report: Report) async throws
where Items.Element: Codable & Sendable {
    var taken = 0
    for try await item in items {
        try outcome.add(item: report.value(item))
        taken += 1
        if taken == step.take { break }
    }
}

// --- reports ---------------------------------------------------------------------------------------------------------

/// What is told by several threads.
class Locked: @unchecked Sendable {
    private let lock = NSLock()

    func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        try lock.withLock(body)
    }
}

/// How one call ended.
final class Outcome: Locked, @unchecked Sendable {
    private var members: [String: JSONValue] = [:]
    private var items: [JSONValue] = []
    private var polls: [JSONValue] = []

    func set(_ value: JSONValue) { locked { members["value"] = value } }
    func set(error: JSONValue) { locked { members["error"] = error } }
    func cancelled() { locked { members["cancelled"] = .bool(true) } }
    func add(item: JSONValue) { locked { items.append(item) } }
    func add(poll: Poll) {
        let status: JSONValue = poll.status.map { .string($0.rawValue) } ?? .null
        let phase: JSONValue = poll.phase.map { .string($0.rawValue) } ?? .null
        let nextIn = Int64(poll.nextIn / .milliseconds(1))
        locked { polls.append(.object(["status": status, "phase": phase, "nextInMs": .integer(nextIn)])) }
    }

    func json(_ step: Step, took: Duration, others: [JSONValue]) -> JSONValue {
        locked {
            var all = members
            if step.iterate { all["items"] = .array(items) }
            all["polls"] = .array(polls)
            all["ms"] = .integer(Int64(took / .milliseconds(1)))
            all["others"] = .array(others)
            return .object(all)
        }
    }
}

/// Every printed form of everything that the SDK handed out.
final class Report: Locked, @unchecked Sendable {
    private var prints: [JSONValue] = []

    func print(_ of: String, _ form: String, _ text: String) {
        // Of an answer of megabytes both ends will do.
        let text = text.utf8.count < 200_000 ? text : String(text.prefix(100_000) + text.suffix(100_000))
        locked { prints.append(.object(["of": .string(of), "form": .string(form), "text": .string(text)])) }
    }

    /// Every way in which Swift prints a value.
    func print<Value>(_ of: String, _ value: Value) {
        print(of, "describing", String(describing: value))
        print(of, "reflecting", String(reflecting: value))
        print(of, "interpolation", "\(value) \([value]) \(["key": value]) \(Optional(value) as Any)")
        var dumped = ""
        dump(value, to: &dumped)
        print(of, "dump", dumped)
        print(of, "mirror", reflect(Mirror(reflecting: value), depth: 0))
    }

    private func reflect(_ mirror: Mirror, depth: Int) -> String {
        guard depth < 12 else { return "" }
        return mirror.children.map { label, value in
            "\(label ?? "")=\(value) \(reflect(Mirror(reflecting: value), depth: depth + 1))"
        }.joined(separator: "\n")
    }

    func value<Value: Codable>(_ value: Value) throws -> JSONValue {
        let of = String(describing: Value.self)
        print(of, value)
        let json = try JSONEncoder().encode(value)
        print(of, "json", String(decoding: json, as: UTF8.self))
        return try JSONDecoder().decode(JSONValue.self, from: json)
    }

    /// A token cannot be encoded: its members are read one by one.
    func token(_ token: Token, applied path: String?) throws -> JSONValue {
        print("Token", token)
        if let path {
            let request = try token.apply(path)
            let headers = request.allHTTPHeaderFields ?? [:]
            let lower = headers.map { ($0.key.lowercased(), JSONValue.string($0.value)) }
            return .object([
                "url": .string(request.url?.absoluteString ?? ""),
                "headers": .object(Dictionary(uniqueKeysWithValues: lower)),
            ])
        }
        print("Token", "json", (token as Any) is any Encodable ? "it can be encoded: \(token.accessToken ?? "")" : "")
        var all: [String: JSONValue] = ["auth_type": .string(token.authType.rawValue)]
        all["access_token"] = token.accessToken.map { .string($0) }
        all["token_type"] = token.tokenType.map { .string($0) }
        all["expires_in"] = token.expiresIn.map { .integer($0.components.seconds) } ?? .null
        all["scopes"] = token.scopes.map { .array($0.map { .string($0) }) }
        all["account"] = try token.account.map { account in
            try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(account))
        }
        all["api_base_url"] = token.apiBaseURL.map { .string($0) }
        let kinds = [
            "fields": token.fields, "provider_data": token.providerData, "api_headers": token.apiHeaders,
            "api_query": token.apiQuery,
        ]
        for case (let name, let fields?) in kinds {
            print("SecretFields", fields)
            all[name] = .object(fields.names.reduce(into: [:]) { $0[$1] = fields[$1].map { .string($0) } })
        }
        for name in token.extra.names {
            let text = Data((token.extra[name] ?? "").utf8)
            all[name] = (try? JSONDecoder().decode(JSONValue.self, from: text)) ?? .string("no JSON")
        }
        return .object(all)
    }

    /// Nor can a new key.
    func key(_ key: RotatedKey) -> JSONValue {
        print("RotatedKey", key)
        print("RotatedKey", "json", (key as Any) is any Encodable ? "it can be encoded: \(key.apiKey)" : "")
        var all = key.extra
        all["key_id"] = .string(key.keyID)
        all["api_key"] = .string(key.apiKey)
        all["replaces"] = .string(key.replaces)
        return .object(all)
    }

    func error(_ error: any Error) -> JSONValue {
        print("error", error)
        print("error", "localized", error.localizedDescription)
        guard let error = error as? PabblyConnectError else {
            return .object(["class": .string(String(reflecting: error))])
        }
        // `.needsReconnection` is `NeedsReconnectionError` elsewhere.
        let name = Mirror(reflecting: error).children.first?.label ?? "?"
        let kind = name == "other" ? "PabblyConnectError" : name.prefix(1).uppercased() + name.dropFirst() + "Error"
        let details = error.details
        let json: (any Encodable) -> JSONValue = { value in
            (try? JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))) ?? .string("no JSON")
        }
        return .object([
            "class": .string(kind),
            "code": details.code.map { .string($0) } ?? .null,
            "status": details.status.map { .integer(Int64($0)) } ?? .null,
            "retryAfter": details.retryAfter.map { .integer($0.components.seconds) } ?? .null,
            "attempts": .integer(Int64(details.attempts)),
            "message": .string(error.description),
            "response": details.response.map(json) ?? .null,
            "connection": details.connection.map(json) ?? .null,
            "fields": details.fields.map(json) ?? .null,
            "oldestCursor": details.oldestCursor.map(json) ?? .null,
        ])
    }

    func json(refused: JSONValue? = nil, outcomes: [JSONValue]) -> JSONValue {
        let prints = locked { self.prints }
        return .object(["refused": refused ?? .null, "outcomes": .array(outcomes), "prints": .array(prints)])
    }
}

// --- playing ---------------------------------------------------------------------------------------------------------

func play(_ session: Session, _ server: Server) async throws -> JSONValue {
    let report = Report()
    let client: PabblyConnectPlatform
    do {
        client = try makeClient(session.client, report)
    } catch {
        return report.json(refused: report.error(error), outcomes: [])
    }
    report.print("client", client)
    var outcomes: [JSONValue] = []
    for (number, step) in session.steps.enumerated() {
        if let pause = step.pause {
            try await server.settle(session.session, blocking: pause == "blocked")
        }
        outcomes.append(try await play(step, number, session.session, client, server, report))
    }
    return report.json(outcomes: outcomes)
}

func play(
    _ step: Step, _ number: Int, _ session: Int, _ client: PabblyConnectPlatform, _ server: Server, _ report: Report
) async throws -> JSONValue {
    let calls = (0..<step.callers).map { _ in
        Task { () -> (Outcome, Duration) in
            if step.cancel == "before_start" {
                withUnsafeCurrentTask { $0?.cancel() }
            }
            let outcome = Outcome()
            let start = ContinuousClock.now
            do {
                try await perform(step, client, outcome, report)
            } catch is CancellationError {
                outcome.cancelled()
            } catch {
                outcome.set(error: report.error(error))
            }
            return (outcome, ContinuousClock.now - start)
        }
    }
    if step.cancel == "at_moment" {
        try await server.moment(session, number)
        calls[0].cancel()
    }
    if let key = step.rekey {
        try await server.moment(session, number)
        try client.setAPIKey(key)
    }
    var others: [JSONValue] = []
    for call in calls.dropFirst() {
        let (outcome, took) = await call.value
        others.append(outcome.json(step, took: took, others: []))
    }
    let (outcome, took) = await calls[0].value
    return outcome.json(step, took: took, others: others)
}

/// Plays a scenario and gives what is wrong.
func run(_ id: String, _ server: Server) async -> [String] {
    do {
        let begin: JSONValue = .object(["id": .string(id), "language": .string(language)])
        let session: Session = try await server.ask("POST", "/sessions", begin)
        let before = session.env.keys.map { ($0, ProcessInfo.processInfo.environment[$0]) }
        for (name, value) in session.env { setenv(name, value, 1) }
        let report = try await play(session, server)
        for (name, value) in before {
            if let value { setenv(name, value, 1) } else { unsetenv(name) }
        }
        let verdict: Verdict = try await server.ask("POST", "/sessions/\(session.session)/verdict", report)
        return verdict.failures
    } catch {
        return ["the runner failed: \(error)"]
    }
}

func runAll(_ index: [Entry], _ server: Server) async -> [String: [String]] {
    var failures: [String: [String]] = [:]
    await withTaskGroup(of: (String, [String]).self) { group in
        var waiting = index.filter { !$0.alone }.makeIterator()
        for _ in 0..<atOnce {
            guard let entry = waiting.next() else { break }
            group.addTask { (entry.id, await run(entry.id, server)) }
        }
        for await (id, lines) in group {
            failures[id] = lines
            guard let entry = waiting.next() else { continue }
            group.addTask { (entry.id, await run(entry.id, server)) }
        }
    }
    // Those that change the environment follow, one at a time.
    for entry in index where entry.alone {
        failures[entry.id] = await run(entry.id, server)
    }
    return failures
}

let text = CommandLine.arguments.dropFirst(2).first ?? ""
let process = Process()
process.executableURL = URL(fileURLWithPath: CommandLine.arguments[1])
let (input, output) = (Pipe(), Pipe())
process.standardInput = input
process.standardOutput = output
try process.run()
var line = Data()
while line.last != UInt8(ascii: "\n") {
    let more = output.fileHandleForReading.availableData
    if more.isEmpty { throw Failed(description: "the scripted server did not start") }
    line += more
}
let address = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
let server = Server(address: address)
let index: [Entry] = try await server.ask("GET", "/scenarios?language=\(language)")
let chosen = index.filter { $0.skip == nil && (text.isEmpty || $0.id.contains(text)) }
let failures = await runAll(chosen, server)
for (id, lines) in failures.sorted(by: { $0.key < $1.key }) where !lines.isEmpty {
    print("FAILED \(id)\n    \(lines.joined(separator: "\n    "))")
}
let ran: JSONValue = .object([
    "language": .string(language), "ran": .array(failures.keys.map { .string($0) }),
])
let end: Verdict = try await server.ask("POST", "/finish", ran)
print(end.text ?? "")
let whole = !text.isEmpty || end.failures.isEmpty
if !whole {
    print("the run is not whole:\n    \(end.failures.joined(separator: "\n    "))")
}
try input.fileHandleForWriting.close()
exit(whole && failures.values.allSatisfy(\.isEmpty) ? 0 : 1)
