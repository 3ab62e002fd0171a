// The methods that a fake client can be told about.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

public import PabblyConnect

extension FakeMethod where Value == Page<App> {
    /// `listApps`
    public static var listApps: Self { Self(name: "listApps") }
}

extension FakeMethod where Value == App {
    /// `getApp`
    public static var getApp: Self { Self(name: "getApp") }
}

extension FakeMethod where Value == RequestLink {
    /// `createRequestLink`
    public static var createRequestLink: Self { Self(name: "createRequestLink") }
}

extension FakeMethod where Value == Connection {
    /// `getConnection`
    public static var getConnection: Self { Self(name: "getConnection") }
}

extension FakeMethod where Value == Connection {
    /// `waitForConnection`
    public static var waitForConnection: Self { Self(name: "waitForConnection") }
}

extension FakeMethod where Value == Connection {
    /// `confirmConnection`
    public static var confirmConnection: Self { Self(name: "confirmConnection") }
}

extension FakeMethod where Value == Token {
    /// `getToken`
    public static var getToken: Self { Self(name: "getToken") }
}

extension FakeMethod where Value == ProxyResponse {
    /// `proxy`
    public static var proxy: Self { Self(name: "proxy") }
}

extension FakeMethod where Value == Page<Connection> {
    /// `listConnections`
    public static var listConnections: Self { Self(name: "listConnections") }
}

extension FakeMethod where Value == Connection {
    /// `updateConnection`
    public static var updateConnection: Self { Self(name: "updateConnection") }
}

extension FakeMethod where Value == Connection {
    /// `importConnection`
    public static var importConnection: Self { Self(name: "importConnection") }
}

extension FakeMethod where Value == Verification {
    /// `verifyConnection`
    public static var verifyConnection: Self { Self(name: "verifyConnection") }
}

extension FakeMethod where Value == Void {
    /// `addUsage`
    public static var addUsage: Self { Self(name: "addUsage") }
}

extension FakeMethod where Value == Void {
    /// `removeUsage`
    public static var removeUsage: Self { Self(name: "removeUsage") }
}

extension FakeMethod where Value == Void {
    /// `deleteConnection`
    public static var deleteConnection: Self { Self(name: "deleteConnection") }
}

extension FakeMethod where Value == AuthOptionList {
    /// `listAuthOptions`
    public static var listAuthOptions: Self { Self(name: "listAuthOptions") }
}

extension FakeMethod where Value == Submission {
    /// `submitCredentials`
    public static var submitCredentials: Self { Self(name: "submitCredentials") }
}

extension FakeMethod where Value == KeyList {
    /// `listKeys`
    public static var listKeys: Self { Self(name: "listKeys") }
}

extension FakeMethod where Value == RotatedKey {
    /// `rotateKey`
    public static var rotateKey: Self { Self(name: "rotateKey") }
}

extension FakeMethod where Value == PromotedKey {
    /// `promoteKey`
    public static var promoteKey: Self { Self(name: "promoteKey") }
}

extension FakeMethod where Value == [Event] {
    /// `events`
    public static var events: Self { Self(name: "events") }
}

/// Options whose names in Swift are others than in the core.
let swiftNames = [
    "appId": "appID",
    "connectionId": "connectionID",
    "customerId": "customerID",
    "keyId": "keyID",
    "returnUrl": "returnURL",
    "webhookUrl": "webhookURL",
]
