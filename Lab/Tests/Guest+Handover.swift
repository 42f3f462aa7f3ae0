import Foundation
import Testing

extension Guest {
  private static let kho = Lab.programs.appending(path: "kho").path

  /// Boots a handover that a command of `kho` makes, `forge` or `replay`: a kernel with the lab's initramfs, in one file.
  ///
  /// - Parameters:
  ///   - arguments: the command, with what it reads.
  ///   - folder: where the file is made.
  ///   - kernel: the kernel; nil for the lab's own.
  ///   - options: what is added to the command line.
  static func booted(
    by arguments: [String], in folder: TemporaryFolder, kernel: URL? = nil,
    adding options: String = ""
  ) throws -> Guest {
    let initramfs = folder.url.appending(path: "initramfs")
    try Self.initramfs().whole.write(to: initramfs)
    let image = folder.url.appending(path: "boot.elf")
    let made = try Run(
      kho,
      arguments + [
        "--kernel", (kernel ?? Lab.parts.kernel).path, "--initramfs", initramfs.path, "--append",
        commandLine + " " + options, "-o", image.path, "--force", "--json",
      ])
    try #require(made.status == 0, "\(made.text)")
    struct Report: Decodable { let memoryBytes: Int }
    let report = try JSONDecoder().decode(Report.self, from: Data(made.text.utf8))
    return try Guest(.whole(image), memory: report.memoryBytes >> 20)
  }
}
