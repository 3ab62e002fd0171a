// swift-tools-version: 6.0
// A program of a user: it has the SDK as a dependency and sees its public side alone.
import PackageDescription

let package = Package(
    name: "consumer",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "pabbly-connect", path: "../..")],
    targets: [
        .executableTarget(
            name: "scenarios", dependencies: [.product(name: "PabblyConnect", package: "pabbly-connect")])
    ],
    swiftLanguageModes: [.v6]
)
