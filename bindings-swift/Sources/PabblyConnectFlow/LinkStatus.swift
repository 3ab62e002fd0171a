internal import PabblyConnectFlowNative

/// Who can be asked how a link stands.
protocol StatusSource: Sendable {
    /// Asks once; the answer may be held for some time while there is no news. Throws `CancellationError`, and
    /// ``ConnectError`` where asking again is of no use.
    func answer(holding: Duration) async throws -> StatusAnswer
}

enum StatusAnswer: Sendable {
    case status(LinkStatus)
    /// The platform wants to be asked less often.
    case busy(retryAfter: Duration?)
    /// No answer, this time.
    case failed(reason: String, retryAfter: Duration?)
}

/// How a link stands, in the words of the wire.
struct LinkStatus: Sendable {
    var status: String
    var phase: String?
    var operation: String?
    var expiresIn: Duration?

    /// The customer is at a provider, or has just come back.
    var isWithProvider: Bool { phase == "at_provider" || phase == "returned" }

    func outcome(of connectionID: String) -> ConnectOutcome? {
        switch status {
        case "active":
            .success(connectionID: connectionID, operation: operation.flatMap(ConnectOperation.init) ?? .creation)
        case "rejected": .exit(.rejected)
        case "expired": .exit(.expired)
        default: nil
        }
    }
}

/// The platform itself, through the core.
struct Platform: StatusSource {
    let link: PabblyConnectFlowNative.Link

    init(_ link: ConnectLink) throws {
        do {
            self.link = try Link(
                requestLink: link.requestLink.absoluteString, requestToken: link.requestToken,
                connectionId: link.connectionID)
        } catch Failure.Invalid(let reason) {
            throw ConnectError.invalidLink(reason)
        }
    }

    func answer(holding hold: Duration) async throws -> StatusAnswer {
        do {
            let standing = try await cancellable { try await $0.standing(hold: Double(hold.components.seconds)) }
            return .status(
                LinkStatus(
                    status: standing.status, phase: standing.phase, operation: standing.operation,
                    expiresIn: standing.expiresIn.map { .lifetime(seconds: $0) }))
        } catch let failure as Failure {
            switch failure {
            case .Busy(let retryAfter): return .busy(retryAfter: retryAfter.map { .lifetime(seconds: $0) })
            case .Failed(let reason, let retryAfter):
                return .failed(reason: reason, retryAfter: retryAfter.map { .lifetime(seconds: $0) })
            default: throw failure.forCaller
            }
        }
    }

    /// Makes a request that cancelling the task stops: UniFFI itself leaves it running.
    func cancellable<Answer: Sendable>(_ ask: (Question) async throws -> Answer) async throws -> Answer {
        let question = link.question()
        return try await withTaskCancellationHandler {
            try await ask(question)
        } onCancel: {
            question.cancel()
        }
    }
}

extension Failure {
    /// What a caller of this module gets.
    var forCaller: any Error {
        switch self {
        case .Invalid(let reason): ConnectError.invalidLink(reason)
        case .Refused(let reason): ConnectError.unknownLink(reason)
        case .Busy: ConnectError.unreachable("the platform wants to be asked later")
        case .Failed(let reason, _): ConnectError.unreachable(reason)
        case .Fields(let fields): ConnectError.invalidFields(fields)
        case .Over: ConnectError.linkOver
        case .Cancelled: CancellationError()
        }
    }
}

extension Duration {
    /// So many seconds, as far as they can be meant: no link lives longer than a day.
    static func lifetime(seconds: Double) -> Duration { .seconds(min(max(seconds, 0), 86_400)) }
}
