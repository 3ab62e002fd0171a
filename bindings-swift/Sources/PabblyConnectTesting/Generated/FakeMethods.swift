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

extension FakeMethod where Value == Page<Contact> {
    /// `listContacts`
    public static var listContacts: Self { Self(name: "listContacts") }
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

extension FakeMethod where Value == Erasure {
    /// `deleteCustomer`
    public static var deleteCustomer: Self { Self(name: "deleteCustomer") }
}

extension FakeMethod where Value == AppSettings {
    /// `getAppSettings`
    public static var getAppSettings: Self { Self(name: "getAppSettings") }
}

extension FakeMethod where Value == AppSettings {
    /// `setAppSettings`
    public static var setAppSettings: Self { Self(name: "setAppSettings") }
}

extension FakeMethod where Value == OAuthClient {
    /// `setOAuthClient`
    public static var setOAuthClient: Self { Self(name: "setOAuthClient") }
}

extension FakeMethod where Value == OAuthClient {
    /// `getOAuthClient`
    public static var getOAuthClient: Self { Self(name: "getOAuthClient") }
}

extension FakeMethod where Value == OAuthClientRemoval {
    /// `deleteOAuthClient`
    public static var deleteOAuthClient: Self { Self(name: "deleteOAuthClient") }
}

extension FakeMethod where Value == OAuthClient {
    /// `setOrganizationOAuthClient`
    public static var setOrganizationOAuthClient: Self { Self(name: "setOrganizationOAuthClient") }
}

extension FakeMethod where Value == OAuthClient {
    /// `getOrganizationOAuthClient`
    public static var getOrganizationOAuthClient: Self { Self(name: "getOrganizationOAuthClient") }
}

extension FakeMethod where Value == OAuthClientRemoval {
    /// `deleteOrganizationOAuthClient`
    public static var deleteOrganizationOAuthClient: Self { Self(name: "deleteOrganizationOAuthClient") }
}

extension FakeMethod where Value == Erasure {
    /// `deleteOrganizationApp`
    public static var deleteOrganizationApp: Self { Self(name: "deleteOrganizationApp") }
}

extension FakeMethod where Value == AdminLink {
    /// `createAdminLink`
    public static var createAdminLink: Self { Self(name: "createAdminLink") }
}

extension FakeMethod where Value == [Event] {
    /// `events`
    public static var events: Self { Self(name: "events") }
}

/// Options whose names in Swift are others than in the core.
let swiftNames = [
    "appId": "appID",
    "clientId": "clientID",
    "connectionId": "connectionID",
    "customerId": "customerID",
    "keyId": "keyID",
    "returnUrl": "returnURL",
    "webhookUrl": "webhookURL",
]
