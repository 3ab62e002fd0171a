// swift-tools-version: 6.0
// An app: it depends on nothing but the connect flow, and sees its public side alone.
import PackageDescription

let package = Package(
    name: "app",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "pabbly-connect", path: "../..")],
    targets: [
        .executableTarget(
            name: "app", dependencies: [.product(name: "PabblyConnectFlow", package: "pabbly-connect")])
    ],
    swiftLanguageModes: [.v6]
)
