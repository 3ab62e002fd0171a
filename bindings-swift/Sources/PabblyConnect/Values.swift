// What the models are made of.

public import Foundation
internal import PabblyConnectNative

/// A point in time, as the service wrote it (RFC 3339).
public struct Timestamp: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The text as it came.
    public let text: String
    /// The same as a date.
    public let date: Date

    /// Reads a text; `nil` where it is no time.
    public init?(_ text: String) {
        guard let seconds = unixTime(text: text) else { return nil }
        self.text = text
        date = Date(timeIntervalSince1970: seconds)
    }

    /// Reads a text.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        guard let timestamp = Timestamp(try value.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "not a time of RFC 3339")
        }
        self = timestamp
    }

    /// Writes the text as it came.
    public func encode(to encoder: any Encoder) throws {
        try text.encode(to: encoder)
    }

    /// The text as it came.
    public var description: String { text }
}

/// A word of the contract, open to words that a newer service may send.
public protocol OpenWord: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible
where RawValue == String {
    /// Takes a word as it is on the wire.
    init(rawValue: String)
}

extension OpenWord {
    /// The word as it is on the wire.
    public var description: String { rawValue }
}
