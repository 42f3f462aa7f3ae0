import Foundation
import Measuring

/// LMDB without waiting for the disk, in a file on tmpfs: it survives the process, as the store does.
final class LMDBPeer: Peer {
  static let name = "LMDB"
  private typealias P = OpaquePointer
  private struct Value {
    var size: Int
    var data: UnsafeMutableRawPointer?
  }

  private static let library = PeerLibrary("liblmdb.so.0", of: "liblmdb0")
  static var reasonForAbsence: String? { library.reasonForAbsence }

  private let begin: @convention(c) (P, P?, CUnsignedInt, UnsafeMutablePointer<P?>) -> CInt
  private let end: @convention(c) (P) -> CInt
  private let abort: @convention(c) (P) -> Void
  private let putValue:
    @convention(c) (P, CUnsignedInt, UnsafeMutableRawPointer, UnsafeMutableRawPointer, CUnsignedInt)
      -> CInt
  private let getValue:
    @convention(c) (P, CUnsignedInt, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> CInt
  private let openCursor: @convention(c) (P, CUnsignedInt, UnsafeMutablePointer<P?>) -> CInt
  private let nextEntry:
    @convention(c) (P, UnsafeMutableRawPointer, UnsafeMutableRawPointer, CInt) -> CInt
  private let closeCursor: @convention(c) (P) -> Void
  private let environment: P
  private let database: CUnsignedInt
  private var transaction: P?
  private let path: String
  private var pendingCount = 0

  required init(path: String, isNew: Bool) throws {
    let create: @convention(c) (UnsafeMutablePointer<P?>) -> CInt = try Self.library.symbol(
      "mdb_env_create")
    let setSize: @convention(c) (P, Int) -> CInt = try Self.library.symbol("mdb_env_set_mapsize")
    let open: @convention(c) (P, UnsafePointer<CChar>, CUnsignedInt, mode_t) -> CInt =
      try Self.library.symbol("mdb_env_open")
    let openDatabase:
      @convention(c) (P, UnsafePointer<CChar>?, CUnsignedInt, UnsafeMutablePointer<CUnsignedInt>)
        -> CInt = try Self.library.symbol("mdb_dbi_open")
    begin = try Self.library.symbol("mdb_txn_begin")
    end = try Self.library.symbol("mdb_txn_commit")
    abort = try Self.library.symbol("mdb_txn_abort")
    putValue = try Self.library.symbol("mdb_put")
    getValue = try Self.library.symbol("mdb_get")
    openCursor = try Self.library.symbol("mdb_cursor_open")
    nextEntry = try Self.library.symbol("mdb_cursor_get")
    closeCursor = try Self.library.symbol("mdb_cursor_close")
    var environment: P?
    try check(create(&environment), "mdb_env_create")
    guard let environment else {
      throw PeerFailure(reason: "mdb_env_create returned a null pointer")
    }
    self.environment = environment
    self.path = path
    try check(setSize(environment, 16 << 30), "mdb_env_set_mapsize")
    // MDB_NOSUBDIR, MDB_NOSYNC, MDB_WRITEMAP.
    try check(open(environment, path, 0x4000 | 0x10000 | 0x80000, 0o600), "mdb_env_open")
    var transaction: P?
    try check(begin(environment, nil, 0, &transaction), "mdb_txn_begin")
    var database: CUnsignedInt = 0
    try check(openDatabase(transaction!, nil, 0, &database), "mdb_dbi_open")
    try check(end(transaction!), "mdb_txn_commit")
    self.database = database
  }

  func put(_ key: UInt64, _ value: UInt64) throws {
    if transaction == nil { try check(begin(environment, nil, 0, &transaction), "mdb_txn_begin") }
    var bytes = (key.bigEndian, value)
    try withUnsafeMutableBytes(of: &bytes) { bytes in
      var key = Value(size: 8, data: bytes.baseAddress!)
      var value = Value(size: 8, data: bytes.baseAddress! + 8)
      try check(putValue(transaction!, database, &key, &value, 0), "mdb_put")
    }
    // In favour of this peer, a thousand puts are one commit; in the store, each put is a change of its own.
    pendingCount += 1
    if pendingCount == 1000 { try commit() }
  }

  func commit() throws {
    pendingCount = 0
    if let transaction { try check(end(transaction), "mdb_txn_commit") }
    transaction = nil
  }

  func get(_ key: UInt64) throws -> UInt64? {
    var reading: P?
    try check(begin(environment, nil, 0x20000, &reading), "mdb_txn_begin")
    defer { abort(reading!) }
    var bytes = key.bigEndian
    return withUnsafeMutableBytes(of: &bytes) { bytes in
      var key = Value(size: 8, data: bytes.baseAddress!)
      var value = Value(size: 0, data: nil)
      let code = getValue(reading!, database, &key, &value)
      guard code == 0 else { return nil }
      return value.data!.loadUnaligned(as: UInt64.self)
    }
  }

  func scan() throws -> UInt64 {
    var reading: P?
    try check(begin(environment, nil, 0x20000, &reading), "mdb_txn_begin")
    defer { abort(reading!) }
    var cursor: P?
    try check(openCursor(reading!, database, &cursor), "mdb_cursor_open")
    defer { closeCursor(cursor!) }
    var key = Value(size: 0, data: nil)
    var value = Value(size: 0, data: nil)
    var count: UInt64 = 0
    // MDB_NEXT.
    while nextEntry(cursor!, &key, &value, 8) == 0 { count += 1 }
    return count
  }

  func byteCount() -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_blocks) * 512 : nil
  }
}
