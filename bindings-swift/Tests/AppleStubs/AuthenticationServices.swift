// A stub: the few declarations of Apple's AuthenticationServices that this package uses, so that it can be type-checked
// where there is none. Written after Apple's documentation; it does nothing.

import Foundation
import UIKit

public typealias ASPresentationAnchor = UIWindow

// Belongs to no actor, as in the SDKs of Xcode 16; what satisfies that also satisfies one of the main actor.
public protocol ASWebAuthenticationPresentationContextProviding: NSObjectProtocol {
    func presentationAnchor(for session: ASWebAuthenticationSession) -> ASPresentationAnchor
}

open class ASWebAuthenticationSession: NSObject {
    public typealias CompletionHandler = (URL?, (any Error)?) -> Void

    @available(iOS 17.4, macOS 14.4, visionOS 1.1, *)
    public class Callback: NSObject {
        public class func customScheme(_ scheme: String) -> Self { fatalError("a stub") }
        public class func https(host: String, path: String) -> Self { fatalError("a stub") }
    }

    public init(url: URL, callbackURLScheme: String?, completionHandler: @escaping CompletionHandler) {}

    @available(iOS 17.4, macOS 14.4, visionOS 1.1, *)
    public init(url: URL, callback: Callback, completionHandler: @escaping CompletionHandler) {}

    public weak var presentationContextProvider: (any ASWebAuthenticationPresentationContextProviding)?
    public var prefersEphemeralWebBrowserSession = false
    public func start() -> Bool { false }
    public func cancel() {}
}

public struct ASWebAuthenticationSessionError: Error {
    public enum Code: Int, Sendable {
        case canceledLogin = 1
        case presentationContextNotProvided = 2
        case presentationContextInvalid = 3
    }

    public let code: Code
}
