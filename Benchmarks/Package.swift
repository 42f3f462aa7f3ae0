// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never resolve what measuring needs.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "swift-kexec-handover", path: "..")],
  targets: [
    .executableTarget(
      name: "TreeSpeed",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "TakeoverSpeed",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6]
)
