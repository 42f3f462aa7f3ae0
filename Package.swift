// swift-tools-version: 6.2
import PackageDescription

/// `KHO_EMBEDDED=1` leaves only the core and its probe, compiled as Embedded Swift for a bare machine:
///
///     KHO_EMBEDDED=1 swift build -c release --triple x86_64-unknown-none-elf --scratch-path .build-embedded
let isEmbedded = Context.environment["KHO_EMBEDDED"] == "1"

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let core: [SwiftSetting] =
  strict + [.enableExperimentalFeature("Lifetimes")]
  + (isEmbedded ? [.enableExperimentalFeature("Embedded")] : [])

let coreTargets: [Target] = [
  .target(name: "MemoryAccess", swiftSettings: core),
  .target(name: "DeviceTreeBlob", swiftSettings: core),
  .target(name: "PreservedPages", dependencies: ["MemoryAccess"], swiftSettings: core),
  .target(name: "PageAllocation", dependencies: ["MemoryAccess"], swiftSettings: core),
  .target(
    name: "Handover",
    dependencies: ["MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation"],
    swiftSettings: core),
]

let coreProduct = Product.library(
  name: "KexecHandoverCore",
  targets: ["MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover"])

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let hostedTargets: [Target] = [
  .target(name: "CPlatform"),
  .target(name: "Platform", dependencies: ["CPlatform", system], swiftSettings: strict),
  .target(name: "Decompression", dependencies: ["MemoryAccess"], swiftSettings: strict),
  .target(
    name: "MemoryImages", dependencies: ["MemoryAccess", "Platform", "Decompression", system],
    swiftSettings: strict),
  .target(
    name: "ProcessHandover",
    dependencies: [
      "MemoryAccess", "PreservedPages", "PageAllocation", "Handover",
      "MemoryImages", "Platform", system,
    ],
    swiftSettings: strict),
  .target(
    name: "PersistentCollections",
    dependencies: ["Handover", "MemoryAccess", "Platform", "ProcessHandover", system],
    swiftSettings: strict),
  .target(
    name: "HandoverInspection",
    dependencies: [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "MemoryImages", "Platform", "PersistentCollections", "ProcessHandover", system,
    ],
    swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
  .target(
    name: "HandoverForge",
    dependencies: [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "MemoryImages", "HandoverInspection", "Platform", system,
    ],
    swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
  .target(
    name: "KexecHandover",
    dependencies: [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "Decompression", "MemoryImages", "HandoverForge", "HandoverInspection", "ProcessHandover",
    ],
    swiftSettings: strict),
  .target(
    name: "HandoverDemo", dependencies: ["KexecHandover", "Platform", system],
    swiftSettings: strict),
  .target(
    name: "KHOCommands",
    dependencies: [
      "HandoverDemo", "KexecHandover", "PersistentCollections", "Platform", argumentParser, system,
    ],
    resources: [
      .embedInCode("HTML/map.js"), .embedInCode("HTML/map.css"), .embedInCode("HTML/map-body.html"),
    ],
    swiftSettings: strict),
  .executableTarget(name: "kho", dependencies: ["KHOCommands", "Platform"], swiftSettings: strict),
  .target(
    name: "HandoverTestSupport", dependencies: ["KexecHandover", "Platform", system],
    path: "Tests/HandoverTestSupport",
    swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
  .executableTarget(
    name: "ProcessHandoverHelper",
    dependencies: ["MemoryAccess", "PersistentCollections", "Platform", "ProcessHandover", system],
    path: "Tests/ProcessHandoverHelper", swiftSettings: strict),
  .executableTarget(
    name: "kho-torture",
    dependencies: [
      "HandoverDemo", "KHOCommands", "KexecHandover", "PersistentCollections", "Platform",
      argumentParser, system,
    ],
    path: "Tests/HandoverTorture", swiftSettings: strict),
  .executableTarget(
    name: "LabGuest", dependencies: ["KexecHandover", "Platform", system], path: "Lab/Guest",
    exclude: ["init", "lab-commands", "lab-initramfs", "lab-kexec", "retrieve.c"],
    swiftSettings: strict),
  .target(
    name: "FuzzTargets", dependencies: ["KexecHandover", "Platform", system],
    path: "Tests/FuzzTargets",
    swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
]

/// `KHO_TESTS=PreservedPages,Handover` leaves only the tests of these targets, so that a change is built
/// and tested in less time. Without it, all tests are built.
let chosenTests = Context.environment["KHO_TESTS"]?.split(separator: ",").map { "\($0)Tests" }

func isChosen(_ target: Target) -> Bool {
  target.type != .test || chosenTests?.contains(target.name) ?? true
}

func tests(of name: String, also more: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: [.init(stringLiteral: name), "HandoverTestSupport", "KexecHandover", "Platform"]
      + more,
    swiftSettings: strict)
}

let package = Package(
  name: "swift-kexec-handover",
  // The package runs on Linux. `platforms:` names the oldest versions of Apple's systems, on which it
  // does not build, so there is none.
  products: isEmbedded
    ? [coreProduct, .library(name: "EmbeddedProbe", type: .static, targets: ["EmbeddedProbe"])]
    : [
      .library(name: "KexecHandover", targets: ["KexecHandover"]),
      .library(name: "HandoverInspection", targets: ["HandoverInspection"]),
      .library(name: "PersistentCollections", targets: ["PersistentCollections"]),
      .library(name: "ProcessHandover", targets: ["ProcessHandover", "MemoryAccess"]),
      coreProduct,
      .executable(name: "kho", targets: ["kho"]),
    ],
  dependencies: isEmbedded
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
      .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    ],
  targets: (coreTargets
    + (isEmbedded
      ? [
        .target(
          name: "EmbeddedProbe",
          dependencies: [
            "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
          ],
          swiftSettings: core)
      ]
      : hostedTargets + [
        tests(of: "MemoryAccess"),
        tests(of: "DeviceTreeBlob"),
        tests(of: "PreservedPages"),
        tests(of: "PageAllocation"),
        tests(of: "Decompression"),
        tests(of: "MemoryImages"),
        tests(of: "Handover"),
        tests(of: "HandoverForge", also: ["HandoverInspection", system]),
        tests(of: "HandoverInspection", also: [system]),
        tests(
          of: "ProcessHandover", also: ["PersistentCollections", "ProcessHandoverHelper", system]),
        tests(of: "PersistentCollections", also: [system]),
        tests(of: "KHOCommands", also: ["kho", "kho-torture", "PersistentCollections", system]),
        .testTarget(
          name: "LabTests",
          dependencies: [
            "LabGuest", "kho", "HandoverTestSupport", "KexecHandover", "Platform", system,
          ],
          path: "Lab/Tests", swiftSettings: strict),
        .testTarget(name: "LayeringTests", swiftSettings: strict),
        .testTarget(
          name: "FuzzReplayTests", dependencies: ["FuzzTargets", "KexecHandover"],
          swiftSettings: strict),
      ]))
    .filter(isChosen),
  swiftLanguageModes: [.v6]
)
