internal import PabblyConnectNative

/// The feed of events. `for try await` gives one after the other; each loop begins anew.
public struct EventFeed: AsyncSequence, Sendable {
    let after: String?
    let source: EventSource

    /// Goes over the events, from where the feed was asked for.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: source, cursor: after, end: after)
    }

    /// Goes over the events. After an error, the next call goes on: no event is given twice.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: EventSource
        /// After which event the feed goes on, for `after`; `nil` before the first. It also moves where a filter leaves events
        /// out.
        public private(set) var cursor: String?
        var end: String?
        var events = [Event]().makeIterator()
        var native: Pages?
        var isOver = false

        /// The next event, as soon as there is one; `nil` at the end, which only a feed without a wait has.
        public mutating func next() async throws -> Event? {
            while true {
                if let event = events.next() {
                    cursor = event.cursor
                    return event
                }
                cursor = end
                switch source {
                case .core(let start):
                    let native = if let native { native } else { try immediate(start) }
                    self.native = native
                    let json = try await cancellable { try await native.next(cancellation: $0) }
                    guard let json else { return nil }
                    let page: EventPage = try decoded(json)
                    events = page.events.makeIterator()
                    end = page.next_cursor
                case .only(let given):
                    if isOver { return nil }
                    isOver = true
                    let given = try await given()
                    events = given.makeIterator()
                    end = given.last?.cursor ?? end
                }
            }
        }
    }
}

/// Where the events of a feed come from.
enum EventSource: Sendable {
    /// The service, one page after the other.
    case core(@Sendable () throws -> Pages)
    /// A test, which gives these.
    case only(@Sendable () async throws -> [Event])
}

private struct EventPage: Decodable {
    let events: [Event]
    let next_cursor: String
}

/// Something that happened to one of the tenant's connections, OAuth clients or keys.
public struct Event: Codable, Hashable, Sendable, Identifiable {
    /// Opaque, and the same however often the event is given or brought: by it you know what you have handled.
    public let id: String
    /// When it happened.
    public let timestamp: Timestamp
    /// Its place in the feed, from which `events` goes on; empty for an event that is in no feed.
    public let cursor: String
    /// What happened.
    public let data: EventData
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// What happened, as on the wire, such as `connection.active`.
    public var type: String { data.type }

    /// Makes an event; only the SDK and tests do.
    public init(
        id: String, timestamp: Timestamp, cursor: String = "", data: EventData, extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.timestamp = timestamp
        self.cursor = cursor
        self.data = data
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        id = try members.required("id")
        timestamp = try members.required("timestamp")
        cursor = try members.optional("cursor") ?? ""
        data = try EventData(members.required("type"), members)
        extra = try members.others(than: "id", "type", "timestamp", "cursor", "data")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: Member("id"))
        try members.encode(type, forKey: Member("type"))
        try members.encode(timestamp, forKey: Member("timestamp"))
        try members.encode(cursor, forKey: Member("cursor"))
        try data.encode(&members)
        try members.encode(extra)
    }
}
