import AuthenticationServices
import PabblyConnectFlow
import UIKit

@MainActor
func connect(_ link: ConnectLink, above window: UIWindow) async throws -> String? {
    let userAgent = WebAuthenticationUserAgent(ephemeral: true) { window }
    switch try await ConnectSession(link, userAgent: userAgent).run() {
    case .success(let connectionID, _): return connectionID
    case .exit: return nil
    }
}
