internal import PabblyConnectNative

/// Something that a call does. None holds a secret. Later versions may add cases: end a `switch` with `default`.
public enum PabblyConnectEvent: Hashable, Sendable {
    /// A request is about to be sent: the call, named as in the guide, the HTTP method, the path under the base URL,
    /// and the attempt, from 1.
    case request(call: String, method: String, path: String, attempt: Int)
    /// An attempt ended: the HTTP status is `nil` where no answer arrived; `elapsed` is from sending to the end of the
    /// body; `requestID` is the service's `x-request-id`, to quote in a question to its operator.
    case response(call: String, attempt: Int, status: Int?, elapsed: Duration, requestID: String?)
    /// A 503 arrived, and the call waits so long before its next attempt.
    case retry(call: String, attempt: Int, delay: Duration)
    /// A wait asked for a connection's status, `nil` where the poll failed in a way that the wait survives, and will ask
    /// again after the delay.
    case wait(connectionID: String, status: ConnectionStatus?, delay: Duration)
}

/// What a wait has just learned.
public struct Poll: Hashable, Sendable {
    /// The connection's status; `nil` where the poll failed in a way that the wait survives.
    public let status: ConnectionStatus?
    /// When the next poll is expected. Zero where the service holds the answer until there is news.
    public let nextIn: Duration
}

final class EventListener: Listener {
    private let tell: @Sendable (PabblyConnectEvent) -> Void

    init(_ tell: @escaping @Sendable (PabblyConnectEvent) -> Void) {
        self.tell = tell
    }

    func request(call: String, method: String, path: String, attempt: UInt32) {
        tell(.request(call: call, method: method, path: path, attempt: Int(attempt)))
    }

    func response(call: String, attempt: UInt32, status: UInt16?, elapsed: Double, requestId: String?) {
        tell(
            .response(
                call: call, attempt: Int(attempt), status: status.map(Int.init), elapsed: .seconds(elapsed),
                requestID: requestId))
    }

    func retry(call: String, attempt: UInt32, delay: Double) {
        tell(.retry(call: call, attempt: Int(attempt), delay: .seconds(delay)))
    }

    func wait(connectionId: String, status: String?, delay: Double) {
        tell(
            .wait(
                connectionID: connectionId, status: status.map(ConnectionStatus.init(rawValue:)), delay: .seconds(delay)
            ))
    }
}

final class PollForwarder: PollListener {
    private let tell: @Sendable (Poll) -> Void

    init(_ tell: @escaping @Sendable (Poll) -> Void) {
        self.tell = tell
    }

    func poll(status: String?, nextIn: Double) {
        tell(Poll(status: status.map(ConnectionStatus.init(rawValue:)), nextIn: .seconds(nextIn)))
    }
}
