import PabblyConnect

/// This project's own package.
struct ConnectPeer: Peer {
    let client: PabblyConnectPlatform
    let alice: Customer
    let connection: String

    init(_ job: Job) throws {
        client = try PabblyConnectPlatform(baseURL: job.baseURL, caCertificates: job.authority)
        alice = try client.customer(job.email)
        connection = job.connection
    }

    func token() async throws {
        try check(try await alice.getToken(connection).accessToken?.hasPrefix("ya29.") == true)
    }

    func list() async throws {
        let apps = try await client.listApps(limit: 50).page().items
        try check(apps.count == 50 && apps[49].id == "app_50")
    }

    /// It ends with the last reference.
    func close() {}
}
