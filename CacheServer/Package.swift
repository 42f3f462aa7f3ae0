// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

let library = Target.Dependency.product(name: "KexecHandover", package: "swift-kexec-handover")
/// Of the library, what a service needs: without it, the program would contain the inspection of handovers.
let processHandover = Target.Dependency.product(
  name: "ProcessHandover", package: "swift-kexec-handover")
let collections = Target.Dependency.product(
  name: "PersistentCollections", package: "swift-kexec-handover")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let posix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let locks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
/// BoringSSL, which swift-nio-ssl contains, is 283 files of C and C++. A build without the trait leaves it out.
let tls = Target.Dependency.product(
  name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"]))
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")

/// A crash restart is as fast as the program starts, so nothing is left to load or to relocate: it took
/// 7 ms instead of 11 when that was measured. lld, which comes with the toolchain, since the default linker warns of what
/// Foundation has and the server does not call. Only of this executable, on which nothing depends.
let startsFast: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-executable", "-use-ld=lld"], .when(platforms: [.linux], configuration: .release)),
  // What ArgumentParser needs of Foundation names no libraries of its own.
  .linkedLibrary("_FoundationCShims", .when(platforms: [.linux], configuration: .release)),
  .linkedLibrary("_FoundationCollections", .when(platforms: [.linux], configuration: .release)),
]

let package = Package(
  name: "CacheServer",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "cache-server", targets: ["cache-server"]),
    .executable(name: "cache-trials", targets: ["CacheTrials"]),
  ],
  traits: [
    .trait(name: "TLS", description: "Serves clients that encrypt: tls-port and its certificate.")
  ],
  dependencies: [
    .package(name: "swift-kexec-handover", path: ".."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(name: "RESP", dependencies: [nio], swiftSettings: strict),
    .target(name: "MemcachedProtocol", dependencies: ["RESP", nio], swiftSettings: strict),
    .target(
      name: "CacheCore",
      dependencies: ["RESP", "MemcachedProtocol", nio, processHandover, collections],
      swiftSettings: strict),
    .target(name: "CServerSupport"),
    .target(
      name: "CacheServer",
      dependencies: [
        "CServerSupport", "RESP", "MemcachedProtocol", "CacheCore", processHandover, collections,
        nio, posix, locks, tls, logging, system, lifecycle, signals,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "cache-server", dependencies: ["CacheServer"], swiftSettings: strict,
      linkerSettings: startsFast),
    // The least that a service of one's own needs: shown in README.md.
    .executableTarget(
      name: "visit-counter", dependencies: [library, collections, posix, nio, signals],
      swiftSettings: strict),
    .target(
      name: "CacheTestSupport", dependencies: ["TrialSupport"], path: "Tests/CacheTestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "RESPTests", dependencies: ["RESP", "CacheTestSupport", "TrialSupport", nio],
      swiftSettings: strict),
    .testTarget(
      name: "MemcachedProtocolTests",
      dependencies: ["MemcachedProtocol", "RESP", "CacheTestSupport", "TrialSupport", nio],
      swiftSettings: strict),
    .testTarget(
      name: "CacheCoreTests",
      dependencies: [
        "CacheCore", "RESP", "CacheTestSupport", "TrialSupport", library, collections, nio, system,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "StraySuccessor", dependencies: [library], path: "Tests/StraySuccessor",
      swiftSettings: strict),
    .testTarget(
      name: "CacheServerTests",
      dependencies: [
        "cache-server", "StraySuccessor", "CacheTestSupport", "TrialSupport", library, system,
      ],
      swiftSettings: strict),
    // What proves and measures the server, beside redis-server and memcached.
    .target(name: "CTrialSupport"),
    .target(
      name: "TrialSupport", dependencies: ["CTrialSupport", system], swiftSettings: strict),
    .executableTarget(
      name: "CacheTrials", dependencies: ["TrialSupport", argumentParser],
      swiftSettings: strict),
    .testTarget(
      name: "TrialSupportTests", dependencies: ["TrialSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
