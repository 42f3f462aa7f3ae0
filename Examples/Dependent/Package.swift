// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "service",
  dependencies: [
    .package(name: "swift-kexec-handover", path: "../.."),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
  ],
  targets: [
    .executableTarget(
      name: "service",
      dependencies: [
        // PersistentStore and its collections.
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
        // PreservedMemory, Successor, MemoryKeeper: for a service that upgrades itself.
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        // FilePath and FileDescriptor.
        .product(name: "SystemPackage", package: "swift-system"),
      ])
  ]
)
