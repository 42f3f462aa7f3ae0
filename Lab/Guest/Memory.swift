import KexecHandover
import Platform
import SystemPackage

// A memory file that a kernel update does not touch. Each region's sum is kept in another region, so
// that the successor can check whether all of it came along.

/// Makes a memory file of regions with contents of their own, preserves it, and stays.
func makeMemory(session name: String, mebibytes: UInt64) throws {
  let device = try LiveUpdate.open()
  let session = try device.createSession(named: name)
  var memory = try PreservedMemory.open("/dev/shm/memory", byteCount: mebibytes << 20)
  try SystemCalls.unlink("/dev/shm/memory")
  try fill(&memory, regionCount: 100)
  try memory.preserve(in: session)
  // What is stored after it was preserved counts as well.
  try addRegion(&memory, at: 100)
  let count = try verified(memory)
  print("made generation \(memory.generation) regions \(count)")
  fflush(nil)
  _ = consume device
  stay(session, memory)
}

/// Takes the memory over; with `again` preserves it in a session of that name, and stays.
func takeMemory(session name: String, again: String?) throws {
  let device = try LiveUpdate.open()
  let incoming = try device.retrieveSession(named: name)
  var memory = try PreservedMemory.retrieved(from: incoming)
  try incoming.finish()
  let count = try verified(memory)
  print("took generation \(memory.generation) regions \(count)")
  // It grows again after the session was finished.
  let room = memory.byteCount
  _ = try memory.makeRegion(named: "grown \(memory.generation)", byteCount: room)
  print("grown \(memory.byteCount > room)")
  guard let again else { return }
  try addRegion(&memory, at: count)
  let outgoing = try device.createSession(named: again)
  try memory.preserve(in: outgoing)
  print("made generation \(memory.generation) regions \(try verified(memory))")
  fflush(nil)
  _ = consume device
  stay(outgoing, memory)
}

private func stay(
  _ session: borrowing LiveUpdate.OutgoingSession, _ memory: borrowing PreservedMemory
) {
  waitForever()
}

private func fill(_ memory: inout PreservedMemory, regionCount: Int) throws {
  _ = try memory.makeRegion(named: "sums", byteCount: 4096)
  for index in 0..<regionCount { try addRegion(&memory, at: index) }
}

/// Adds a region, its contents, its sum, and last the number of regions.
private func addRegion(_ memory: inout PreservedMemory, at index: Int) throws {
  let byteCount = [4096, 8192, 12288, 65536, 40960, 131_072][index % 6] as UInt64
  let region = try memory.makeRegion(named: "region \(index)", byteCount: byteCount)
  memory.withWords(of: region) { words in
    var state = UInt64(index) &* 0x9e37_79b9_7f4a_7c15 | 1
    for word in 0..<Int(byteCount / 8) {
      state ^= state &<< 13
      state ^= state &>> 7
      state ^= state &<< 17
      words.publish(state, at: word)
    }
  }
  let sum = sum(memory, region)
  guard let sums = try memory.region(named: "sums") else { throw LabFailure.sumsMissing }
  memory.withWords(of: sums) { words in
    words.publish(sum, at: index + 1)
    words.publish(UInt64(index + 1), at: 0)
  }
}

enum LabFailure: Error {
  case sumsMissing
  case regionMissing(Int)
  case sumWrong(Int)
  case nothingStored
  case connectionClosed
  case answerNotUnderstood(String)
}

/// Checks the sum of each region; gives how many there are.
private func verified(_ memory: borrowing PreservedMemory) throws -> Int {
  guard let sums = try memory.region(named: "sums") else { throw LabFailure.sumsMissing }
  let words = memory.withBytes(of: sums) { bytes in
    (0..<512).map { bytes.word(at: $0) }
  }
  for index in 0..<Int(words[0]) {
    guard let region = try memory.region(named: "region \(index)") else {
      throw LabFailure.regionMissing(index)
    }
    guard sum(memory, region) == words[index + 1] else { throw LabFailure.sumWrong(index) }
  }
  return Int(words[0])
}

private func sum(_ memory: borrowing PreservedMemory, _ region: PhysicalRange) -> UInt64 {
  memory.withBytes(of: region) { bytes in
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<bytes.byteCount / 8 {
      sum = (sum ^ bytes.word(at: index)) &* 0x100_0000_01b3
    }
    return sum
  }
}

extension RawSpan {
  fileprivate func word(at index: Int) -> UInt64 {
    // SAFETY: any eight bytes are a word.
    unsafe unsafeLoad(fromByteOffset: index * 8, as: UInt64.self)
  }
}
