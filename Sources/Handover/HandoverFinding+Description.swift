#if !hasFeature(Embedded)
  import DeviceTreeBlob
  package import MemoryAccess
  import PreservedPages

  extension HandoverFinding {
    /// The finding's name in every output; never changes.
    package var code: String {
      switch self {
      case .deviceTreeUnreadable: "fdt-unreadable"
      case .deviceTreeTooLarge: "fdt-too-large"
      case .deviceTreeMalformed: "fdt-malformed"
      case .compatibleMissing: "compatible-missing"
      case .versionUnknown: "version-unknown"
      case .mapMissing: "map-missing"
      case .mapSizeWrong: "map-size"
      case .subtreeAddressWrong: "blob-address"
      case .subtreeSizeWrong: "blob-size"
      case .subtreeOutsideMemory: "blob-outside-memory"
      case .subtreeNotPreserved: "blob-not-preserved"
      case .deviceTreeChanged: "fdt-changed"
      case .deviceTreeNotPreserved: "fdt-not-preserved"
      case .mapEmpty: "map-empty"
      case .subtreeRepeated: "blob-repeated"
      case .deviceTreePastPage: "fdt-past-page"
      case .blockInScratch: "block-in-scratch"
      case .pageSizeAssumed: "page-size-assumed"
      case .pages(let finding): finding.code
      case .record(let finding): finding.code
      }
    }

    /// The place in memory that is wrong.
    package var place: PhysicalAddress? {
      switch self {
      case .deviceTreeUnreadable(let address), .deviceTreeChanged(let address),
        .deviceTreeNotPreserved(let address), .subtreeOutsideMemory(_, let address, _),
        .subtreeNotPreserved(_, let address):
        address
      case .blockInScratch(let block, _): block.address
      case .pages(let finding): finding.place
      case .record(let finding): finding.place
      default: nil
      }
    }

    /// The level of the node that is wrong.
    package var level: Int? {
      if case .pages(let finding) = self { finding.level } else { nil }
    }

    /// What was found where.
    package var sentence: String {
      switch self {
      case .deviceTreeUnreadable(let address):
        return "the root device tree at \(address) is outside the memory that the image contains"
      case .deviceTreeTooLarge(let byteCount, let limit):
        return "the root device tree claims \(byteCount) bytes; at most \(limit) are read"
      case .deviceTreeMalformed(let error):
        return "the root device tree is malformed: \(error.sentence)"
      case .compatibleMissing:
        return "the root device tree has no \"compatible\" string, so its version is unknown"
      case .versionUnknown(let compatible):
        return "the version \"\(printable(compatible))\" is not one of kho-v1 to kho-v4"
      case .mapMissing:
        return "the root device tree has no \"preserved-memory-map\" property"
      case .mapSizeWrong(let byteCount):
        return "\"preserved-memory-map\" has \(countText(byteCount, "byte")) instead of 8"
      case .subtreeAddressWrong(let name, let property, let byteCount):
        return "blob \"\(printable(name))\": " + wrongProperty(property, byteCount)
      case .subtreeSizeWrong(let name, let property, let byteCount):
        return "blob \"\(printable(name))\": " + wrongProperty(property, byteCount)
      case .subtreeOutsideMemory(let name, let address, let byteCount):
        let size = byteCount.map { "\($0) bytes" } ?? "unknown size"
        return "blob \"\(printable(name))\" at \(address), \(size), is outside memory"
      case .subtreeNotPreserved(let name, let address):
        return "blob \"\(printable(name))\" at \(address) is stored in pages that are not preserved"
      case .deviceTreeChanged(let address):
        return
          "the root device tree at \(address) is not as it was written: its check value does not fit"
      case .deviceTreeNotPreserved(let address):
        return "the root device tree at \(address) is stored in a page that is not preserved"
      case .mapEmpty(let subtreeCount):
        return
          "the map is 0, so nothing is preserved, and yet \(countText(subtreeCount, "blob")) \(subtreeCount == 1 ? "is" : "are") registered"
      case .subtreeRepeated(let name):
        return
          "two blobs are named \"\(printable(name))\"; a kernel finds the first and loses the other"
      case .deviceTreePastPage(let byteCount, let limit):
        return
          "the root device tree has \(byteCount) bytes, and Linux passes \(limit) on; the next kernel would "
          + "fault before its first message"
      case .blockInScratch(let block, let scratch):
        return
          "the block of order \(block.order) at \(block.address) is in the scratch area \(scratch), which the "
          + "next kernel overwrites"
      case .pageSizeAssumed(let geometry):
        return
          "the image does not show the page size; \(byteText(UInt64(geometry.pageByteCount))) was assumed "
          + "(see --page-size)"
      case .pages(let finding):
        return finding.sentence
      case .record(let finding):
        return finding.sentence
      }
    }

    private func wrongProperty(_ property: String, _ byteCount: Int?) -> String {
      byteCount.map { "property \"\(property)\" has \(countText($0, "byte")) instead of 8" }
        ?? "property \"\(property)\" is missing"
    }
  }

  extension HandoverFinding: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String { sentence }
  }
#endif
