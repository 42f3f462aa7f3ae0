import Foundation

/// A C library of a peer. It is opened when the program runs, so building does not need it, and the row of a peer
/// that is not installed says so.
@safe
package struct PeerLibrary: @unchecked Sendable {
  private let file: String
  private let package: String
  private let handle: UnsafeMutableRawPointer?

  /// Opens the shared library `file` of a Debian package, dlopen(3).
  package init(_ file: String, of package: String) {
    self.file = file
    self.package = package
    unsafe handle = dlopen(file, RTLD_NOW)
  }

  /// Why the peer is left out; `nil` if the library is installed.
  package var reasonForAbsence: String? {
    unsafe handle == nil ? "\(file) is not installed (\(package))" : nil
  }

  /// A function of the library, dlsym(3).
  ///
  /// - Throws: ``PeerFailure`` if the library is not installed or does not contain the function.
  /// - Precondition: the function has the type `Function`.
  package func symbol<Function>(_ name: String) throws -> Function {
    guard let handle = unsafe handle, let address = unsafe dlsym(handle, name) else {
      throw PeerFailure(reason: reasonForAbsence ?? "\(file) does not contain \(name)")
    }
    // SAFETY: the precondition names the type, and a library stays open until the process ends.
    return unsafe unsafeBitCast(address, to: Function.self)
  }
}

/// Why a peer cannot be measured.
package struct PeerFailure: Error {
  package let reason: String

  package init(reason: String) { self.reason = reason }
}

/// - Throws: ``PeerFailure`` if `code` is not 0.
package func check(_ code: CInt, _ what: String) throws {
  guard code == 0 else { throw PeerFailure(reason: "\(what) returned \(code)") }
}
