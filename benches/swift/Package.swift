// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "bench-swift",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../bindings-swift")],
    targets: [
        .executableTarget(name: "peer", dependencies: [.product(name: "PabblyConnect", package: "bindings-swift")])
    ],
    swiftLanguageModes: [.v6]
)
