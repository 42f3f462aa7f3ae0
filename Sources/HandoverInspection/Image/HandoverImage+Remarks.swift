import MemoryAccess
import MemoryImages

extension HandoverImage {
  /// What was left out or read differently, and what of the image cannot be read: sentences that begin with
  /// the name of the image.
  public var remarks: [String] {
    var remarks: [String] = []
    if case .kdump(let dump) = memory, let damage = dump.damage {
      remarks.append(
        "damaged; the page at \(damage.first.address) could not be read: \(damage.first.reason)")
    }
    for note in notes {
      switch note {
      case .incomingUsedUp(let address):
        remarks.append(
          "the handover that this kernel received\(address.map { ", at \($0)," } ?? "") is left out: the "
            + "kernel has restored it and uses its memory for something else")
      case .deviceTreeCut(let byteCount):
        remarks.append(
          "the given root device tree is cut off after \(countText(UInt64(byteCount), "byte")), and the whole "
            + "is not among what is preserved; only the entries are read")
      }
    }
    if case .avml(let dump) = memory, let damage = dump.damage {
      remarks.append("damaged; the chunk with the page at \(damage.first) could not be read")
    }
    if omittedHandoverCount > 0 {
      remarks.append(
        "\(omittedHandoverCount) more root device trees were found and not read; name one with --fdt-address"
      )
    }
    return remarks.map { "\(name): \($0)" }
  }

  /// What to try where raw memory seems to lack a hole; nil where it does not.
  public var holeRemark: String? {
    missingHole().map { hole in
      let found =
        "\(name): the handover of the root device tree at \(hole.deviceTree) is not whole: "
      guard let machine = hole.machine, let address = hole.placedDeviceTree else {
        return found
          + "if the file lacks a hole that the machine's memory has, give the place of each part with"
          + " --base OFFSET=ADDR, or the kind of virtual machine with --vmm"
      }
      return found
        + "the file probably lacks the hole below 4 GiB; with --vmm \(machine.rawValue) it is whole, at"
        + " \(address)"
    }
  }
}
