import Foundation
import Measuring

/// RocksDB with its log, without waiting for the disk, in a folder on tmpfs: it survives the process, as the
/// store does.
final class RocksDBPeer: Peer {
  static let name = "RocksDB"
  private typealias P = OpaquePointer
  private typealias Failure = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

  private static let library = PeerLibrary("librocksdb.so.7.8", of: "librocksdb7.8")
  static var reasonForAbsence: String? { library.reasonForAbsence }

  private let addToBatch: @convention(c) (P, UnsafeRawPointer, Int, UnsafeRawPointer, Int) -> Void
  private let clearBatch: @convention(c) (P) -> Void
  private let writeBatch: @convention(c) (P, P, P, Failure) -> Void
  private let getValue:
    @convention(c) (P, P, UnsafeRawPointer, Int, UnsafeMutablePointer<Int>, Failure)
      -> UnsafeMutablePointer<CChar>?
  private let makeIterator: @convention(c) (P, P) -> P?
  private let seekToFirst: @convention(c) (P) -> Void
  private let isValid: @convention(c) (P) -> UInt8
  private let next: @convention(c) (P) -> Void
  private let endIterator: @convention(c) (P) -> Void
  private let property: @convention(c) (P, UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>?
  private let database: P
  private let reading: P
  private let writing: P
  private let batch: P
  private var pendingCount = 0

  init(path: String, isNew: Bool) throws {
    func made(_ name: String) throws -> P {
      let make: @convention(c) () -> P? = try Self.library.symbol(name)
      guard let made = make() else { throw PeerFailure(reason: "\(name) returned a null pointer") }
      return made
    }
    let open: @convention(c) (P, UnsafePointer<CChar>, Failure) -> P? = try Self.library.symbol(
      "rocksdb_open")
    let createIfMissing: @convention(c) (P, UInt8) -> Void = try Self.library.symbol(
      "rocksdb_options_set_create_if_missing")
    addToBatch = try Self.library.symbol("rocksdb_writebatch_put")
    clearBatch = try Self.library.symbol("rocksdb_writebatch_clear")
    writeBatch = try Self.library.symbol("rocksdb_write")
    getValue = try Self.library.symbol("rocksdb_get")
    makeIterator = try Self.library.symbol("rocksdb_create_iterator")
    seekToFirst = try Self.library.symbol("rocksdb_iter_seek_to_first")
    isValid = try Self.library.symbol("rocksdb_iter_valid")
    next = try Self.library.symbol("rocksdb_iter_next")
    endIterator = try Self.library.symbol("rocksdb_iter_destroy")
    property = try Self.library.symbol("rocksdb_property_value")
    reading = try made("rocksdb_readoptions_create")
    writing = try made("rocksdb_writeoptions_create")
    batch = try made("rocksdb_writebatch_create")
    let options = try made("rocksdb_options_create")
    createIfMissing(options, 1)
    var failure: UnsafeMutablePointer<CChar>?
    guard let database = open(options, path, &failure) else {
      throw PeerFailure(reason: "rocksdb_open: \(failure.map { String(cString: $0) } ?? "")")
    }
    self.database = database
  }

  func put(_ key: UInt64, _ value: UInt64) throws {
    withUnsafeBytes(of: (key.bigEndian, value)) {
      addToBatch(batch, $0.baseAddress!, 8, $0.baseAddress! + 8, 8)
    }
    // In favour of this peer, a thousand puts are one write; in the store, each put is a change of its own.
    pendingCount += 1
    if pendingCount == 1000 { try commit() }
  }

  func commit() throws {
    pendingCount = 0
    var failure: UnsafeMutablePointer<CChar>?
    writeBatch(database, writing, batch, &failure)
    if let failure { throw PeerFailure(reason: "rocksdb_write: \(String(cString: failure))") }
    clearBatch(batch)
  }

  func get(_ key: UInt64) throws -> UInt64? {
    var byteCount = 0
    var failure: UnsafeMutablePointer<CChar>?
    let found = withUnsafeBytes(of: key.bigEndian) {
      getValue(database, reading, $0.baseAddress!, 8, &byteCount, &failure)
    }
    if let failure { throw PeerFailure(reason: "rocksdb_get: \(String(cString: failure))") }
    guard let found else { return nil }
    defer { free(found) }
    return UnsafeRawPointer(found).loadUnaligned(as: UInt64.self)
  }

  func scan() throws -> UInt64 {
    guard let iterator = makeIterator(database, reading) else {
      throw PeerFailure(reason: "rocksdb_create_iterator returned a null pointer")
    }
    defer { endIterator(iterator) }
    var count: UInt64 = 0
    seekToFirst(iterator)
    while isValid(iterator) != 0 {
      count += 1
      next(iterator)
    }
    return count
  }

  /// The bytes of its sorted files, and of the tables that are only in memory.
  func byteCount() -> UInt64? {
    ["rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables"].reduce(0) { sum, name in
      guard let sum, let text = property(database, name) else { return nil }
      defer { free(text) }
      return UInt64(String(cString: text)).map { sum + $0 }
    }
  }
}
