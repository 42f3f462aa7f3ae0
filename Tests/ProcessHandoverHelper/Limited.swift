import MemoryAccess
import Platform
import ProcessHandover
import SystemPackage

/// Fills memory until it is refused, in the control group whose folder is given; says why, and that
/// everything is still there.
func fillInControlGroup(_ folder: FilePath, _ path: FilePath) throws {
  let list = try SystemCalls.open(folder.appending("cgroup.procs"), .writeOnly)
  _ = try list.writeAll(Array("\(SystemCalls.processID)".utf8))
  var memory = try PreservedMemory.open(path)
  var blocks: [PhysicalRange] = []
  let error = fillUntilRefused(&memory, &blocks)
  let isWhole = blocks.enumerated().allSatisfy { index, block in
    memory.withBytes(of: block) { bytes in
      stride(from: 0, to: bytes.byteCount, by: 4096).allSatisfy {
        unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt64.self) == UInt64(index)
      }
    }
  }
  guard case .outOfStorage(.beyondMemoryLimit(_, let limit)) = error else { return say("\(error)") }
  say("refused below \(limit) after \(blocks.count) MiB, whole: \(isWhole)")
}

private func fillUntilRefused(
  _ memory: inout PreservedMemory, _ blocks: inout [PhysicalRange]
) -> PreservedMemoryError {
  while true {
    do throws(PreservedMemoryError) {
      let block = try memory.allocate(byteCount: 1 << 20)
      memory.withMutableBytes(of: block) { bytes in
        for offset in stride(from: 0, to: bytes.byteCount, by: 4096) {
          bytes.storeBytes(of: UInt64(blocks.count), toByteOffset: offset, as: UInt64.self)
        }
      }
      blocks.append(block)
    } catch {
      return error
    }
  }
}

/// Asks for more than a file system of 32 MiB holds, and says what that took.
func allocateTooMuch(_ folder: FilePath) throws {
  var memory = try PreservedMemory.open(folder.appending("memory"), byteCount: 1 << 30)
  func taken(_ memory: borrowing PreservedMemory) throws -> Int64 {
    Int64(try memory.file.withDescriptor { try SystemCalls.status(of: $0).storedByteCount })
  }
  let before = try taken(memory)
  do throws(PreservedMemoryError) {
    _ = try memory.allocate(byteCount: 200 << 20)
    say("allocated")
  } catch {
    guard case .outOfStorage(let reason) = error else { return say("\(error)") }
    let isOutOfSpace = reason == .outOfSpace
    let rest = try taken(memory) - before
    // Memory goes on being usable.
    let next = try memory.allocate(byteCount: 16 << 20)
    say(
      "refused: \(isOutOfSpace ? "outOfSpace" : "\(reason)"), taken: "
        + (rest < 1 << 20 ? "less than 1 MiB" : "\(rest)") + ", then: \(next.byteCount >> 20) MiB")
  }
}

/// Makes memory without a file in a sandbox that may forbid that, says what came of it, and makes a file then.
func makeMemoryInSandbox(_ folder: FilePath) throws {
  do throws(PreservedMemoryError) {
    _ = try PreservedMemory(creating: .memfd(name: "sandbox"))
    say("made")
  } catch {
    say("refused: \(error)")
  }
  var memory = try PreservedMemory.open(folder.appending("memory"))
  try memory.makeRegion(named: "kept", byteCount: 1)
  say("kept: \(try memory.names())")
}
