// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "pabbly-connect",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "PabblyConnectFlow", targets: ["PabblyConnectFlow"])
    ],
    targets: [
        .target(name: "PabblyConnectFlow", dependencies: ["PabblyConnectFlowNative"]),
        .target(name: "PabblyConnectFlowNative", dependencies: ["PabblyConnectFlowFFI"]),
        .systemLibrary(name: "PabblyConnectFlowFFI", pkgConfig: "pabbly-connect-flow"),
        .testTarget(name: "PabblyConnectFlowTests", dependencies: ["PabblyConnectFlow"]),
    ],
    swiftLanguageModes: [.v6]
)
