// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The C libraries that the product is compared with: Debian's libroaring-dev and libjudy-dev. Where
// one is not installed, its column says so.
func isInstalled(_ header: String) -> Bool {
  ["/usr/include/", "/usr/local/include/"].contains {
    FileManager.default.fileExists(atPath: $0 + header)
  }
}
let hasRoaring = isInstalled("roaring/roaring64map.hh")
let hasJudy = isInstalled("Judy.h")

// A process that takes over is linked statically, as README.md recommends: nothing is left to load or to relocate.
// With KHO_BENCHMARKS_DYNAMIC=1 it is linked as `swift build` links by default. lld comes with the toolchain.
let startsFast: [LinkerSetting] =
  Context.environment["KHO_BENCHMARKS_DYNAMIC"] == nil
  ? [
    .unsafeFlags(
      ["-static-executable", "-use-ld=lld"], .when(platforms: [.linux], configuration: .release))
  ] : []

// A package of its own, so that users of the library never resolve what measuring needs.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swift-kexec-handover", path: ".."),
    .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
    // Without its traits, which count allocations with more packages: the product makes none.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.30.0", traits: []),
  ],
  targets: [
    .target(
      name: "Peers",
      cSettings: (hasRoaring ? [.define("HAVE_ROARING")] : [])
        + (hasJudy ? [.define("HAVE_JUDY")] : []),
      cxxSettings: hasRoaring ? [.define("HAVE_ROARING")] : [],
      linkerSettings: (hasRoaring ? [.linkedLibrary("roaring")] : [])
        + (hasJudy ? [.linkedLibrary("Judy")] : [])),
    .target(
      name: "Measuring",
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .target(
      name: "TreeWorkloads",
      dependencies: [
        "Measuring",
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "HandoverBenchmarks",
      dependencies: [
        "TreeWorkloads",
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
      ],
      path: "Benchmarks/HandoverBenchmarks",
      swiftSettings: [.treatAllWarnings(as: .error)],
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    .executableTarget(
      name: "TreeSpeed",
      dependencies: [
        "Measuring",
        "Peers",
        "TreeWorkloads",
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "BitCollections", package: "swift-collections"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "HotPaths",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "MapSpeed",
      dependencies: [
        "Measuring",
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
      ],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "TakeoverSpeed",
      dependencies: [.product(name: "KexecHandover", package: "swift-kexec-handover")],
      swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)],
      linkerSettings: startsFast),
    // This and the next open the C libraries of their peers when they run.
    .executableTarget(
      name: "DecodingSpeed",
      dependencies: [
        "Measuring",
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "StoreSpeed",
      dependencies: [
        "Measuring",
        .product(name: "KexecHandover", package: "swift-kexec-handover"),
        .product(name: "PersistentCollections", package: "swift-kexec-handover"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11,
  cxxLanguageStandard: .gnucxx17
)
