import Foundation

/// What shows the hosted page to the customer.
///
/// ``WebAuthenticationUserAgent`` does it with the system's own sheet. Write another to use something else.
public protocol ConnectUserAgent: Sendable {
    /// Shows the page and returns when the customer has left it: was sent back to the app, closed the page, or came
    /// back in another way. Which of these does not matter, and is not believed: the platform is asked.
    ///
    /// When the task is cancelled, close the page and return.
    ///
    /// - Returns: The address by which the hosted page led back to the app, where it did. Of a link with `confirm` it
    ///   carries the one-time code.
    /// - Throws: where the page could not be shown; ``ConnectSession/run(confirm:)`` throws it on.
    func show(_ page: URL) async throws -> URL?
}
