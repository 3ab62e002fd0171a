// Between the calls that users make and those of the native module.

internal import Foundation
internal import PabblyConnectNative

/// Options of one call; where one is `nil` the client's own setting holds.
public struct CallOptions: Hashable, Sendable {
    /// Bounds each attempt, its body included.
    public var timeout: Duration?
    /// Bounds the whole call: all attempts and the waits between them.
    public var deadline: Duration?
    /// How often a 503 is tried again; 0 means never.
    public var maxRetries: Int?

    /// Makes options; those that are left out are the client's.
    public init(timeout: Duration? = nil, deadline: Duration? = nil, maxRetries: Int? = nil) {
        self.timeout = timeout
        self.deadline = deadline
        self.maxRetries = maxRetries
    }

    var native: PabblyConnectNative.CallOptions {
        PabblyConnectNative.CallOptions(
            timeout: timeout?.seconds, deadline: deadline?.seconds, maxRetries: maxRetries.map(Int64.init))
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

/// Makes a call that cancelling the task stops, wherever it is: UniFFI itself leaves it running.
func cancellable<Answer: Sendable>(_ call: (Cancellation) async throws -> Answer) async throws -> Answer {
    let cancellation = Cancellation()
    do {
        return try await withTaskCancellationHandler {
            try await call(cancellation)
        } onCancel: {
            cancellation.cancel()
        }
    } catch Failure.Cancelled {
        throw CancellationError()
    } catch {
        throw PabblyConnectError(error)
    }
}

/// Makes a call that sends nothing.
func immediate<Answer>(_ call: () throws -> Answer) throws(PabblyConnectError) -> Answer {
    do {
        return try call()
    } catch {
        throw PabblyConnectError(error)
    }
}

/// What JSON text says. The core has checked that it fits the contract.
func decoded<Value: Decodable>(_ json: String) throws(PabblyConnectError) -> Value {
    do {
        return try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    } catch {
        // The error itself would quote the answer.
        throw .decode(ErrorDetails(message: "the answer could not be understood", code: "decode_error"))
    }
}
