/// Something wrong with a forged handover, named by the code with which `kho check` reports it.
///
/// For seeing what a kernel does with it.
@nonexhaustive
public enum ForgeDamage: String, CaseIterable, Sendable {
  // The root device tree.
  case deviceTreeUnreadable = "fdt-unreadable"
  case deviceTreeTooLarge = "fdt-too-large"
  case deviceTreeMalformed = "fdt-malformed"
  case deviceTreeNotPreserved = "fdt-not-preserved"
  case compatibleMissing = "compatible-missing"
  case versionUnknown = "version-unknown"
  case mapMissing = "map-missing"
  case mapSize = "map-size"
  case mapEmpty = "map-empty"
  case blobAddress = "blob-address"
  case blobSize = "blob-size"
  case blobOutsideMemory = "blob-outside-memory"
  case blobNotPreserved = "blob-not-preserved"
  case blobRepeated = "blob-repeated"
  case deviceTreePastPage = "fdt-past-page"
  // The tree.
  case pointerUnaligned = "pointer-unaligned"
  case pointerOutsideMemory = "pointer-outside-memory"
  case cycle
  case nodeReachedTwice = "node-reached-twice"
  case nodeEmpty = "node-empty"
  case keyNoOrder = "key-no-order"
  case keyImpossibleOrder = "key-impossible-order"
  case blockOutsideMemory = "block-outside-memory"
  case blocksOverlap = "blocks-overlap"
  case blockOverNode = "block-over-node"
  case blockOverDeviceTree = "block-over-fdt"
  case blockInScratch = "block-in-scratch"
  // The records.
  case recordMalformed = "record-malformed"
  case recordFormatUnknown = "record-format-unknown"
  case recordRefersUnpreserved = "record-refers-unpreserved"
  case recordRefersOutsideMemory = "record-refers-outside-memory"
  case recordEntryDiffers = "record-entry-differs"
  case recordRefersTwice = "record-refers-twice"
  case recordNameRepeated = "record-name-repeated"
  case recordUncounted = "record-uncounted"
  case recordChecksum = "record-checksum"
  // The record of a file.
  case memfdSize = "memfd-size"
  case memfdFlags = "memfd-flags"
  case memfdIndex = "memfd-index"
  case memfdOverlap = "memfd-overlap"
  case memfdOrder = "memfd-order"
  case memfdIncomplete = "memfd-incomplete"
  case memfdContent = "memfd-content"
}
