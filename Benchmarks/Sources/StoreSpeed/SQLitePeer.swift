import Foundation
import Measuring

/// SQLite in memory, which is lost with the process; for the restart, in a file with a write-ahead log.
final class SQLitePeer: Peer {
  static let name = "SQLite"
  private typealias P = OpaquePointer

  private static let library = PeerLibrary("libsqlite3.so.0", of: "libsqlite3-0")
  static var reasonForAbsence: String? { library.reasonForAbsence }

  private let execute:
    @convention(c) (
      P, UnsafePointer<CChar>, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?
    ) -> CInt
  private let bind: @convention(c) (P, CInt, Int64) -> CInt
  private let step: @convention(c) (P) -> CInt
  private let reset: @convention(c) (P) -> CInt
  private let column: @convention(c) (P, CInt) -> Int64
  private let used: @convention(c) () -> Int64
  private let database: P
  private let insert: P
  private let select: P
  private let all: P
  private var pendingCount = 0

  required init(path: String, isNew: Bool) throws {
    let open: @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<P?>) -> CInt =
      try Self.library.symbol("sqlite3_open")
    let prepare:
      @convention(c) (
        P, UnsafePointer<CChar>, CInt, UnsafeMutablePointer<P?>, UnsafeRawPointer?
      ) -> CInt = try Self.library.symbol("sqlite3_prepare_v2")
    execute = try Self.library.symbol("sqlite3_exec")
    bind = try Self.library.symbol("sqlite3_bind_int64")
    step = try Self.library.symbol("sqlite3_step")
    reset = try Self.library.symbol("sqlite3_reset")
    column = try Self.library.symbol("sqlite3_column_int64")
    used = try Self.library.symbol("sqlite3_memory_used")
    var database: P?
    try check(open(path, &database), "sqlite3_open")
    guard let database else { throw PeerFailure(reason: "sqlite3_open returned a null pointer") }
    self.database = database
    for statement in [
      "PRAGMA synchronous = OFF", "PRAGMA journal_mode = WAL",
      "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v INTEGER)",
    ] {
      try check(execute(database, statement, nil, nil, nil), statement)
    }
    func prepared(_ statement: String) throws -> P {
      var compiled: P?
      try check(prepare(database, statement, -1, &compiled, nil), statement)
      return compiled!
    }
    insert = try prepared("INSERT OR REPLACE INTO t VALUES (?, ?)")
    select = try prepared("SELECT v FROM t WHERE k = ?")
    all = try prepared("SELECT k, v FROM t ORDER BY k")
  }

  func put(_ key: UInt64, _ value: UInt64) throws {
    if pendingCount == 0 { try check(execute(database, "BEGIN", nil, nil, nil), "BEGIN") }
    _ = bind(insert, 1, Int64(bitPattern: key))
    _ = bind(insert, 2, Int64(bitPattern: value))
    // SQLITE_DONE.
    guard step(insert) == 101 else { throw PeerFailure(reason: "INSERT of key \(key) failed") }
    _ = reset(insert)
    pendingCount += 1
    if pendingCount == 1000 { try commit() }
  }

  func commit() throws {
    if pendingCount > 0 { try check(execute(database, "COMMIT", nil, nil, nil), "COMMIT") }
    pendingCount = 0
  }

  func get(_ key: UInt64) throws -> UInt64? {
    _ = bind(select, 1, Int64(bitPattern: key))
    defer { _ = reset(select) }
    // SQLITE_ROW.
    return step(select) == 100 ? UInt64(bitPattern: column(select, 0)) : nil
  }

  func scan() throws -> UInt64 {
    var count: UInt64 = 0
    while step(all) == 100 { count += 1 }
    _ = reset(all)
    return count
  }

  func byteCount() -> UInt64? { UInt64(max(used(), 0)) }
}
