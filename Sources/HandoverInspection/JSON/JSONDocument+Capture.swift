import Handover
import MemoryImages

extension JSONDocument {
  /// What a capture holds that was written to `path`: schema `kho-capture/2`.
  public static func capture(_ capture: HandoverCapture, path: String) -> JSONValue {
    make(
      "kho-capture/2",
      [
        "path": path, "fdtAddresses": capture.image.surveys.compactMap(\.address),
        "storedBytes": capture.writer.storedByteCount, "memoryBytes": capture.existing.byteCount,
      ])
  }
}
