// What goes to the native module, and what comes from it.

internal import Foundation
internal import PabblyConnectNative

/// Those options that were given, by their names in the core's manifest.
typealias Given = [String: (any OptionConvertible)?]

/// What an option's value can be.
protocol OptionConvertible: Sendable {
    var option: OptionValue { get }
}

extension Bool: OptionConvertible {
    var option: OptionValue { .flag(flag: self) }
}

extension Int: OptionConvertible {
    var option: OptionValue { .integer(integer: Int64(self)) }
}

extension String: OptionConvertible {
    var option: OptionValue { .text(text: self) }
}

extension [String]: OptionConvertible {
    var option: OptionValue { .texts(texts: self) }
}

extension Token: OptionConvertible {
    var option: OptionValue { .token(token: native) }
}

/// What the members of an object can be.
protocol ObjectMember: Encodable, Sendable {}
extension String: ObjectMember {}
extension JSONValue: ObjectMember {}

extension Dictionary: OptionConvertible where Key == String, Value: ObjectMember {
    var option: OptionValue { .object(json: jsonText(self)) }
}

/// A change of a text that may also be removed. A literal sets it: `customerID: "cus_42"`.
public enum TextChange: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The text from now on.
    case set(String)
    /// There is none from now on.
    case clear

    /// Sets the text.
    public init(stringLiteral text: String) { self = .set(text) }
}

extension TextChange: OptionConvertible {
    var option: OptionValue {
        switch self {
        case .set(let text): .text(text: text)
        case .clear: .null
        }
    }
}

extension OptionConvertible where Self: OpenWord {
    var option: OptionValue { .text(text: rawValue) }
}

extension ConnectionStatus: OptionConvertible {}
extension ManagedBy: OptionConvertible {}

extension Duration: OptionConvertible {
    var option: OptionValue {
        let (seconds, attoseconds) = components
        return .number(number: Double(seconds) + Double(attoseconds) * 1e-18)
    }
    /// Without what is less than a second.
    var wholeSeconds: Int { Int(components.seconds) }
}

/// The options of a method and those of every call.
func options(_ own: Given, _ shared: CallOptions? = nil) -> [String: OptionValue] {
    own.merging(shared?.given ?? [:]) { own, _ in own }.compactMapValues { $0?.option }
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

/// JSON text; what JSON cannot hold, such as a number that is none, makes it empty, which the core refuses.
func jsonText(_ value: some Encodable) -> String {
    (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
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
