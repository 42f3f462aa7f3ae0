import Foundation

/// A C library of a peer. It is opened when the program runs, so building does not need it, and the row of a peer
/// that is not installed says so.
struct Library: @unchecked Sendable {
  private let file: String
  private let package: String
  private let handle: UnsafeMutableRawPointer?

  /// Opens the shared library `file` of a Debian package, dlopen(3).
  init(_ file: String, of package: String) {
    self.file = file
    self.package = package
    handle = dlopen(file, RTLD_NOW)
  }

  /// Why the peer is left out; nil if the library is installed.
  var reasonForAbsence: String? { handle == nil ? "\(file) is not installed (\(package))" : nil }

  /// A function of the library, dlsym(3).
  func symbol<Function>(_ name: String) throws -> Function {
    guard let handle, let address = dlsym(handle, name) else {
      throw PeerFailure(reason: reasonForAbsence ?? "\(file) does not contain \(name)")
    }
    return unsafeBitCast(address, to: Function.self)
  }
}

struct PeerFailure: Error { let reason: String }

func check(_ code: CInt, _ what: String) throws {
  guard code == 0 else { throw PeerFailure(reason: "\(what) returned \(code)") }
}
