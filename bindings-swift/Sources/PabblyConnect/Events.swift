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

    /// What the core tells; `nil` for a kind that is newer than this version.
    init?(_ told: JSONValue) {
        let text = { told[$0]?.string ?? "" }
        let attempt = told["attempt"]?.integer ?? 0
        switch told["event"]?.string {
        case "request":
            self = .request(call: text("call"), method: text("method"), path: text("path"), attempt: attempt)
        case "response":
            self = .response(
                call: text("call"), attempt: attempt, status: told["status"]?.integer,
                elapsed: told.milliseconds("elapsedMs"), requestID: told["requestId"]?.string)
        case "retry":
            self = .retry(call: text("call"), attempt: attempt, delay: told.milliseconds("delayMs"))
        case "wait":
            self = .wait(
                connectionID: text("connectionId"), status: told.status, delay: told.milliseconds("delayMs"))
        default:
            return nil
        }
    }
}

/// What a wait has just learned.
public struct Poll: Hashable, Sendable {
    /// The connection's status; `nil` where the poll failed in a way that the wait survives.
    public let status: ConnectionStatus?
    /// How far the customer has come; `nil` where that is not known: it is of a link that this client made.
    public let phase: LinkPhase?
    /// When the next poll is expected. Zero where the service holds the answer until there is news.
    public let nextIn: Duration

    init(_ told: JSONValue) {
        status = told.status
        phase = told["phase"]?.string.map(LinkPhase.init(rawValue:))
        nextIn = told.milliseconds("nextInMs")
    }
}

extension JSONValue {
    fileprivate var status: ConnectionStatus? { self["status"]?.string.map(ConnectionStatus.init(rawValue:)) }

    fileprivate var integer: Int? {
        if case .integer(let integer) = self { Int(integer) } else { nil }
    }

    fileprivate func milliseconds(_ name: String) -> Duration {
        switch self[name] {
        case .integer(let whole): .milliseconds(whole)
        case .number(let number): .milliseconds(number)
        default: .zero
        }
    }
}

/// Hands on what the core tells.
final class Forwarder: Listener {
    private let forward: @Sendable (JSONValue) -> Void

    init(_ forward: @escaping @Sendable (JSONValue) -> Void) {
        self.forward = forward
    }

    func tell(json: String) {
        guard let told: JSONValue = try? decoded(json) else { return }
        forward(told)
    }
}
