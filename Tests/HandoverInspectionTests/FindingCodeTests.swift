import KexecHandover
import Testing

/// Codes are an interface: scripts ask for them, so none may ever change.
@Suite struct FindingCodeTests {
  private static let one = PhysicalAddress(0x1000)
  private static let block = PhysicalBlock(address: one, order: .zero)
  private static let run = BlockRun(address: one, order: .zero, blockCount: 1)

  @Test func codesOfHandovers() {
    let expected: [(HandoverFinding, String)] = [
      (.deviceTreeUnreadable(Self.one), "fdt-unreadable"),
      (.deviceTreeTooLarge(byteCount: 2, limit: 1), "fdt-too-large"),
      (.deviceTreeMalformed(.missingRoot(offset: 0)), "fdt-malformed"),
      (.compatibleMissing, "compatible-missing"),
      (.versionUnknown("kho-v9"), "version-unknown"),
      (.mapMissing, "map-missing"),
      (.mapSizeWrong(byteCount: 4), "map-size"),
      (.subtreeAddressWrong(name: "a", property: "p", byteCount: nil), "blob-address"),
      (.subtreeSizeWrong(name: "a", property: "p", byteCount: 4), "blob-size"),
      (.subtreeOutsideMemory(name: "a", address: Self.one, byteCount: 1), "blob-outside-memory"),
      (.subtreeNotPreserved(name: "a", address: Self.one), "blob-not-preserved"),
      (.deviceTreeChanged(Self.one), "fdt-changed"),
      (.deviceTreeNotPreserved(Self.one), "fdt-not-preserved"),
      (.mapEmpty(subtreeCount: 1), "map-empty"),
      (.subtreeRepeated(name: "a"), "blob-repeated"),
      (.deviceTreePastPage(byteCount: 5000, limit: 4096), "fdt-past-page"),
      (
        .blockInScratch(Self.block, scratch: PhysicalRange(start: Self.one, byteCount: 1)),
        "block-in-scratch"
      ),
      (.pageSizeAssumed(.pages4KiB), "page-size-assumed"),
      (.pages(.orderZeroMarkDropped), "order-zero-mark-dropped"),
    ]
    for (finding, code) in expected {
      #expect(finding.code == code)
      #expect(!finding.sentence.isEmpty && !finding.sentence.hasSuffix("."))
    }
    #expect(Set(expected.map(\.1)).count == expected.count)
  }

  @Test func codesOfPages() {
    let key = RadixKey(rawValue: 1)
    let expected: [(PreservedPagesFinding, String)] = [
      (.pointerUnaligned(in: .start, pointer: Self.one), "pointer-unaligned"),
      (.pointerOutsideMemory(in: .start, pointer: Self.one), "pointer-outside-memory"),
      (.nodeNotStored(in: .start, pointer: Self.one), "node-not-in-image"),
      (.cycle(in: .start, pointer: Self.one), "cycle"),
      (.nodeReachedTwice(in: .start, pointer: Self.one), "node-reached-twice"),
      (.slotBeyondKeys(in: .start, pointer: Self.one), "key-impossible-order"),
      (.moreNodesThanMemory(nodeCount: 1), "too-many-nodes"),
      (.keyNamesNoBlock(leaf: Self.one, key: key), "key-impossible-order"),
      (.keyNamesNoBlock(leaf: Self.one, key: RadixKey(rawValue: 0)), "key-no-order"),
      (.keyAmbiguous(leaf: Self.one, key: key), "key-ambiguous"),
      (.nodeEmpty(RadixNode(address: Self.one, level: 0, firstKey: key)), "node-empty"),
      (.blocksOutsideMemory(Self.run), "block-outside-memory"),
      (.blocksOverlap(Self.block, Self.block), "blocks-overlap"),
      (.blockOverNode(Self.block, node: Self.one), "block-over-node"),
      (.blockOverDeviceTree(Self.block, deviceTree: Self.one), "block-over-fdt"),
      (.chunkOrderImpossible(chunk: Self.one, order: 99), "chunk-order"),
      (.chunkCountTooLarge(chunk: Self.one, count: 300, capacity: 255), "chunk-count"),
      (.chunkEmpty(chunk: Self.one), "chunk-empty"),
      (.bitmapStartUnaligned(in: .start, start: Self.one, order: .zero), "bitmap-start"),
      (.bitmapRepeated(in: .start, start: Self.one, order: .zero), "bitmap-repeated"),
      (.bitmapEmpty(bitmap: Self.one), "bitmap-empty"),
      (.orderZeroMarkDropped, "order-zero-mark-dropped"),
      (.bitmapSizeAssumed(byteCount: 4096), "v1-bitmap-size-assumed"),
    ]
    for (finding, code) in expected {
      #expect(finding.code == code)
      #expect(!finding.sentence.isEmpty && !finding.sentence.hasSuffix("."))
    }
  }

  @Test func codesOfRecords() {
    let owner = RecordOwner.subtree("a")
    let reference = RecordReference(
      owner: owner, role: .folio, range: PhysicalRange(start: Self.one, byteCount: 4096))
    let expected: [(RecordFinding, String)] = [
      (.malformed(owner, .formatUnknown("b")), "record-malformed"),
      (.formatUnknown(owner, "b"), "record-format-unknown"),
      (.outsideMemory(reference), "record-refers-outside-memory"),
      (.notPreserved(reference, page: Self.one), "record-refers-unpreserved"),
      (.entryDiffers(reference, entry: Self.block), "record-entry-differs"),
      (.moreRecordsThanMemory, "record-repeated"),
      (.nameRepeated(owner), "record-name-repeated"),
      (.referredTwice(reference), "record-refers-twice"),
      (.memfd(owner, .sizeImpossible(.max)), "memfd-size"),
      (.memfd(owner, .indexBeyondEnd(Self.one, pageIndex: 1)), "memfd-index"),
      (.memfd(owner, .indexUnaligned(Self.one, pageIndex: 1)), "memfd-index"),
      (.memfd(owner, .indicesOverlap(Self.one, pageIndex: 1)), "memfd-overlap"),
      (.memfd(owner, .outOfOrder(Self.one, pageIndex: 1)), "memfd-order"),
      (.memfd(owner, .sealsUnknown(64)), "memfd-flags"),
      (.memfd(owner, .flagsUnknown(64)), "memfd-flags"),
      (.memfd(owner, .pagesMissing(1, first: 0)), "memfd-incomplete"),
      (.memfd(owner, .contentUndefined(Self.one, pageIndex: 1)), "memfd-content"),
      (.recordsUncounted(owner, block: Self.one), "record-uncounted"),
      (.checksumWrong(owner, stored: 1, computed: [2, 3]), "record-checksum"),
      (.contentDamaged(.collection("a"), Self.one, "b"), "record-content-damaged"),
    ]
    for (finding, code) in expected {
      #expect(HandoverFinding.record(finding).code == code)
      #expect(!finding.sentence.isEmpty && !finding.sentence.hasSuffix("."))
    }
  }
}
