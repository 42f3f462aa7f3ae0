// swift-tools-version: 6.2
import PackageDescription

// Built for a bare machine by `run`, which also links the kernel:
//
//     KHO_EMBEDDED=1 swift build -c release --triple x86_64-unknown-none-elf
let package = Package(
  name: "TinyKernel",
  products: [.library(name: "TinyKernel", type: .static, targets: ["TinyKernel"])],
  dependencies: [.package(name: "swift-kexec-handover", path: "../..")],
  targets: [
    // What Swift cannot say: the first instructions, ports and system registers, memcpy.
    .target(
      name: "Machine",
      cSettings: [
        .headerSearchPath("freestanding"),
        .unsafeFlags([
          "-ffreestanding", "-fno-builtin", "-fPIC", "-ffunction-sections",
          // The tree in C that the benchmarks compare with.
          "-I\(Context.packageDirectory)/../../Benchmarks/Sources/Peers/include",
        ]),
      ]),
    .target(
      name: "TinyKernel",
      dependencies: [
        "Machine", .product(name: "KexecHandoverCore", package: "swift-kexec-handover"),
      ],
      swiftSettings: [
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableExperimentalFeature("Lifetimes"),
        .enableExperimentalFeature("Embedded"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
