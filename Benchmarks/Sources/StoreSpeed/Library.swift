import Foundation

// The peers are C libraries that are opened when the program runs: where one is not installed, its row says
// so, and building needs none of them.

struct PeerFailure: Error { let reason: String }

/// A function of a shared library.
func symbol<Function>(_ name: String, in library: UnsafeMutableRawPointer) throws -> Function {
  guard let address = dlsym(library, name) else {
    throw PeerFailure(reason: "\(name) is not in the library")
  }
  return unsafeBitCast(address, to: Function.self)
}

func check(_ code: CInt, _ what: String) throws {
  guard code == 0 else { throw PeerFailure(reason: "\(what): \(code)") }
}
