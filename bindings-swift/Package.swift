// swift-tools-version: 6.0
import PackageDescription

/// Where the published xcframeworks are, and their checksums. Written by `xcframework`; until then, Apple's platforms use
/// those that it has built here.
let published: [String: (url: String?, checksum: String)] = [
    "PabblyConnectFFI": (nil, ""),
    "PabblyConnectFlowFFI": (nil, ""),
]

/// The core: built for Apple's platforms, a system library on Linux (see `native`).
func core(_ name: String, pkgConfig: String) -> Target {
    #if os(macOS)
        if let release = published[name], let url = release.url {
            return .binaryTarget(name: name, url: url, checksum: release.checksum)
        }
        return .binaryTarget(name: name, path: ".build/xcframework/\(name).xcframework")
    #else
        return .systemLibrary(name: name, pkgConfig: pkgConfig)
    #endif
}

let package = Package(
    name: "pabbly-connect",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "PabblyConnect", targets: ["PabblyConnect"]),
        .library(name: "PabblyConnectTesting", targets: ["PabblyConnectTesting"]),
        .library(name: "PabblyConnectFlow", targets: ["PabblyConnectFlow"]),
    ],
    targets: [
        // For servers: the whole client. Its tests are a user's, in Tests/Consumer: a program links one of the two
        // products, since each brings Rust's standard library.
        .target(name: "PabblyConnect", dependencies: ["PabblyConnectNative"]),
        // For tests of what uses it: a fake client, and the emulator.
        .target(name: "PabblyConnectTesting", dependencies: ["PabblyConnect"]),
        .target(name: "PabblyConnectNative", dependencies: ["PabblyConnectFFI"]),
        core("PabblyConnectFFI", pkgConfig: "pabbly-connect"),
        // For apps: the connect flow, without a tenant key.
        .target(name: "PabblyConnectFlow", dependencies: ["PabblyConnectFlowNative"]),
        .target(name: "PabblyConnectFlowNative", dependencies: ["PabblyConnectFlowFFI"]),
        core("PabblyConnectFlowFFI", pkgConfig: "pabbly-connect-flow"),
        .testTarget(name: "PabblyConnectFlowTests", dependencies: ["PabblyConnectFlow"]),
    ],
    swiftLanguageModes: [.v6]
)
