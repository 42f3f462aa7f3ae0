#if !hasFeature(Embedded)
  import DeviceTreeBlob
  package import MemoryAccess

  extension RecordFinding {
    /// The finding's name in every output; never changes.
    package var code: String {
      switch self {
      case .malformed: "record-malformed"
      case .formatUnknown: "record-format-unknown"
      case .outsideMemory: "record-refers-outside-memory"
      case .notPreserved: "record-refers-unpreserved"
      case .entryDiffers: "record-entry-differs"
      case .moreRecordsThanMemory: "record-repeated"
      case .nameRepeated: "record-name-repeated"
      case .referredTwice: "record-refers-twice"
      case .memfd(_, .sizeImpossible): "memfd-size"
      case .memfd(_, .indexBeyondEnd), .memfd(_, .indexUnaligned): "memfd-index"
      case .memfd(_, .indicesOverlap): "memfd-overlap"
      case .memfd(_, .outOfOrder): "memfd-order"
      case .memfd(_, .sealsUnknown), .memfd(_, .flagsUnknown): "memfd-flags"
      case .memfd(_, .pagesMissing): "memfd-incomplete"
      case .memfd(_, .contentUndefined): "memfd-content"
      case .checksumWrong: "record-checksum"
      case .recordsUncounted: "record-uncounted"
      case .contentDamaged: "record-content-damaged"
      }
    }

    /// The place in memory that is wrong.
    package var place: PhysicalAddress? {
      switch self {
      case .malformed(_, let error): error.place
      case .outsideMemory(let reference): reference.range.start
      case .notPreserved(_, let page): page
      case .contentDamaged(_, let address, _): address
      case .entryDiffers(let reference, _), .referredTwice(let reference): reference.range.start
      case .memfd(_, let fault): fault.place
      case .recordsUncounted(_, let block): block
      case .formatUnknown, .moreRecordsThanMemory, .nameRepeated, .checksumWrong: nil
      }
    }

    /// What was found where.
    package var sentence: String {
      switch self {
      case .malformed(let owner, let error):
        return "\(owner.title): \(error.sentence)"
      case .formatUnknown(let owner, let format):
        return
          "\(owner.title) has the unknown format \"\(printable(format))\", so what it refers to was "
          + "not checked"
      case .outsideMemory(let reference):
        return "\(reference.title), which is outside memory"
      case .notPreserved(let reference, let page):
        let isAll = reference.range.start == page
        return
          "\(reference.title), of which \(isAll ? "the page" : "page") \(page) is not preserved"
      case .entryDiffers(let reference, let entry):
        return
          "\(reference.title), and the entry there is the block of order \(entry.order) at "
          + "\(entry.address)"
      case .nameRepeated(let owner):
        return "\(owner.title) occurs twice; Linux finds only one of them"
      case .referredTwice(let reference):
        return
          "\(reference.title), which is referred to a second time; what was restored cannot be restored again"
      case .memfd(let owner, let fault):
        return "\(owner.title): \(fault.sentence)"
      case .checksumWrong(let owner, let stored, let computed):
        let sums = computed.map { "0x\(String($0, radix: 16))" }.joined(separator: " or ")
        return
          "\(owner.title) has the checksum 0x\(String(stored, radix: 16)), and its folios have \(sums)"
      case .recordsUncounted(let owner, let block):
        return
          "\(owner.title): the block of records at \(block) is not empty behind the records that it counts; "
          + "the count may be damaged, and records lost"
      case .contentDamaged(let owner, let address, let reason):
        return "\(owner.title) is damaged at \(address): \(reason)"
      case .moreRecordsThanMemory:
        return
          "the records have, or refer to, more bytes than memory; some were reached more than once, "
          + "and the rest was not read"
      }
    }
  }

  extension MemfdFault {
    fileprivate var place: PhysicalAddress? {
      switch self {
      case .indexBeyondEnd(let folio, _), .indexUnaligned(let folio, _),
        .indicesOverlap(let folio, _),
        .outOfOrder(let folio, _), .contentUndefined(let folio, _):
        folio
      case .sizeImpossible, .sealsUnknown, .flagsUnknown, .pagesMissing: nil
      }
    }

    /// What is wrong.
    fileprivate var sentence: String {
      switch self {
      case .sizeImpossible(let byteCount):
        "its size of \(byteCount) bytes is more than any file can have"
      case .indexBeyondEnd(let folio, let index):
        "the folio at \(folio), page \(index) of the file, is behind the end of the file"
      case .indexUnaligned(let folio, let index):
        "the folio at \(folio), page \(index) of the file, is not at a multiple of its size"
      case .indicesOverlap(let folio, let index):
        "the folio at \(folio), page \(index) of the file, has a place that another folio has"
      case .outOfOrder(let folio, let index):
        "the folio at \(folio), page \(index) of the file, is listed after one with a higher page"
      case .pagesMissing(1, let first?):
        "page \(first) of the file is not listed, and will read as zeros"
      case .pagesMissing(let count, let first):
        "\(countText(count, "page")) of the file"
          + (first.map { ", the first of them page \($0), are" } ?? (count == 1 ? " is" : " are"))
          + " not listed, and will read as zeros"
      case .contentUndefined(let folio, let index):
        "the folio at \(folio), page \(index) of the file, is not marked as written and filled, so its content "
          + "will be lost"
      case .sealsUnknown(let seals):
        "its seals 0x\(String(seals, radix: 16)) are not known"
      case .flagsUnknown(let flags):
        "its flags 0x\(String(flags, radix: 16)) are not known"
      }
    }
  }

  extension RecordOwner {
    /// What the owner is called at the start of a sentence.
    package var title: String {
      switch self {
      case .subtree(let name): "blob \"\(printable(name))\""
      case .region(let name): "region \"\(printable(name))\""
      case .session(let name): "session \"\(printable(name))\""
      case .file(let session, let token): "file \(token) of session \"\(printable(session))\""
      case .sharedData(let name): "shared data \"\(printable(name))\""
      case .collection(let name): "collection \"\(printable(name))\""
      }
    }
  }

  extension RecordReference {
    fileprivate var title: String {
      let verb = "\(owner.title) refers to"
      switch role {
      case .region: return "\(owner.title) is \(range)"
      case .chunk: return "\(verb) the chunk of a vmalloc area at \(range.start)"
      case .area: return "\(verb) the vmalloc area's block \(range)"
      case .records: return "\(verb) records in \(range)"
      case .piece: return "\(verb) its memory \(range)"
      case .folio:
        let size = order.map { " of order \($0)" } ?? ""
        return "\(verb) the folio\(size) at \(range.start)"
      }
    }
  }

  extension RecordError {
    fileprivate var place: PhysicalAddress? {
      switch self {
      case .unreadable(let range): range.start
      case .rangeImpossible(let start, _): start
      case .textMalformed(let address), .blockImpossible(_, let address),
        .folioNotPreserved(let address), .folioOutOfOrder(let address, _),
        .folioRepeated(let address),
        .folioBeyondEnd(let address, _):
        address
      case .pointerUnaligned(_, let place): place
      case .chainCycle(let page), .blockEmpty(let page), .chunkEmpty(let page),
        .blockCountTooLarge(let page, _, _):
        page
      default: nil
      }
    }

    /// What is wrong.
    package var sentence: String {
      switch self {
      case .unreadable(let range):
        return "\(range) is outside the memory that the image contains"
      case .rangeImpossible(let start, let byteCount):
        return "there can be no \(countText(byteCount, "byte")) at \(start)"
      case .formatUnknown(let format):
        return "the format \"\(printable(format))\" is unknown"
      case .blobTooLarge(let byteCount, let limit):
        return "it claims \(byteCount) bytes; at most \(limit) are read"
      case .blobTooShort(let byteCount, let needed):
        return "it has \(countText(byteCount, "byte")), and its record \(needed)"
      case .deviceTreeMalformed(let error):
        return "its device tree is malformed: \(error.sentence)"
      case .nodeMissing(let name):
        return "it has no node \"\(name)\""
      case .propertyWrong(let name, let byteCount):
        return byteCount.map { "its property \"\(name)\" has the wrong form, \($0) bytes" }
          ?? "its property \"\(name)\" is missing"
      case .magicWrong(let magic):
        return "its magic number is 0x\(String(magic, radix: 16))"
      case .textMalformed(let address):
        return "the name at \(address) is empty or has no end"
      case .elementsMissing(let count):
        return "it claims \(countText(count, "element")) and points to none"
      case .elementCountTooLarge(let count, let capacity):
        return "it claims \(countText(count, "element")), where at most \(capacity) fit"
      case .elementCountDiffers(let count, let found):
        return "it claims \(countText(count, "element")), and \(found) were found"
      case .blockImpossible(let word, let place):
        return "the word 0x\(String(word, radix: 16)) at \(place) names no possible block"
      case .folioNotPreserved(let address):
        return "the folio at \(address) is not preserved, so it may have been overwritten"
      case .folioOutOfOrder(let address, let pageIndex):
        return
          "the folio at \(address), page \(pageIndex) of the file, has a place that another folio has"
      case .folioRepeated(let address):
        return "the folio at \(address) is listed twice"
      case .folioBeyondEnd(let address, let pageIndex):
        return
          "the folio at \(address), page \(pageIndex) of the file, is behind the end of the file"
      case .pointerUnaligned(let pointer, let place):
        return "the pointer \(pointer)\(place.map { " at \($0)" } ?? "") is not aligned to a page"
      case .chainCycle(let page):
        return "a chain of pages leads back to \(page)"
      case .chainTooLong(let limit):
        return "a chain of pages is longer than \(limit)"
      case .blockEmpty(let block):
        return "the block of records at \(block) is empty"
      case .blockCountTooLarge(let block, let count, let capacity):
        return
          "the block of records at \(block) claims \(count) records; \(capacity) fit in it"
      case .areaFlagsUnknown(let flags):
        return "its vmalloc area has unknown flags, 0x\(String(flags, radix: 16))"
      case .areaOrderImpossible(let order):
        return "its vmalloc area has blocks of order \(order), which no block can have"
      case .chunkEmpty(let chunk):
        return "the chunk at \(chunk) of its vmalloc area names no blocks"
      case .areaPageCountDiffers(let count, let found):
        return
          "its vmalloc area should have \(countText(count, "page")), and its chunks name \(found)"
      }
    }
  }

  extension RecordFinding: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String { sentence }
  }

  extension RecordError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String { sentence }
  }
#endif
