import KexecHandover

// Two MiB of memory, presented at physical address 1 GiB; the first half is for the tree's nodes.
let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 2 << 20)
let memory = try AnonymousMemory(range)
let nodes = PhysicalRange(start: range.start, byteCount: 1 << 20)
var frames = FramePool(of: nodes, in: memory, geometry: .pages4KiB)

// The predecessor preserves eight single pages and a block of 2^6 pages behind them.
var tree = try RadixTree(in: memory, geometry: RadixGeometry(.pages4KiB), from: &frames)
let data = range.start.advanced(byBytes: 1 << 20)
for page in 0..<8 as Range<UInt64> {
  let address = data.advanced(byBytes: page * 4096)
  try tree.insert(RadixKey(address, order: .zero, in: .pages4KiB), from: &frames)
}
let block = data.advanced(byBytes: 256 << 10)
try tree.insert(RadixKey(block, order: PageOrder(6), in: .pages4KiB), from: &frames)
tree.forEachRange { print("preserved", $0.range(in: .pages4KiB), "in blocks of order", $0.order) }

// The successor knows the address of the root only, and checks all that it reads.
let reader = RadixTreeReader(memory, geometry: RadixGeometry(.pages4KiB), root: tree.root)
var survey = PreservedPagesSurvey(reader)
let wanted = [PhysicalRange(start: data, byteCount: 32 << 10)]
let isPreserved = survey.sweep(in: memory, deviceTree: nil, covering: wanted)
print("found", survey.entryCount, "entries,", survey.preservedByteCount, "bytes;")
print("the single pages are all there:", isPreserved[0], "- wrong:", survey.findings.findings.count)
