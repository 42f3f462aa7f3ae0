// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Examples",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swift-kexec-handover", path: ".."),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
  ],
  targets: [
    .executableTarget(
      name: "PreservePages",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "SurviveRestart",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "DiffImages",
      dependencies: [
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "ServiceStore",
      dependencies: [.product(name: "PersistentCollections", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "UpgradingService",
      dependencies: [
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .target(
      name: "ArticleExamples",
      dependencies: [
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "GuestHandover",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6]
)
