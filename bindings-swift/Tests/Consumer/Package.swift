// swift-tools-version: 6.0
// Programs of users: they have the SDK as a dependency and see its public side alone.
import PackageDescription

let sdk: [Target.Dependency] = ["PabblyConnect", "PabblyConnectTesting"].map {
    .product(name: $0, package: "bindings-swift")
}

let package = Package(
    name: "consumer",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../..")],
    targets: [
        .executableTarget(name: "docs", dependencies: sdk),
        .executableTarget(name: "scenarios", dependencies: sdk),
        .testTarget(name: "PabblyConnectTests", dependencies: sdk),
    ],
    swiftLanguageModes: [.v6]
)
