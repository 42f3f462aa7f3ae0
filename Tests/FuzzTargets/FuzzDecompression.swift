internal import KexecHandover

/// Decompresses `bytes` as what its first byte says, a block of a few lengths or a whole stream, and traps
/// where a promise of the decoders does not hold.
public func fuzzDecompression(_ bytes: RawSpan) {
  guard let choice = bytes.byte(at: 0) else { return }
  let input = bytes.extracting(1..<bytes.byteCount)
  let blocks = BlockCompression.allCases
  let streams = StreamCompression.allCases
  let kind = Int(choice & 7)
  if kind < blocks.count {
    let byteCount = [64, 4096, 16_384, 65_536][Int(choice >> 3 & 3)]
    if let output = try? blocks[kind].decompress(input, byteCount: byteCount) {
      promise(output.count == byteCount, "output of another length than asked for")
      let start = try? blocks[kind].decompressStart(of: input, byteCount: 64)
      promise(start == Array(output.prefix(64)), "another start than that of the whole")
    }
    let start = try? blocks[kind].decompressStart(of: input, byteCount: byteCount)
    promise(start.map { $0.count <= byteCount } ?? true, "more than asked for")
  } else if kind - blocks.count < streams.count {
    let counter = Counter()
    try? streams[kind - blocks.count].decompress(input) { piece in
      promise(piece.byteCount > 0, "an empty piece")
      counter.byteCount += piece.byteCount
      return counter.byteCount < 8 << 20
    }
    promise(counter.byteCount <= 16 << 20, "more output after the receiver had enough")
  } else {
    var place = 0
    while let chunk = try? SnappyChunk(of: input, at: place) {
      promise(chunk.end > place, "a chunk without bytes")
      let decoded = try? chunk.decoded(input)
      promise(decoded.map { $0.count == chunk.byteCount } ?? true, "a chunk of another length")
      place = chunk.end
    }
  }
}

private final class Counter {
  var byteCount = 0
}
