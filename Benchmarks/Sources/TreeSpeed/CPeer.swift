import Peers
import TreeWorkloads

/// A peer behind a table of C functions.
@safe
final class CPeer: PageSet {
  let name: String
  private let functions: peer
  private let set: UnsafeMutableRawPointer

  /// nil where the library is not installed.
  init?(_ functions: peer) {
    // SAFETY: the table's functions take what its `make` made, and that lives as long as `self`.
    unsafe name = String(cString: functions.name)
    guard let make = unsafe functions.make, let set = unsafe make() else { return nil }
    unsafe self.functions = functions
    unsafe self.set = set
  }

  deinit { unsafe functions.drop(set) }

  func clear() { unsafe functions.clear(set) }

  func insert(_ keys: Keys) -> UInt64 { unsafe with(keys) { unsafe functions.insert(set, $0) } }
  func remove(_ keys: Keys) -> UInt64 { unsafe with(keys) { unsafe functions.remove(set, $0) } }
  func contains(_ keys: Keys) -> UInt64 { unsafe with(keys) { unsafe functions.contains(set, $0) } }

  private func with(_ keys: Keys, _ body: (peer_keys) -> UInt64) -> UInt64 {
    switch keys {
    case .array(let keys):
      return unsafe keys.withUnsafeBufferPointer {
        unsafe body(peer_keys(keys: $0.baseAddress, first: 0, step: 0, count: $0.count))
      }
    case .sequence(let first, let step, let count):
      return unsafe body(peer_keys(keys: nil, first: first, step: step, count: count))
    }
  }

  func insertMany(_ keys: [UInt64]) {
    guard let insertMany = unsafe functions.insert_many else { return keep(insert(.array(keys))) }
    unsafe keys.withUnsafeBufferPointer { unsafe insertMany(set, $0.baseAddress, $0.count) }
  }

  func insertRange(first: UInt64, count: UInt64) {
    guard let insertRange = unsafe functions.insert_range else {
      return keep(insert(.sequence(first: first, step: 1, count: Int(count))))
    }
    unsafe insertRange(set, first, count)
  }

  func removeRange(first: UInt64, count: UInt64) {
    guard let removeRange = unsafe functions.remove_range else {
      return keep(remove(.sequence(first: first, step: 1, count: Int(count))))
    }
    unsafe removeRange(set, first, count)
  }

  func walkHash() -> UInt64 { unsafe functions.walk_hash(set) }

  func forEachRun(_ body: (UInt64, UInt64) -> Void) {
    withoutActuallyEscaping(body) { body in
      let callback = Callback(body)
      withExtendedLifetime(callback) {
        unsafe functions.walk_runs(
          set,
          { first, count, context in
            unsafe Unmanaged<Callback>.fromOpaque(context!)._withUnsafeGuaranteedRef {
              $0.body(first, count)
            }
          }, Unmanaged.passUnretained(callback).toOpaque())
      }
    }
  }

  private final class Callback {
    let body: (UInt64, UInt64) -> Void
    init(_ body: @escaping (UInt64, UInt64) -> Void) { self.body = body }
  }

  var byteCount: UInt64? { unsafe functions.byte_count.map { unsafe $0(set) } }
}
