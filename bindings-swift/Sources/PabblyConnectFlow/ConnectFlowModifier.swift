#if canImport(SwiftUI)
    import SwiftUI

    extension View {
        /// Shows the hosted page as soon as there is a link, and takes the link away again when the attempt is over.
        ///
        /// Where the view goes away first, or another link takes the place of this one, the attempt is cancelled and
        /// nothing is told.
        ///
        /// - Parameters:
        ///   - link: What your backend handed out, while a customer is to connect.
        ///   - userAgent: What shows the page, such as ``WebAuthenticationUserAgent``.
        ///   - confirm: For a link with `confirm`: takes the one-time code to your backend, see
        ///     ``ConnectSession/run(confirm:)``.
        ///   - onEnd: How it ended; the error is what ``ConnectSession/run(confirm:)`` throws.
        public func connectFlow(
            _ link: Binding<ConnectLink?>, userAgent: any ConnectUserAgent,
            confirm: (@Sendable (_ code: String) async throws -> Void)? = nil,
            onEnd: @escaping @MainActor (Result<ConnectOutcome, any Error>) -> Void
        ) -> some View {
            modifier(ConnectFlowModifier(link: link, userAgent: userAgent, confirm: confirm, onEnd: onEnd))
        }
    }

    private struct ConnectFlowModifier: ViewModifier {
        @Binding var link: ConnectLink?
        let userAgent: any ConnectUserAgent
        let confirm: (@Sendable (_ code: String) async throws -> Void)?
        let onEnd: @MainActor (Result<ConnectOutcome, any Error>) -> Void

        func body(content: Content) -> some View {
            content.task(id: link) {
                guard let link else { return }
                let end: Result<ConnectOutcome, any Error>
                do {
                    end = .success(try await ConnectSession(link, userAgent: userAgent).run(confirm: confirm))
                } catch {
                    end = .failure(error)
                }
                guard !Task.isCancelled else { return }
                self.link = nil
                onEnd(end)
            }
        }
    }
#endif
