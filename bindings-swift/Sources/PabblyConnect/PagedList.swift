internal import PabblyConnectNative

/// A list that the service gives in pages. Nothing is sent until it is asked for: one page by ``page()``, or all items by
/// `for try await`, which gets each page when it is needed and begins anew each time.
public struct PagedList<Item: ListItem>: AsyncSequence, Sendable {
    private let source: PageSource<Item>

    init(_ source: PageSource<Item>) {
        self.source = source
    }

    /// The page that was asked for, by default the first; one call.
    public func page() async throws -> Page<Item> {
        switch source {
        case .core(let start):
            let list = try immediate(start)
            return try decoded(try await cancellable { try await list.page(cancellation: $0) })
        case .only(let page):
            return try await page()
        }
    }

    /// All pages, beginning with the one that was asked for.
    public var pages: Pages { Pages(source: source) }

    /// Goes over all items of all pages.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pages: pages.makeAsyncIterator())
    }

    /// Goes over the items of one page after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var pages: Pages.AsyncIterator
        var items = [Item]().makeIterator()

        /// The next item, with a call where a page is used up; `nil` at the end.
        public mutating func next() async throws -> Item? {
            while true {
                if let item = items.next() { return item }
                guard let page = try await pages.next() else { return nil }
                items = page.items.makeIterator()
            }
        }
    }

    /// The pages of a list.
    public struct Pages: AsyncSequence, Sendable {
        let source: PageSource<Item>

        /// Goes over all pages.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(source: source)
        }

        /// Gets one page after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let source: PageSource<Item>
            var native: PabblyConnectNative.Pages?
            var isOver = false

            init(source: PageSource<Item>) {
                self.source = source
            }

            /// The next page, one call; `nil` at the end.
            public mutating func next() async throws -> Page<Item>? {
                switch source {
                case .core(let start):
                    let native = if let native { native } else { try immediate { try start().pages() } }
                    self.native = native
                    let json = try await cancellable { try await native.next(cancellation: $0) }
                    return try json.map { try decoded($0) }
                case .only(let page):
                    if isOver { return nil }
                    isOver = true
                    return try await page()
                }
            }
        }
    }
}

/// Where the pages of a list come from.
enum PageSource<Item: ListItem>: Sendable {
    /// The service, one after the other.
    case core(@Sendable () throws -> List)
    /// A test, which gives this one.
    case only(@Sendable () async throws -> Page<Item>)
}

/// What a list can be made of: ``App``, ``Connection`` and ``Contact``.
public protocol ListItem: Codable, Sendable {
    /// The name of the list on the wire.
    static var listName: String { get }
}

/// One page of a list.
public struct Page<Item: ListItem>: Codable, Sendable {
    /// What the page holds.
    public let items: [Item]
    /// Which page this is, from 1.
    public let page: Int?
    /// How many items a full page holds.
    public let limit: Int?
    /// How many items there are on all pages.
    public let total: Int?
    /// Where the next page begins; none on the last page. Only of contacts.
    public let nextCursor: String?
    /// The connections whose contacts are missing, or the rest of them. Only of contacts.
    public let errors: [FailedConnection]
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes a page; only the SDK and tests do.
    public init(
        items: [Item], page: Int? = nil, limit: Int? = nil, total: Int? = nil, nextCursor: String? = nil,
        errors: [FailedConnection] = []
    ) {
        self.items = items
        self.page = page
        self.limit = limit
        self.total = total
        self.nextCursor = nextCursor
        self.errors = errors
        extra = [:]
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
        items = try members.required(Item.listName)
        page = try members.optional("page")
        limit = try members.optional("limit")
        total = try members.optional("total")
        nextCursor = try members.optional("next_cursor")
        errors = try members.optional("errors") ?? []
        extra = try members.others(than: Item.listName, "page", "limit", "total", "next_cursor", "errors")
    }

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(items, forKey: Member(Item.listName))
        try members.encodeIfPresent(page, forKey: Member("page"))
        try members.encodeIfPresent(limit, forKey: Member("limit"))
        try members.encodeIfPresent(total, forKey: Member("total"))
        try members.encodeIfPresent(nextCursor, forKey: Member("next_cursor"))
        if !errors.isEmpty { try members.encode(errors, forKey: Member("errors")) }
        try members.encode(extra)
    }
}
