import KexecHandover

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A virtual machine's memory as its hypervisor sees it: one file, mapped, whose pieces are the guest's
/// slots. Slots are anywhere in the guest's address space, with gaps between them.
///
///     file    │ slot 0        │ slot 1           │
///     guest   0 … 512 MiB                 4 GiB … 4.5 GiB
///
/// QEMU makes such a file with `-object memory-backend-file,share=on`.
struct GuestMemory: WritablePhysicalMemory, Sendable {
  /// Each slot is mapped at a fixed distance from its guest addresses, as `DirectMap` is.
  private let slots: [DirectMap]

  /// Maps the file at `path`.
  ///
  /// - Parameter slots: ranges of guest addresses, in the order in which they are in the file.
  /// - Parameter isNew: whether the file is made, and written to; otherwise it must exist, and nothing
  ///   that is done here reaches it.
  /// - Throws: `GuestMemoryError`.
  init(_ path: String, slots ranges: [PhysicalRange], isNew: Bool) throws(GuestMemoryError) {
    // SAFETY: the C library reads the path, which ends with a zero byte.
    let file =
      isNew
      ? unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .call("open", errno) }
    defer { close(file) }
    let byteCount = ranges.reduce(0) { $0 + off_t($1.byteCount) }
    if isNew {
      guard ftruncate(file, byteCount) == 0 else { throw .call("ftruncate", errno) }
    } else {
      let found = lseek(file, 0, SEEK_END)
      guard found == byteCount else { throw .size(found, expected: byteCount) }
    }
    var slots: [DirectMap] = []
    var offset: off_t = 0
    for range in ranges {
      let base = unsafe mmap(
        nil, Int(range.byteCount), PROT_READ | PROT_WRITE, isNew ? MAP_SHARED : MAP_PRIVATE, file,
        offset)
      guard let base = unsafe base, unsafe base != MAP_FAILED else { throw .call("mmap", errno) }
      // SAFETY: just mapped, and never unmapped.
      slots.append(unsafe DirectMap(range, mappedAt: base))
      offset += off_t(range.byteCount)
    }
    self.slots = slots
  }

  private func slot(of range: PhysicalRange) -> DirectMap? {
    slots.first { $0.contains(range) }
  }

  // MARK: PhysicalMemory

  var byteCount: UInt64 { slots.reduce(0) { $0 + $1.byteCount } }

  func contains(_ range: PhysicalRange) -> Bool { slot(of: range) != nil }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    slots.compactMap { $0.storedRange(atOrAfter: address) }.min { $0.start < $1.start }
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let slot = slot(of: range) else { return nil }
    return try slot.withBytes(in: range, body)
  }

  // MARK: WritablePhysicalMemory

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let range = PhysicalRange(start: address, byteCount: UInt64(count) * 8)
    guard let slot = slot(of: range) else { preconditionFailure("words outside the guest's slots") }
    return try slot.withWords(at: address, count: count, body)
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let slot = slot(of: range) else { preconditionFailure("bytes outside the guest's slots") }
    return try slot.withMutableBytes(in: range, body)
  }
}

/// Why a guest's memory cannot be mapped.
enum GuestMemoryError: Error, CustomStringConvertible {
  /// A call of the C library failed.
  case call(String, CInt)
  /// The file has another size than the slots.
  case size(off_t, expected: off_t)

  var description: String {
    switch self {
    case .call(let function, let code):
      // SAFETY: the C library's text for an error lasts until the next call.
      "\(function): \(unsafe String(cString: strerror(code)))"
    case .size(let found, let expected):
      "the file has \(found) bytes, the slots have \(expected): name the guest's sizes in MiB"
    }
  }
}

func exitProcess(_ status: CInt) -> Never { exit(status) }
