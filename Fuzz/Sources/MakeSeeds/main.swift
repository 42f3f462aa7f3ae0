// Makes the first inputs: `MakeSeeds FIXTURES CORPUS`.

internal import KexecHandover
internal import SystemPackage

guard CommandLine.arguments.count == 3 else { fatalError("usage: MakeSeeds FIXTURES CORPUS") }
let fixtures = FilePath(CommandLine.arguments[1])
let corpus = FilePath(CommandLine.arguments[2])

func write(_ bytes: [UInt8], _ folder: String, _ name: String) throws {
  let path = corpus.appending(folder).appending(name)
  let file = try FileDescriptor.open(
    path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead])
  _ = try file.closeAfter { try file.writeAll(bytes) }
}

for name in [
  "linux-6.18-kho-v1", "linux-7.1-kho-v3", "linux-7.3-kho-v4", "linux-7.3-kho-v4-chained",
] {
  let image = try MemoryImage.open(fixtures.appending("\(name).elf"), base: nil)
  for (index, address) in HandoverScanner(image).addresses.enumerated() {
    let survey = HandoverSurvey(.memory(address), in: image, geometry: .pages4KiB)
    for (blob, bytes) in deviceTrees(of: survey, at: address, in: image) {
      try write(bytes, "DeviceTree", "\(name)-\(index)-\(blob)")
    }
    guard survey.error == nil else { continue }
    try write(smallCapture(of: survey, at: address, in: image), "Images", "\(name).elf")
    guard name == "linux-7.3-kho-v4" else { continue }
    // The same as a compressed dump, flattened and not.
    let capture = try MemoryImage.open(corpus.appending("Images/\(name).elf"), base: nil)
    let dump = KdumpBuilder(of: capture).built()
    try write(dump, "Images", "\(name).kdump")
    try write(
      KdumpBuilder.flattened(dump, seed: 1, largestPiece: 9000), "Images", "\(name).flattened")
  }
}
for version in [ABIVersion.v2, .v3, .v4] {
  for shift in [6, 9] {
    let geometry = PageGeometry(shift: shift)
    try write(
      toyTree(version, geometry, at: 0x10_0000) + [0x02], "Images", "toy-\(version)-\(shift)")
  }
}
try write(
  toyTree(.v4, PageGeometry(shift: 6), at: 0x4000_0000) + [0x83], "Images", "toy-v4-6-file")
try write(toyChunkList(at: 0x1000) + [0x01], "Images", "toy-v1")
