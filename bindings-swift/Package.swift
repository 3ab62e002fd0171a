// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "pabbly-connect",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "PabblyConnect", targets: ["PabblyConnect"]),
        .library(name: "PabblyConnectFlow", targets: ["PabblyConnectFlow"]),
    ],
    targets: [
        // For servers: the whole client. Its tests are a user's, in Tests/Consumer: a program links one of the two
        // products, since each brings Rust's standard library.
        .target(name: "PabblyConnect", dependencies: ["PabblyConnectNative"]),
        .target(name: "PabblyConnectNative", dependencies: ["PabblyConnectFFI"]),
        .systemLibrary(name: "PabblyConnectFFI", pkgConfig: "pabbly-connect"),
        // For apps: the connect flow, without a tenant key.
        .target(name: "PabblyConnectFlow", dependencies: ["PabblyConnectFlowNative"]),
        .target(name: "PabblyConnectFlowNative", dependencies: ["PabblyConnectFlowFFI"]),
        .systemLibrary(name: "PabblyConnectFlowFFI", pkgConfig: "pabbly-connect-flow"),
        .testTarget(name: "PabblyConnectFlowTests", dependencies: ["PabblyConnectFlow"]),
    ],
    swiftLanguageModes: [.v6]
)
