import PabblyConnectFlow

func howItEnded(_ kept: ConnectLink) async throws {
    switch try await ConnectSession.resume(kept) {
    case .success(let connectionID, _): print("connected", connectionID)
    case .exit(let reason): print("no connection:", reason)
    }
}
