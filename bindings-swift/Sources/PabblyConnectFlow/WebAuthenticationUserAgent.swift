#if canImport(AuthenticationServices) && !os(watchOS) && !os(tvOS)
    import AuthenticationServices
    import Foundation

    /// Shows the hosted page in the system's own sheet (`ASWebAuthenticationSession`), which shares its cookies with
    /// Safari and which the app cannot look into.
    public struct WebAuthenticationUserAgent: ConnectUserAgent {
        /// Where the hosted page leads at the end: the link's `return_url`. It closes the sheet.
        public struct Callback: Sendable {
            fileprivate enum Address {
                case https(host: String, path: String)
                case customScheme(String)
            }

            fileprivate let address: Address

            /// `https://host/path`. The app needs the associated domain `webcredentials:host`.
            @available(iOS 17.4, macOS 14.4, visionOS 1.1, *)
            public static func https(host: String, path: String) -> Self {
                Self(address: .https(host: host, path: path))
            }

            /// Any address of this scheme, such as `com.example.app`.
            public static func customScheme(_ scheme: String) -> Self {
                Self(address: .customScheme(scheme))
            }
        }

        private let callback: Callback?
        private let isEphemeral: Bool
        private let anchor: @MainActor @Sendable () -> ASPresentationAnchor

        /// - Parameters:
        ///   - callback: Where the link's `return_url` leads; without one the sheet closes as soon as the platform says
        ///     that it is over.
        ///   - ephemeral: Whether the sheet shares nothing with Safari: the customer has to sign in anew, and the
        ///     system does not ask whether the app may.
        ///   - anchor: The window above which the sheet appears. Asked each time.
        public init(
            callback: Callback? = nil, ephemeral: Bool = false,
            anchor: @escaping @MainActor @Sendable () -> ASPresentationAnchor
        ) {
            self.callback = callback
            isEphemeral = ephemeral
            self.anchor = anchor
        }

        @MainActor
        public func show(_ page: URL) async throws -> URL? {
            let (ends, ended) = AsyncStream<(URL?, (any Error)?)>.makeStream()
            // The system calls back on a queue of its own: nothing here may belong to the main actor.
            let session = makeSession(page) { @Sendable address, error in
                ended.yield((address, error))
                ended.finish()
            }
            let context = PresentationContext(anchor())
            session.presentationContextProvider = context
            session.prefersEphemeralWebBrowserSession = isEphemeral
            guard session.start() else {
                throw ConnectError.pageNotShown("the system did not show the page: is the anchor a visible window?")
            }
            // Does nothing where the sheet is gone. The provider is held weakly.
            defer { withExtendedLifetime(context) { session.cancel() } }
            // Ends without an element where the task is cancelled.
            for await (address, error) in ends {
                guard let error else { return address }
                if (error as? ASWebAuthenticationSessionError)?.code == .canceledLogin { return nil }
                throw ConnectError.pageNotShown(error.localizedDescription)
            }
            return nil
        }

        private func makeSession(
            _ page: URL, then: @escaping @Sendable (URL?, (any Error)?) -> Void
        ) -> ASWebAuthenticationSession {
            if case .https(let host, let path) = callback?.address, #available(iOS 17.4, macOS 14.4, visionOS 1.1, *) {
                return ASWebAuthenticationSession(
                    url: page, callback: .https(host: host, path: path), completionHandler: then)
            }
            var scheme: String?
            if case .customScheme(let name) = callback?.address { scheme = name }
            return ASWebAuthenticationSession(url: page, callbackURLScheme: scheme, completionHandler: then)
        }
    }

    /// Belongs to no actor, since it is not documented on which thread it is asked.
    private final class PresentationContext: NSObject, ASWebAuthenticationPresentationContextProviding {
        private let anchor: ASPresentationAnchor

        init(_ anchor: ASPresentationAnchor) {
            self.anchor = anchor
        }

        func presentationAnchor(for session: ASWebAuthenticationSession) -> ASPresentationAnchor {
            anchor
        }
    }
#endif
