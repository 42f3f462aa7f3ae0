import KexecHandover
import Platform
import SystemPackage

func exitProcess(_ status: CInt) -> Never { exit(status) }

/// Waits until a signal ends the process: what is preserved stays so.
func waitForever() {
  while true { pause() }
}

/// Copies a file into one that has no name, and that comes back writable.
func unnamed(copyOf path: FilePath) throws -> FileDescriptor {
  let copy = try SystemCalls.openUnnamed(in: "/dev/shm")
  let source = try FileDescriptor.open(path, .readOnly)
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe source.read(into: $0) }
    if count == 0 { break }
    try copy.writeAll(buffer[..<count])
  }
  try source.close()
  return copy
}

/// Preserves copies of files in a session, under tokens from 1 on, and stays.
func preserveFiles(session name: String, paths: ArraySlice<String>) throws {
  let device = try LiveUpdate.open()
  let session = try device.createSession(named: name)
  for (index, path) in paths.enumerated() {
    try session.preserve(try unnamed(copyOf: FilePath(path)), token: UInt64(index + 1))
  }
  print("preserved \(paths.count) in \(try session.name())")
  fflush(nil)
  _ = consume device
  withExtendedLifetime(session) { waitForever() }
}

/// Preserves copies of files in one session after another, and takes each session back at once, until it is killed.
func preserveAgainAndAgain(paths: ArraySlice<String>) throws {
  let device = try LiveUpdate.open()
  let files = try paths.map { try unnamed(copyOf: FilePath($0)) }
  var count = 0
  while true {
    // Closing it takes back what was preserved.
    let session = try device.createSession(named: "again \(count)")
    for (index, file) in files.enumerated() {
      try session.preserve(file, token: UInt64(index + 1))
    }
    count += 1
    if count == 1 || count.isMultiple(of: 100) {
      print("preserved \(count) times")
      fflush(nil)
    }
  }
}

/// Takes files out of a session, and writes them to /tmp/SESSION-TOKEN, for another program to look at.
func retrieveFiles(session name: String, tokens: ArraySlice<String>) throws {
  let device = try LiveUpdate.open()
  let session = try device.retrieveSession(named: name)
  for token in tokens {
    let file = try session.retrieve(token: UInt64(token)!)
    let position = try file.seek(offset: 0, from: .current)
    let size = try file.seek(offset: 0, from: .end)
    try file.seek(offset: 0, from: .start)
    // F_GET_SEALS
    let seals = fcntl(file.rawValue, 1034)
    let copy = try FileDescriptor.open(
      FilePath("/tmp/\(name)-\(token)"), .writeOnly, options: [.create, .truncate],
      permissions: .ownerReadWrite)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
      if count == 0 { break }
      try copy.writeAll(buffer[..<count])
    }
    try copy.close()
    print("token \(token) size \(size) position \(position) seals \(seals)")
  }
  try session.finish()
}

/// Makes every mistake, and prints what the library says.
func showRefusals() throws {
  func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
      print("\(what): works")
    } catch {
      print("\(what): \(error)")
    }
  }
  let device = try LiveUpdate.open()
  attempt("open twice") { _ = try LiveUpdate.open() }
  let session = try device.createSession(named: "one")
  attempt("create twice") { _ = try device.createSession(named: "one") }
  attempt("no name") { _ = try device.createSession(named: "") }
  attempt("long name") { _ = try device.createSession(named: String(repeating: "x", count: 64)) }
  attempt("longest name") {
    _ = try device.createSession(named: String(repeating: "x", count: 63))
  }
  attempt("unknown session") { _ = try device.retrieveSession(named: "two") }
  let first = try unnamed(copyOf: "/etc/passwd")
  attempt("preserve") { try session.preserve(first, token: 1) }
  attempt("preserve twice") { try session.preserve(first, token: 2) }
  let second = try unnamed(copyOf: "/etc/group")
  attempt("token twice") { try session.preserve(second, token: 1) }
  let sealed = try SystemCalls.createMemfd(name: "sealed", hugePageShift: 0)
  // F_ADD_SEALS with F_SEAL_EXEC
  _ = fcntl(sealed.rawValue, 1033, 0x20)
  attempt("sealed") { try session.preserve(sealed, token: 3) }
  let named = try FileDescriptor.open(
    FilePath("/dev/shm/named"), .readWrite, options: [.create], permissions: .ownerReadWrite)
  try named.writeAll([1, 2, 3])
  attempt("named") { try session.preserve(named, token: 4) }
  try SystemCalls.unlink("/dev/shm/named")
  attempt("unlinked") { try session.preserve(named, token: 4) }
  let pipe = try FileDescriptor.pipe()
  attempt("pipe") { try session.preserve(pipe.readEnd, token: 5) }
  print("name: \(try session.name())")
}
