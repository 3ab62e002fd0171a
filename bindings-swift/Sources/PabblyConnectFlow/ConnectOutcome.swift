import Foundation

/// How an attempt to connect ended, by the platform's word.
///
/// It is for the person in front of the screen. What your backend does should depend on what it asks the platform
/// itself.
public enum ConnectOutcome: Sendable, Hashable {
    /// The connection is active.
    case success(connectionID: String, operation: ConnectOperation)
    /// There is no connection.
    case exit(ConnectExitReason)
}

/// Whether the connection is new.
public enum ConnectOperation: String, Sendable, Hashable, Codable {
    /// It is new.
    case creation
    /// An existing connection works again; it kept its id.
    case reauth
}

/// Why there is no connection.
public enum ConnectExitReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// The customer declined.
    case rejected
    /// The link expired first.
    case expired
    /// The page was closed before the customer was done.
    case closed
    /// The link's time is over, and the platform could not be asked how it ended.
    case timeout
}

/// Why it could not be said how an attempt ended, or a form of the app's own was not taken.
public enum ConnectError: Error, Sendable, Hashable {
    /// The values are not those of a request link, or the link's address is not `https`. The text says what is wrong.
    case invalidLink(String)
    /// The platform does not know this link (any more).
    case unknownLink(String)
    /// The page is closed and the platform cannot be reached. It may have ended well:
    /// ``ConnectSession/resume(_:clock:)`` tells later.
    case unreachable(String)
    /// The system did not show the page.
    case pageNotShown(String)
    /// Fields of a form of the app's own are at fault: a sentence for the customer by the field's name. The link stays
    /// open.
    case invalidFields([String: String])
    /// The link has expired, or the customer declined.
    case linkOver
}

extension ConnectError: LocalizedError, CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidLink(let reason), .unknownLink(let reason), .unreachable(let reason), .pageNotShown(let reason):
            reason
        case .invalidFields(let fields): fields.sorted { $0.key < $1.key }.map(\.value).joined(separator: " ")
        case .linkOver: "the link is over: ask for a new one"
        }
    }

    public var errorDescription: String? { description }
}
