// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never see it. `run` builds and starts it.

let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let library = Target.Dependency.product(name: "KexecHandover", package: "swift-kexec-handover")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func fuzzer(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["FuzzTargets", "CLibFuzzer"], swiftSettings: settings)
}

let package = Package(
  name: "Fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swift-kexec-handover", path: ".."),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
  ],
  targets: [
    .target(name: "CLibFuzzer"),
    // A link to Tests/FuzzTargets: the tests run every file of the corpus through the same code.
    .target(
      name: "FuzzTargets", dependencies: [library, system],
      swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
    fuzzer("FuzzDeviceTree"),
    fuzzer("FuzzImages"),
    fuzzer("FuzzDecompression"),
    .executableTarget(name: "MakeSeeds", dependencies: [library, system], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6])
