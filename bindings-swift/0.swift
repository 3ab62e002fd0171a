import AuthenticationServices
import Foundation
import PabblyConnectFlow
import SwiftUI
import UIKit

struct ConnectGmail: View {
    @State private var link: ConnectLink?

    let userAgent = WebAuthenticationUserAgent(callback: .customScheme("com.example.app")) {
        let scenes = UIApplication.shared.connectedScenes.compactMap { $0 as? UIWindowScene }
        return scenes.lazy.compactMap(\.keyWindow).first ?? ASPresentationAnchor()
    }

    var body: some View {
        Button("Connect Gmail") {
            Task { link = try? await makeLink() }
        }
        .connectFlow($link, userAgent: userAgent) { end in
            switch end {
            case .success(.success(let connectionID, _)): print("connected", connectionID)
            case .success(.exit(let reason)): print("no connection:", reason)
            case .failure(let error): print(error)
            }
        }
    }
}

/// Asks your own backend.
func makeLink() async throws -> ConnectLink {
    let (answer, _) = try await URLSession.shared.data(from: URL(string: "https://app.example.com/connect/gmail")!)
    return try JSONDecoder().decode(ConnectLink.self, from: answer)
}
