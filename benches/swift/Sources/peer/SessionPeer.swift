import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a user would write instead: one session, and the answers as `Decodable` types.
struct SessionPeer: Peer {
    let session: URLSession
    let tokenRequest: URLRequest
    let listRequest: URLRequest

    init(_ job: Job) throws {
        let configuration = URLSessionConfiguration.default
        configuration.httpAdditionalHeaders = ["Authorization": "Bearer \(job.key)"]
        // Default: 6. With it, the others would wait for a connection.
        configuration.httpMaximumConnectionsPerHost = 64
        session = URLSession(configuration: configuration)

        func request(_ path: String) throws -> URLRequest {
            guard let url = URL(string: job.baseURL + path) else { throw Failure("BENCH_BASE_URL is no address") }
            return URLRequest(url: url)
        }
        var token = try request("/connections/\(job.connection)/token")
        token.httpMethod = "POST"
        token.setValue(job.email, forHTTPHeaderField: "X-User-Email")
        tokenRequest = token
        listRequest = try request("/apps?limit=50")
    }

    func token() async throws {
        try check(try await call(tokenRequest, Token.self).accessToken.hasPrefix("ya29."))
    }

    func list() async throws {
        let apps = try await call(listRequest, Apps.self).apps
        try check(apps.count == 50 && apps[49].id == "app_50")
    }

    func close() { session.invalidateAndCancel() }

    private func call<Answer: Decodable>(_ request: URLRequest, _: Answer.Type) async throws -> Answer {
        let (body, response) = try await session.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status == 200 else { throw Failure("status \(status)") }
        return try JSONDecoder().decode(Envelope<Answer>.self, from: body).data
    }
}

private struct Envelope<Answer: Decodable>: Decodable {
    let data: Answer
}

private struct Token: Decodable {
    let accessToken: String
    let authType: String
    let expiresIn: Int

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case authType = "auth_type"
        case expiresIn = "expires_in"
    }
}

private struct Apps: Decodable {
    let apps: [App]
    let page, limit, total: Int
}

private struct App: Decodable {
    let id, name: String
    let authType: String
    let description: String
    let categories: [String]
    let authOptions: [AuthOption]

    enum CodingKeys: String, CodingKey {
        case id, name, description, categories
        case authType = "auth_type"
        case authOptions = "auth_options"
    }
}

private struct AuthOption: Decodable {
    let key, type, title: String
}
