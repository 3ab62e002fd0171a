// Between the calls that users make and those of the native module.

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

extension ConnectionStatus: OptionConvertible {
    var option: OptionValue { .text(text: rawValue) }
}

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

extension Client {
    /// Makes a call and reads what it gives.
    func result<Value: Decodable & Sendable>(
        _ method: String, _ email: String?, _ arguments: [String], _ own: Given, _ shared: CallOptions? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> Value {
        try decoded(try await json(method, email, arguments, own, shared, onPoll: onPoll))
    }

    /// Makes a call and gives the JSON text that came.
    @discardableResult
    func json(
        _ method: String, _ email: String?, _ arguments: [String], _ own: Given, _ shared: CallOptions? = nil,
        onPoll: (@Sendable (Poll) -> Void)? = nil
    ) async throws -> String {
        try await cancellable {
            try await json(
                method: method, email: email, arguments: arguments, options: options(own, shared),
                listener: onPoll.map { onPoll in Forwarder { onPoll(Poll($0)) } }, cancellation: $0)
        }
    }

    /// Makes a call that gives a credential.
    func token(
        _ method: String, _ email: String, _ arguments: [String], _ own: Given, _ shared: CallOptions
    ) async throws -> Token {
        let native = try await cancellable {
            try await token(
                method: method, email: email, arguments: arguments, options: options(own, shared), cancellation: $0)
        }
        return Token(native: native)
    }

    /// A list, of which nothing is sent yet.
    func list<Item: ListItem>(
        _ method: String, _ email: String?, _ own: Given, _ shared: CallOptions
    ) -> PagedList<Item> {
        PagedList { [self] in try list(method: method, email: email, options: options(own, shared)) }
    }

    /// The feed, of which nothing is sent yet.
    func feed(_ method: String, after: String?, _ own: Given, _ shared: CallOptions) -> EventFeed {
        EventFeed(after: after) { [self] in try feed(method: method, options: options(own, shared)) }
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
