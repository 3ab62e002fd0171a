import Foundation
import PabblyConnectFlow

struct OwnBrowser: ConnectUserAgent {
    let open: @Sendable (URL) async -> Void
    /// An element each time that the app is opened by its callback address, or becomes active again.
    let returns: AsyncStream<Void>

    func show(_ page: URL) async throws {
        await open(page)
        // Ends as well where the session is over: its task is cancelled then.
        for await _ in returns { return }
    }
}
