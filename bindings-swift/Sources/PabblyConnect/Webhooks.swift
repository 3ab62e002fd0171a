public import Foundation
internal import PabblyConnectNative

/// Webhooks: whether a request was signed with your endpoint's secret, and the event that it brings.
public enum Webhooks {
    /// Verifies a webhook and gives its event.
    ///
    /// - Parameters:
    ///   - headers: The request's headers, in any case.
    ///   - body: The request's body as it came: what was parsed and written again is no longer what was signed.
    ///   - secrets: The endpoint's secret. With several, one of them must fit, as while the endpoint's is rotated.
    ///   - receivedAt: When the request came, where it was kept for a while. Default: now.
    /// - Throws: ``PabblyConnectError/webhookVerification(_:)``, whose code says why, where the request is no webhook of this
    ///   endpoint: respond with 400, and do nothing that it says. ``PabblyConnectError/invalidArgument(_:)`` where a secret is
    ///   none.
    public static func verify(
        headers: [String: String], body: Data, secrets: [String], receivedAt: Date? = nil
    ) throws(PabblyConnectError) -> Event {
        try immediate {
            try verifyWebhook(
                headers: headers, body: body, secrets: secrets, receivedAt: receivedAt?.timeIntervalSince1970)
        }
        return try decoded(String(decoding: body, as: UTF8.self))
    }

    /// The same with one secret.
    public static func verify(
        headers: [String: String], body: Data, secret: String, receivedAt: Date? = nil
    ) throws(PabblyConnectError) -> Event {
        try verify(headers: headers, body: body, secrets: [secret], receivedAt: receivedAt)
    }
}
