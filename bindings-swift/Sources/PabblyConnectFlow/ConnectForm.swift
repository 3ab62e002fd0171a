import Foundation
internal import PabblyConnectFlowNative

/// One way to connect one of the link's apps, for a connection form of the app's own.
public struct ConnectAuthOption: Sendable, Hashable, Identifiable {
    /// The id of the app that it is a way to connect; nil where the platform does not tell.
    public let appID: String?
    /// The app's name.
    public let appName: String?
    /// Unique within its app.
    public let key: String
    /// How the customer authorises, such as `o_auth` or `api_key`; a newer platform may say others.
    public let authType: String
    /// The name to show.
    public let title: String
    /// What the customer needs for it.
    public let description: String?
    /// What the customer is asked for, in this order; empty where nothing is asked.
    public let fields: [ConnectField]

    /// Unique among the link's options.
    public var id: String { "\(appID ?? "")/\(key)" }
}

/// One field of a connection form.
public struct ConnectField: Sendable, Hashable, Identifiable {
    /// The field's name.
    public let id: String
    /// Its label.
    public let title: String
    /// A hint.
    public let description: String?
    /// What it wants, such as `uri` or `email`; a newer platform may say others.
    public let format: String?
    /// Whether it may not be empty.
    public let isRequired: Bool
    /// Whether what is typed is to be hidden.
    public let isSecret: Bool
    /// What the form starts with.
    public let defaultValue: String?
    /// The values to choose from; empty where the customer types.
    public let choices: [ConnectChoice]
}

/// One value to choose.
public struct ConnectChoice: Sendable, Hashable, Identifiable {
    /// The value.
    public let id: String
    /// What to show.
    public let title: String
}

/// What became of a submitted form.
public enum ConnectSubmission: Sendable, Hashable {
    /// The connection is active.
    case active
    /// The customer goes on at this address, in a browser.
    case authorize(URL)
    /// Neither yet.
    case pending
}

extension ConnectLink {
    /// The ways to connect the link's apps, for a form of the app's own instead of the hosted page. Asks once.
    ///
    /// - Throws: ``ConnectError``, or `CancellationError` where the task was cancelled.
    public func authOptions() async throws -> [ConnectAuthOption] {
        try await asking { try await $0.authOptions() }.map { option in
            ConnectAuthOption(
                appID: option.appId, appName: option.appName, key: option.key, authType: option.authType,
                title: option.title, description: option.description,
                fields: option.fields.map { field in
                    ConnectField(
                        id: field.name, title: field.title ?? field.name, description: field.description,
                        format: field.format, isRequired: field.isRequired, isSecret: field.isSecret,
                        defaultValue: field.defaultValue,
                        choices: field.choices.map { ConnectChoice(id: $0.value, title: $0.title) })
                })
        }
    }

    /// Submits a form of the app's own, once.
    ///
    /// - Parameters:
    ///   - option: The way that the customer chose.
    ///   - fields: What the customer entered, by the ``ConnectField/id`` of each field.
    /// - Throws: ``ConnectError/invalidFields(_:)`` where fields are at fault and the customer may try again, another
    ///   ``ConnectError``, or `CancellationError` where the task was cancelled.
    public func submit(_ option: ConnectAuthOption, fields: [String: String] = [:]) async throws -> ConnectSubmission {
        let submission = try await asking {
            try await $0.submit(appId: option.appID, authOptionKey: option.key, fields: fields)
        }
        if let address = submission.authorizeUrl.flatMap(URL.init(string:)) { return .authorize(address) }
        return submission.status == "active" ? .active : .pending
    }

    private func asking<Answer: Sendable>(_ ask: (Question) async throws -> Answer) async throws -> Answer {
        do {
            return try await Platform(self).cancellable(ask)
        } catch let failure as Failure {
            throw failure.forCaller
        }
    }
}
